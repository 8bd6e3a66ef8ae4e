"""Networks run on words: outputs, and how far the raw outputs are from integers.

Axes: N words, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks import Network

FLOAT64, FLOAT32 = "float64", "float32"  # arithmetic of a network that is run
_AT_ONCE = 4096  # words that are run together
NEAR_HALF = 0.45  # an output farther than this from an integer stands between two


@dataclasses.dataclass(frozen=True)
class Distances:
    """How far raw outputs are from the integers that are made of them.

    Attributes:
        steps: single steps run.
        largest: over all finite ones, 0 to 0.5.
        total: their sum.
        beyond: steps with a distance above `NEAR_HALF`.
        nonfinite: steps with an output that is NaN or infinite.
        values: different outputs met, at most two of them.
    """

    steps: int = 0
    largest: float = 0.0
    total: float = 0.0
    beyond: int = 0
    nonfinite: int = 0
    values: frozenset[tuple[int, ...]] = frozenset()

    @property
    def mean(self) -> float:
        return self.total / max(1, self.steps - self.nonfinite)

    def __add__(self, other: Distances) -> Distances:
        return Distances(
            self.steps + other.steps,
            max(self.largest, other.largest),
            self.total + other.total,
            self.beyond + other.beyond,
            self.nonfinite + other.nonfinite,
            frozenset(sorted(self.values | other.values)[:2]),
        )


def run_network(network: Network, words: np.ndarray) -> tuple[np.ndarray, Distances, np.ndarray]:
    """Runs words [N, T, I].

    Returns:
        Integer outputs [N, T, O]; the distances of the raw ones; and where the raw ones are numbers
        at all [N, T] bool: elsewhere nothing was written that a program could write.
    """
    parts, numbers, distances = [], [], Distances()
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(words), _AT_ONCE):
            part, found, finite = _run_some(network, words[start : start + _AT_ONCE])
            parts.append(part)
            numbers.append(finite)
            distances = distances + found
    if not parts:
        return (
            np.zeros((0, words.shape[1], network.output_dim), np.int64),
            distances,
            np.ones(words.shape[:2], bool),
        )
    return np.concatenate(parts), distances, np.concatenate(numbers)


def _run_some(network: Network, words: np.ndarray) -> tuple[np.ndarray, Distances, np.ndarray]:
    network.prefetch(network.initial[None], words)
    hidden = np.broadcast_to(network.initial, (len(words), network.hidden_dim))
    outputs, distances = [], []
    for t in range(words.shape[1]):
        hidden = network.step(hidden, words[:, t])
        raw = network.readout(hidden)
        outputs.append(network.decode(raw))
        distances.append(network.distance(raw))
    written = np.stack(outputs, axis=1)
    far = np.stack(distances)
    return written, _summed(far, written), np.isfinite(far).T


def _summed(distance: np.ndarray, written: np.ndarray) -> Distances:
    """Of distances [T, N] and outputs [N, T, O]."""
    finite = np.isfinite(distance)
    near = np.where(finite, distance, 0.0)
    rows = np.unique(written.reshape(-1, written.shape[2]), axis=0)[:2]
    return Distances(
        distance.size,
        float(near.max(initial=0.0)),
        float(near.sum()),
        int((near > NEAR_HALF).sum()),
        int((~finite).sum()),
        frozenset(tuple(int(v) for v in row) for row in rows),
    )
