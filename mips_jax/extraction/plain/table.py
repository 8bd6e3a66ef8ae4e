"""The table of one step: what is read, and what has to come out, as columns of rows.

Axes: R rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from mips_jax.programs import Expression, Var


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """What an expression may read.

    Attributes:
        columns: [R] int64 for each variable, and for each short table that counts as one.
        letters: the variables among them that are inputs.
        constants: numbers that are worth trying.
    """

    columns: Mapping[Expression, np.ndarray]
    letters: frozenset[Var]
    constants: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def bits(self) -> frozenset[Expression]:
        """Variables that are 0 or 1 on all rows."""
        return frozenset(
            v for v, c in self.columns.items() if c.min(initial=0) >= 0 and c.max(initial=0) <= 1
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Pool:
    """Expressions with their values, the easiest to read first.

    Attributes:
        expressions: P of them, no two with the same values.
        values: [P, R] int64.
        costs: [P] bits.
    """

    expressions: tuple[Expression, ...]
    values: np.ndarray
    costs: np.ndarray

    def __len__(self) -> int:
        return len(self.expressions)

    def first(self, count: int) -> Pool:
        return Pool(self.expressions[:count], self.values[:count], self.costs[:count])
