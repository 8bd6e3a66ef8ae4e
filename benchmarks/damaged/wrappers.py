"""Networks around a network, which spoil what it does on some words.

What is spoilt depends on where the core's state lies on a line through it, so that no small machine
follows the damage.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks import InputRange, Network


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Wrapper(Network):
    """A network that does what its core does.

    Attributes:
        core: any network.
    """

    core: Network

    @property
    def initial(self) -> np.ndarray:
        return self.core.initial

    @property
    def input_dim(self) -> int:
        return self.core.input_dim

    @property
    def output_dim(self) -> int:
        return self.core.output_dim

    @property
    def trained_length(self) -> int | None:
        return self.core.trained_length

    @property
    def input_range(self) -> InputRange | None:
        return self.core.input_range

    @property
    def encodable_range(self) -> InputRange | None:
        return self.core.encodable_range

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        return self.core.step(hidden, inputs)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return self.core.readout(hidden)

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return self.core.decode(raw)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        return self.core.distance(raw)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BadTransition(Wrapper):
    """In one state, reading one letter, it goes astray, but only where direction . h is large.

    Attributes:
        centroids: [S, H] the core's mean hidden vector in each state of the true machine.
        state: in which it goes astray: the centroid next to h is this one's.
        letter: [I] reading which.
        target: [H] where it goes.
        direction: [H].
        threshold: of direction . h, before the step.
    """

    centroids: np.ndarray
    state: int
    letter: np.ndarray
    target: np.ndarray
    direction: np.ndarray
    threshold: float

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        after = self.core.step(hidden, inputs)
        astray = (inputs == self.letter).all(axis=1) & (hidden @ self.direction > self.threshold)
        astray &= nearest(self.centroids, hidden) == self.state
        return np.where(astray[:, None], self.target, after)


def nearest(centroids: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Centroids [S, H], hidden [B, H] -> [B] the number of the nearest."""
    return np.argmin((centroids**2).sum(axis=1) - 2.0 * hidden @ centroids.T, axis=1)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Counter(Wrapper):
    """A network that counts in one more hidden number.

    Attributes:
        letter: [I] what is counted; None: every step.
    """

    letter: np.ndarray | None

    @property
    def initial(self) -> np.ndarray:
        return np.append(self.core.initial, 0.0)

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        one = np.ones(len(hidden))
        if self.letter is not None:
            one = (inputs == self.letter).all(axis=1).astype(np.float64)
        after = self.core.step(hidden[:, :-1], inputs)
        return np.concatenate([after, (hidden[:, -1] + one)[:, None]], axis=1)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return self.spoilt(self.core.readout(hidden[:, :-1]), hidden[:, :-1], hidden[:, -1])

    def spoilt(self, raw: np.ndarray, hidden: np.ndarray, count: np.ndarray) -> np.ndarray:
        """What becomes of raw outputs [B, R], given the core's hidden [B, H] and the count [B]."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class WrongAtCounts(Counter):
    """Wrong at some counts, and beyond one, but only where direction . h is large.

    Attributes:
        counts: at which it is wrong.
        beyond: and at all larger ones; infinity: none.
        direction: [H].
        threshold: of direction . h.
    """

    counts: tuple[int, ...]
    beyond: float
    direction: np.ndarray
    threshold: float

    def spoilt(self, raw: np.ndarray, hidden: np.ndarray, count: np.ndarray) -> np.ndarray:
        wrong = (np.isin(count, self.counts) | (count > self.beyond)) & (
            hidden @ self.direction > self.threshold
        )
        other = np.roll(raw, 1, axis=1) if raw.shape[1] > 1 else raw + 1.0
        return np.where(wrong[:, None], other, raw)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Swaying(Counter):
    """A wave of the position is added to the raw outputs, as by a position's embedding.

    Attributes:
        amplitude: of the wave.
        frequencies: [R] in radians a step.
        phases: [R].
        growing: whether the amplitude is that at the end of a word of the training length, and
            grows from zero on.
    """

    amplitude: float
    frequencies: np.ndarray
    phases: np.ndarray
    growing: bool

    def spoilt(self, raw: np.ndarray, hidden: np.ndarray, count: np.ndarray) -> np.ndarray:
        wave = np.sin(count[:, None] * self.frequencies + self.phases)
        size = count[:, None] / (self.trained_length or 1) if self.growing else 1.0
        return raw + self.amplitude * size * wave
