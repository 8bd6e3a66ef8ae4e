"""Bounds on a ReLU network over many sets of inputs at once: zonotopes (Singh et al. 2018, "Fast
and effective robustness certification", section 4), with every rounding error counted in.

A zonotope is {center + sum_m s_m generators[m] + d : |s_m| <= 1, |d| <= error}. `error` bounds what
the generators do not say: the slack given at the start, the rounding of these bounds, and the
rounding of the network's own evaluation.

Axes: M generators, E sets, W width (of a layer).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks.heads import Layers

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

    def followed_by(self, fixed: np.ndarray) -> Zonotopes:
        """The same sets with known numbers [E, I] appended to every vector."""
        wider = lambda array: np.concatenate(
            [array, np.zeros((*array.shape[:-1], fixed.shape[1]))], axis=-1
        )
        return Zonotopes(
            np.concatenate([self.center, fixed], axis=1), wider(self.generators), wider(self.error)
        )


def through_relu_mlp(layers: Layers, sets: Zonotopes, bits: int = 53) -> Zonotopes:
    """Sets that hold the network's value at every member, in real arithmetic and as a machine
    computes it.

    Args:
        layers: affine layers (weight [out, in], bias [out]) with ReLU between them, none after the
            last; finite.
        sets: zonotopes of the first layer's width.
        bits: of the machine's significands; 53 is float64, 24 float32.
    """
    for weight, bias in layers[:-1]:
        sets = _relu(_affine(weight, bias, sets, bits))
    return _affine(*layers[-1], sets, bits)


def _affine(weight: np.ndarray, bias: np.ndarray, sets: Zonotopes, bits: int) -> Zonotopes:
    size = np.abs(weight)
    # the bounds' own rounding (center and generators), and the network's in any order of its sum
    terms = weight.shape[1] + ROUNDINGS_OF_A_TERM
    share = 2 * ROUNDING + terms / max(1.0, 2.0**bits - terms)
    rounding = share * ((np.abs(sets.center) + sets.radius) @ size.T + np.abs(bias))
    error = (sets.error @ size.T) * (1 + ROUNDING) + rounding + _UNDERFLOW
    return Zonotopes(sets.center @ weight.T + bias, sets.generators @ weight.T, error)


def _relu(sets: Zonotopes) -> Zonotopes:
    """Lines of one slope above and below the ReLU; each unit whose sign is not known adds a
    generator.

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
    return Zonotopes(slope * center + half, np.concatenate([slope * sets.generators, added]), error)
