"""Bounds on a network's instructions over many sets of inputs at once: zonotopes (Singh et al.
2018, "Fast and effective robustness certification", section 4), with every rounding error counted.

A zonotope is {center + sum_m s_m generators[m] + d : |s_m| <= 1, |d| <= error}. `error` bounds what
the generators do not say: the slack given at the start, the rounding of these bounds, and the
rounding of the network's own evaluation.

Axes: M generators, E sets, W width (of a layer).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mips_jax.check import ROUGH

# Relative; a sum of n float64 products is off by less than n * 1.2e-16 of the sum of their
# magnitudes.
ROUNDING = 1e-12
LARGEST_SUM = 2000  # terms of the longest sum for which ROUNDING holds, three times over
ROUNDINGS_OF_A_TERM = 4  # beside those of its sum; as in mips_jax.check
_UNDERFLOW = 1e-23  # absolute; above all that can be lost to numbers too small for float32


@dataclasses.dataclass(frozen=True)
class Zonotopes:
    """E sets of vectors.

    Attributes:
        center: [E, W] float64.
        generators: [M, E, W] float64.
        error: [E, W] float64, >= 0.
    """

    center: np.ndarray
    generators: np.ndarray
    error: np.ndarray

    @property
    def radius(self) -> np.ndarray:
        """[E, W] largest distance of any member from the center, rounded up."""
        return (np.abs(self.generators).sum(axis=0) + self.error) * (1 + ROUNDING)

    @classmethod
    def points(cls, values: np.ndarray) -> Zonotopes:
        """Known vectors [E, W]."""
        return cls(values, np.zeros((0, *values.shape)), np.zeros(values.shape))

    def spread(self) -> Zonotopes:
        """The same sets, their errors being generators, which may cancel."""
        new = np.moveaxis(np.einsum("ew,wv->ewv", self.error, np.eye(self.error.shape[1])), 1, 0)
        together = np.concatenate([self.generators, new])
        return Zonotopes(self.center, together, np.zeros_like(self.error))

    @property
    def magnitude(self) -> np.ndarray:
        """[E, W] most of each coordinate, rounded up."""
        return (np.abs(self.center) + self.radius) * (1 + ROUNDING)


def followed(
    instructions: Sequence[tuple], given: Sequence[Zonotopes], bits: int = 53
) -> Zonotopes:
    """Sets that hold the last result at every member, in real arithmetic and as a machine computes
    it.

    Args:
        instructions: see `instructions`; finite.
        given: the first vectors.
        bits: of the machine's significands; 53 is float64, 24 float32.
    """
    values = list(given)
    for name, read, *maps in instructions:
        sets, taken = [values[k] for k in read], max(len(v.generators) for v in values)
        if name == "times":
            values.append(_times(sets[0], sets[1], bits))
            continue
        weight, bias = maps
        z = _affine(weight, bias, _joined(sets) if len(sets) > 1 else sets[0], bits)
        if name == "relu":
            z = _relu(z, taken)
        elif name != "none":
            z = _smooth(z, name, bits)
        values.append(z)
    return values[-1]


def _padded(sets: Sequence[Zonotopes]) -> list[np.ndarray]:
    """Their generators, which they share by number; as many of each."""
    count = max(len(z.generators) for z in sets)
    return [np.pad(z.generators, ((0, count - len(z.generators)), (0, 0), (0, 0))) for z in sets]


def _joined(sets: Sequence[Zonotopes]) -> Zonotopes:
    """Side by side."""
    together = lambda arrays: np.concatenate(arrays, axis=-1)
    return Zonotopes(
        together([z.center for z in sets]),
        together(_padded(sets)),
        together([z.error for z in sets]),
    )


def _times(y: Zonotopes, z: Zonotopes, bits: int) -> Zonotopes:
    """What the deviations of two factors make of each other is an error."""
    g, h = _padded([y, z])
    missed = np.abs(y.center) * z.error + np.abs(z.center) * y.error + y.radius * z.radius
    noise = _share(0, bits) * y.magnitude * z.magnitude + _UNDERFLOW
    generators = y.center * h + z.center * g
    return Zonotopes(y.center * z.center, generators, missed * (1 + ROUNDING) + noise)


def _smooth(z: Zonotopes, name: str, bits: int) -> Zonotopes:
    """tanh or sigmoid: the slope from one end to the other; what it misses is an error."""
    scale = 2.0 if name == "tanh" else 1.0
    margin = ROUNDING * np.abs(z.center) + _UNDERFLOW
    low = scale * (z.center - z.radius - margin)
    high = scale * (z.center + z.radius + margin)
    slope, least, most = _sigmoid_lines(low, high)
    if name == "tanh":  # 2 sigmoid(2 x) - 1
        slope, least, most = 4 * slope, 2 * least - 1, 2 * most - 1
    rounding = ROUGH * 2.0**-bits + ROUNDING * (1 + slope * z.magnitude)
    error = slope * z.error + (most - least) / 2 + rounding
    return Zonotopes(slope * z.center + (least + most) / 2, slope * z.generators, error)


def _sigmoid_lines(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, ...]:
    """A slope s in [0, 1/4], and least and most of sigmoid(x) - s x on [low, high]; extreme at the
    ends, or where its own slope is s. See docs/proofs.md.
    """
    value = lambda x: 0.5 * (1.0 + np.tanh(0.5 * x))
    wide = high - low
    middle = value((low + high) / 2)
    chord = (value(high) - value(low)) / np.maximum(wide, 1e-300)
    slope = np.clip(np.where(wide > 1e-5, chord, middle * (1 - middle)), 0.0, 0.25)
    slope = np.where(slope > 1e-9, np.minimum(slope, 0.25), 0.0)
    ends = np.stack([value(x) - slope * x for x in (low, high)])
    least, most = ends.min(axis=0), ends.max(axis=0)
    safe = np.maximum(slope, 1e-9)
    root = np.sqrt(np.maximum(1 - 4 * safe, 0.0))
    place = np.log((1 + root) ** 2 / (4 * safe))
    for sign in (1.0, -1.0):
        inside = (slope > 0) & (low <= sign * place + 1e-9) & (sign * place - 1e-9 <= high)
        extreme = (1 + sign * root) / 2 - sign * safe * place
        least = np.where(inside, np.minimum(least, extreme), least)
        most = np.where(inside, np.maximum(most, extreme), most)
    return slope, least, most


def _share(terms, bits: int):
    """Of a sum's magnitude, that the roundings of the bounds and of the machine may take."""
    terms = terms + ROUNDINGS_OF_A_TERM
    return 2 * ROUNDING + terms / np.maximum(1.0, 2.0**bits - terms)


def _affine(weight: np.ndarray, bias: np.ndarray, sets: Zonotopes, bits: int) -> Zonotopes:
    size = np.abs(weight)
    # the bounds' own rounding (center and generators), and the network's in any order of its sum
    rounding = _share(weight.shape[1], bits) * (
        (np.abs(sets.center) + sets.radius) @ size.T + np.abs(bias)
    )
    error = (sets.error @ size.T) * (1 + ROUNDING) + rounding + _UNDERFLOW
    return Zonotopes(sets.center @ weight.T + bias, sets.generators @ weight.T, error)


def _relu(sets: Zonotopes, taken: int) -> Zonotopes:
    """Lines of one slope above and below the ReLU; each unit whose sign is not known adds a
    generator, in number after those that are taken.

    With any slope s in [0, 1], 0 <= relu(x) - s x <= max(-s low, (1 - s) high) on [low, high].
    """
    center, radius = sets.center, sets.radius
    margin = ROUNDING * np.abs(center)
    low, high = center - radius - margin, center + radius + margin
    unknown = (low < 0) & (high > 0)
    ratio = np.divide(high, high - low, out=np.zeros_like(high), where=unknown)
    slope = np.where(unknown, np.clip(ratio, 0.0, 1.0), (low >= 0).astype(np.float64))
    half = np.where(unknown, np.maximum(-slope * low, (1 - slope) * high) / 2, 0.0)
    error = slope * sets.error + np.where(slope > 0, 2 * ROUNDING * (np.abs(center) + radius), 0.0)
    slots = (
        np.cumsum(unknown, axis=1) - 1
    )  # a set's k-th unknown unit shares an index with those of the other sets
    rows, units = np.nonzero(unknown)
    added = np.zeros((int(slots.max(initial=-1)) + 1, *center.shape))
    added[slots[rows, units], rows, units] = half[rows, units]
    between = np.zeros((taken - len(sets.generators) if len(added) else 0, *center.shape))
    generators = np.concatenate([slope * sets.generators, between, added])
    return Zonotopes(slope * center + half, generators, error)
