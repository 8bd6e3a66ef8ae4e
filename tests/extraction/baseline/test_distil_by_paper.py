"""The paper's method from network to program, on networks written by hand; failures are named."""

import numpy as np
import pytest

from mips_jax.extraction.baseline import distil_by_paper, shortest
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.inputs import random_words
from tests.extraction.baseline import hand_built

SETTINGS = ExtractionSettings(words=300, seconds=20.0)
BIT = ((0, 1),)
NETWORKS = {  # network, input range, method, outputs as a function of the inputs [T, I]
    "sum": (hand_built.running_sum, ((0, 99),), "linear", lambda x: x[:, 0].cumsum()),
    "prev2": (
        lambda: hand_built.previous(2),
        ((0, 99),),
        "linear",
        lambda x: np.r_[0, 0, x[:-2, 0]],
    ),
    "gravity": (
        hand_built.gravity,
        ((-10, 10),),
        "linear",
        lambda x: (x[:, 0] - 1).cumsum().cumsum(),
    ),
    "spring": (hand_built.spring, ((-10, 10),), "integer", None),
    "parity": (hand_built.parity, BIT, "boolean", lambda x: x[:, 0].cumsum() % 2),
    "binary addition": (hand_built.binary_addition, BIT * 2, "boolean", None),
    "distance": (
        hand_built.distance_to_previous,
        ((-50, 50),),
        "integer",
        lambda x: abs(np.diff(x[:, 0], prepend=0)),
    ),
    "more ones": (
        hand_built.more_ones_than_zeros,
        BIT,
        "integer",
        lambda x: (2 * x[:, 0] - 1).cumsum() > 0,
    ),
    "equals previous": (
        hand_built.equals_previous,
        ((0, 7),),
        "integer",
        lambda x: (np.r_[0, x[:-1, 0]] == x[:, 0]).astype(int),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_program_does_what_the_network_does(name):
    build, input_range, method, truth = NETWORKS[name]
    network = hand_built.hidden_behind(build(), seed=1, noise=1e-6)
    result = shortest(distil_by_paper(network, input_range, SETTINGS))
    assert result.status == "found" and result.method == method, result
    words = random_words(input_range, 50, 10, np.random.default_rng(9))
    outputs = result.program.run(words)
    np.testing.assert_array_equal(outputs, network.run(words)[1])
    if truth is not None:
        np.testing.assert_array_equal(outputs[:, :, 0], [truth(word) for word in words])


def test_binary_addition_gets_the_formulas_of_the_paper():
    network = hand_built.hidden_behind(hand_built.binary_addition(), seed=2, noise=1e-4)
    text = str(shortest(distil_by_paper(network, BIT * 2, SETTINGS)).program)
    assert "+ a + b > 1" in text and "^ a ^ b" in text


def test_a_change_of_hidden_basis_changes_no_program():
    programs = set()
    for seed in range(3):
        network = hand_built.hidden_behind(hand_built.previous(2), seed=seed, noise=1e-6)
        programs.add(str(shortest(distil_by_paper(network, ((0, 99),), SETTINGS)).program))
    assert len(programs) == 1


def test_what_the_symbols_cannot_say_fails_by_name():
    results = distil_by_paper(hand_built.largest_seen(), ((0, 9),), SETTINGS)
    assert all(result.program is None for result in results)
    assert "no short formula for the next integers" in results[-1].status
    assert [result.method for result in results][:2] == ["linear", "boolean"]


def test_hidden_states_on_no_lattice_fail_by_name():
    results = distil_by_paper(hand_built.random_network(3, 1, seed=5), ((0, 9),), SETTINGS)
    assert results[-1].program is None and "integer" in results[-1].status


def test_networks_of_other_architectures_are_refused():
    class Other(hand_built.MLPRNN.__mro__[1]):
        step = readout = None

    Other.__abstractmethods__ = frozenset()
    assert "refused" in distil_by_paper(Other(), BIT)[0].status
