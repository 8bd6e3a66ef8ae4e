"""Distributions of input sequences: uniform, uniform without repetition, and bits that begin with a
palindrome.

Axes: N sequences, T time, I inputs a step.
"""

from __future__ import annotations

import math

import numpy as np

from mips_jax.sequences import first_occurrences


def uniform(rng: np.random.Generator, input_range, count: int, length: int) -> np.ndarray:
    """Every entry independent and uniform over its input's range.

    Returns:
        [N, T, I] int64 with N = count, T = length.
    """
    lows, highs = np.array(input_range, np.int64).T
    return rng.integers(lows, highs, size=(count, length, len(input_range)), endpoint=True)


def uniform_distinct(rng: np.random.Generator, input_range, count: int, length: int) -> np.ndarray:
    """Uniform sequences of which no two are equal, in random order, as long as there are that many
    different ones.

    Returns:
        [N, T, I] int64; independent draws, with repetitions, if fewer than N different sequences
        exist.
    """
    letters = math.prod(high - low + 1 for low, high in input_range)
    if letters**length < count:
        return uniform(rng, input_range, count, length)
    distinct = np.empty((0, length, len(input_range)), np.int64)
    while len(distinct) < count:
        missing = count - len(distinct)
        drawn = np.concatenate(
            [distinct, uniform(rng, input_range, missing + missing // 8 + 8, length)]
        )
        distinct = drawn[
            np.sort(first_occurrences(drawn))
        ]  # those kept earlier come first, so they stay
    return distinct[:count]


def palindrome_first(rng: np.random.Generator, input_range, count: int, length: int) -> np.ndarray:
    """Bits whose first L are a palindrome, L uniform over 2..length; all that is free is uniform.
    [N, T, 1] int64.
    """
    bits = uniform(rng, input_range, count, length)
    if length < 2:
        return bits
    palindrome_length = rng.integers(2, length, size=(count, 1), endpoint=True)
    place = np.arange(length)
    mirrored = np.where(place < palindrome_length, palindrome_length - 1 - place, place)
    source = np.minimum(place, mirrored)  # the second half repeats the first
    return np.take_along_axis(bits, source[:, :, None], axis=1)
