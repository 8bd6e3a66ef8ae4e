"""Sequences to judge by: of a space that is small all of them, else ones that neither training nor
selection has seen.

Axes: N sequences, T time, I inputs a step.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from mips_jax.inputs import InputRange
from mips_jax.sequences import Sample, Sequences, first_occurrences, seen_in

ENUMERATED = 2**17  # spaces of at most so many sequences are judged as a whole
DRAWS = 24  # times that sequences are drawn before it is taken that hardly any others exist

Draw = Callable[[np.random.Generator, InputRange, int, int], np.ndarray]


def judging_sample(
    draw: Draw,
    label: Callable[[np.ndarray], np.ndarray],
    input_range: InputRange,
    length: int,
    count: int,
    seed: tuple[int, ...],
    seen: Sequence[Sequences],
    words: str,
) -> Sample:
    """A sample of a task that can label any sequence.

    Args:
        draw: the task's own distribution of inputs.
        label: inputs [N, T, I] -> outputs [N, T, O].
        input_range: of the inputs.
        length: T.
        count: sequences wanted; fewer where fewer that are unseen are to be had.
        seed: of the draw.
        seen: what training and selection have seen.
        words: how sequences are drawn, in words.
    """
    letters = math.prod(high - low + 1 for low, high in input_range)
    if length * math.log(letters) <= math.log(ENUMERATED):
        every = all_words(input_range, length)
        return Sample(Sequences(every, label(every)), ~seen_in(every, seen), True, words)
    chosen = np.empty((0, length, len(input_range)), np.int64)
    for attempt in range(DRAWS):
        drawn = draw(np.random.default_rng((*seed, attempt)), input_range, count, length)
        drawn = np.concatenate([chosen, drawn[~seen_in(drawn, seen)]])
        chosen = drawn[first_occurrences(drawn)][:count]
        if len(chosen) == count:
            break
    return Sample(Sequences(chosen, label(chosen)), np.ones(len(chosen), bool), False, words)


def all_words(input_range: InputRange, length: int) -> np.ndarray:
    """Every word [N, T, I] of a length over a range, in lexicographic order."""
    ranges = (range(low, high + 1) for low, high in input_range)
    letters = np.array(list(itertools.product(*ranges)), np.int64)
    number = np.arange(len(letters) ** length)[:, None]
    return letters[number // len(letters) ** np.arange(length)[::-1] % len(letters)]
