"""The list of all cases: which categories there are, and how many of each."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable

import numpy as np

from benchmarks.false_claims import right, wrong_examples, wrong_networks
from benchmarks.false_claims.subject import Subject


@dataclasses.dataclass(frozen=True)
class Category:
    """Cases of one kind.

    Attributes:
        make: (number, random generator) -> the case.
        count: numbers 0 to count - 1.
        right: whether they should be solved.
    """

    make: Callable[[int, np.random.Generator], Subject]
    count: int
    right: bool = False


CATEGORIES = {
    "late clocks": Category(wrong_networks.late_clock, 72),
    "saturating": Category(wrong_networks.saturating, 24),
    "rare letters": Category(wrong_networks.rare_letter, 24),
    "passwords": Category(wrong_networks.password, 24),
    "rarely wrong": Category(wrong_networks.rarely_wrong, 16),
    "not integers": Category(wrong_networks.fractional, 30),
    "not finite": Category(wrong_networks.not_finite, 18),
    "untrained": Category(wrong_networks.untrained, 40),
    "float32": Category(wrong_networks.single_precision, 10),
    "constants": Category(wrong_networks.constant, 8),
    "coin flips": Category(wrong_examples.coin_flips, 12),
    "duplicates": Category(wrong_examples.duplicates, 5),
    "prefixes": Category(wrong_examples.prefixes, 3),
    "alarms": Category(wrong_examples.alarms, 5),
    "one exception": Category(wrong_examples.one_exception, 5),
    "noisy labels": Category(wrong_examples.noisy_labels, 4),
    "finite machines": Category(right.finite_machine, 48, right=True),
    "counters": Category(right.counter, 30, right=True),
    "extremes": Category(right.extremes, 27, right=True),
    "shift registers": Category(right.shift_register, 24, right=True),
    "sums": Category(right.total, 24, right=True),
    "two inputs": Category(right.two_inputs, 24, right=True),
    "two outputs": Category(right.two_outputs, 18, right=True),
    "parities": Category(right.parity, 24, right=True),
    "class heads": Category(right.class_head, 33, right=True),
    "saturated cells": Category(right.saturated_cell, 28, right=True),
    "example files": Category(right.example_file, 20, right=True),
}


def chosen(only: str | None, count: int | None, seed: int) -> list[tuple[str, int]]:
    """(category, number) of the cases to run, in order; a sample of `count` of them."""
    names = [only] if only else list(CATEGORIES)
    keys = [(name, number) for name in names for number in range(CATEGORIES[name].count)]
    if count is None or count >= len(keys):
        return keys
    rows = np.random.default_rng(seed).permutation(len(keys))[:count]
    return [keys[row] for row in sorted(rows)]


def make(name: str, number: int, seed: int) -> Subject:
    """One case; the same for the same seed, whatever else is run."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), number])
    return CATEGORIES[name].make(number, rng)
