"""Files of examples from which nothing must be called solved, or not what contradicts them."""

from __future__ import annotations

import numpy as np

from benchmarks.false_claims.subject import Subject
from mips_jax.sequences import Sequences


def given(x: np.ndarray, y: np.ndarray) -> Sequences:
    """[N, T] inputs and outputs."""
    return Sequences(x[:, :, None].astype(int), y[:, :, None].astype(int))


def coin_flips(number: int, rng: np.random.Generator) -> Subject:
    """Labels that nobody could foretell."""
    count = (10, 10, 15, 20, 20, 30, 50, 75, 100, 100, 150, 200)[number]
    length, letters = (1, 1, 1, 1, 2, 1, 3, 1, 4, 2, 1, 8)[number], (10, 50, 20, 2)[number % 4]
    x = rng.integers(0, letters, (count, length))
    if number % 4 == 0:  # each letter once
        x = np.arange(count)[:, None] + np.zeros((1, length), int)
    y = rng.integers(0, 2, (count, length))
    y[0, 0], y[1, 0] = 0, 1
    name = f"coin flips, {count} sequences of {length} steps"
    return Subject(name, examples=given(x, y), never="its labels are coin flips")


def duplicates(number: int, rng: np.random.Generator) -> Subject:
    """Ten different sequences, fifty times each."""
    x = rng.integers(0, 5, (10, 4 + number))
    x[:, 0] = np.arange(10)  # ten different ones
    y = rng.integers(0, 2, x.shape) if number % 2 else np.cumsum(x, axis=1) % 3
    rows = rng.permutation(np.repeat(np.arange(10), 50))
    reason = "ten different sequences show nothing"
    return Subject(f"ten, fifty times {number}", examples=given(x[rows], y[rows]), never=reason)


def prefixes(number: int, rng: np.random.Generator) -> Subject:
    """All data from one sequence's prefixes."""
    word = rng.integers(0, 4, 12 + 4 * number)
    y = rng.integers(0, 2, len(word))
    steps = rng.integers(1, len(word) + 1, 300)
    mask = np.arange(len(word))[None] < steps[:, None]
    x, y = np.where(mask, word[None], 0)[:, :, None], np.where(mask, y[None], 0)[:, :, None]
    reason = "it is one sequence over and over"
    return Subject(f"prefixes of one {number}", examples=Sequences(x, y, mask), never=reason)


def alarms(number: int, rng: np.random.Generator) -> Subject:
    """A letter in a handful of sequences changes the output for good."""
    few = (1, 2, 4, 8, 16)[number]
    x = rng.integers(0, 5, (1_500, 6))
    x[rng.choice(len(x), few, replace=False), 2] = 5

    def truth(words):
        alarm = np.maximum.accumulate(words == 5, axis=1)
        return np.where(alarm, -1, np.maximum.accumulate(words, axis=1))

    def draw(r, count):
        words = r.integers(0, 5, (count, 6, 1))
        words[:, 2, 0] = np.where(r.random(count) < few / 1_500, 5, words[:, 2, 0])
        return words

    y = truth(x[:, :, None])[:, :, 0]
    return Subject(f"an alarm in {few} of 1,500", ((0, 5),), truth, None, given(x, y), draw)


def one_exception(number: int, rng: np.random.Generator) -> Subject:
    """Labels that are constant but for one sequence, for no reason to be seen."""
    x = rng.integers(0, 10, (200 + 200 * number, 5))
    y = np.full(x.shape, number)
    y[rng.integers(len(x)), 2:] = 7
    reason = "its labels say nothing but one exception"
    return Subject(f"one exception {number}", examples=given(x, y), never=reason)


def noisy_labels(number: int, rng: np.random.Generator) -> Subject:
    """A simple function with wrong labels among them: no program can meet all of them."""
    x = rng.integers(0, 3, (800, 6))
    y = np.cumsum(x, axis=1) % 3
    share = (0.005, 0.02, 0.1, 0.3)[number]
    flipped = rng.random(y.shape) < share
    flipped[0, 0] = True
    y = np.where(flipped, (y + 1) % 3, y)
    x[1], y[1] = x[0], np.cumsum(x[0]) % 3  # the same sequence with the right labels
    name = f"{share:.1%} of the labels are wrong"
    return Subject(name, examples=given(x, y), never="its examples contradict one another")
