"""Tables: what regression is given, with the check of determinism that comes before every search.

Axes: N rows, V variables.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Keys:
    """Rows grouped by equal values of some columns.

    Attributes:
        codes: [N] group of each row, 0 <= code < count.
        count: number of groups.
    """

    codes: np.ndarray
    count: int

    def refined(self, column: np.ndarray) -> "Keys":
        """Groups that also agree on one more integer column [N]."""
        low = int(column.min(initial=0))
        span = int(column.max(initial=0)) - low + 1
        if span * self.count < 2**62:
            combined = self.codes.astype(np.int64) * span + (column - low)
        else:
            combined = (
                self.codes.astype(np.int64) * len(column)
                + np.unique(column, return_inverse=True)[1]
            )
        return grouped(combined)

    def conflicts(self, target: np.ndarray) -> np.ndarray:
        """[N] bool: rows whose target differs from the first row of their group (none if the target
        is a function).
        """
        representative = np.empty(self.count, target.dtype)
        representative[self.codes[::-1]] = target[::-1]
        return representative[self.codes] != target

    def minority(self, target: np.ndarray) -> np.ndarray:
        """[N] bool: rows whose target is not the most frequent one of their group."""
        values, which = np.unique(target, return_inverse=True)
        pair = self.codes.astype(np.int64) * len(values) + which
        pairs, inverse, counts = np.unique(pair, return_inverse=True, return_counts=True)
        order = np.lexsort((-counts, pairs // len(values)))
        groups = (pairs // len(values))[order]
        first = np.r_[True, groups[1:] != groups[:-1]]
        winner = np.zeros(len(pairs), bool)
        winner[order[first]] = True
        return ~winner[inverse]


def grouped(column: np.ndarray) -> Keys:
    """Groups of equal values of one integer column [N]."""
    low, high = int(column.min(initial=0)), int(column.max(initial=0))
    if high - low < 4 * len(column) + 1024:  # counting is faster than sorting
        present = np.zeros(high - low + 1, bool)
        present[column - low] = True
        names = np.cumsum(present) - 1
        return Keys(names[column - low], int(present.sum()))
    values, codes = np.unique(column, return_inverse=True)
    return Keys(codes, len(values))


def group_rows(columns: list[np.ndarray], rows: int) -> Keys:
    """Groups of rows that agree on every column; without columns, one group."""
    keys = Keys(np.zeros(rows, np.int64), 1)
    for column in columns:
        keys = keys.refined(column)
    return keys


def distinct_rows(keys: Keys) -> np.ndarray:
    """Index of one row of each group, [count]."""
    first = np.empty(keys.count, np.int64)
    first[keys.codes[::-1]] = np.arange(len(keys.codes))[::-1]
    return first


def variation(target: np.ndarray) -> float:
    """Share of rows that do not have the most frequent value: what there is to explain, 0 for a
    constant.
    """
    return 1.0 - float(grouped_counts(target).max()) / len(target)


def grouped_counts(column: np.ndarray) -> np.ndarray:
    """How often each distinct value of a column occurs."""
    return np.unique(column, return_counts=True)[1]
