"""Machines: what makes one, what they read, and their text."""

import itertools
import json

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.machines import Mealy, bisimilar, minimised

PARITY = Mealy.of([0, 1], [[0, 1], [1, 0]], [[0, 1], [1, 0]])
PAIRS = Mealy.of([[0, 5], [2, -1]], [[1, 0], [1, 1]], [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])


def _random(rng: np.random.Generator, states: int, letters: int) -> Mealy:
    return Mealy.of(
        np.arange(letters),
        rng.integers(0, states, (states, letters)),
        rng.integers(0, 2, (states, letters)),
    )


def test_states_and_outputs_are_those_of_a_walk_by_hand():
    rng = np.random.default_rng(0)
    for machine in (PARITY, PAIRS, _random(rng, 5, 3)):
        words = rng.integers(0, len(machine.letters), (6, 9))
        states, outputs = machine.trace(words), machine.run(words)
        for w, word in enumerate(words):
            state = 0
            for t, letter in enumerate(word):
                assert outputs[w, t].tolist() == machine.output[state, letter].tolist()
                state = machine.transition[state, letter]
                assert states[w, t] == state
        assert machine.run(words[:, :0]).shape == (6, 0, machine.output.shape[2])


def test_inputs_become_indices_of_letters():
    words = np.array([[[2, -1], [0, 5]], [[0, 5], [0, 5]]])
    assert PAIRS.index_of(words).tolist() == [[1, 0], [0, 0]]
    assert PAIRS.index_of([0, 5]).tolist() == 0
    with pytest.raises(RequestError, match=r"\[2, 5\] is none of the machine's 2 letters"):
        PAIRS.index_of([[2, 5]])
    with pytest.raises(RequestError, match=r"shape \[3\]; the machine reads 2 integers a step"):
        PAIRS.index_of([1, 2, 3])


def test_json_reads_back_as_the_same_machine():
    for machine in (PARITY, PAIRS, _random(np.random.default_rng(1), 7, 2)):
        again = Mealy.from_json(machine.to_json())
        for name in ("letters", "transition", "output"):
            np.testing.assert_array_equal(getattr(again, name), getattr(machine, name))


def test_minimising_leaves_the_function_and_happens_once():
    rng = np.random.default_rng(2)
    words = np.array(list(itertools.product(range(2), repeat=7)))
    for states in range(1, 9):
        machine = _random(rng, states, 2)
        small = minimised(machine)
        np.testing.assert_array_equal(small.run(words), machine.run(words))
        assert bisimilar(small, machine) and minimised(small).states == small.states
    assert not bisimilar(PARITY, Mealy.of([0, 1], [[0, 0]], [[0, 1]]))


@pytest.mark.parametrize(
    "letters, transition, output, text",
    [
        ([0, 1], [[0, 2]], [[0, 1]], r"next states 0\.\.2; allowed are 0\.\.0"),
        ([0, 0], [[0, 0]], [[0, 1]], "two of the letters are the same"),
        ([0, 1, 2], [[0, 0]], [[0, 1]], "3 letters, but 2 columns of transitions"),
        ([0, 1], [[0, 0]], [[0, 1, 1]], r"outputs for \[1, 3\] .* transitions for \[1, 2\]"),
        ([0, 1], [0, 0], [[0, 1]], r"shapes \[2, 1\], \[2\], \[1, 2, 1\]"),
        ([0, 1], [[0.5, 0]], [[0, 1]], "the transitions of a machine are float64"),
        ([0, 1], [[0, 0], [1]], [[0, 1]], "the transitions of a machine are ragged"),
        (np.zeros((0, 1), int), np.zeros((1, 0), int), np.zeros((1, 0), int), "at least"),
    ],
)
def test_what_is_no_machine_is_refused(letters, transition, output, text):
    with pytest.raises(RequestError, match=text):
        Mealy.of(letters, transition, output)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(RequestError, match=r"3 letters.*are the same.*next states"):
        Mealy.of([1, 1, 2], [[0, 9]], [[0, 0]])


@pytest.mark.parametrize(
    "text, reason",
    [
        ("{", "no machine as JSON"),
        ("[1]", "no machine as JSON"),
        ('{"format": "mealy-1"}', "no machine as JSON .*letters"),
        (json.dumps(json.loads(PARITY.to_json()) | {"format": "x"}), "a machine of format 'x'"),
        (json.dumps(json.loads(PARITY.to_json()) | {"letters": [[0], [0]]}), "are the same"),
    ],
)
def test_other_json_is_refused(text, reason):
    with pytest.raises(RequestError, match=reason):
        Mealy.from_json(text)
