"""The held-out tasks against second definitions of whole prefixes, which share no code with the
first.
"""

import itertools
import math
import re

import numpy as np
import pytest

from benchmarks.tasks import HELD_OUT, SECOND_HELD_OUT, write_npz
from mips_jax.tasks import TASKS, load_file_task


def _digits(numbers, base):
    """The number written with these digits, lowest first."""
    return sum(digit * base**place for place, digit in enumerate(numbers))


def _latest(p, size):
    return ([0] * size + p)[-size:]


def _runs(p):
    return [(value, len(list(group))) for value, group in itertools.groupby(p)]


def _text(p):
    return "".join(map(str, p))


def _column(p, index):
    return [letter[index] for letter in p]


def _fold(function, start, p):
    for letter in p:
        start = function(start, letter)
    return start


def _lcg(p, factor, modulus):
    return sum(x * factor ** (len(p) - 1 - t) for t, x in enumerate(p)) % modulus


# y_t as a function of the list p of all inputs up to t
WHOLE_PREFIX = {
    "Sum_Mod_9": lambda p: sum(p) % 9,
    "Base_12_Addition": lambda p: (
        (_digits(_column(p, 0), 12) + _digits(_column(p, 1), 12)) // 12 ** (len(p) - 1) % 12
    ),
    "Binary_Subtraction": lambda p: (
        (_digits(_column(p, 0), 2) - _digits(_column(p, 1), 2)) >> (len(p) - 1) & 1
    ),
    "Triple_Mod_5": lambda p: _lcg(p, 3, 5),
    "Remainder_6": lambda p: int(_text(p), 2) % 6,
    "Product_Mod_7": lambda p: math.prod(p) % 7,
    "Alternating_Sum_Mod_4": lambda p: (sum(p[::2]) - sum(p[1::2])) % 4,
    "Set_Reset_Latch": lambda p: next((s if not r else 0 for s, r in reversed(p) if s or r), 0),
    "JK_Flip_Flop": lambda p: _fold(
        lambda q, jk: {(0, 0): q, (1, 0): 1, (0, 1): 0, (1, 1): 1 - q}[jk], 0, p
    ),
    "Sample_And_Hold": lambda p: next((a for select, a in reversed(p) if select), 0),
    "Last_Nonzero": lambda p: next((x for x in reversed(p) if x), 0),
    "First_Input": lambda p: p[0],
    "Debounce": lambda p: next((b for a, b in reversed(list(zip([0] + p, p))) if a == b), 0),
    "Detect_101": lambda p: _text(p).endswith("101"),
    "Detect_1101": lambda p: _text(p).endswith("1101"),
    "Rising_Edge": lambda p: _text(p).endswith("01") or p == [1],
    "Turnstile": lambda p: _text(p).endswith("10"),
    "Up_Down_Saturating": lambda p: _fold(lambda c, x: min(5, max(0, c + x)), 0, p),
    "Branch_Predictor": lambda p: (
        _fold(lambda c, x: min(3, c + 1) if x else max(0, c - 1), 1, p) in (2, 3)
    ),
    "Run_Of_Ones": lambda p: len(re.search("1*$", _text(p)).group()),
    "Run_Length": lambda p: _runs(p)[-1][1],
    "Longest_Run_Of_Ones": lambda p: max((size for value, size in _runs(p) if value), default=0),
    "Steps_Since_One": lambda p: len(re.search("0*$", _text(p)).group()),
    "Ones_Minus_Zeros": lambda p: p.count(1) - p.count(0),
    "Twos_Mod_4": lambda p: p.count(2) % 4,
    "Sign_Changes": lambda p: sum(
        {a > 0, b > 0} == {a < 0, b < 0} == {True, False} for a, b in itertools.pairwise(p)
    ),
    "Counter_With_Reset": lambda p: sum(tick for tick, _ in _after_last_reset(p)),
    "Distinct_Seen": lambda p: len(set(p)),
    "Min_Last3": lambda p: min(_latest(p, 3)),
    "Max_Last3": lambda p: max(_latest(p, 3)),
    "Median_Last3": lambda p: sorted(_latest(p, 3))[1],
    "Majority_Last3": lambda p: sorted(_latest(p, 3))[1],
    "Halved_Sum_Last2": lambda p: math.floor(sum(_latest(p, 2)) / 2),
    "Second_Difference": lambda p: np.diff(_latest(p, 3), 2)[0],
    "Alternating_Accumulators": lambda p: sum(p[::-2]),
    "Driven_Fibonacci": lambda p: sum(x * _fibonacci(len(p) - t) for t, x in enumerate(p)),
    "Alternating_Sum": lambda p: sum(p[::-2]) - sum(p[-2::-2]),
    "Second_Largest_Seen": lambda p: sorted([0] + p)[-2],
    "Range_Seen": lambda p: max(p) - min(p),
    "Sum_And_Difference": lambda p: (sum(a + b for a, b in p), sum(a - b for a, b in p)),
    "Bank_Balance": lambda p: max(sum(p[t:]) for t in range(len(p) + 1)),
    "Multiplexer": lambda p: p[-1][1] if p[-1][0] else p[-1][2],
    "Sum_Of_Selected": lambda p: sum(a for select, a in p if select),
    "Max_Of_Two_Seen": lambda p: max(map(max, p)),
    "Serial_Comparator": lambda p: (
        (_column(p, 0) > _column(p, 1)) + 2 * (_column(p, 0) < _column(p, 1))
    ),
    "Thermostat": lambda p: next((x < 3 for x in reversed(p) if x < 3 or x > 6), 0),
    "Vending_Machine": lambda p: _fold(lambda c, x: (c + x) if c < 4 else x, 0, p) >= 4,
    "Held_Every_Third": lambda p: p[(len(p) - 1) // 3 * 3],
    "Tomita_1": lambda p: re.fullmatch("1*", _text(p)) is not None,
    "Tomita_2": lambda p: re.fullmatch("(10)*", _text(p)) is not None,
    "Tomita_3": lambda p: (
        not any(a == 1 and m % 2 and n % 2 for (a, m), (_, n) in itertools.pairwise(_runs(p)))
    ),
    "Tomita_4": lambda p: "000" not in _text(p),
    "Tomita_5": lambda p: p.count(0) % 2 == p.count(1) % 2 == 0,
    "Tomita_6": lambda p: (p.count(0) - p.count(1)) % 3 == 0,
    "Tomita_7": lambda p: re.fullmatch("0*1*0*1*", _text(p)) is not None,
}


def _after_last_reset(p):
    return list(itertools.takewhile(lambda letter: not letter[1], reversed(p)))


def _fibonacci(n):
    return _fold(lambda pair, _: (pair[1], sum(pair)), (0, 1), range(n))[0]


def test_there_are_many_and_none_is_named():
    assert len(HELD_OUT) >= 50
    assert set(HELD_OUT) == set(WHOLE_PREFIX)
    assert not set(HELD_OUT) & set(TASKS)


@pytest.mark.parametrize("name", HELD_OUT)
def test_definition(name):
    task = HELD_OUT[name]
    sequences = task.long_sequences(60, 40, seed=0)
    for inputs, outputs in zip(sequences.inputs.tolist(), sequences.outputs.tolist()):
        letters = [letter[0] if task.input_dim == 1 else tuple(letter) for letter in inputs]
        expected = [WHOLE_PREFIX[name](letters[: t + 1]) for t in range(len(letters))]
        assert [
            output[0] if task.output_dim == 1 else tuple(output) for output in outputs
        ] == expected


@pytest.mark.parametrize("name", HELD_OUT)
def test_outputs_vary(name):
    outputs = HELD_OUT[name].training_sequences(500, seed=0).outputs
    assert all(len(np.unique(outputs[..., o])) > 1 for o in range(outputs.shape[2]))


@pytest.mark.parametrize("name", ["Median_Last3", "Sum_And_Difference", "Multiplexer"])
def test_as_a_file(tmp_path, name):
    task = load_file_task(
        write_npz(HELD_OUT[name], tmp_path / "examples.npz"), on_contradiction="error"
    )
    assert task.input_range == HELD_OUT[name].input_range
    assert len(task.given) == 5000
    assert np.array_equal(task.training.outputs, HELD_OUT[name].label(task.training.inputs))


def test_as_a_file_with_noise(tmp_path):
    task = load_file_task(write_npz(HELD_OUT["Tomita_4"], tmp_path / "noisy.npz", noise=0.02))
    wrong = task.training.outputs != HELD_OUT["Tomita_4"].label(task.training.inputs)
    assert 0.015 < wrong.mean() < 0.025
    assert task.contradictions.contradictory_labels > 700


@pytest.mark.parametrize("name", list(SECOND_HELD_OUT))
def test_second_tasks_need_memory_and_keep_to_their_ranges(name):
    task = SECOND_HELD_OUT[name]
    sequences = task.training_sequences(400, 0)
    assert sequences.inputs.shape == (400, task.length, task.input_dim)
    assert sequences.outputs.shape == (400, task.length, task.output_dim)
    lows, highs = np.array(task.input_range).T
    assert (sequences.inputs >= lows).all() and (sequences.inputs <= highs).all()
    last = {}  # outputs that were seen after each letter
    for letter, output in zip(
        sequences.inputs.reshape(-1, task.input_dim), sequences.outputs.reshape(-1, task.output_dim)
    ):
        last.setdefault(tuple(letter), set()).add(tuple(output))
    assert max(map(len, last.values())) > 1, "the present input alone tells the output"
    assert task.name not in TASKS and task.name not in HELD_OUT
