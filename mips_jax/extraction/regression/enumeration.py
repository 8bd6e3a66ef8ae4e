"""Exact enumeration of integer expressions over a table, bottom-up by size, one expression for each
distinct column of values.

Two expressions that agree on every row are the same for the search (observational equivalence), so
only the first, hence the smallest, is kept. Values are kept on a sample of the rows; a solution is
checked on all of them by the caller.

Axes: R sampled rows, M expressions in the bank.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.regression.searches import CHEAP, COSTLY
from mips_jax.extraction.tuning import TUNING, EnumerationSettings
from mips_jax.programs import Call, Const, Expression, Var, expression_bits, tidied

_MAGNITUDE = 2**26  # expressions whose values grow beyond it are dropped (sums stay inside int32)
_FACTOR = 2**13  # larger factors are not multiplied
_COMMUTATIVE = ("add", "mul", "min", "max", "eq")
_BINARY = ("add", "sub", "mul", "min", "max", "eq", "lt", "le", "mod", "floordiv")
_SEED_SIZE = 3  # nodes that a seed counts for: no more than what is written as v + w
_PAIR_BLOCK = 1 << 21  # values computed at a time


class ExpressionBank:
    """All small expressions over some variables, on sampled rows of a table.

    Args:
        columns: [R] int values of each variable on the sampled rows.
        constants: integers to use, apart from 0, 1 and 2.
        settings: limits.
        seeds: further leaves (sums, windows' medians, ...), each with its values [R].
        share: values that may be computed; a bank that exceeds it is smaller.
    """

    def __init__(
        self,
        columns: dict[Var, np.ndarray],
        constants: Sequence[int],
        settings: EnumerationSettings = TUNING.regression.enumeration,
        seeds: Sequence[tuple[Expression, np.ndarray]] = (),
        share: Share | None = None,
    ):
        self.settings = settings
        self.rows = len(next(iter(columns.values()))) if columns else 1
        self._hash_row = np.random.default_rng(0).integers(-(2**62), 2**62, self.rows) | 1
        self.values = np.empty((0, self.rows), np.int32)
        self.hashes = np.empty(0, np.int64)
        self._nodes: list = []  # an Expression, or (operator, index, index)
        self._level_start = [0, 0]  # bank index where each size begins
        self._known = np.empty(0, np.int64)
        self._pending: list[tuple[np.ndarray, np.ndarray]] = []  # of the level that is being built
        self._share = share or Share()
        self._add_leaves(list(columns.items()))
        numbers = dict.fromkeys([0, 1, 2, *constants])
        self._add_leaves([(Const(c), np.full(self.rows, c)) for c in numbers])
        self._close_level()
        #: bank index of each constant
        self.constants = {n.value: i for i, n in enumerate(self._nodes) if _constant(n)}
        self._build(list(seeds))
        self._order = np.argsort(self.hashes, kind="stable")
        self._sorted = self.hashes[self._order]

    # -- building

    def _add_leaves(self, leaves) -> None:
        for node, column in leaves:
            column = np.asarray(column, np.int64)
            if np.abs(column).max(initial=0) < _MAGNITUDE:
                self._keep(
                    column.astype(np.int32)[None], lambda kept, node=node: [node] * len(kept)
                )

    def hash(self, values: np.ndarray) -> np.ndarray:
        """A number for each row of `values` [K, R], linear in it (modulo 2**64)."""
        return values.astype(np.int64) @ self._hash_row

    def _keep(self, values: np.ndarray, make_nodes) -> None:
        """Adds the rows of `values` [K, R] that are new; `make_nodes(indices)` names them."""
        self._share.spend(values.size)
        hashes = self.hash(values)
        distinct, first = np.unique(hashes, return_index=True)
        place = np.searchsorted(self._known, distinct)
        new = np.ones(len(distinct), bool)
        inside = place < len(self._known)
        new[inside] = self._known[place[inside]] != distinct[inside]
        kept = np.sort(first[new])[: max(self.settings.bank - len(self._nodes), 0)]
        if len(kept):
            self._pending.append((values[kept], hashes[kept]))
            new &= first <= kept[-1]
            self._known = np.insert(self._known, place[new], distinct[new])
            self._nodes.extend(make_nodes(kept))

    def _close_level(self) -> None:
        if self._pending:
            values, hashes = zip(*self._pending)
            self.values = np.concatenate([self.values, *values])
            self.hashes = np.concatenate([self.hashes, *hashes])
            self._pending = []
        self._level_start.append(len(self._nodes))

    def _full(self) -> bool:
        return len(self._nodes) >= self.settings.bank or self._share.out

    def _build(self, seeds: list[tuple[Expression, np.ndarray]]) -> None:
        for size in range(2, self.settings.largest_size + 1):
            if size == _SEED_SIZE:
                self._add_leaves(seeds)
            self._unary(size)
            for left in range(1, size - 1):
                right = size - 1 - left
                for operator in _BINARY:
                    again = operator in _COMMUTATIVE and left > right
                    if not (again or self._full()):
                        self._binary(operator, left, right)
            self._close_level()
            if self._full():
                break

    def _level(self, size: int) -> range:
        if size + 1 >= len(self._level_start):
            return range(0)
        return range(self._level_start[size], min(self._level_start[size + 1], len(self.values)))

    def _unary(self, size: int) -> None:
        level = self._level(size - 1)
        if len(level) and not self._full():
            values = np.abs(self.values[level.start : level.stop])
            self._keep(values, lambda kept: [("abs", level.start + int(i)) for i in kept])

    def _binary(self, operator: str, left_size: int, right_size: int) -> None:
        left, level = self._level(left_size), self._level(right_size)
        right = np.asarray(level)
        if operator in ("mod", "floordiv"):  # positive constants only: what people write
            if right_size != 1:
                return
            chosen = [i for c, i in self.constants.items() if c >= 2 and i in level]
            right = np.array(chosen, np.int64)
        if not len(left) or not len(right):
            return
        block = max(1, _PAIR_BLOCK // (self.rows * len(right)))
        right_values = self.values[right]
        for start in range(left.start, left.stop, block):
            if self._full():
                return
            rows = np.arange(start, min(start + block, left.stop))
            values = apply_binary(operator, self.values[rows][:, None], right_values[None])
            values = values.reshape(-1, self.rows)
            valid = (
                np.abs(values).max(axis=1) < _MAGNITUDE
                if operator in ("add", "sub", "mul")
                else None
            )
            pairs = np.arange(len(values)) if valid is None else np.flatnonzero(valid)
            values = values if valid is None else values[valid]
            self._keep(values, functools.partial(_pairs, operator, rows, right, pairs))

    # -- reading

    def __len__(self) -> int:
        return len(self.values)

    def expression(self, index: int) -> Expression:
        """The expression at a bank index."""
        node = self._nodes[index]
        if not isinstance(node, tuple):
            return node
        operator, *arguments = node
        return Call(operator, tuple(self.expression(i) for i in arguments))

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """Bank index of each hash [K], or -1."""
        place = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        return np.where(self._sorted[place] == hashes, self._order[place], -1)

    def solve(self, target: np.ndarray, share: Share | None = None) -> Iterator[Expression]:
        """Expressions equal to `target` on the sampled rows, the cheap searches first; the caller
        stops when it has enough.

        Args:
            target: [R] integers.
            share: values that may be computed.
        """
        share = share or Share()
        target = np.asarray(target, np.int64)
        direct = int(self.find(self.hash(target[None]))[0])
        plain_bits, plain = self.settings.plain_bits, False
        if direct >= 0:
            plain = expression_bits(tidied(self.expression(direct))) < plain_bits
            yield self.expression(direct)
        for search in CHEAP if plain else CHEAP + COSTLY:
            if share.out:
                return
            found = sorted(search(self, target, share), key=expression_bits)
            yield from found[: self.settings.per_search]


def _pairs(operator: str, left: np.ndarray, right: np.ndarray, pairs: np.ndarray, kept):
    """Nodes of the pairs that are kept."""
    count = len(right)
    return [(operator, int(left[p // count]), int(right[p % count])) for p in pairs[kept]]


def _constant(node) -> bool:
    return isinstance(node, Const)


def apply_binary(operator: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One operator on broadcast int32 values; products of large factors become out of range, hence
    dropped.
    """
    match operator:
        case "add":
            return left + right
        case "sub":
            return left - right
        case "mul":
            large = (np.abs(left) > _FACTOR) | (np.abs(right) > _FACTOR)
            return np.where(large, _MAGNITUDE, left * right)
        case "min":
            return np.minimum(left, right)
        case "max":
            return np.maximum(left, right)
        case "eq":
            return (left == right).astype(np.int32)
        case "lt":
            return (left < right).astype(np.int32)
        case "le":
            return (left <= right).astype(np.int32)
        case "mod":
            return left % right
        case "floordiv":
            return left // right
    raise ValueError(f"no such operator: {operator}")
