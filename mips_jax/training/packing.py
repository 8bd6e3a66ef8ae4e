"""Sequences as one device array with the batch as the last axis, and the units in which networks
are trained.

Axes: N sequences, T time, I inputs, O outputs, C = I + O + 1 channels (inputs, outputs, whether
    the step is judged).
"""

from __future__ import annotations

import numpy as np

from mips_jax.sequences import Sequences
from mips_jax.training.member import Scaling


def pack(sequences: Sequences, seed: int | None = None, at_least: int = 1) -> np.ndarray:
    """Sequences -> [T, C, N] float32 (integers up to 2^24 are exact).

    Args:
        seed: shuffles the sequences (batches are windows of neighbours); None keeps the order.
        at_least: repeats the sequences until there are this many.
    """
    count = len(sequences)
    judged = _or_everywhere(sequences.judged, sequences)
    order = np.arange(count) if seed is None else np.random.default_rng(seed).permutation(count)
    if count < at_least:
        order = np.resize(order, at_least)
    packed = np.concatenate(
        [sequences.inputs, sequences.outputs, judged[..., None]], axis=-1, dtype=np.float32
    )
    return np.ascontiguousarray(packed[order].transpose(1, 2, 0))


def blocks(sequences: Sequences, size: int) -> list[np.ndarray]:
    """Packed blocks [T, C, size]; the last one is filled up with masked rows."""
    packed = pack(sequences)
    gap = -packed.shape[-1] % size
    packed = np.pad(packed, ((0, 0), (0, 0), (0, gap)))
    return np.split(packed, packed.shape[-1] // size, axis=-1)


def scaling_of(sequences: Sequences, *, keep_zero: bool) -> Scaling:
    """Units in which inputs and outputs have mean 0 and standard deviation 1 (constant channels
    keep scale 1).

    Args:
        keep_zero: only scale (to mean square 1), as affine networks need: with h_0 = 0, zero must
            stay zero.
    """
    rows = slice(0, 65_536)

    def units(values: np.ndarray, used: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        used = _or_everywhere(used, sequences)
        values = values[rows][used[rows]].astype(np.float64)
        mean = np.zeros(values.shape[1]) if keep_zero else values.mean(axis=0)
        deviation = np.sqrt(np.mean((values - mean) ** 2, axis=0))
        return np.where(deviation > 0, deviation, 1.0).astype(np.float32), mean.astype(np.float32)

    input_scale, input_shift = units(sequences.inputs, sequences.mask)
    output_scale, output_shift = units(sequences.outputs, sequences.judged)
    return Scaling(input_scale, input_shift, output_scale, output_shift)


def _or_everywhere(mask: np.ndarray | None, sequences: Sequences) -> np.ndarray:
    """[N, T] bool, all True for None."""
    return np.ones(sequences.inputs.shape[:2], bool) if mask is None else mask
