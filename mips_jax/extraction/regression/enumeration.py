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
from mips_jax.extraction.tuning import TUNING, EnumerationSettings
from mips_jax.programs import Call, Const, Expression, Var, expression_bits, tidied

_MAGNITUDE = 2**26  # expressions whose values grow beyond it are dropped (sums stay inside int32)
_FACTOR = 2**13  # larger factors are not multiplied
_COMMUTATIVE = ("add", "mul", "min", "max", "eq")
_BINARY = ("add", "sub", "mul", "min", "max", "eq", "lt", "le", "mod", "floordiv")
_SEED_SIZE = 3  # nodes that a seed counts for: no more than what is written as v + w
_FEW = 8  # rows on which a match is looked for before all of them
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
        constants = list(dict.fromkeys([0, 1, 2, *constants]))
        self._add_leaves(list(columns.items()))
        self._add_leaves([(Const(c), np.full(self.rows, c)) for c in constants])
        self._close_level()
        self._constant_index = {n.value: i for i, n in enumerate(self._nodes) if _constant(n)}
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

    def _hash(self, values: np.ndarray) -> np.ndarray:
        return values.astype(np.int64) @ self._hash_row

    def _keep(self, values: np.ndarray, make_nodes) -> None:
        """Adds the rows of `values` [K, R] that are new; `make_nodes(indices)` names them."""
        self._share.spend(values.size)
        hashes = self._hash(values)
        _, first = np.unique(hashes, return_index=True)
        first.sort()
        place = np.searchsorted(self._known, hashes[first])
        known = np.zeros(len(first), bool)
        inside = place < len(self._known)
        known[inside] = self._known[place[inside]] == hashes[first][inside]
        kept = first[~known][: max(self.settings.bank - len(self._nodes), 0)]
        if len(kept):
            self._pending.append((values[kept], hashes[kept]))
            self._known = np.union1d(self._known, hashes[kept])
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
            chosen = [i for c, i in self._constant_index.items() if c >= 2 and i in level]
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
        wanted = self._hash(target[None])[0]
        direct = int(self.find(np.array([wanted]))[0])
        plain_bits, plain = self.settings.plain_bits, False
        if direct >= 0:
            plain = expression_bits(tidied(self.expression(direct))) < plain_bits
            yield self.expression(direct)
        cheap = (self._sums, self._remainders)
        costly = (self._conditionals, self._extremes, self._decision_lists)
        for search in cheap if plain else cheap + costly:
            if share.out:
                return
            found = sorted(search(target, wanted, share), key=expression_bits)
            yield from found[: self.settings.per_search]

    def _sums(self, target, wanted, share) -> list[Expression]:
        """target = e1 + e2 or e1 - e2 with both in the bank, by the linearity of the hash."""
        found: list[Expression] = []
        share.spend(2 * len(self))
        for operator, partner in (("add", wanted - self.hashes), ("sub", self.hashes - wanted)):
            other = self.find(partner)
            hits = np.flatnonzero(other >= 0)
            if operator == "add":
                hits = hits[hits <= other[hits]]
            hits = hits[np.argsort(np.maximum(hits, other[hits]), kind="stable")]
            hits = hits[: self.settings.sums]
            found += [
                Call(operator, (self.expression(int(i)), self.expression(int(other[i]))))
                for i in hits
            ]
        return found

    def _remainders(self, target, wanted, share) -> list[Expression]:
        """target = e % k and e // k with k a constant."""
        found: list[Expression] = []
        kept = self.settings.remainders
        for value in self._constant_index:
            if value < 2:
                continue
            share.spend(2 * len(self) * _FEW)
            if target.min() >= 0 and target.max() < value:
                hits = self._matching(lambda v, k=value: v % k, target)
                found += [Call("mod", (self.expression(i), Const(value))) for i in hits[:kept]]
            hits = self._matching(lambda v, k=value: v // k, target)
            found += [Call("floordiv", (self.expression(i), Const(value))) for i in hits[:kept]]
        return found

    def _matching(self, function, target: np.ndarray) -> list[int]:
        """Bank indices whose values become the target under `function`; a few rows first."""
        few = np.arange(min(_FEW, self.rows))
        alive = np.flatnonzero((function(self.values[:, few]) == target[few]).all(axis=1))
        return [int(i) for i in alive if (function(self.values[i]) == target).all()]

    def _extremes(self, target, wanted, share) -> list[Expression]:
        """target = min(e1, e2) or max(e1, e2)."""
        found: list[Expression] = []
        limit = min(len(self.values), self.settings.extremes)
        values = self.values[:limit]
        share.spend(2 * values.size)
        for operator, bounded in (("min", values >= target), ("max", values <= target)):
            alive = np.flatnonzero(bounded.all(axis=1))[: self.settings.bounded]
            if len(alive) < 2:
                continue
            share.spend(len(alive) ** 2)
            equal = (values[alive] == target).astype(np.float32)
            uncovered = (1 - equal) @ (1 - equal).T
            first, second = np.nonzero(np.triu(uncovered < 0.5))
            best = np.argsort(alive[first] + alive[second], kind="stable")[: self.settings.pairs]
            found += [
                Call(
                    operator,
                    (self.expression(int(alive[first[k]])), self.expression(int(alive[second[k]]))),
                )
                for k in best
            ]
        return found

    def _conditions(self) -> np.ndarray:
        """Bank indices of 0/1 valued expressions that are not constant on the rows."""
        values = self.values[: self.settings.condition_pool]
        boolean = (values.min(axis=1) == 0) & (values.max(axis=1) == 1)
        return np.flatnonzero(boolean)[: self.settings.conditions]

    def _conditionals(self, target, wanted, share) -> list[Expression]:
        """target = e1 if c else e2: c is inside the rows where e1 is right, its complement inside
        those of e2.
        """
        conditions = self._conditions()
        if not len(conditions):
            return []
        condition = self.values[conditions].astype(np.float32)
        wrong = (self.values[: self.settings.branches] != target).astype(np.float32)
        share.spend(wrong.size + len(conditions) * len(wrong))
        errors_if = condition @ wrong.T  # [C, M] errors of e where the condition holds
        errors_else = wrong.sum(axis=1)[None] - errors_if
        first, second = (errors_if < 0.5), (errors_else < 0.5)
        usable = np.flatnonzero(first.any(axis=1) & second.any(axis=1))
        found: list[Expression] = []
        choices = self.settings.branch_choices
        for c in usable[: self.settings.conditionals]:
            values = (
                min(
                    (self.expression(int(e)) for e in np.flatnonzero(right[c])[:choices]),
                    key=expression_bits,
                )
                for right in (first, second)
            )
            found.append(Call("if", (self.expression(int(conditions[c])), *values)))
        return found

    def _decision_lists(self, target, wanted, share) -> list[Expression]:
        """e1 if c1 else e2 if c2 else ... : greedily the pure (condition, expression) pair that
        covers most of what is left.
        """
        conditions = self._conditions()
        if not len(conditions):
            return []
        condition = self.values[conditions].astype(np.float32)
        condition = np.concatenate([condition, 1 - condition])
        pool = np.arange(min(len(self.values), self.settings.list_pool))
        wrong = (self.values[pool] != target).astype(np.float32)
        left = np.ones(self.rows, np.float32)
        branches: list[tuple[Expression, Expression]] = []
        for _ in range(self.settings.list_length):
            if share.out:
                return []
            share.spend(len(condition) * len(pool))
            rest = np.flatnonzero(wrong @ left < 0.5)
            if len(rest) and branches:
                result = self.expression(int(pool[rest[0]]))
                for test, value in reversed(branches):
                    result = Call("if", (test, value, result))
                return [result]
            covered = condition @ left
            errors = (condition * left) @ wrong.T  # [C, M]
            pure = (errors < 0.5).any(axis=1)
            # the more it covers the better; a later (larger) condition must earn its size
            score = np.where(pure, covered, 0.0)
            if score.max() < max(1.0, self.settings.list_cover * left.sum()):
                return []
            c = int(np.argmax(score))
            value = self.expression(int(pool[np.argmax(errors[c] < 0.5)]))
            plain = len(conditions)
            test = self.expression(int(conditions[c % plain]))
            branches.append((test if c < plain else Call("not", (test,)), value))
            left = left * (1 - condition[c])
        return []


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
