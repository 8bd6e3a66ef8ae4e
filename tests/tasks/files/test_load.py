"""Files of sequences as tasks: the three layouts agree, a fifth is held out, contradictions are
counted.
"""

import itertools
import json
import logging

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.sequences import Sequences
from mips_jax.tasks import TASKS, example_task, load_file_task
from mips_jax.tasks.contradictions import find_contradictions
from mips_jax.tasks.files import delimited, read_csv


def write_npz(path, sequences: Sequences) -> None:
    extra = {} if sequences.mask is None else {"lengths": sequences.mask.sum(axis=1)}
    np.savez(path, x=sequences.inputs, y=sequences.outputs, **extra)


def write_csv(path, sequences: Sequences) -> None:
    names = [f"x{k}" for k in range(sequences.inputs.shape[2])] + [
        f"y{k}" for k in range(sequences.outputs.shape[2])
    ]
    lines = [",".join(["sequence", *names])]
    for n, (inputs, outputs) in enumerate(_unpadded(sequences)):
        lines += [",".join(map(str, [n, *x, *y])) for x, y in zip(inputs, outputs)]
    path.write_text("\n".join(lines) + "\n")


def write_jsonl(path, sequences: Sequences) -> None:
    def plain(steps):
        return [step[0] for step in steps] if len(steps[0]) == 1 else steps

    path.write_text(
        "".join(json.dumps({"x": plain(x), "y": plain(y)}) + "\n" for x, y in _unpadded(sequences))
    )


def _unpadded(sequences: Sequences):
    lengths = (
        np.full(len(sequences), sequences.length)
        if sequences.mask is None
        else sequences.mask.sum(axis=1)
    )
    for inputs, outputs, length in zip(
        sequences.inputs.tolist(), sequences.outputs.tolist(), lengths
    ):
        yield inputs[:length], outputs[:length]


WRITERS = {"npz": write_npz, "csv": write_csv, "jsonl": write_jsonl}
each_layout = pytest.mark.parametrize("layout", WRITERS)


def drawn(name: str, count: int = 200, ragged: bool = False) -> Sequences:
    sequences = TASKS[name].training_sequences(count, seed=7)
    if not ragged:
        return sequences
    lengths = np.random.default_rng(0).integers(1, sequences.length, size=count, endpoint=True)
    mask = np.arange(sequences.length) < lengths[:, None]
    return Sequences(
        sequences.inputs * mask[:, :, None], sequences.outputs * mask[:, :, None], mask
    )


@each_layout
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("name", ["Sum_Last3", "Base_4_Addition", "Newton_Magnetic"])
def test_layouts(tmp_path, layout, name, ragged):
    sequences = drawn(name, ragged=ragged)
    path = tmp_path / f"numbers.{layout}"
    WRITERS[layout](path, sequences)
    task = load_file_task(path)
    known = TASKS[name]
    assert task.name == path.name
    assert (task.input_dim, task.output_dim, task.length) == (
        known.input_dim,
        known.output_dim,
        known.length,
    )
    assert task.input_range == known.input_range
    assert 30 <= len(task.judging) <= 37 and 20 <= len(task.selection) <= 26
    assert len(task.judging) + len(task.selection) + len(task.training) == 200
    assert task.long_sequences(10, 100, seed=0) is None
    assert task.contradictions.contradictory_labels == 0
    for part in task.training, task.selection, task.judging:
        labels = known.label(part.inputs)
        real = np.ones(labels.shape[:2], bool) if part.mask is None else part.mask
        assert np.array_equal(part.outputs[real], labels[real])
    assert sorted(map(str, _unpadded(sequences))) == sorted(
        map(str, itertools.chain(*map(_unpadded, (task.training, task.selection, task.judging))))
    )


@each_layout
def test_every_layout_holds_out_the_same(tmp_path, layout):
    sequences = drawn("Add_Mod_5", ragged=True)
    reference = example_task(sequences.inputs, sequences.outputs, sequences.mask)
    order = np.random.default_rng(1).permutation(len(sequences))
    path = tmp_path / f"shuffled.{layout}"
    WRITERS[layout](path, sequences[order])
    shuffled = load_file_task(path)
    for part in ("selection", "judging"):
        got, wanted = (_unpadded(getattr(task, part)) for task in (shuffled, reference))
        assert sorted(map(str, got)) == sorted(map(str, wanted))


def test_equal_inputs_are_on_the_same_side():
    sequences = drawn("Parity_All", count=5000)  # of 1024 different ones
    task = example_task(sequences.inputs, sequences.outputs)
    training = {row.tobytes() for row in np.ascontiguousarray(task.training.inputs)}
    others = [
        {row.tobytes() for row in np.ascontiguousarray(part.inputs)}
        for part in (task.selection, task.judging)
    ]
    assert not training & others[0] and not training & others[1] and not others[0] & others[1]
    assert 740 <= len(task.judging) <= 770 and 490 <= len(task.selection) <= 520


def test_one_frequent_input_sequence_is_not_held_out():
    inputs = np.concatenate([np.zeros((60, 3), int), np.arange(40)[:, None] + [[1, 2, 3]]])
    task = example_task(inputs, inputs)
    assert 15 <= len(task.judging) <= 20 and task.judging.inputs.min() > 0
    assert 10 <= len(task.selection) <= 15 and task.selection.inputs.min() > 0


def test_outputs_that_depend_on_time_alone_are_not_constant():
    sequences = drawn("Parity_Bits_Mod2")
    assert len(example_task(sequences.inputs, sequences.outputs).training) > 0


def test_count_only_takes_a_subset():
    sequences = drawn("Sum_All")
    task = example_task(sequences.inputs, sequences.outputs)
    assert task.training_sequences(10**6, seed=0) is task.training
    some = task.training_sequences(50, seed=0)
    assert len(some) == 50 and np.array_equal(
        some.inputs, task.training_sequences(50, seed=0).inputs
    )
    assert not np.array_equal(some.inputs, task.training_sequences(50, seed=1).inputs)
    assert len(np.unique(some.inputs, axis=0)) == 50
    assert len(task.test_sequences(10_000, seed=0)) == len(task.selection)


def test_arrays_without_the_last_axis_whole_floats_and_truth_values():
    sequences = drawn("Evens_Detector")
    task = example_task(
        sequences.inputs[:, :, 0].astype(np.float32), sequences.outputs[:, :, 0] == 1
    )
    assert task.training.inputs.shape == (len(task.division.training), 10, 1)
    assert np.array_equal(
        task.training.outputs, TASKS["Evens_Detector"].label(task.training.inputs)
    )


@pytest.mark.parametrize("largest, dtype", [(127, np.int8), (128, np.int16), (40_000, np.int32)])
def test_as_few_bits_as_possible(largest, dtype):
    inputs = np.arange(20)[:, None] + np.array([[0, -5, largest - 19]])
    task = example_task(inputs, inputs % 3)
    assert task.training.inputs.dtype == dtype
    assert task.training.outputs.dtype == np.int8
    assert task.input_range == ((-5, largest),)


def test_unusual_but_clear_csv(tmp_path):
    """Byte order mark, capitals, columns in another order, blank lines, quotes, 1.0 for 1,
    interleaved sequences.
    """
    rows = [f'"{n + 20 * t}",{n}.0, {n + t} ' for t in range(3) for n in range(20)]
    path = tmp_path / "unusual.CSV"
    path.write_text("\ufeffY, Sequence ,X\r\n" + "\r\n\r\n".join(rows) + "\r\n20,0,7\r\n")
    task = load_file_task(path, on_contradiction="error")
    assert (len(task.training), task.length, task.input_range) == (13, 4, ((0, 21),))
    assert task.given.mask.sum() == 61


def test_unusual_but_clear_jsonl(tmp_path):
    lines = [
        json.dumps({"y": [True, n, 1.0], "id": "any", "x": [n, 2.0, False]}) for n in range(20)
    ]
    path = tmp_path / "unusual.jsonl"
    path.write_text("\ufeff" + "\n\n".join(lines))
    task = load_file_task(path)
    assert sorted(task.given.inputs[:, :, 0].tolist()) == [[n, 2, 0] for n in range(20)]


def test_unusual_but_clear_npz(tmp_path):
    numbers = np.arange(60.0).reshape(20, 3)
    path = tmp_path / "unusual.npz"
    np.savez_compressed(path, x=numbers, y=numbers % 7, x_long=np.zeros(3), notes="anything")
    assert load_file_task(path).input_range == ((0, 59),)


def test_csv_read_in_several_pieces(tmp_path, monkeypatch):
    sequences = drawn("Sum_Last3")
    path = tmp_path / "numbers.csv"
    write_csv(path, sequences)
    whole = load_file_task(path)
    monkeypatch.setattr(read_csv, "_ROWS_AT_ONCE", 33)
    monkeypatch.setattr(delimited, "_mark", None)  # the fast way must do
    pieces = load_file_task(path)
    assert np.array_equal(whole.training.inputs, pieces.training.inputs)


def test_twelve_inputs_keep_their_order(tmp_path):
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 9, (30, 4, 12)) + np.arange(12) * 100
    sequences = Sequences(inputs, inputs[:, :, :1])
    path = tmp_path / "wide.csv"
    write_csv(path, sequences)
    assert [low // 100 for low, _ in load_file_task(path).input_range] == list(range(12))


# Contradictions


def _by_dictionary(sequences: Sequences) -> tuple[int, int]:
    """Minority labels and labels in all, counted the slow way."""
    seen = {}
    for inputs, outputs in _unpadded(sequences):
        for t in range(len(inputs)):
            seen.setdefault(str(inputs[: t + 1]), []).append(str(outputs[t]))
    return sum(len(labels) - max(map(labels.count, labels)) for labels in seen.values()), sum(
        map(len, seen.values())
    )


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(
    "name", ["Parity_All", "Binary_Addition", "Newton_Magnetic", "Majority_0_3"]
)
def test_contradictions_are_counted(name, ragged):
    sequences = drawn(name, count=300, ragged=ragged)
    assert find_contradictions(sequences).contradictory_labels == 0
    noisy = sequences.outputs + (np.random.default_rng(0).random(sequences.outputs.shape) < 0.05)
    noisy = Sequences(sequences.inputs, noisy, sequences.mask)
    found = find_contradictions(noisy)
    assert (found.contradictory_labels, found.labels) == _by_dictionary(noisy)
    assert 0 < found.contradictory_sequences <= found.contradictory_labels


def test_shorter_sequences_that_begin_alike():
    inputs = np.array([[1, -3], [1, 0], [1, 0], [1, 5]])[:, :, None]
    outputs = np.array([[7, 0], [9, 9], [7, 1], [7, 2]])[:, :, None]
    mask = np.array([[1, 1], [1, 0], [1, 1], [1, 1]], bool)
    found = find_contradictions(Sequences(inputs, outputs, mask))
    assert (found.labels, found.contradictory_labels, found.contradictory_sequences) == (7, 1, 1)
    assert (
        found.example == "sequence 1 has the output 9 after the inputs [1], where sequence 0 has 7"
    )


def test_contradictions_are_reported_or_refused(tmp_path, caplog):
    sequences = drawn("Parity_All", count=1000)
    noisy = sequences.outputs ^ (np.random.default_rng(0).random(sequences.outputs.shape) < 0.02)
    path = tmp_path / "noisy.npz"
    write_npz(path, Sequences(sequences.inputs, noisy))
    with caplog.at_level(logging.WARNING):
        task = load_file_task(path)
    assert f"{task.contradictions.contradictory_labels} of 10000 labels" in caplog.text
    assert 120 < task.contradictions.contradictory_labels < 230
    with pytest.raises(
        RequestError,
        match=r"noisy.npz: \d+ of 10000 labels, in \d+ of 1000 sequences, contradict .*",
    ):
        load_file_task(path, on_contradiction="error")
