"""Machines by clusters of hidden states, for networks that are no machine."""

import dataclasses

import numpy as np
import pytest

from mips_jax.budget import Share
from mips_jax.extraction.clustered_automaton import clustered_machines
from mips_jax.extraction.machine_tuning import ClusterTuning
from mips_jax.inputs import Inputs
from mips_jax.inputs.observed import words_between
from mips_jax.networks import Network

RNG = np.random.default_rng(5)
SMALL = ClusterTuning(clusters=(4, 12, 48), hidden=3_000, fresh_words=400)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Leaky(Network):
    """A level that leaks and that each letter moves by another amount: positive or not."""

    initial: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(1))
    input_dim: int = 1
    output_dim: int = 1
    trained_length: int | None = 12

    def step(self, hidden, inputs):
        return 0.93 * hidden + (inputs - 2.1) * np.array([0.61])

    def readout(self, hidden):
        return np.concatenate([-hidden, hidden], axis=1)

    def decode(self, raw):
        return raw.argmax(axis=1)[:, None]


@pytest.mark.parametrize("inputs", [Inputs(((0, 4),)), words_between(((0, 4),), 0, 4)])
def test_more_clusters_are_more_faithful(inputs):
    machines = clustered_machines(Leaky(), inputs, 12, SMALL)
    assert [m.machine.states <= k for m, k in zip(machines, SMALL.clusters)] == [True] * 3
    assert machines[-1].agreement > 0.8 > machines[0].agreement
    words = inputs.words(2_000, 12, RNG)
    for one in machines:
        wrote = one.machine.run(one.machine.index_of(words))
        agreement = float((wrote == Leaky().run(words)[1]).all(axis=(1, 2)).mean())
        assert abs(agreement - one.agreement) < 0.08  # measured on words of its own


def test_the_same_seed_gives_the_same_machines():
    first, second = (clustered_machines(Leaky(), Inputs(((0, 4),)), 12, SMALL) for _ in range(2))
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one.machine.transition, other.machine.transition)


def test_it_ends_with_its_work():
    share = Share(2_000.0)
    assert len(clustered_machines(Leaky(), Inputs(((0, 4),)), 12, SMALL, share=share)) < 3


def test_many_letters_are_not_tried():
    assert clustered_machines(Leaky(), Inputs(((0, 10_000),)), 12, SMALL) == []
