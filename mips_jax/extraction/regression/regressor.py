"""Symbolic regression of one integer column on others: the simplest exact expression that any of
our searches finds.

Ways, in the order in which they are tried: constants and copies; integer affine maps (exact least
squares), also under a modulus, a floor division or a threshold; exact enumeration with conditionals
and decision lists (`enumeration`); Boolean minimisation for truth tables; a constant table as the
last resort. A solution found on sampled rows is checked on all rows; the rows where it fails join
the sample and the search is repeated.

Axes: N rows.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Sequence

import numpy as np

from mips_jax.extraction.regression.boolean.minimise import ConflictError, minimise_table
from mips_jax.extraction.regression.enumeration import EnumerationSettings, ExpressionBank
from mips_jax.extraction.regression.table import distinct_rows, group_rows, variation
from mips_jax.programs import (
    Const,
    Expression,
    Lookup,
    Var,
    call,
    evaluate,
    expression_bits,
    tidied,
)

_LONG = 60.0  # bits of an expression for which something shorter is sought in other ways


@dataclasses.dataclass(frozen=True)
class RegressionSettings:
    """Limits of the regression of one table.

    Attributes:
        rows: rows sampled for enumeration.
        rounds: how often failing rows join the sample.
        seconds: time for one target.
        lookup_cells: largest constant table that may stand in for an expression (0: none).
        tolerance: share of rows that an expression may miss, when none is exact (a network errs
            here and there).
        draws: small samples tried for that.
        enumeration: limits of the enumerator.
    """

    rows: int = 120
    rounds: int = 4
    seconds: float = 6.0
    lookup_cells: int = 0
    tolerance: float = 0.0
    draws: int = 3
    enumeration: EnumerationSettings = EnumerationSettings()


class Regressor:
    """Regression of several targets on the same variables; the expression bank is shared between
    targets.

    Args:
        columns: [N] integers of each variable.
        constants: integers that may be worth trying (bounds of inputs and outputs).
        seeds: expressions that count as leaves (sums and medians of windows, ...).
        settings: limits.
    """

    def __init__(
        self,
        columns: dict[Var, np.ndarray],
        constants: Sequence[int] = (),
        seeds: Sequence[Expression] = (),
        settings: RegressionSettings = RegressionSettings(),
    ):
        self.columns = columns
        self.constants = list(dict.fromkeys(int(c) for c in constants))
        self.seeds = list(seeds)
        self.settings = settings
        self.count = len(next(iter(columns.values()))) if columns else 0
        self._sample = self._first_sample()
        self._bank: ExpressionBank | None = None

    def expressions(self, target: np.ndarray, seconds: float | None = None) -> list[Expression]:
        """Exact expressions for the target on all rows, the shortest first; empty when none was
        found.

        Args:
            target: [N] integers.
            seconds: time limit, by default the settings'.
        """
        deadline = time.monotonic() + (seconds or self.settings.seconds)
        target = np.asarray(target, np.int64)
        found: list[Expression] = self._directly(target)
        if not found or min(map(self._bits, found)) > 24.0:
            found += self._by_enumeration(target, deadline)
        if not found or min(map(self._bits, found)) > _LONG:
            found += self._separated(target, deadline)
        if not found and self.settings.tolerance:
            found += self._with_exceptions(target, deadline)
        if not found and self.settings.lookup_cells:
            found += self._lookup(target)
        return sorted(dict.fromkeys(map(tidied, found)), key=self._bits)

    def _bits(self, expression: Expression) -> float:
        return expression_bits(expression, len(self.columns))

    def exact(self, expression: Expression, target: np.ndarray) -> np.ndarray:
        """[N] bool: rows on which the expression gives the target."""
        return np.broadcast_to(evaluate(expression, self.columns), target.shape) == target

    # -- closed forms
    # -------------------------------------------------------------------------------------------------

    def _directly(self, target: np.ndarray) -> list[Expression]:
        if (target == target[0]).all():
            return [Const(int(target[0]))]
        found: list[Expression] = [
            v for v, column in self.columns.items() if (column == target).all()
        ]
        if found:
            return found
        variables = list(self.columns)
        affine = integer_affine([self.columns[v] for v in variables], target)
        if affine is not None:
            found.append(affine_expression(variables, *affine))
        found += self._membership(target)
        found += [seed for seed in self.seeds if self.exact(seed, target).all()]
        if not found:
            found += self._affine_remainder(target) + self._boolean(target)
        return found

    def _membership(self, target: np.ndarray) -> list[Expression]:
        """`v in (...)` for a target that is 0 or 1 and depends on one variable of few values."""
        if target.min() != 0 or target.max() != 1:
            return []
        for variable, column in self.columns.items():
            inside, outside = np.unique(column[target == 1]), np.unique(column[target == 0])
            if len(inside) + len(outside) <= 64 and not np.intersect1d(inside, outside).size:
                if min(len(inside), len(outside)) > 8:
                    return []
                if len(inside) <= len(outside):
                    return [
                        call("in", variable, *inside)
                        if len(inside) > 1
                        else call("eq", variable, inside[0])
                    ]
                return [
                    call("not", call("in", variable, *outside))
                    if len(outside) > 1
                    else call("ne", variable, outside[0])
                ]
        return []

    def _boolean(self, target: np.ndarray) -> list[Expression]:
        """Exact Boolean minimisation where every variable is 0 or 1."""
        columns = list(self.columns.values())
        if (
            not columns
            or len(columns) > 12
            or any(c.min() < 0 or c.max() > 1 for c in (*columns, target))
        ):
            return []
        try:
            return [minimise_table(np.stack(columns, axis=1), target, list(self.columns))]
        except ConflictError:  # the target is not a function of these variables
            return []

    def _affine_remainder(self, target: np.ndarray) -> list[Expression]:
        """(affine) % k for every plausible k, the coefficients found by elimination over the
        residues.
        """
        low, high = int(target.min()), int(target.max())
        if low != 0 or not 1 <= high < 10_000 or len(self.columns) > 12:
            return []
        found = []
        variables = list(self.columns)
        for modulus in dict.fromkeys(
            [high + 1, *(c for c in self.constants if high < c <= 2 * high + 2)]
        ):
            solution = affine_modulo([self.columns[v] for v in variables], target, modulus)
            if solution is not None:
                found.append(call("mod", affine_expression(variables, *solution), modulus))
        return found

    # -- enumeration
    # --------------------------------------------------------------------------------------------------

    def _first_sample(self) -> np.ndarray:
        if self.count <= self.settings.rows:
            return np.arange(self.count)
        extremes = [int(f(c)) for c in self.columns.values() for f in (np.argmin, np.argmax)]
        random = np.random.default_rng(0).choice(self.count, self.settings.rows, replace=False)
        return np.unique(np.r_[extremes, random])

    def bank(self) -> ExpressionBank:
        """The expression bank on the current sample of rows."""
        if self._bank is None:
            rows = self._sample
            columns = {v: c[rows] for v, c in self.columns.items()}
            seeds = [(s, np.broadcast_to(evaluate(s, columns), rows.shape)) for s in self.seeds]
            self._bank = ExpressionBank(columns, self.constants, self.settings.enumeration, seeds)
        return self._bank

    def _by_enumeration(self, target: np.ndarray, deadline: float) -> list[Expression]:
        found: list[Expression] = []
        for _ in range(self.settings.rounds):
            failures = []
            for candidate in self.bank().solve(target[self._sample], deadline):
                exact = self.exact(candidate, target)
                if exact.all():
                    found.append(candidate)
                else:
                    failures.append(np.flatnonzero(~exact))
            if found or not failures or time.monotonic() > deadline:
                return found
            new = np.unique(np.concatenate([f[: max(1, 40 // len(failures))] for f in failures]))
            self._sample = np.union1d(self._sample, new)
            self._bank = None
        return found

    # -- one variable apart
    # -------------------------------------------------------------------------------------------

    def _separated(self, target: np.ndarray, deadline: float) -> list[Expression]:
        """v + E, E - v and the same under a modulus, where E does not depend on the variable v:
        regressed on its own.
        """
        found: list[Expression] = []
        low, high = int(target.min()), int(target.max())
        moduli = [None, high + 1] if low == 0 and 1 <= high < 1_000 else [None]
        for variable, modulus in itertools.product(self.columns, moduli):
            others = {v: c for v, c in self.columns.items() if v != variable}
            if not others or self.columns[variable].min() == self.columns[variable].max():
                continue
            keys = group_rows(list(others.values()), self.count)
            for sign in (1, -1):
                rest = target - sign * self.columns[variable]
                rest = rest if modulus is None else rest % modulus
                if (
                    time.monotonic() > deadline
                    or keys.count == self.count
                    or keys.conflicts(rest).any()
                ):
                    continue
                rows = distinct_rows(keys)
                part = Regressor(
                    {v: c[rows] for v, c in others.items()}, self.constants, (), self.settings
                )
                for e in part.expressions(rest[rows], max(0.2, deadline - time.monotonic()))[:2]:
                    total = call("add", variable, e) if sign > 0 else call("sub", e, variable)
                    found.append(total if modulus is None else call("mod", total, modulus))
        return [e for e in found if self.exact(e, target).all()]

    # -- rows that are wrong
    # ------------------------------------------------------------------------------------------

    def _with_exceptions(self, target: np.ndarray, deadline: float) -> list[Expression]:
        """Expressions that are right on all but a few rows: found on small samples, most of which
        hold no wrong row.
        """
        size = max(12, min(int(0.5 / self.settings.tolerance), self.settings.rows // 2))
        if self.count <= 2 * size:
            return []
        rng = np.random.default_rng(1)
        strict = dataclasses.replace(self.settings, tolerance=0.0, lookup_cells=0, rounds=1)
        found: list[Expression] = []
        for _ in range(self.settings.draws):
            if found or time.monotonic() > deadline:
                break
            rows = rng.choice(self.count, size, replace=False)
            part = Regressor(
                {v: c[rows] for v, c in self.columns.items()}, self.constants, self.seeds, strict
            )
            guesses = part.expressions(target[rows], max(0.1, deadline - time.monotonic()))
            # relative to what there is to explain: a rare value must not pass for an exception
            allowed = self.settings.tolerance * variation(target)
            found += [g for g in guesses if (~self.exact(g, target)).mean() <= allowed]
        return found

    # -- last resort
    # --------------------------------------------------------------------------------------------------

    def _lookup(self, target: np.ndarray) -> list[Expression]:
        variables = [v for v, c in self.columns.items() if c.min() != c.max()]
        spans = [(int(self.columns[v].min()), int(self.columns[v].max())) for v in variables]
        shape = tuple(high - low + 1 for low, high in spans)
        if not variables or np.prod([float(s) for s in shape]) > self.settings.lookup_cells:
            return []
        cells = np.zeros(shape, np.int64)
        cells[tuple(self.columns[v] - low for v, (low, _) in zip(variables, spans))] = target
        as_tuples = lambda a: (
            tuple(as_tuples(b) for b in a) if a.ndim > 1 else tuple(int(b) for b in a)
        )
        return [Lookup("TABLE", as_tuples(cells), tuple(variables), tuple(low for low, _ in spans))]


def integer_affine(columns: list[np.ndarray], target: np.ndarray) -> tuple[list[int], int] | None:
    """Integer coefficients and offset with target = sum_i c_i column_i + offset on every row [N],
    or None.
    """
    design = np.stack([*columns, np.ones(len(target))], axis=1).astype(np.float64)
    solution = np.linalg.lstsq(design, target.astype(np.float64), rcond=None)[0]
    rounded = np.rint(solution)
    if np.abs(rounded).max() > 1e6 or not np.array_equal(
        design @ rounded, target.astype(np.float64)
    ):
        return None
    return [int(c) for c in rounded[:-1]], int(rounded[-1])


def affine_modulo(
    columns: list[np.ndarray], target: np.ndarray, modulus: int
) -> tuple[list[int], int] | None:
    """Integer coefficients with target = (sum_i c_i column_i + offset) mod modulus on every row, or
    None.

    Elimination over the integers modulo `modulus`, with pivots that are invertible there.
    """
    rows = np.unique(np.stack([*columns, np.ones_like(target), target], axis=1) % modulus, axis=0)
    if len(rows) > 2000:
        rows = rows[np.random.default_rng(0).choice(len(rows), 2000, replace=False)]
    matrix, width = rows.astype(np.int64), len(columns) + 1
    units = np.array([np.gcd(v, modulus) == 1 for v in range(modulus)])
    solution, pivots, used = np.zeros(width, np.int64), [], 0
    for column in range(width):
        candidates = np.flatnonzero(units[matrix[used:, column]])
        if not len(candidates):
            if matrix[used:, column].any():
                return None  # a column without an invertible entry: left to enumeration
            continue
        pivot = used + int(candidates[0])
        matrix[[used, pivot]] = matrix[[pivot, used]]
        matrix[used] = matrix[used] * pow(int(matrix[used, column]), -1, modulus) % modulus
        others = np.arange(len(matrix)) != used
        matrix[others] = (matrix[others] - matrix[others][:, [column]] * matrix[used]) % modulus
        pivots.append(column)
        used += 1
        if used == len(matrix):
            break
    if matrix[used:, width].any():
        return None
    for row, column in enumerate(pivots):
        solution[column] = matrix[row, width]
    signed = [int(c) if c <= modulus // 2 else int(c) - modulus for c in solution]
    total = sum(c * column for c, column in zip(signed, [*columns, np.ones_like(target)]))
    return (signed[:-1], signed[-1]) if np.array_equal(total % modulus, target) else None


def affine_expression(
    variables: Sequence[Expression], coefficients: Sequence[int], offset: int
) -> Expression:
    """c_1 v_1 + c_2 v_2 + ... + offset, positive terms first, as a person would write it."""
    terms = [(c, v) for c, v in zip(coefficients, variables) if c]
    terms.sort(key=lambda term: term[0] < 0)
    result: Expression | None = None
    for coefficient, variable in terms:
        size = abs(coefficient)
        term = variable if size == 1 else call("mul", size, variable)
        if result is None:
            result = (
                term
                if coefficient > 0
                else call("neg", term)
                if size == 1
                else call("mul", coefficient, variable)
            )
        else:
            result = call("add" if coefficient > 0 else "sub", result, term)
    if result is None:
        return Const(offset)
    if terms[0][0] < 0 and offset > 0:  # "3 - x" rather than "-x + 3"
        return _subtracted_from(offset, terms)
    return result if not offset else call("add" if offset > 0 else "sub", result, abs(offset))


def _subtracted_from(offset: int, terms) -> Expression:
    result: Expression = Const(offset)
    for coefficient, variable in terms:
        size = abs(coefficient)
        result = call("sub", result, variable if size == 1 else call("mul", size, variable))
    return result
