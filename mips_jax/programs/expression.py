"""Integer expressions: the vocabulary in which updates and outputs of a program are written.

An expression is a tree of `Const`, `Var`, `Call` (an operator of `OPERATORS`) and `Lookup` (a
constant table). Its value is an integer; comparisons and Boolean operators give 0 or 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from mips_jax.programs.operators import OPERATORS


@dataclasses.dataclass(frozen=True)
class Const:
    """An integer constant."""

    value: int


@dataclasses.dataclass(frozen=True)
class Var:
    """An input, or a register: its value before the step, or (`updated`) after it."""

    name: str
    updated: bool = False


@dataclasses.dataclass(frozen=True)
class Call:
    """An operator applied to its arguments; `operator` is a key of `OPERATORS`."""

    operator: str
    arguments: tuple["Expression", ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.operator, self.arguments))

    def __hash__(self) -> int:
        return self._hash


@dataclasses.dataclass(frozen=True)
class Lookup:
    """`table[index_1 - offset_1][index_2 - offset_2]...`: a constant table of nested tuples, the
    last resort of regression.

    Attributes:
        name: the constant's name in the printed program.
        table: nested tuples of ints, as deep as there are indices.
        indices: expressions; each must lie in its axis' range after the offset is subtracted.
        offsets: the index value that each axis starts at.
    """

    name: str
    table: tuple
    indices: tuple["Expression", ...]
    offsets: tuple[int, ...]

    def __hash__(self) -> int:
        return hash((self.name, self.indices, self.offsets))

    @cached_property
    def cells(self) -> np.ndarray:
        """The table as an array with an axis for each index: int64, or Python ints if need be."""
        cells = np.array(self.table, object)
        low, high = self.span
        return cells.astype(np.int64) if low >= -(2**63) and high < 2**63 else cells

    @cached_property
    def span(self) -> tuple[int, int]:
        """The smallest and the largest entry."""
        cells = np.array(self.table, object)
        return int(cells.min()), int(cells.max())


Expression = Const | Var | Call | Lookup


def call(operator: str, *arguments: Expression | int) -> Call:
    """Shorthand that turns plain ints into constants.

    >>> call("add", Var("x"), 1)
    Call(operator='add', arguments=(Var(name='x', updated=False), Const(value=1)))
    """
    return Call(
        operator, tuple(Const(int(a)) if isinstance(a, (int, np.integer)) else a for a in arguments)
    )


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct sub-expressions."""
    match expression:
        case Call(arguments=arguments):
            return arguments
        case Lookup(indices=indices):
            return indices
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Every sub-expression, the expression itself first."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def replace(expression: Expression, mapping: Mapping[Expression, Expression]) -> Expression:
    """The expression with every occurrence of a key (the outermost first) replaced by its value."""
    if expression in mapping:
        return mapping[expression]
    match expression:
        case Call(operator, arguments):
            return Call(operator, tuple(replace(a, mapping) for a in arguments))
        case Lookup(name, table, indices, offsets):
            return Lookup(name, table, tuple(replace(i, mapping) for i in indices), offsets)
    return expression


def variables(expression: Expression) -> set[Var]:
    """The variables it reads."""
    return {node for node in walk(expression) if isinstance(node, Var)}


def is_boolean(expression: Expression) -> bool:
    """Whether Python would give a bool for it."""
    return isinstance(expression, Call) and OPERATORS[expression.operator].boolean
