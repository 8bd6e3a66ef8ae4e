"""Hidden states that fall into finitely many clusters: a finite-state machine read off the words
(paper, section 3.3).

The threshold that separates clusters is not known. The largest one is taken with which the machine
is deterministic: each (cluster, input) has one successor, each cluster one output.

Axes: W words, T time, N hidden states, S clusters.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.traces import Traces

THRESHOLDS = tuple(
    0.5 * 0.6**k for k in range(16)
)  # of the hidden states' spread, 0.5 down to 2e-4
MOST_CLUSTERS = 400
LLOYD_STEPS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Clusters:
    """A finite-state machine over clusters of hidden states.

    Attributes:
        centres: [S, H] float64; number 0 is where the program starts.
        labels: [W, T + 1] int64, the cluster of each hidden state.
    """

    centres: np.ndarray
    labels: np.ndarray

    @property
    def count(self) -> int:
        return self.centres.shape[0]


def find_clusters(traces: Traces) -> Clusters | None:
    """The fewest clusters that make a deterministic machine with one output each, or None where
    there is none.
    """
    words, steps, hidden_dim = traces.hidden.shape
    points = traces.hidden.reshape(-1, hidden_dim)
    spread = np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean())
    if spread < 1e-12:
        return Clusters(points[:1], np.zeros((words, steps), np.int64))
    for threshold in THRESHOLDS:
        centres = _leaders(points, threshold * spread)
        if centres is None:
            return None
        for _ in range(
            LLOYD_STEPS
        ):  # leaders lie at the edge of their clusters; their means do not
            labels = _nearest(points, centres)
            centres = np.stack([points[labels == s].mean(0) for s in np.unique(labels)])
        labels = _nearest(points, centres).reshape(words, steps)
        used = np.unique(labels)
        clusters = Clusters(centres[used], np.searchsorted(used, labels))
        if is_deterministic(clusters, traces):
            return _start_first(without_start(clusters, traces))
    return None


def without_start(clusters: Clusters, traces: Traces) -> Clusters:
    """Lets the initial state join a cluster with the same successors, where it has a cluster of its
    own.

    The initial state is given, not learned, so it lies apart from the states that training has put
    in order.
    """
    start = int(clusters.labels[0, 0])
    if clusters.count < 2 or (clusters.labels[:, 1:] == start).any():
        return clusters
    after = [tuple(letter) for letter in traces.words[:, 0].tolist()]
    successors = dict(zip(after, clusters.labels[:, 1].tolist()))
    known: dict[int, dict[tuple, int]] = {}
    letters = map(tuple, traces.words[:, 1:].reshape(-1, traces.words.shape[2]).tolist())
    steps = zip(
        clusters.labels[:, 1:-1].reshape(-1).tolist(),
        letters,
        clusters.labels[:, 2:].reshape(-1).tolist(),
    )
    for state, letter, successor in steps:
        known.setdefault(state, {})[letter] = successor
    for state, row in known.items():
        shared = successors.keys() & row.keys()
        if len(shared) >= 0.9 * len(successors) and all(
            row[letter] == successors[letter] for letter in shared
        ):
            labels = np.where(clusters.labels == start, state, clusters.labels)
            used = np.unique(labels)
            return Clusters(clusters.centres[used], np.searchsorted(used, labels))
    return clusters


def is_deterministic(clusters: Clusters, traces: Traces) -> bool:
    """Whether each (cluster, input) has one successor and each cluster reached by an input one
    output.
    """
    before, after = clusters.labels[:, :-1].reshape(-1), clusters.labels[:, 1:].reshape(-1)
    letters = traces.words.reshape(-1, traces.words.shape[2])
    outputs = traces.outputs.reshape(-1, traces.outputs.shape[2])
    return is_function(np.column_stack([before, letters]), after[:, None]) and is_function(
        after[:, None], outputs
    )


def is_function(keys: np.ndarray, values: np.ndarray) -> bool:
    """Whether equal rows of keys [N, *] always come with equal rows of values [N, *]."""
    distinct_keys = np.unique(keys, axis=0).shape[0]
    return distinct_keys == np.unique(np.column_stack([keys, values]), axis=0).shape[0]


def _start_first(clusters: Clusters) -> Clusters:
    """The same clusters, numbered so that the first state of every word is number 0."""
    start = int(clusters.labels[0, 0])
    order = np.array([start, *(s for s in range(clusters.count) if s != start)])
    return Clusters(clusters.centres[order], np.argsort(order)[clusters.labels])


def _leaders(points: np.ndarray, radius: float) -> np.ndarray | None:
    """Points no two of which are closer than the radius, such that every point has one within it;
    None if too many.
    """
    leaders = [points[0]]
    distance = np.linalg.norm(points - points[0], axis=1)
    while (farthest := int(np.argmax(distance))) is not None and distance[farthest] > radius:
        if len(leaders) >= MOST_CLUSTERS:
            return None
        leaders.append(points[farthest])
        distance = np.minimum(distance, np.linalg.norm(points - points[farthest], axis=1))
    return np.array(leaders)


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """[N] number of the nearest centre."""
    distances = (centres**2).sum(1)[None, :] - 2 * points @ centres.T
    return np.argmin(distances, axis=1)
