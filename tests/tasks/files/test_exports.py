"""Data as people have them: each export below is read rightly, label for label, or refused in one
message that names the fix.

Words are over two letters; a step's label is whether three zeros in a row have never been read.
"""

import bz2
import dataclasses
import gzip
import io
import itertools
import json
import lzma
import pickle
import re
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.pipeline import task_from
from mips_jax.tasks import FunctionTask, load_file_task
from mips_jax.tasks.files.table import Columns, Reading

COUNT = 60


def _words(seed: int, low: int, high: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    found: dict[tuple, None] = {}
    while len(found) < COUNT:
        found[tuple(rng.choice(2, rng.integers(low, high + 1), p=(0.6, 0.4)).tolist())] = None
    return [list(word) for word in found]


def running(word: list[int]) -> list[int]:
    """1 as long as three zeros in a row have not been read."""
    text = "".join(map(str, word))
    return [int("000" not in text[: t + 1]) for t in range(len(text))]


WORDS, EVEN = _words(0, 3, 11), _words(1, 8, 8)  # of unequal and of equal length
TEXTS = ["".join(map(str, word)) for word in WORDS]
LABELS = [running(word) for word in WORDS]
LAST = [labels[-1] for labels in LABELS]
X, Y = np.array(EVEN), np.array([running(word) for word in EVEN])
ROWS = [
    (n, t, x, y)
    for n, (word, labels) in enumerate(zip(WORDS, LABELS))
    for t, (x, y) in enumerate(zip(word, labels))
]


def steps(words=WORDS, labels=LABELS) -> list:
    """What should come out: (letters, label of each step, None where there is none)."""
    return [(tuple(word), tuple(given)) for word, given in zip(words, labels)]


def last(words=WORDS, labels=LAST) -> list:
    return [(tuple(w), (None,) * (len(w) - 1) + (label,)) for w, label in zip(words, labels)]


def renamed(expected: list, letters=None, answers=None) -> list:
    of = lambda table, value: value if table is None or value is None else table[value]
    return [
        (tuple(of(letters, x) for x in word), tuple(of(answers, y) for y in given))
        for word, given in expected
    ]


HIDDEN = [[None if (n + t) % 3 else y for t, y in enumerate(ys)] for n, ys in enumerate(LABELS)]


def some() -> list:
    """Labels at a third of the steps, cut after the last of them."""
    end = lambda given: max((t + 1 for t, y in enumerate(given) if y is not None), default=0)
    cut = [(word[: end(given)], given[: end(given)]) for word, given in zip(WORDS, HIDDEN)]
    return steps(*zip(*[(word, given) for word, given in cut if word]))


def read(task) -> list:
    """The examples of a task in its symbols."""
    given = task.given
    judged = np.ones(given.inputs.shape[:2], bool) if given.judged is None else given.judged
    found = []
    for n, length in enumerate(given.steps):
        plain = lambda row: row[0] if len(row) == 1 else tuple(row)
        word = [plain(row) for row in given.inputs[n, :length].tolist()]
        answers = [plain(row) for row in given.outputs[n, :length].tolist()]
        if task.symbols is not None:
            word, answers = task.symbols.read(word), map(task.symbols.written, answers)
        known = judged[n, :length]
        found.append((tuple(word), tuple(y if k else None for y, k in zip(answers, known))))
    return found


@dataclasses.dataclass
class Export:
    """One way in which people have their data.

    Attributes:
        given: the bytes of a file, or a function that makes an object.
        expected: examples as `read` returns them, or the message of a refusal.
        name: of the file; None: an object in memory.
        reading: what the user says of it.
        said: part of what is assumed.
    """

    given: bytes | str | Callable
    expected: list | str
    name: str | None = None
    reading: Reading = dataclasses.field(default_factory=Reading)
    said: str = ""


def table(header: str, rows, mark: str = ",") -> str:
    lines = [mark.join(map(str, row)) for row in rows]
    return "\n".join([header, *lines] if header else lines) + "\n"


def lines(*records) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def parquet(**columns) -> bytes:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def frame(**columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def asked(**columns) -> Reading:
    return Reading(columns=Columns(**columns))


def dataset(**columns):
    """What Hugging Face's datasets look like from outside."""
    columns = {name: list(column) for name, column in columns.items()}

    class Dataset:
        def __init__(self):
            self.column_names = list(columns)

        def __getitem__(self, key):
            return columns[key] if key in columns else {n: c[key] for n, c in columns.items()}

        def __len__(self):
            return len(next(iter(columns.values())))

    return Dataset()


class TorchDataset:
    """What PyTorch's map-style datasets look like."""

    def __len__(self):
        return COUNT

    def __getitem__(self, n):
        return np.array(WORDS[n]), LAST[n]


PADDED = np.array([word + [0] * (11 - len(word)) for word in WORDS])
ATTENTION = (np.arange(11) < np.array([[len(word)] for word in WORDS])).astype(int)
PADDED_LABELS = [labels + [-100] * (11 - len(labels)) for labels in LABELS]
COLUMNS = {name: [row[k] for row in ROWS] for k, name in enumerate(["n", "t", "x", "y"])}
SHUFFLED = np.random.default_rng(0).permutation(len(ROWS))
PAIRS = [list(zip(word, word[::-1])) for word in WORDS]
TWO = [(tuple(map(tuple, pairs)), given) for pairs, given in zip(PAIRS, map(tuple, LABELS))]
AB, BRACKETS, VERDICTS = ("a", "b"), ("(", ")"), ("reject", "accept")
in_letters = lambda text, alphabet: text.replace("0", alphabet[0]).replace("1", alphabet[1])
PLAIN = table("sequence,x,y", [(n, x, y) for n, _, x, y in ROWS])
FRACTIONS = table("sequence,x,y", [(n, x + 0.37 * t, y) for n, t, x, y in ROWS])
ABBADINGO = table(f"{COUNT} 2", [(y, len(w), *w) for w, y in zip(WORDS, LAST)], " ")
LETTER_ROWS = [(n, AB[x], y) for n, _, x, y in ROWS]

EXPORTS = {
    # The 35 of a first user, and the function of a word.
    "csv": Export(PLAIN, steps(), "a.csv"),
    "csv of floats": Export(
        table("sequence,x,y", [(n, float(x), float(y)) for n, _, x, y in ROWS]), steps(), "b.csv"
    ),
    "npz": Export(npz(x=X, y=Y), steps(EVEN, Y.tolist()), "c.npz"),
    "npz with lengths": Export(
        npz(x=PADDED, y=np.maximum(PADDED_LABELS, 0), lengths=ATTENTION.sum(axis=1)),
        steps(),
        "d.npz",
    ),
    "pandas' csv with its index": Export(
        table(",sequence,x,y", [(k, n, x, y) for k, (n, _, x, y) in enumerate(ROWS)]),
        steps(),
        "e.csv",
    ),
    "other names": Export(
        table("seq_id,input,label", [(n, x, y) for n, _, x, y in ROWS]),
        steps(),
        "f.csv",
        said="columns: sequence = seq_id, x = input, y = label",
    ),
    "a column of time, out of order": Export(
        table("sequence,t,x,y", [ROWS[k] for k in sorted(SHUFFLED, key=lambda k: -ROWS[k][1])]),
        steps(),
        "g.csv",
        said="t orders the steps",
    ),
    "words and labels": Export(
        table("word,label", zip(TEXTS, LAST)),
        last(),
        "h.csv",
        said="one label a word: it belongs to the last step",
    ),
    "words and labels without a header": Export(
        table("", zip(TEXTS, LAST)), last(), "i.csv", said="the first line is no header"
    ),
    "letters": Export(table("sequence,x,y", LETTER_ROWS), renamed(steps(), AB), "j.csv"),
    "brackets": Export(
        table("word,label", zip([in_letters(t, BRACKETS) for t in TEXTS], LAST)),
        renamed(last(), BRACKETS),
        "k.csv",
        said="x is over 2 symbols: ( )",
    ),
    "accept and reject": Export(
        table("word,label", zip(TEXTS, [VERDICTS[y] for y in LAST])),
        renamed(last(), None, VERDICTS),
        "l.csv",
        said="y is over 2 symbols: reject accept",
    ),
    "True and False": Export(table("word,label", zip(TEXTS, map(bool, LAST))), last(), "m.csv"),
    "Abbadingo .txt": Export(ABBADINGO, last(), "n.txt"),
    "Abbadingo .dat": Export(ABBADINGO, last(), "o.dat"),
    "input_ids and labels": Export(
        lines(*({"input_ids": w, "labels": y} for w, y in zip(WORDS, LABELS))), steps(), "p.jsonl"
    ),
    "text and label": Export(
        lines(*({"text": t, "label": y} for t, y in zip(TEXTS, LAST))), last(), "q.jsonl"
    ),
    "y one number": Export(
        lines(*({"x": w, "y": y} for w, y in zip(WORDS, LAST))), last(), "r.jsonl"
    ),
    "y null at some steps": Export(
        lines(*({"x": w, "y": y} for w, y in zip(WORDS, HIDDEN))), some(), "s.jsonl"
    ),
    "y NaN at some steps": Export(
        table(
            "sequence,x,y",
            [(n, x, "NaN" if HIDDEN[n][t] is None else y) for n, t, x, y in ROWS],
        ),
        some(),
        "t.csv",
        said="steps have no label",
    ),
    "y -100 at some steps": Export(
        lines(
            *(
                {"x": w, "y": [-100 if label is None else label for label in y]}
                for w, y in zip(WORDS, HIDDEN)
            )
        ),
        some(),
        "u.jsonl",
        said="-100 in y is no label",
    ),
    "parquet": Export(
        lambda: parquet(sequence=COLUMNS["n"], x=COLUMNS["x"], y=COLUMNS["y"]), steps(), "v.parquet"
    ),
    "tsv": Export(PLAIN.replace(",", "\t"), steps(), "w.tsv", said="divided by tabs"),
    "csv.gz": Export(gzip.compress(PLAIN.encode()), steps(), "x.csv.gz"),
    "json, a list of records": Export(
        json.dumps([{"x": w, "y": y} for w, y in zip(WORDS, LABELS)]), steps(), "y.json"
    ),
    "semicolons": Export(PLAIN.replace(",", ";"), steps(), "z.csv", said="by semicolons"),
    "npz, one label a word": Export(npz(x=X, y=Y[:, -1]), last(EVEN, Y[:, -1].tolist()), "a1.npz"),
    "npz, inputs and labels": Export(npz(inputs=X, labels=Y), steps(EVEN, Y.tolist()), "b1.npz"),
    "one long sequence": Export(
        table("x,y", [(x, y) for _, _, x, y in ROWS]),
        "no column tells sequences apart; add one .sequence., name it",
        "c1.csv",
    ),
    "identifiers that are texts": Export(
        table("sequence,x,y", [(f"s{n}", x, y) for n, _, x, y in ROWS]), steps(), "d1.csv"
    ),
    "fractions": Export(
        FRACTIONS, r"x: not every value is a whole number \(line 3: '.*'.*give integers", "e1.csv"
    ),
    "a data frame": Export(
        lambda: frame(sequence=COLUMNS["n"], x=COLUMNS["x"], y=COLUMNS["y"]), steps()
    ),
    "arrays (X, Y)": Export(lambda: (X, Y), steps(EVEN, Y.tolist())),
    "pairs of a word and a truth value": Export(
        lambda: [(tuple(AB[x] for x in w), bool(y)) for w, y in zip(WORDS, LAST)],
        renamed(last(), AB),
    ),
    "a dictionary": Export(lambda: {"x": WORDS, "y": LABELS}, steps()),
    # More of the same kinds.
    "pairs in a json file": Export(
        json.dumps([[[AB[x] for x in w], bool(y)] for w, y in zip(WORDS, LAST)]),
        renamed(last(), AB),
        "f1.json",
    ),
    "pairs, the empty word among them": Export(
        lambda: [((), True), *zip(WORDS, LAST)], last(), said="1 empty words are left out"
    ),
    "StaMInA": Export(
        table("", [("+" if y else "-", *w) for w, y in zip(WORDS, LAST)], " "), last(), "g1.txt"
    ),
    "Abbadingo, unlabelled words among them": Export(
        table(
            f"{COUNT + 2} 2",
            [(-1, 1, 0), (-1, 2, 0, 1), *map(str.split, ABBADINGO.split("\n")[1:-1])],
            " ",
        ),
        last(),
        "h1.txt",
        said="2 sequences without any label are left out",
    ),
    "npz with a mask of labels": Export(
        npz(
            x=PADDED,
            y=np.maximum(PADDED_LABELS, 0),
            mask=[[y is not None for y in ys] + [False] * (11 - len(ys)) for ys in HIDDEN],
        ),
        some(),
        "i1.npz",
    ),
    "Hugging Face, padded": Export(
        lambda: dataset(
            input_ids=PADDED.tolist(), attention_mask=ATTENTION.tolist(), labels=PADDED_LABELS
        ),
        steps(),
    ),
    "Hugging Face, one label a word": Export(
        lambda: dataset(text=TEXTS, label=LAST, idx=list(range(COUNT))),
        last(),
        said="not used: the columns idx",
    ),
    "Hugging Face, several splits": Export(
        lambda: types.SimpleNamespace(column_names={"train": ["x"], "test": ["x"]}),
        r"several datasets \('train', 'test'\); give one of them, as data\[...\]",
    ),
    "a PyTorch dataset": Export(TorchDataset, last()),
    "pandas, several levels of index": Export(
        lambda: (
            frame(sequence=COLUMNS["n"], t=COLUMNS["t"], x=COLUMNS["x"], y=COLUMNS["y"])
            .iloc[SHUFFLED]
            .set_index(["sequence", "t"])
        ),
        steps(),
    ),
    "pandas, missing labels": Export(
        lambda: frame(
            sequence=COLUMNS["n"],
            x=COLUMNS["x"],
            y=[HIDDEN[n][t] for n, t, _, _ in ROWS],
        ),
        some(),
    ),
    "pandas' json, split": Export(
        lambda: frame(text=TEXTS, label=LAST).to_json(orient="split").encode(), last(), "j1.json"
    ),
    "pandas' json, columns": Export(
        lambda: frame(text=TEXTS, label=LAST).to_json().encode(), last(), "k1.json"
    ),
    "parquet of lists": Export(lambda: parquet(x=WORDS, y=LABELS), steps(), "l1.parquet"),
    "steps side by side": Export(
        table(
            ",".join(f"x{t}" for t in range(8)) + ",label", [(*w, y[-1]) for w, y in zip(EVEN, Y)]
        ),
        last(EVEN, Y[:, -1].tolist()),
        "m1.csv",
        said="no column tells sequences apart: each row is one",
    ),
    "a word's label beside each step": Export(
        table("sequence,x,label", [(n, x, LAST[n]) for n, _, x, _ in ROWS]),
        last(),
        "n1.csv",
        said="the label is the same at all steps of a word",
    ),
    "tokens between blanks": Export(
        lines(
            *(
                {"text": " ".join(("push", "pop")[x] for x in w), "label": y}
                for w, y in zip(WORDS, LAST)
            )
        ),
        renamed(last(), ("push", "pop")),
        "o1.jsonl",
        said="taken apart at blanks",
    ),
    "lists written as texts": Export(
        table("x;y", zip(WORDS, LABELS), ";"),
        steps(),
        "p1.csv",
        said="texts such as [0, 1] are lists",
    ),
    "labels written as a text": Export(
        table("word,labels", zip(TEXTS, ["".join(map(str, ys)) for ys in LABELS])),
        steps(),
        "q1.csv",
    ),
    "packed by xz": Export(lzma.compress(PLAIN.encode()), steps(), "r1.csv.xz"),
    "packed by bzip2, without an ending": Export(bz2.compress(PLAIN.encode()), steps(), "s1"),
    "UTF-16": Export(PLAIN.replace(",", "\t").encode("utf-16"), steps(), "t1.txt"),
    "two columns by name": Export(
        table(
            "day,left,right,mood,who",
            [
                (t, a, b, y, n)
                for n, (pairs, labels) in enumerate(zip(PAIRS, LABELS))
                for t, ((a, b), y) in enumerate(zip(pairs, labels))
            ],
        ),
        TWO,
        "u1.csv",
        asked(sequence="who", x=["left", "right"], y="mood", time="day"),
        said="x = left, x = right, y = mood",
    ),
    "vectors in json": Export(
        lines(*({"x": pairs, "y": y} for pairs, y in zip(PAIRS, LABELS))), TWO, "v1.jsonl"
    ),
    "no names, columns by number": Export(
        table("", [(n, x, y) for n, _, x, y in ROWS]),
        steps(),
        "w1.csv",
        asked(sequence=0, x=1, y=2),
    ),
    "numpy.savetxt": Export(
        table("# sequence x y", [(f"{n}.0", f"{x:.6e}", f"{y:.6e}") for n, _, x, y in ROWS], " "),
        steps(),
        "x1.txt",
    ),
    "steps as json lines": Export(
        lines(*({"episode": n, "step": t, "action": AB[x], "result": y} for n, t, x, y in ROWS)),
        renamed(steps(), AB),
        "y1.jsonl",
    ),
    "npz of texts": Export(npz(x=np.array(TEXTS), y=np.array(LAST)), last(), "z1.npz"),
    "npz padded with NaN": Export(
        npz(x=np.where(ATTENTION == 1, PADDED, np.nan), y=np.maximum(PADDED_LABELS, 0)),
        steps(),
        "a2.npz",
    ),
    "digits that are symbols": Export(
        table("sequence,x,y", [(n, (3, 7)[x], y) for n, _, x, y in ROWS]),
        renamed(steps(), (3, 7)),
        "b2.csv",
        Reading(symbols=True),
    ),
    "letters and digits": Export(
        table("sequence,x,y", [(n, ("7", "K")[x], y) for n, _, x, y in ROWS]),
        renamed(steps(), ("7", "K")),
        "c2.csv",
    ),
    "a label of one's own for none": Export(
        table("sequence,x,y", [(n, x, 9 if HIDDEN[n][t] is None else y) for n, t, x, y in ROWS]),
        some(),
        "d2.csv",
        Reading(missing=9),
    ),
    "a structured array": Export(
        lambda: np.array(
            [(n, x, y) for n, _, x, y in ROWS], [("sequence", int), ("x", int), ("y", int)]
        ),
        steps(),
    ),
    "an iterator of pairs": Export(lambda: zip(TEXTS, LAST), last()),
    "the label first": Export(
        table("", zip([VERDICTS[y] for y in LAST], TEXTS), " "),
        renamed(last(), None, VERDICTS),
        "j2.txt",
    ),
    "runs of a machine": Export(
        table("", [[f"{AB[x]}/{y}" for x, y in zip(w, ys)] for w, ys in zip(WORDS, LABELS)], " "),
        renamed(steps(), AB),
        "k2.log",
        said="a step a/0 reads a and writes 0",
    ),
    "traces of pairs": Export(
        lambda: [[(AB[x], y) for x, y in zip(w, ys)] for w, ys in zip(WORDS, LABELS)],
        renamed(steps(), AB),
    ),
    "comments and Excel's separator": Export(
        "sep=;\n" + PLAIN.replace(",", ";"), steps(), "l2.csv"
    ),
    "a comment at the head": Export("# made today, by hand, for all\n" + PLAIN, steps(), "m2.csv"),
    "the empty word as a letter": Export(
        "word,label\nε,1\n" + table("", zip(TEXTS, LAST)), last(), "n2.csv", said="1 empty words"
    ),
    "words that have become numbers": Export(
        lambda: frame(word=[int(t) for t in TEXTS], label=LAST),
        r"word: every word must be a list of steps or a text .*pandas: dtype=str",
    ),
    "a quoted index from R": Export(
        '"","sequence","x","y"\n'
        + table("", [(f'"{k}"', n, f'"{AB[x]}"', y) for k, (n, _, x, y) in enumerate(ROWS, 1)]),
        renamed(steps(), AB),
        "o2.csv",
    ),
    "words beside their number": Export(
        table("id,sequence,label", zip(range(COUNT), TEXTS, LAST)), last(), "p2.csv"
    ),
    "a mark between letters": Export(
        table("word,label", zip(["-".join(t) for t in TEXTS], LAST)),
        last(),
        "q2.csv",
        said="words are taken apart at -",
    ),
    "training and test in one file": Export(
        json.dumps(
            {
                "train": [{"x": w, "y": y} for w, y in zip(WORDS[:40], LABELS[:40])],
                "test": [{"x": w, "y": y} for w, y in zip(WORDS[40:], LABELS[40:])],
            }
        ),
        steps(),
        "r2.json",
        said="train, test are taken together",
    ),
    "decimal commas in another column": Export(
        table("trial;time;stimulus;response;rt", [(*row, f"0,{row[1]}5") for row in ROWS], ";"),
        steps(),
        "s2.csv",
        said="not used: the columns rt",
    ),
    "users and dates": Export(
        table(
            "user,timestamp,event,label",
            [(f"u{n}", f"2026-01-{t + 1:02} 10:00", AB[x], y) for n, t, x, y in ROWS],
        ),
        renamed(steps(), AB),
        "t2.csv",
    ),
    "words by their label": Export(
        lambda: {
            "positive": [t for t, y in zip(TEXTS, LAST) if y],
            "negative": [t for t, y in zip(TEXTS, LAST) if not y],
        },
        last(),
    ),
    "labels by their word": Export(json.dumps(dict(zip(TEXTS, LAST))), last(), "u2.json"),
    "npz of Python objects": Export(
        lambda: npz(x=np.array([*WORDS, [0]], dtype=object), y=np.array([*LAST, 1])),
        "the array x cannot be read .* pad it and save lengths, or write .jsonl",
        "v2.npz",
    ),
    "a slip among numbers": Export(
        PLAIN.replace("\n5,", "\n5,o", 1),
        r"x: not every value is a number \(line \d+: 'o\d'\); if they are symbols, say so: "
        "task.symbols=true",
        "e2.csv",
    ),
    "a workbook": Export(b"PK\x03\x04 a sheet", "save the sheet as CSV", "f2.xlsx"),
    "a pickle": Export(pickle.dumps(WORDS), "pickles are never loaded; save x and y", "g2.pkl"),
    "columns that nobody can tell": Export(
        table("red,green,blue", ROWS and [(n, x, y) for n, _, x, y in ROWS]),
        r"no column holds the inputs \(x\); name it x, or say which it is: task.columns.x=",
        "h2.csv",
    ),
    "a wrong name": Export(
        PLAIN, r"there is no column 'inptu' \(task.columns.x\)", "i2.csv", asked(x="inptu")
    ),
    "one array": Export(lambda: X, r"one array .* give two, \(X, Y\)"),
}


def task_of(export: Export, folder):
    content = export.given() if callable(export.given) else export.given
    if export.name is None:
        return task_from(content, columns=dataclasses.asdict(export.reading.columns))
    path = folder / export.name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_file_task(path, reading=export.reading)


@pytest.mark.parametrize("case", EXPORTS)
def test_exports(tmp_path, case):
    export = EXPORTS[case]
    if isinstance(export.expected, str):
        with pytest.raises(RequestError, match=export.expected) as caught:
            task_of(export, tmp_path)
        assert len(caught.value.problems) <= 2
        assert all(len(problem) < 400 for problem in caught.value.problems)
        return
    task = task_of(export, tmp_path)
    key = lambda example: (len(example[0]), str(example))
    assert sorted(read(task), key=key) == sorted(export.expected, key=key)
    assert export.said in "; ".join(task.assumed)


def test_there_are_many_exports_and_most_are_read():
    read_ones = [case for case, export in EXPORTS.items() if isinstance(export.expected, list)]
    assert len(EXPORTS) >= 45 and len(read_ones) >= 38
    first = list(EXPORTS)[:35]
    assert sum(case in read_ones for case in first) == 33


def test_a_function_of_a_word():
    """Output t is the answer to the first t inputs."""
    task = task_from(lambda word: "000" not in "".join(map(str, word)), ((0, 1),), 8)
    assert isinstance(task, FunctionTask)
    assert np.array_equal(task.label(X[:, :, None])[:, :, 0], Y)
    assert "answer to the first t inputs" in task.assumed[0]
    assert task_from(lambda word: np.bool_(len(word) % 2), ((0, 1),), 4).output_dim == 1
    with pytest.raises(RequestError, match="returned the text 'no'; return an integer or a truth"):
        task_from(lambda word: "no", ((0, 1),), 4)


def every_word(length: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=length)))


NO_THREE_ZEROS = """digraph learnedModel {
s0 [label=s0, shape=doublecircle];
s1 [label=s1, shape=doublecircle];
s2 [label=s2, shape=doublecircle];
s3 [label=s3];
s0 -> s1  [label=0];  s0 -> s0  [label=1];
s1 -> s2  [label=0];  s1 -> s0  [label=1];
s2 -> s3  [label=0];  s2 -> s0  [label=1];
s3 -> s3  [label=0];  s3 -> s3  [label=1];
__start0 [label="", shape=none];
__start0 -> s0  [label=""];
}
"""
MACHINES = {
    "AALpy's DFA": NO_THREE_ZEROS,
    "without the state that nothing is accepted from": "\n".join(
        line for line in NO_THREE_ZEROS.split("\n") if not line.startswith(("s3 ",))
    ).replace("s2 -> s3  [label=0];", ""),
    "Mealy, several letters on an arrow": """digraph {
        // a comment
        node [shape = circle]; init [shape=point]; init -> A;
        A -> B [label="0/1"]; A -> A [label="1/1"];
        B -> C [label="0/1"]; B -> A [label="1/1"];
        C -> D [label="0/0"]; C -> A [label="1 / 1"];
        subgraph cluster_0 { D -> D [label="0,1/0"] }
    }""",
    "AALpy's Moore machine": """digraph learnedModel {
        s0 [label="s0|1", shape=record, style=rounded]; s1 [label="s1|1", shape=record];
        s2 [label="s2|1", shape=record]; s3 [label="{s3|0}", shape=record];
        s0 -> s1 [label="0"]; s0 -> s0 [label="1"]; s1 -> s2 [label="0"]; s1 -> s0 [label="1"];
        s2 -> s3 [label="0"]; s2 -> s0 [label="1"]; s3 -> s3 [label="0, 1"];
        __start0 [label="", shape=none]; __start0 -> s0 [label=""];
    }""",
}


@pytest.mark.parametrize("case", MACHINES)
def test_machines(tmp_path, case):
    path = tmp_path / "machine.dot"
    path.write_text(MACHINES[case])
    task = load_file_task(path)
    words = every_word(10)
    expected = [running(word) for word in words.tolist()]
    assert task.label(words[:, :, None])[:, :, 0].tolist() == expected
    drawn = task.training_sequences(2000, seed=0)
    alive = drawn.outputs[:, -1, 0].mean()
    assert 0.3 < alive < 0.95 and task.long_sequences(10, 100, seed=0) is not None


def test_a_machine_over_symbols(tmp_path):
    path = tmp_path / "lock.txt"
    path.write_text(
        'digraph g { i [shape=none]; i -> 0; 0 -> 1 [label="coin/ok"];'
        ' 0 -> 0 [label="push/locked"]; 1 -> 1 [label="coin/ok"]; 1 -> 0 [label="push/open"]; }'
    )
    task = load_file_task(path)
    assert task.symbols.record() == {
        "inputs": [["coin", "push"]],
        "outputs": [["locked", "ok", "open"]],
    }
    word = np.array([[[1], [0], [1], [1]]])
    written = [task.symbols.written(y) for y in task.label(word)[0, :, 0].tolist()]
    assert written == ["locked", "ok", "open", "locked"]


def test_aalpys_objects():
    state = lambda accepting: types.SimpleNamespace(is_accepting=accepting, transitions={})
    even, odd = state(True), state(False)
    even.transitions.update(a=odd, b=even)
    odd.transitions.update(a=even, b=odd)
    task = task_from(types.SimpleNamespace(initial_state=even, states=[even, odd]))
    assert task.label(np.array([[[0], [1], [0]]]))[0, :, 0].tolist() == [0, 0, 1]
    assert task.symbols.inputs == (("a", "b"),)


WRONG_MACHINES = {
    "two arrows": (
        NO_THREE_ZEROS.replace("s3 -> s3  [label=0]", "s3 -> s0 [label=1]"),
        "two arrows of s3 read 1; give a deterministic machine",
    ),
    "no accepting state": (
        NO_THREE_ZEROS.replace("doublecircle", "circle"),
        "no state is accepting .shape=doublecircle.; mark them",
    ),
    "an arrow without a letter": (
        NO_THREE_ZEROS.replace("s0 -> s0  [label=1]", "s0 -> s0"),
        "the arrow from s0 to s0 has no label; label each with the letter that it reads",
    ),
    "cut short": (NO_THREE_ZEROS[:300], "(line 9, at|missing|cannot be read)"),
    "two initial states": (
        NO_THREE_ZEROS.replace("__start0 -> s0", "__start0 -> s1; __start0 -> s0"),
        "there are 2 initial states .s0, s1.; give one",
    ),
    "a Mealy machine with a hole": (
        'digraph { a -> b [label="0/1"]; a -> a [label="1/0"]; b -> b [label="0/0"]; }',
        "state b has no arrow for 1 .1 such.; say where it leads",
    ),
    "always the same": (
        'digraph { a -> a [label="0/1"]; a -> a [label="1/1"]; }',
        "the machine writes the same after every word, so there is nothing to learn",
    ),
    "no arrows": ("digraph { a; b; }", "the graph has no arrows"),
}


@pytest.mark.parametrize("case", WRONG_MACHINES)
def test_wrong_machines(tmp_path, case):
    text, message = WRONG_MACHINES[case]
    path = tmp_path / "machine.dot"
    path.write_text(text)
    with pytest.raises(RequestError, match=message) as caught:
        load_file_task(path)
    assert len(caught.value.problems) == 1


def contents() -> dict[str, bytes]:
    """Every export that is a file, as bytes."""
    found = {}
    for case, export in EXPORTS.items():
        if export.name is not None and isinstance(export.expected, list):
            try:
                given = export.given() if callable(export.given) else export.given
            except pytest.skip.Exception:
                continue
            found[case] = given.encode() if isinstance(given, str) else given
    return found | {case: text.encode() for case, text in MACHINES.items()}


@pytest.mark.filterwarnings("ignore")
def test_damaged_exports_end_in_one_message(tmp_path):
    """Cut short, with bytes changed, lines of another export in between: whatever cannot be read is
    refused, and nothing else is raised.
    """
    rng = np.random.default_rng(0)
    refused = 0
    whole = contents()
    for case, content in whole.items():
        export = EXPORTS.get(case)
        name = "machine.dot" if export is None else export.name
        other = whole[list(whole)[int(rng.integers(len(whole)))]]
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 5):
            damaged[place] = int(rng.integers(256))
        middle = len(content) // 2
        variants = (
            content[: int(rng.integers(1, len(content)))],
            bytes(damaged),
            content[:middle] + other[:200] + content[middle:],
            other[: len(other) // 3] + content,
        )
        for variant in variants:
            path = tmp_path / name
            path.write_bytes(variant)
            try:
                load_file_task(path, reading=Reading() if export is None else export.reading)
            except RequestError as error:
                refused += 1
                assert error.problems and all(len(p) < 500 for p in error.problems), case
    assert refused > 2 * len(whole)


@pytest.mark.parametrize(
    "given, message",
    [
        ([], "there are no sequences"),
        ([1, 2, 3], "not every entry is a pair of a word and its label"),
        ([("ab", 1, 2)] * 20, "not every entry is a pair"),
        ([{"x": [0]}, [1]] * 10, "not every record has keys|no column holds the outputs"),
        ({"x": WORDS, "y": LABELS[:-1]}, "the columns have different lengths .x 60, y 59."),
        ({}, "there are no columns"),
        ((X, Y[:-1]), "x has 60 sequences but y has 59"),
        ((X, Y[:, :-1]), "x has 8 steps but y has 7"),
        ((X, X * np.nan), "no step has a label, so there is nothing to learn"),
        ((X, [object()] * COUNT), "y: every step must be one value"),
        ([(word, [1]) for word in WORDS if len(word) > 1][:5], "there are only 5 sequences"),
        ({"x": WORDS, "y": [{"a": 1}] * COUNT}, "y: every step must be one value"),
        (object(), "cannot distil a object; give a task, its name, a function, a file, or data"),
        (5, "cannot distil a int"),
    ],
)
def test_hostile_objects(given, message):
    with pytest.raises(RequestError, match=message):
        task_from(given)


def test_columns_of_unknown_roles():
    with pytest.raises(RequestError, match="columns has the key 'z'; allowed: sequence, time, x"):
        task_from({"x": WORDS, "y": LABELS}, columns={"z": "x"})


PAGE = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")


def test_the_blocks_of_the_page_work(capsys):
    known: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/data.md", "exec"), known)
    said = capsys.readouterr().out
    assert known["program"]("(())") == ["no", "no", "no", "yes"]
    for line in re.findall(r"^print\(.*?\)  # (.*)$", PAGE, re.MULTILINE):
        assert line.removesuffix(" ...") in said


def test_the_forms_of_the_page_are_recognised(tmp_path):
    """Each block of text is read as far as its few lines go: they are too few, nothing else."""
    blocks = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    pieces = [blocks[0], blocks[1], *(line + "\n" for line in blocks[2].splitlines())]
    assert len(pieces) == 5
    for number, piece in enumerate(pieces):
        path = tmp_path / f"piece{number}{'.jsonl' if number > 1 else ''}"
        path.write_text(piece)
        with pytest.raises(RequestError) as caught:
            load_file_task(path)
        few = ("there are only", "fewer than three different", "y is ")
        assert all(any(text in p for text in few) for p in caught.value.problems)
