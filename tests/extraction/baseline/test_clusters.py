"""Finite machines read off clusters of hidden states."""

import numpy as np

from mips_jax.extraction.baseline.clusters import (
    Clusters,
    find_clusters,
    is_deterministic,
    without_start,
)
from mips_jax.extraction.traces import Traces, record
from mips_jax.inputs import random_words
from tests.extraction.baseline import hand_built


def _last_bit_traces(start: float, noise: float) -> Traces:
    """The hidden state is the last input, the first one whatever it is given."""
    generator = np.random.default_rng(0)
    words = generator.integers(0, 2, (100, 8, 1))
    hidden = np.concatenate(
        [np.full((100, 1, 1), start), words + noise * generator.normal(size=words.shape)], axis=1
    )
    return Traces(words, hidden, 1 - words)


def test_parity_has_two_clusters():
    network = hand_built.hidden_behind(hand_built.parity(), seed=1, noise=1e-3)
    traces = record(network, random_words(((0, 1),), 200, 10, np.random.default_rng(0)))
    clusters = find_clusters(traces)
    assert clusters.count == 2
    np.testing.assert_array_equal(clusters.labels[:, 1:, None], traces.words.cumsum(1) % 2)


def test_a_start_of_its_own_joins_the_state_it_behaves_like():
    clusters = find_clusters(_last_bit_traces(start=0.37, noise=0.02))
    assert clusters.count == 2 and (clusters.labels[:, 0] == 0).all()


def test_a_start_that_behaves_like_no_other_state_stays():
    traces = _last_bit_traces(start=5.0, noise=0.0)
    labels = np.concatenate([np.full((100, 1), 2), traces.words[:, :, 0]], axis=1)
    labels[:, 1] = 2 - 2 * traces.words[:, 0, 0]  # from the start, 0 leads to a state of its own
    clusters = Clusters(np.array([[0.0], [1.0], [5.0]]), labels)
    assert without_start(clusters, traces) is clusters


def test_states_that_spread_over_a_line_are_no_machine():
    network = hand_built.running_sum()
    traces = record(network, random_words(((0, 99),), 200, 10, np.random.default_rng(0)))
    assert find_clusters(traces) is None


def test_a_machine_with_two_successors_is_not_deterministic():
    traces = _last_bit_traces(start=0.0, noise=0.0)
    labels = np.random.default_rng(1).integers(0, 2, (100, 9))
    assert not is_deterministic(Clusters(np.array([[0.0], [1.0]]), labels), traces)
