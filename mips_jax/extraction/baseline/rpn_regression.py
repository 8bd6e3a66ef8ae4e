"""Integer symbolic regression by brute force (paper, section 3.4): formulas in reverse Polish
notation, shortest first.

Symbols: the variables, the constants 0, 1 and 2, the unary `>` (plus one), `~` (minus), `H` (is
    positive), `D` (is
zero), `A` (absolute value) and the binary `+ - * %`. Formulas with the same values on a sample of
rows count as one, so that each value is built once, from its shortest formulas. There is no `//`,
`min` or `max`, as in the paper.

Axes: K variables, N rows, R sampled rows, F formulas of one length, M targets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from mips_jax.budget import Share
from mips_jax.programs import Const, Expression, Var, call, evaluate

LARGEST_VALUE = 2**31
SAMPLED_ROWS = 96
CHUNK = 1 << 21  # values computed at a time

UNARY: dict[str, tuple[Callable, Callable[[Expression], Expression]]] = {
    ">": (lambda a: a + 1, lambda a: call("add", a, 1)),
    "~": (lambda a: -a, lambda a: call("neg", a)),
    "H": (lambda a: (a > 0).astype(np.int64), lambda a: call("gt", a, 0)),
    "D": (lambda a: (a == 0).astype(np.int64), lambda a: call("eq", a, 0)),
    "A": (np.abs, lambda a: call("abs", a)),
}
BINARY: dict[str, tuple[Callable, str]] = {
    "+": (lambda a, b: a + b, "add"),
    "-": (lambda a, b: a - b, "sub"),
    "*": (lambda a, b: a * b, "mul"),
    "%": (lambda a, b: np.mod(a, np.where(b == 0, 1, b)), "mod"),
}
COMMUTATIVE = ("+", "*")


@dataclasses.dataclass(frozen=True)
class BruteForceLimits:
    """How far the search goes.

    Attributes:
        symbols: longest formula, in symbols.
        formulas: most formulas kept of one length.
        values: most values computed in one search.
    """

    symbols: int = 8
    formulas: int = 30_000
    values: float = 1e9


@dataclasses.dataclass(frozen=True, eq=False)
class _Level:
    """All new values of one length.

    Attributes:
        values: [F, R] int64.
        made_by: [F] symbol.
        parents: [F, 4]: length and index of the first and the second argument (-1 where there is
            none).
    """

    values: np.ndarray
    made_by: np.ndarray
    parents: np.ndarray


def brute_force(
    variables: Sequence[Var],
    columns: np.ndarray,
    targets: np.ndarray,
    limits: BruteForceLimits = BruteForceLimits(),
    share: Share | None = None,
) -> list[Expression | None]:
    """The shortest formula for each target.

    Args:
        variables: [K] what the columns are called.
        columns: [K, N] int64, the variables' values.
        targets: [M, N] int64.
        limits: of the search.
        share: values that may be computed, in this search and in others.

    Returns:
        For each target the first formula that is exact on all N rows, or None.
    """
    share = (share or Share()).part(limits.values)
    search = _Search(variables, columns, targets, limits, share)
    for length in range(1, limits.symbols + 1):
        if search.finished or search.share.out:
            break
        search.extend(length)
    return search.found


class _Search:
    """Levels so far, hashes of the values seen, and the formulas found."""

    def __init__(self, variables, columns, targets, limits: BruteForceLimits, share: Share):
        generator = np.random.default_rng(0)
        rows = columns.shape[1]
        sample = (
            np.arange(rows)
            if rows <= SAMPLED_ROWS
            else np.sort(generator.choice(rows, SAMPLED_ROWS, False))
        )
        self.variables, self.columns, self.targets, self.limits = (
            variables,
            columns,
            targets,
            limits,
        )
        self.sample = columns[:, sample]
        self.wanted = targets[:, sample]
        self.multipliers = generator.integers(-(2**62), 2**62, sample.size) | 1
        self.seen = np.zeros(0, np.int64)
        self.levels: dict[int, _Level] = {}
        self.found: list[Expression | None] = [None] * targets.shape[0]
        self.share = share

    @property
    def finished(self) -> bool:
        return all(f is not None for f in self.found)

    def extend(self, length: int) -> None:
        """Builds all formulas of one length, and looks for the targets among them."""
        last = length == self.limits.symbols
        values, made_by, parents, kept = [], [], [], 0
        for batch_values, symbol, batch_parents in self._batches(length):
            hashes = batch_values @ self.multipliers
            self.share.spend(batch_values.size)
            self._check(batch_values, hashes, symbol, batch_parents)
            if self.finished or self.share.out:
                break
            if last or kept >= self.limits.formulas:
                continue
            _, first = np.unique(hashes, return_index=True)
            fresh = first[~np.isin(hashes[first], self.seen)]
            usable = fresh[(np.abs(batch_values[fresh]) < LARGEST_VALUE).all(1)][
                : self.limits.formulas - kept
            ]
            self.seen = np.union1d(self.seen, hashes[usable])
            values.append(batch_values[usable])
            made_by += [symbol] * usable.size
            parents.append(batch_parents[usable])
            kept += usable.size
        width = self.sample.shape[1]
        self.levels[length] = _Level(
            np.concatenate(values) if values else np.zeros((0, width), np.int64),
            np.array(made_by),
            np.concatenate(parents) if parents else np.zeros((0, 4), np.int64),
        )

    def _batches(self, length: int):
        """(values [F, R], symbol, parents [F, 4]) of formulas of this length."""
        if length == 1:
            for k in range(self.sample.shape[0]):
                yield self.sample[k : k + 1], "v", np.array([[-1, k, -1, -1]])
            for constant in (0, 1, 2):
                yield (
                    np.full((1, self.sample.shape[1]), constant),
                    "c",
                    np.array([[-1, constant, -1, -1]]),
                )
            return
        below = self.levels[length - 1]
        index = np.arange(below.values.shape[0])
        for symbol, (function, _) in UNARY.items():
            if index.size:
                argument = np.column_stack(
                    [np.full_like(index, length - 1), index, index * 0 - 1, index * 0 - 1]
                )
                yield function(below.values), symbol, argument
        for left in range(1, length - 1):
            right = length - 1 - left
            for symbol, (function, _) in BINARY.items():
                if symbol not in COMMUTATIVE or left <= right:
                    yield from self._products(symbol, function, left, right)

    def _products(self, symbol: str, function: Callable, left: int, right: int):
        first, second = self.levels[left].values, self.levels[right].values
        if not first.shape[0] or not second.shape[0]:
            return
        step = max(1, CHUNK // (second.shape[0] * second.shape[1]))
        for start in range(0, first.shape[0], step):
            part = first[start : start + step]
            values = function(part[:, None, :], second[None, :, :])
            i, j = np.meshgrid(
                np.arange(start, start + part.shape[0]), np.arange(second.shape[0]), indexing="ij"
            )
            parents = np.column_stack(
                [np.full(i.size, left), i.ravel(), np.full(i.size, right), j.ravel()]
            )
            values = values.reshape(-1, second.shape[1])
            if symbol == "%":  # nothing is taken modulo 0
                defined = np.broadcast_to(
                    (second != 0).all(1), (part.shape[0], second.shape[0])
                ).ravel()
                values, parents = values[defined], parents[defined]
            yield values, symbol, parents

    def _check(
        self, values: np.ndarray, hashes: np.ndarray, symbol: str, parents: np.ndarray
    ) -> None:
        """Formulas that hit a target on the sample are tried on all rows."""
        for m, target in enumerate(self.wanted):
            if self.found[m] is not None:
                continue
            for hit in np.flatnonzero(hashes == target @ self.multipliers)[:20]:
                if not np.array_equal(values[hit], target):
                    continue
                expression = self._expression(symbol, parents[hit])
                everywhere = evaluate(expression, dict(zip(self.variables, self.columns)))
                if np.array_equal(
                    np.broadcast_to(everywhere, self.targets[m].shape), self.targets[m]
                ):
                    self.found[m] = expression
                    break

    def _expression(self, symbol: str, parents: np.ndarray) -> Expression:
        if symbol == "v":
            return self.variables[parents[1]]
        if symbol == "c":
            return Const(int(parents[1]))
        if symbol in UNARY:
            return UNARY[symbol][1](self._of(parents[0], parents[1]))
        return call(
            BINARY[symbol][1], self._of(parents[0], parents[1]), self._of(parents[2], parents[3])
        )

    def _of(self, length: int, index: int) -> Expression:
        level = self.levels[int(length)]
        return self._expression(str(level.made_by[index]), level.parents[index])
