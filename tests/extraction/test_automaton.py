"""Automata: hand-written and random machines hidden in networks, read off exactly up to
bisimulation.
"""

import numpy as np
import pytest

from mips_jax.extraction.automaton import AutomatonSettings, learn_automaton
from mips_jax.machines import first_difference, machine_program, minimised
from tests.extraction.perfect_networks import (
    DIGIT,
    Embedded,
    IntegerState,
    OneHot,
    binary_addition,
    machine,
    parity,
    random_machine,
)

SETTINGS = AutomatonSettings()
PARITY = machine([[0, 1], [1, 0]], [[0, 1], [1, 0]])
DIVISIBLE_BY_5 = machine(
    [[2 * r % 5, (2 * r + 1) % 5] for r in range(5)],
    [[2 * r % 5 == 0, (2 * r + 1) % 5 == 0] for r in range(5)],
)
HAND_WRITTEN = {
    "parity": PARITY,
    "binary number divisible by 5": DIVISIBLE_BY_5,
    "saw 1 0 1": machine([[0, 1], [2, 1], [0, 1]], [[0, 0], [0, 0], [0, 1]]),
    "latch": machine([[0, 1, 0], [1, 1, 0]], [[0, 1, 0], [1, 1, 0]]),
    "last four": machine(
        [[2 * s % 8, (2 * s + 1) % 8] for s in range(8)],
        [[(s.bit_count() + b) % 2 for b in (0, 1)] for s in range(8)],
    ),
    "constant": machine([[0, 0]], [[3, 3]]),
}


@pytest.mark.parametrize("name", HAND_WRITTEN)
@pytest.mark.parametrize("seed", [None, 1])
def test_hand_written_machines_are_read_off_exactly(name, seed):
    truth = HAND_WRITTEN[name]
    network = OneHot(truth) if seed is None else Embedded(OneHot(truth), seed=seed)
    learnt = learn_automaton(network, ((0, len(truth.letters) - 1),), 12, SETTINGS)
    assert learnt.status == "closed"
    assert first_difference(learnt.machine, truth) is None
    assert learnt.machine.states == minimised(truth).states
    assert (
        learnt.hidden.shape[1] == network.hidden_dim and len(learnt.hidden) >= learnt.machine.states
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_machines_are_read_off_exactly(seed):
    rng = np.random.default_rng(seed)
    truth = random_machine(rng, states=int(rng.integers(2, 13)), letters=int(rng.integers(2, 5)))
    learnt = learn_automaton(OneHot(truth), ((0, len(truth.letters) - 1),), 30, SETTINGS)
    assert learnt.status == "closed"
    assert first_difference(learnt.machine, truth) is None
    assert learnt.machine.states == minimised(truth).states


def test_two_inputs_and_mlp_networks():
    learnt = learn_automaton(binary_addition(), ((0, 1), (0, 1)), 10, SETTINGS)
    assert (
        learnt.status == "closed"
        and learnt.machine.states == 2
        and learnt.machine.letters.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    )
    assert (
        first_difference(learn_automaton(parity(), ((0, 1),), 10, SETTINGS).machine, PARITY) is None
    )


@pytest.mark.parametrize("length", [8, 10, 12, 14])
@pytest.mark.parametrize("read", [lambda s: s > 0, lambda s: s])
def test_a_counter_is_not_closed(length, read):
    counter = IntegerState([0], lambda s, x: s + 2 * x - 1, read)
    learnt = learn_automaton(counter, ((0, 1),), length, SETTINGS)
    assert learnt.machine is None and learnt.status == "not_closed"


def test_limits_are_reported():
    total = IntegerState([0], lambda s, x: (s + x) % 500)
    assert learn_automaton(total, ((0, 999),), 10, SETTINGS).status == "too_many_letters"
    assert (
        learn_automaton(total, DIGIT, 400, AutomatonSettings(states=100)).status
        == "too_many_states"
    )


def test_minimising_twice_changes_nothing_and_keeps_the_behaviour():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = random_machine(rng, states=int(rng.integers(1, 25)), letters=2)
        small = minimised(truth)
        assert first_difference(small, truth) is None and small.states <= truth.states
        again = minimised(small)
        np.testing.assert_array_equal(again.transition, small.transition)
        np.testing.assert_array_equal(again.output, small.output)
        signatures = _signatures(
            small, small.states
        )  # no two states of a minimal machine behave alike
        assert len(set(signatures)) == small.states


def _signatures(truth, rounds: int) -> list:
    """A name for each state's behaviour, refined round by round: an independent, naive partition
    refinement.
    """
    names = [tuple(map(tuple, truth.output[s])) for s in range(truth.states)]
    for _ in range(rounds):
        new = [
            (names[s], tuple(names[t] for t in truth.transition[s])) for s in range(truth.states)
        ]
        numbers = {n: i for i, n in enumerate(dict.fromkeys(new))}
        names = [numbers[n] for n in new]
    return names


def test_the_first_difference_is_a_shortest_separating_word():
    # the machines differ only after three ones
    late = machine([[0, 1], [0, 2], [0, 2]], [[0, 0], [0, 0], [0, 1]])
    never = machine([[0, 0]], [[0, 0]])
    word = first_difference(late, never)
    assert word == (1, 1, 1)
    words = np.array([word])
    assert (late.run(words)[0, -1] != never.run(words)[0, -1]).all() and (
        late.run(words)[0, :-1] == never.run(words)[0, :-1]
    ).all()
    assert first_difference(never, late) == word and first_difference(late, late) is None


def test_a_machine_as_a_program_does_the_same():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        truth = minimised(random_machine(rng, states=6, letters=3))
        words = rng.integers(0, 3, (20, 40))
        np.testing.assert_array_equal(
            machine_program(truth, ((0, 2),)).run(words[:, :, None]), truth.run(words)
        )


def test_deep_differences_between_states_are_found():
    """Eight inputs pass before two states differ: probe words must grow by themselves."""
    chain = [[s + 1, s + 1] for s in range(8)] + [[0, 0]]
    output = [[0, 0]] * 8 + [[0, 1]]
    learnt = learn_automaton(OneHot(machine(chain, output)), ((0, 1),), 30, SETTINGS)
    assert learnt.status == "closed" and learnt.machine.states == 9


def test_a_network_without_a_reproducible_state_is_not_called_closed():
    class Restless(IntegerState):
        def readout(self, hidden):
            return hidden + np.random.default_rng(len(hidden)).integers(0, 2, hidden.shape)

    learnt = learn_automaton(Restless([0], lambda s, x: (s + x) % 2), ((0, 1),), 10, SETTINGS)
    assert learnt.status != "closed"
