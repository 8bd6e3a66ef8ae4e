"""extract() on networks that nobody would want: it ends, without an exception, with what is true of
them.
"""

import dataclasses

import numpy as np
import pytest

from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.inputs import random_words
from mips_jax.networks import MLPRNN, Network
from tests.extraction.perfect_networks import IntegerState, affine, random_mlp

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
QUICK = ExtractionSettings(seconds=0.15, words=100)


def _honest(network, input_range, settings=QUICK):
    """Whatever is returned says truly how faithful it is."""
    found = extract(network, input_range, settings)
    assert found.statuses and all(text for _, text in found.statuses)
    words = random_words(input_range, 1500, found.length, np.random.default_rng(12345))
    for candidate in found.candidates[:3]:
        agree = (candidate.program.run(words) == network.run(words)[1]).all(axis=(1, 2)).mean()
        assert abs(agree - candidate.fidelity) < 0.06, (candidate, agree)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_untrained_networks(seed):
    inputs, outputs = 1 + seed % 3, 1 + (seed // 3) % 2
    low, high = [(0, 1), (-3, 2), (0, 9), (-60, 60)][seed % 4]
    _honest(random_mlp(seed, hidden_dim=4, inputs=inputs, outputs=outputs), ((low, high),) * inputs)


@pytest.mark.parametrize("hidden_dim", [1, 2, 17, 64])
def test_any_hidden_size(hidden_dim):
    _honest(random_mlp(hidden_dim, hidden_dim), ((-2, 2),))


class Noisy(IntegerState):
    """Its outputs depend on the rest of the batch: no function of the input at all."""

    def readout(self, hidden):
        return hidden + 0.6 * np.sin(1e4 * hidden + 1e3 * np.arange(len(hidden))[:, None])


class Chaotic(Network):
    """A logistic map: a function of the history that nothing short describes."""

    initial, input_dim, output_dim, trained_length = np.full(1, 0.3), 1, 1, 10

    def step(self, hidden, inputs):
        return np.where(inputs > 0, 3.99, 3.9) * hidden * (1 - hidden)

    def readout(self, hidden):
        return 3 * hidden


def not_a_number() -> MLPRNN:
    """Built past the check that refuses such weights."""
    transition = ((np.array([[np.nan, 1.0]]), np.zeros(1)),)
    return MLPRNN(transition, ((np.ones((1, 1)), np.zeros(1)),), np.zeros(1), 10)


BIT, SMALL = ((0, 1),), random_mlp(1, 3)
WEIRD = {
    "noise": (Noisy([0], lambda s, x: (s + x) % 2), BIT),
    "chaos": (Chaotic(), BIT),
    "leaky sum": (affine([[0.98]], [1], [0], [1]), BIT),
    "explodes": (affine([[1e30]], [1], [0], [1]), BIT),
    "overflows": (affine([[1e200]], [1], [0], [1]), ((-1, 1),)),
    "is not a number": (not_a_number(), ((-1, 1),)),
    "one letter": (SMALL, ((4, 4),)),
    "one letter beside another input": (random_mlp(2, 3, inputs=2), ((0, 0), (1, 1))),
    "range below zero": (SMALL, ((-9, -2),)),
    "a billion letters": (SMALL, ((-(10**9), 10**9),)),
    "letters of 62 bits": (SMALL, ((-(2**62), 2**62),)),
    "nine inputs": (random_mlp(3, 3, inputs=9), BIT * 9),
    "one wide, one narrow, one fixed input": (
        random_mlp(4, 4, inputs=3, outputs=2),
        ((-50, 50), (0, 3), (7, 7)),
    ),
    "trained on one letter": (dataclasses.replace(SMALL, trained_length=1), BIT),
    "trained on two letters": (dataclasses.replace(SMALL, trained_length=2), BIT),
    "trained on three letters": (dataclasses.replace(SMALL, trained_length=3), ((0, 2),)),
    "trained on sixty letters": (dataclasses.replace(SMALL, trained_length=60), BIT),
    "outputs at one half": (affine([[1]], [0.5], [0], [1]), BIT),
    "thirds": (affine([[1]], [1 / 3], [0], [1]), ((0, 2),)),
    "huge outputs": (affine([[0]], [1], [0], [1e9]), ((0, 10**6),)),
    "dead": (affine([[0]], [0], [0], [0]), ((0, 1),) * 1),
}


@pytest.mark.parametrize("name", WEIRD)
def test_weird_networks(name):
    _honest(*WEIRD[name])


@pytest.mark.parametrize("method", ["linear", "automaton", "registers", "paper"])
def test_every_method_survives_them(method):
    for network, input_range in (
        WEIRD["chaos"],
        WEIRD["overflows"],
        WEIRD["one letter"],
        (random_mlp(5, 4, 2, 2), ((0, 3), (-1, 1))),
    ):
        _honest(network, input_range, dataclasses.replace(QUICK, method=method))


class Erring(IntegerState):
    """Right but for a share of all histories, on which the output is one too large."""

    def __init__(self, update, share: float):
        tick = lambda s, clock, x: (update(s, x), (131 * clock + 17 * x + 29) % 9973)
        super().__init__([0, 0], tick, lambda s, clock: s + (clock < share * 9973))


@pytest.mark.slow
@pytest.mark.parametrize(
    "update, input_range, text",
    [
        (np.maximum, ((0, 9),), "max("),
        (lambda s, x: (s + x) % 2, ((0, 1),), None),
    ],
)
def test_an_erring_network_gives_the_rule_and_the_share_of_its_exceptions(
    update, input_range, text
):
    network, right = Erring(update, 0.002), IntegerState([0], update)
    found = _honest(network, input_range, ExtractionSettings(seconds=10.0))
    assert 0.95 < found.best.fidelity < 1.0
    assert text is None or text in found.program.source
    words = random_words(input_range, 100, 100, np.random.default_rng(3))
    np.testing.assert_array_equal(found.program.run(words), right.run(words)[1])
