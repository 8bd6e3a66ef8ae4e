"""Every way a file of sequences can be wrong, with its message; files of noise must end in a
RequestError too.
"""

import io
import json
import pathlib
import pickle
import re
import zipfile

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.tasks import example_task, load_file_task

NUMBERS = np.arange(60).reshape(20, 3)
SUMS = np.cumsum(NUMBERS, axis=1)


def npz(**arrays) -> bytes:
    """The good file with some arrays replaced, or left out (None)."""
    arrays = {
        key: value
        for key, value in ({"x": NUMBERS, "y": SUMS} | arrays).items()
        if value is not None
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def changed(array: np.ndarray, place: tuple, value) -> np.ndarray:
    array = array.astype(np.result_type(array, np.asarray(value)))
    array[place] = value
    return array


def csv(*rows: str, header: str = "sequence,x,y", good: int = 20) -> bytes:
    """The good file with rows appended, or only its first `good` sequences."""
    lines = [f"{n},{x},{y}" for n in range(good) for x, y in zip(NUMBERS[n], SUMS[n])]
    return "\n".join([header, *lines, *rows, ""]).encode()


def jsonl(*lines: str, good: int = 20) -> bytes:
    records = [
        json.dumps({"x": x, "y": y}) for x, y in zip(NUMBERS[:good].tolist(), SUMS[:good].tolist())
    ]
    return "\n".join([*records, *lines, ""]).encode()


class _Executed:
    def __reduce__(self):
        return (pathlib.Path("/nonexistent/executed").write_text, ("a pickle was loaded",))


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_npy", ".npy"), content)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


_RAGGED_OBJECTS = np.array([[1, 2], [3]], dtype=object)

# name of the file, its bytes, and what the message says about it
WRONG_FILES = {
    "empty npz": ("a.npz", b"", "is empty"),
    "unknown extension": (
        "a.txt",
        b"1",
        r"a.txt: no table was found in it",
    ),
    "no extension": ("a", b"1", "a: no table was found in it"),
    "an image": ("a.png", b"\x89PNG\0\0\xff", r"has the ending .png and is no text; allowed are"),
    "a workbook": ("a.xlsx", b"PK\x03\x04", "save the sheet as CSV"),
    "damaged gzip": ("a.csv.gz", b"\x1f\x8b\x08damaged", "it cannot be unpacked"),
    "pickle": ("a.pkl", pickle.dumps(_Executed()), "pickles are never loaded"),
    "pytorch": ("a.pt", b"PK", "PyTorch files are pickles and never loaded"),
    "npy": ("a.npy", _npy(NUMBERS), "save x and y together with numpy.savez"),
    "npz that is a pickle": ("a.npz", pickle.dumps(_Executed()), "not a readable .npz file"),
    "npz that is text": ("a.npz", b"hello", "not a readable .npz file"),
    "npz that is one array": ("a.npz", _npy(NUMBERS), "a single array, not an npz archive"),
    "npz cut short": ("a.npz", npz()[:300], "not a readable .npz file"),
    "npz with a pickled array": (
        "a.npz",
        npz(x=_RAGGED_OBJECTS),
        "the array x cannot be read .it holds Python objects",
    ),
    "npz without x": (
        "a.npz",
        npz(x=None, measured=NUMBERS, more=NUMBERS),
        r"no column holds the inputs .x.; name it x, or say which it is: task.columns.x=.*; the "
        "columns are y, measured, more",
    ),
    "npz with nothing": ("a.npz", zipped(), "there is no array x; the file holds nothing"),
    "npz with text in place of x": (
        "a.npz",
        zipped(x=b"1 2 3", y_npy=_npy(SUMS)),
        "x is not an array",
    ),
    "npz of complex numbers": (
        "a.npz",
        npz(y=SUMS * 1j),
        "y must hold integers, but its dtype is complex128",
    ),
    "npz of dates": (
        "a.npz",
        npz(y=SUMS.astype("M8[s]")),
        r"y must hold integers, but its dtype is datetime64\[s\]",
    ),
    "npz fractional": (
        "a.npz",
        npz(x=NUMBERS / 2),
        r"x has 30 entries that are not whole numbers \(first: x\[0, 1, 0\] = 0.5\)",
    ),
    "npz NaN": (
        "a.npz",
        npz(x=changed(NUMBERS, (4, 1), np.nan)),
        r"1 entry that is not finite \(first: x\[4, 1, 0\] = nan\)",
    ),
    "npz infinite": (
        "a.npz",
        npz(x=changed(NUMBERS, (0, 0), -np.inf)),
        "x has 1 entry that is not finite",
    ),
    "npz too large": (
        "a.npz",
        npz(x=changed(NUMBERS, (2, 2), 2**40)),
        r"beyond ±2147483647 \(first: x\[2, 2, 0\]",
    ),
    "npz flat": ("a.npz", npz(x=np.arange(60)), r"\(sequence, step, x\), but its shape is \(60,\)"),
    "npz a number": ("a.npz", npz(x=3, lengths=3), r"but its shape is \(\)"),
    "npz four axes": ("a.npz", npz(y=np.zeros((20, 3, 1, 1))), r"but its shape is \(20, 3, 1, 1\)"),
    "npz fewer labels": ("a.npz", npz(y=SUMS[:15]), "x has 20 sequences but y has 15"),
    "npz shorter labels": ("a.npz", npz(y=SUMS[:, :2]), "x has 3 steps but y has 2"),
    "npz no sequences": (
        "a.npz",
        npz(x=NUMBERS[:0], y=SUMS[:0]),
        "there are only 0 sequences; at least 10",
    ),
    "npz few sequences": (
        "a.npz",
        npz(x=NUMBERS[:9], y=SUMS[:9]),
        "there are only 9 sequences; at least 10",
    ),
    "npz no steps": (
        "a.npz",
        npz(x=NUMBERS[:, :0], y=SUMS[:, :0]),
        r"x has shape \(20, 0, 1\): there is nothing in it",
    ),
    "npz no inputs": (
        "a.npz",
        npz(x=np.zeros((20, 3, 0))),
        r"x has shape \(20, 3, 0\): there is nothing in it",
    ),
    "npz constant": (
        "a.npz",
        npz(y=SUMS * 0 + 4),
        "y is 4 at every step of every sequence, so there is nothing",
    ),
    "npz equal inputs": (
        "a.npz",
        npz(x=NUMBERS * 0),
        "there are fewer than three different input sequences",
    ),
    "npz contradictory": (
        "a.npz",
        npz(x=NUMBERS % 3),
        "57 of 60 labels, in 19 of 20 sequences, contradict others",
    ),
    "npz with a mask": (
        "a.npz",
        npz(mask=NUMBERS[:, :2] > 3),
        r"mask must be \(20, 3\) truth values, 1 at the steps that count, but is bool of shape",
    ),
    "npz lengths of another shape": (
        "a.npz",
        npz(lengths=np.ones(3, int)),
        r"lengths must be integers of shape \(20,\)",
    ),
    "npz fractional lengths": (
        "a.npz",
        npz(lengths=np.ones(20)),
        "lengths must be integers .* but is float64",
    ),
    "npz lengths beyond the end": (
        "a.npz",
        npz(lengths=np.arange(20)),
        r"17 of the lengths are not within 1..3 \(first: lengths\[0\] = 0\)",
    ),
    "csv empty": ("a.csv", b"", "is empty"),
    "csv blank": ("a.csv", b"\n\n", "there is nothing in it but blank lines"),
    "csv header only": ("a.csv", csv(good=0), "there are no rows below the header"),
    "csv without header": (
        "a.csv",
        b"0,1,2\n" * 40,
        "the first line must name the columns, as in sequence,x,y; or say which is which: task.col",
    ),
    "csv other columns": (
        "a.csv",
        csv(header="subject,heat,mood"),
        r"no column holds the outputs .y.; name it y, .* the columns are subject, heat, mood",
    ),
    "csv column missing": ("a.csv", csv(header="sequence,x,x1"), "no column holds the outputs"),
    "csv column skipped": (
        "a.csv",
        csv(header="sequence,x0,y2"),
        r"the columns y2 are not numbered on from 0 or 1; .* task.columns.y=",
    ),
    "csv column twice": ("a.csv", csv(header="x,sequence,y,x"), "the column x occurs 2 times"),
    "csv no sequences": (
        "a.csv",
        csv(header="number,x,y"),
        "no column tells sequences apart; add one .sequence., name it .task.columns.sequence=",
    ),
    "csv same time": (
        "a.csv",
        b"sequence,t,x,y\n" + b"".join(b"%d,0,%d,1\n" % (n // 3, n) for n in range(60)),
        r"two steps of a sequence have the same t \(line 3: 0.0, 40 times\); number the steps",
    ),
    "csv ragged": (
        "a.csv",
        csv("20,1", "20,1,2,3"),
        r"not every row has 3 values \(line 62: 2 values, 2 times\)",
    ),
    "csv words": ("a.csv", csv("20,one,2"), r"not every value is a number \(line 62: 'one'\)"),
    "csv hole": ("a.csv", csv("20,,2"), r"a value is missing \(line 62\)"),
    "csv fractional": (
        "a.csv",
        csv("20,1.5,2"),
        r"not every value is a whole number \(line 62: '1.5'\)",
    ),
    "csv NaN": (
        "a.csv",
        csv("20,nan,2", "20,inf,2"),
        r"not every value is finite \(line 63: 'inf'\)",
    ),
    "csv too large": ("a.csv", csv("20,3000000000,2"), "not every value is within ±2147483647"),
    "csv much too large": ("a.csv", csv("20," + "9" * 5000 + ",2"), "not every value is"),
    "csv binary": ("a.csv", csv() + b"\xff\xfe\x00", "not a text file in UTF-8"),
    "csv constant": (
        "a.csv",
        re.sub(rb",\d+\n", b",1\n", csv()),
        "y is 1 at every step of every sequence",
    ),
    "jsonl blank": ("a.jsonl", b"\n \n", "there are no sequences; write one a line"),
    "jsonl not JSON": (
        "a.jsonl",
        jsonl("{x: 1}"),
        r"not every line is JSON \(line 21: Expecting property name",
    ),
    "jsonl cut short": ("a.jsonl", jsonl()[:-9], "not every line is JSON .line 20"),
    "jsonl one list": (
        "a.jsonl",
        b"[[1, 2], [3, 4]]",
        "there are only 1 sequences",
    ),
    "jsonl a number": ("a.jsonl", b"5\n", r'not every line is of the form {"x": \[...\], "y": '),
    "jsonl without y": (
        "a.jsonl",
        jsonl('{"x": [1]}'),
        r"not every record is of the form {x, y} .line 21",
    ),
    "jsonl numbers": (
        "a.jsonl",
        jsonl('{"x": 1, "y": 2}'),
        r"x: every word must be a list of steps or a text \(line 21: 1\)",
    ),
    "jsonl lengths": (
        "a.jsonl",
        jsonl('{"x": [1, 2], "y": [2]}'),
        r"as many steps as each other \(line 21: 2 steps, 1 labels\)",
    ),
    "jsonl words": (
        "a.jsonl",
        jsonl('{"x": ["a"], "y": [2]}'),
        r"x: not every value is a number \(line 21: 'a'\)",
    ),
    "jsonl null": (
        "a.jsonl",
        jsonl('{"x": [null, 1], "y": [2, 2]}'),
        r"x: a value is missing \(line 21\)",
    ),
    "jsonl fractional": (
        "a.jsonl",
        jsonl('{"x": [1.5], "y": [2]}'),
        r"x: not every value is a whole number \(line 21: 1.5\)",
    ),
    "jsonl NaN": (
        "a.jsonl",
        jsonl('{"x": [Infinity], "y": [2]}'),
        r"x: not every value is finite \(line 21: inf\)",
    ),
    "jsonl too large": (
        "a.jsonl",
        jsonl('{"x": [1e300], "y": [2]}'),
        "x: not every value is within ±2147483647",
    ),
    "jsonl far too large": (
        "a.jsonl",
        jsonl('{"x": [%s], "y": [2]}' % ("9" * 3000)),
        "x: not every value is within",
    ),
    "jsonl ragged steps": (
        "a.jsonl",
        jsonl('{"x": [[1, 2]], "y": [2]}'),
        r"x: every step must be one value \(line 21: \[1, 2\]\)",
    ),
    "jsonl ragged lists": (
        "a.jsonl",
        b'{"x": [[1, 2]], "y": [[2]]}\n{"x": [[1]], "y": [[2]]}\n',
        r"x: every step must be a list of 2 values, like the first \(line 2: \[1\]\)",
    ),
    "jsonl empty steps": (
        "a.jsonl",
        b'{"x": [[]], "y": [[2]]}\n',
        r"x: a step is an empty list \(line 1: \[\]\)",
    ),
    "jsonl nested": (
        "a.jsonl",
        jsonl('{"x": [' + "[" * 900 + "1" + "]" * 900 + '], "y": [2]}'),
        "x: every step must be one",
    ),
    "jsonl nested deeply": ("a.jsonl", jsonl("[" * 100_000), "not every line is JSON"),
    "jsonl binary": ("a.jsonl", b"\x80" + jsonl(), "not a text file in UTF-8"),
    "jsonl few": ("a.jsonl", jsonl(good=3), "there are only 3 sequences; at least 10 are needed"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_wrong_files(tmp_path, case):
    name, content, message = WRONG_FILES[case]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RequestError, match=message) as caught:
        load_file_task(path, on_contradiction="error")
    assert all(name in problem for problem in caught.value.problems)
    assert all(len(problem) < 400 for problem in caught.value.problems)


def test_the_unchanged_files_are_good(tmp_path):
    for name, content in ("a.npz", npz()), ("a.csv", csv()), ("a.jsonl", jsonl()):
        (tmp_path / name).write_bytes(content)
        assert len(load_file_task(tmp_path / name).training) >= 13


def test_paths(tmp_path):
    (tmp_path / "there.csv").write_text("sequence,x,y\n")
    for path, message in (
        (None, "task.path is missing; give a file of sequences"),
        ("", "task.path is missing"),
        (
            tmp_path / "not_there.csv",
            "not_there.csv .task.path. does not exist; beside it there are there.csv",
        ),
        (tmp_path, "is not a file"),
        ("a\0b.csv", "task.path"),
        ("a" * 5000 + ".csv", "task.path"),
    ):
        with pytest.raises(RequestError, match=message):
            load_file_task(path)


def test_all_problems_of_a_file_at_once(tmp_path):
    path = tmp_path / "bad.npz"
    path.write_bytes(npz(x=NUMBERS / 2, y=changed(SUMS[:5, :2], (0, 0), np.nan)))
    with pytest.raises(RequestError) as caught:
        load_file_task(path, on_contradiction="perhaps")
    assert [
        problem.removeprefix("bad.npz: ").split(" (")[0] for problem in caught.value.problems
    ] == [
        "task.on_contradiction must be warn or error, but is 'perhaps'",
        "x has 30 entries that are not whole numbers",
        "y has 1 entry that is not finite",
        "x has 20 sequences but y has 5",
        "x has 3 steps but y has 2",
        "there are only 5 sequences; at least 10 are needed, as some are set apart for selection "
        "and for judging",
    ]
    path = tmp_path / "bad.csv"
    path.write_bytes(csv("20,a,1.5", "20", "20,,inf"))
    with pytest.raises(RequestError) as caught:
        load_file_task(path)
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize(
    "mask, message",
    [
        (np.ones((20, 3)), r"mask must be \(20, 3\) truth values, but is \(20, 3\) float64"),
        (np.ones((20, 4), bool), r"mask must be \(20, 3\) truth values"),
        (np.arange(3) > np.zeros((20, 1)), "mask must be True up to the end"),
        (np.arange(3) < np.arange(20)[:, None], "1 sequences have no steps at all"),
    ],
)
def test_wrong_masks(mask, message):
    with pytest.raises(RequestError, match=message):
        example_task(NUMBERS, SUMS, mask)


def test_padding_does_not_matter(tmp_path):
    lengths = np.arange(20) % 3 + 1
    padding = np.arange(3) >= lengths[:, None]
    path = tmp_path / "padded.npz"
    path.write_bytes(
        npz(
            x=np.where(padding, np.nan, NUMBERS),
            y=np.where(padding, 2.0**99, SUMS),
            lengths=lengths,
        )
    )
    task = load_file_task(path)
    assert task.given.mask.sum() == lengths.sum()
    assert task.training.outputs.max() <= SUMS.max()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("extension, good", [("npz", npz()), ("csv", csv()), ("jsonl", jsonl())])
def test_noise_never_ends_in_anything_but_a_request_error(tmp_path, extension, good):
    """Random bytes, files cut short, and good files with some bytes changed; a lucky one may still
    be readable.
    """
    rng = np.random.default_rng(0)
    path = tmp_path / f"noise.{extension}"
    readable = 0
    for trial in range(150):
        if trial % 3 == 0:
            content = rng.bytes(int(rng.integers(1, 400)))
        elif trial % 3 == 1:
            content = good[: int(rng.integers(1, len(good)))]
        else:
            damaged = bytearray(good)
            for place in rng.integers(0, len(good), size=int(rng.integers(1, 6))):
                damaged[place] = int(rng.integers(256))
            content = bytes(damaged)
        path.write_bytes(content)
        try:
            readable += len(load_file_task(path).training) > 0
        except RequestError as error:
            assert error.problems and all("noise" in problem for problem in error.problems)
    assert readable < 100


def test_header_that_promises_more_than_there_is(tmp_path):
    path = tmp_path / "huge.npz"
    header = _npy(np.zeros((20, 3))).replace(b"(20, 3), }           ", b"(2000000000000, 3), }")
    path.write_bytes(zipped(x_npy=header, y_npy=_npy(SUMS)))
    with pytest.raises(RequestError, match=r"huge\.npz: not a readable \.npz file"):
        load_file_task(path)
