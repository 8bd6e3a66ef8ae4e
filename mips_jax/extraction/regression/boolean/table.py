"""Partial Boolean functions as lists of rows, and the fewest variables that they need.

A row is an integer whose bit i is variable i; rows that are neither on nor off are don't-cares.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mips_jax.extraction.regression.boolean.two_level import minimum_cover
from mips_jax.programs import Expression


@dataclasses.dataclass(frozen=True, eq=False)
class PartialTable:
    """A partial Boolean function: rows that must be 1, rows that must be 0, over `variables` (bit
    i: variable i).
    """

    on: np.ndarray
    off: np.ndarray
    variables: tuple[Expression, ...]

    @classmethod
    def of(cls, on: np.ndarray, off: np.ndarray, variables: Sequence[Expression]) -> "PartialTable":
        return cls(np.unique(on), np.unique(off), tuple(variables))

    @property
    def bits(self) -> int:
        return len(self.variables)

    @property
    def complete(self) -> bool:
        return self.on.size + self.off.size == 1 << self.bits

    @property
    def dont_care(self) -> np.ndarray:
        free = np.ones(1 << self.bits, bool)
        free[self.on] = free[self.off] = False
        return np.flatnonzero(free)

    @property
    def key(self) -> tuple:
        return self.on.tobytes(), self.off.tobytes(), self.variables

    def without(self, position: int, on: np.ndarray, off: np.ndarray) -> "PartialTable":
        """The table of the remaining variables: bit `position` is dropped from the rows."""
        rest = self.variables[:position] + self.variables[position + 1 :]
        return PartialTable.of(drop_bit(on, position), drop_bit(off, position), rest)


def minimum_support(table: PartialTable) -> PartialTable:
    """The table over as few variables as tell on-rows from off-rows (a minimum hitting set of their
    differences).
    """
    if table.complete:
        needed = [
            i for i in range(table.bits) if np.intersect1d(table.on ^ (1 << i), table.off).size
        ]
    else:
        differences = _minimal_masks(
            np.unique(np.concatenate([_unique_xor(row, table.off) for row in table.on]))
        )
        hits = (differences[:, None] >> np.arange(table.bits)) & 1 == 1
        columns = np.flatnonzero(hits.any(0))
        chosen, _ = minimum_cover(hits[:, columns], np.ones(columns.size, np.int64))
        needed = sorted(int(columns[c]) for c in chosen)
    if len(needed) == table.bits:
        return table
    keep = lambda rows: sum(((rows >> old) & 1) << new for new, old in enumerate(needed)) + 0 * rows
    return PartialTable.of(keep(table.on), keep(table.off), [table.variables[i] for i in needed])


def _unique_xor(row: int, rows: np.ndarray) -> np.ndarray:
    """Differences of one row to many: the minimal ones only, which bounds the memory."""
    return _minimal_masks(rows ^ row) if rows.size <= 64 else rows ^ row


def _minimal_masks(masks: np.ndarray) -> np.ndarray:
    """Masks that contain no other mask of the list (the smallest 2,000 of them)."""
    masks = masks[np.argsort(np.bitwise_count(masks), kind="stable")]
    kept: list[int] = []
    remaining = masks
    while remaining.size and len(kept) < 2_000:
        first = int(remaining[0])
        kept.append(first)
        remaining = remaining[(remaining & first) != first]
    return np.array(kept, np.int64)


def drop_bit(rows: np.ndarray, position: int) -> np.ndarray:
    """Rows without one bit; the bits above it move down."""
    low = (1 << position) - 1
    return (rows & low) | (rows >> 1 & ~low)
