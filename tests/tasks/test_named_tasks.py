"""Every named task against the published definitions: metadata, ranges, and golden sequences of two
lengths.
"""

import json
import pathlib

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.tasks import TASKS, get_task
from mips_jax.tasks import task as define_task

DATA = pathlib.Path(__file__).parents[1] / "data"
PUBLISHED = json.loads((DATA / "tasks.json").read_text())
GOLDEN = np.load(DATA / "sequences.npz")
every_task = pytest.mark.parametrize(
    "published", PUBLISHED, ids=[entry["name"] for entry in PUBLISHED]
)


def test_registry_has_the_papers_tasks_in_order():
    assert list(TASKS)[:62] == [entry["name"] for entry in PUBLISHED]


@every_task
def test_metadata(published):
    task = TASKS[published["name"]]
    assert (
        task.input_range
        == ((published["input_min"], published["input_max"]),) * published["input_dim"]
    )
    assert task.input_dim == published["input_dim"]
    assert task.output_dim == published["output_dim"]
    assert task.length == published["length"]
    assert task.description.endswith(".") and task.description.count(". ") == 0


@every_task
def test_golden_sequences(published):
    name = published["name"]
    for suffix in "", "_long":
        inputs, outputs = GOLDEN[f"{name}/x{suffix}"], GOLDEN[f"{name}/y{suffix}"]
        assert np.array_equal(TASKS[name].label(inputs), outputs)


@every_task
def test_draws(published):
    task = TASKS[published["name"]]
    training = task.training_sequences(500, seed=3)
    test = task.test_sequences(500, seed=3)
    assert training.inputs.shape == (500, task.length, task.input_dim)
    assert training.outputs.shape == (500, task.length, task.output_dim)
    for input_index, (low, high) in enumerate(task.input_range):
        assert training.inputs[..., input_index].min() == low
        assert training.inputs[..., input_index].max() == high
    assert np.array_equal(training.inputs, task.training_sequences(500, seed=3).inputs)
    assert not np.array_equal(training.inputs, task.training_sequences(500, seed=4).inputs)
    assert not np.array_equal(training.inputs, test.inputs)
    assert task.long_sequences(5, 37, seed=3).outputs.shape == (5, 37, task.output_dim)


@every_task
def test_output_range_is_the_published_one(published):
    """Reached by changing one input after the other; never exceeded by random sequences."""
    task = TASKS[published["name"]]
    outputs = task.test_sequences(2000, seed=0).outputs
    assert outputs.min() >= published["output_min"] and outputs.max() <= published["output_max"]
    assert (
        max(outputs.max(), *(_climb(task, +1, seed) for seed in range(3)))
        == published["output_max"]
    )
    assert (
        min(outputs.min(), *(-_climb(task, -1, seed) for seed in range(3)))
        == published["output_min"]
    )


def _climb(task, sign: int, seed: int) -> int:
    """Coordinate ascent on the last output; exact for affine tasks and easily good enough for the
    small ones.
    """
    rng = np.random.default_rng(seed)
    lows, highs = np.array(task.input_range).T
    sequence = rng.integers(lows, highs, size=(task.length, task.input_dim), endpoint=True)
    best = (sign * task.label(sequence[None])[0]).max()
    for _ in range(2):
        for t, i in np.ndindex(sequence.shape):
            letters = np.arange(lows[i], highs[i] + 1)
            variants = np.repeat(sequence[None], len(letters), axis=0)
            variants[:, t, i] = letters
            values = sign * task.label(variants)[:, -1, 0]
            sequence = variants[np.argmax(values)]
            best = max(best, values.max())
    return int(best)


@every_task
def test_batch_equals_single_sequences(published):
    task = TASKS[published["name"]]
    inputs = task.long_sequences(8, 30, seed=1).inputs
    singly = [task.label(inputs[n : n + 1])[0] for n in range(len(inputs))]
    assert np.array_equal(task.label(inputs), np.stack(singly))


def test_prefixes_are_labelled_alike():
    for task in TASKS.values():
        inputs = task.long_sequences(8, 40, seed=1).inputs
        assert np.array_equal(task.label(inputs)[:, :9], task.label(inputs[:, :9])), task.name


def test_exact_beyond_int64():
    """Newton_Magnetic grows like 2 ** (t / 2); compared with plain Python integers."""
    task = TASKS["Newton_Magnetic"]
    sequences = task.long_sequences(3, 400, seed=0)
    for pushes, positions in zip(sequences.inputs.tolist(), sequences.outputs):
        x = y = u = v = 0
        for t, (a, b) in enumerate(pushes):
            u, v = u + a - v, v + b + u
            x, y = x + u, y + v
            assert tuple(positions[t]) == (x, y)
    assert max(abs(value) for value in sequences.outputs.ravel()) > 2**100
    assert all(type(value) is int for value in sequences.outputs.ravel())


def test_long_palindromes():
    task = TASKS["Bit_Palindrome"]
    sequences = task.long_sequences(50, 200, seed=0)
    for bits, outputs in zip(
        sequences.inputs[:, :, 0].tolist(), sequences.outputs[:, :, 0].tolist()
    ):
        assert outputs == [int(bits[:t] == bits[:t][::-1]) for t in range(1, 201)]
        assert sum(outputs[1:]) >= 1  # one palindrome of length 2 or more was planted


def test_distinct_sequences():
    inputs = TASKS["Previous_Equals_Current"].training_sequences(60_000, seed=0).inputs
    assert len(np.unique(inputs, axis=0)) == 60_000
    assert abs(inputs.mean() - 3.5) < 0.02
    short = TASKS["Previous_Equals_Current"].long_sequences(512, 3, seed=0)
    assert len(np.unique(short.inputs, axis=0)) == 512
    repeated = TASKS["Previous_Equals_Current"].long_sequences(5000, 3, seed=0)
    assert len(np.unique(repeated.inputs, axis=0)) == 512


def test_names_without_regard_to_case():
    assert get_task("binary_addition") is TASKS["Binary_Addition"]
    with pytest.raises(RequestError, match="no task named 'Sum_Al'; did you mean Sum_All"):
        get_task("Sum_Al")
    with pytest.raises(RequestError, match="no task named 'xyzzy'; see all"):
        get_task("xyzzy")


def test_a_task_added_by_a_user():
    try:

        @define_task("Doubled_Sum", "Twice the sum so far.", inputs=[(0, 9)], initial=0, length=12)
        def doubled_sum(total, number):
            return total + number, 2 * (total + number)

        assert get_task("doubled_SUM") is doubled_sum
        drawn = doubled_sum.training_sequences(5, seed=0)
        assert np.array_equal(drawn.outputs, 2 * drawn.inputs.cumsum(axis=1))
        with pytest.raises(RequestError, match="already a task named DOUBLED_SUM"):
            define_task("DOUBLED_SUM", "Again.", inputs=[(0, 9)])(doubled_sum.step)
    finally:
        TASKS.pop("Doubled_Sum", None)
