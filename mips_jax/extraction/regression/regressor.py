"""Symbolic regression of one integer column on others: the simplest exact expression that any of
our searches finds.

Ways, in the order in which they are tried: constants and copies; integer affine maps (exact least
squares), also under a modulus (`affine`); Boolean minimisation for truth tables; exact enumeration
with conditionals and decision lists (`enumeration`); one variable apart. A solution
found on sampled rows is checked on all rows; those where it fails join the sample and the search is
repeated.

Axes: N rows.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.regression.affine import affine_expression, affine_modulo, integer_affine
from mips_jax.extraction.regression.boolean.minimise import ConflictError, minimise_table
from mips_jax.extraction.regression.enumeration import ExpressionBank
from mips_jax.extraction.regression.table import distinct_rows, group_rows, variation
from mips_jax.extraction.tuning import TUNING, RegressionSettings
from mips_jax.programs import Const, Expression, Var, call, evaluate, expression_bits, tidied


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
        settings: RegressionSettings = TUNING.regression,
    ):
        self.columns = columns
        self.constants = list(dict.fromkeys(int(c) for c in constants))
        self.seeds = list(seeds)
        self.settings = settings
        self.count = len(next(iter(columns.values()))) if columns else 0
        self._sample = self._first_sample()
        self._bank: ExpressionBank | None = None

    def expressions(self, target: np.ndarray, share: Share | None = None) -> list[Expression]:
        """Exact expressions for the target on all rows, the shortest first; empty when none was
        found.

        Args:
            target: [N] integers.
            share: values that may be computed.
        """
        share = share or Share()
        target = np.asarray(target, np.int64)
        found: list[Expression] = self._directly(target)
        if not found or min(map(self._bits, found)) > self.settings.enough_bits:
            found += self._by_enumeration(target, share)
        if not found or min(map(self._bits, found)) > self.settings.long_bits:
            found += self._separated(target, share)
        if not found and self.settings.tolerance:
            found += self._with_exceptions(target, share)
        return sorted(dict.fromkeys(map(tidied, found)), key=self._bits)

    def _bits(self, expression: Expression) -> float:
        return expression_bits(expression, len(self.columns))

    def exact(self, expression: Expression, target: np.ndarray) -> np.ndarray:
        """[N] bool: rows on which the expression gives the target."""
        return np.broadcast_to(evaluate(expression, self.columns), target.shape) == target

    # -- closed forms

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
            if (
                len(inside) + len(outside) <= self.settings.member_values
                and not np.intersect1d(inside, outside).size
            ):
                if min(len(inside), len(outside)) > self.settings.members:
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
            or len(columns) > self.settings.most_variables
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
        few = len(self.columns) <= self.settings.most_variables
        if low != 0 or not 1 <= high < self.settings.largest_modulus or not few:
            return []
        found: list[Expression] = []
        variables = list(self.columns)
        for modulus in dict.fromkeys(
            [high + 1, *(c for c in self.constants if high < c <= 2 * high + 2)]
        ):
            solution = affine_modulo([self.columns[v] for v in variables], target, modulus)
            if solution is not None:
                found.append(call("mod", affine_expression(variables, *solution), modulus))
        return found

    # -- enumeration

    def _first_sample(self) -> np.ndarray:
        if self.count <= self.settings.rows:
            return np.arange(self.count)
        extremes = [int(f(c)) for c in self.columns.values() for f in (np.argmin, np.argmax)]
        random = np.random.default_rng(0).choice(self.count, self.settings.rows, replace=False)
        return np.unique(np.r_[extremes, random])

    def bank(self, share: Share) -> ExpressionBank:
        """The expression bank on the current sample of rows; the first to ask pays for it."""
        if self._bank is None:
            rows = self._sample
            columns = {v: c[rows] for v, c in self.columns.items()}
            seeds = [(s, np.broadcast_to(evaluate(s, columns), rows.shape)) for s in self.seeds]
            self._bank = ExpressionBank(
                columns, self.constants, self.settings.enumeration, seeds, share
            )
        return self._bank

    def _by_enumeration(self, target: np.ndarray, share: Share) -> list[Expression]:
        found: list[Expression] = []
        for _ in range(self.settings.rounds):
            failures = []
            for candidate in self.bank(share).solve(target[self._sample], share):
                exact = self.exact(candidate, target)
                if exact.all():
                    found.append(candidate)
                else:
                    failures.append(np.flatnonzero(~exact))
            if found or not failures or share.out:
                return found
            each = max(1, self.settings.failures // len(failures))
            new = np.unique(np.concatenate([f[:each] for f in failures]))
            self._sample = np.union1d(self._sample, new)
            self._bank = None
        return found

    # -- one variable apart

    def _separated(self, target: np.ndarray, share: Share) -> list[Expression]:
        """v + E, E - v and the same under a modulus, where E does not depend on the variable v:
        regressed on its own.
        """
        found: list[Expression] = []
        low, high = int(target.min()), int(target.max())
        moduli = (
            [None, high + 1] if low == 0 and 1 <= high < self.settings.apart_modulus else [None]
        )
        for variable, modulus in itertools.product(self.columns, moduli):
            others = {v: c for v, c in self.columns.items() if v != variable}
            if not others or self.columns[variable].min() == self.columns[variable].max():
                continue
            keys = group_rows(list(others.values()), self.count)
            for sign in (1, -1):
                rest = target - sign * self.columns[variable]
                rest = rest if modulus is None else rest % modulus
                if share.out or keys.count == self.count or keys.conflicts(rest).any():
                    continue
                rows = distinct_rows(keys)
                part = Regressor(
                    {v: c[rows] for v, c in others.items()}, self.constants, (), self.settings
                )
                for e in part.expressions(rest[rows], share)[: self.settings.apart_kept]:
                    total = call("add", variable, e) if sign > 0 else call("sub", e, variable)
                    found.append(total if modulus is None else call("mod", total, modulus))
        return [e for e in found if self.exact(e, target).all()]

    # -- rows that are wrong

    def _with_exceptions(self, target: np.ndarray, share: Share) -> list[Expression]:
        """Expressions that are right on all but a few rows: found on small samples, most of which
        hold no wrong row.
        """
        size = max(
            self.settings.smallest_draw,
            min(int(0.5 / self.settings.tolerance), self.settings.rows // 2),
        )
        if self.count <= 2 * size:
            return []
        rng = np.random.default_rng(1)
        strict = dataclasses.replace(self.settings, tolerance=0.0, rounds=1)
        found: list[Expression] = []
        for _ in range(self.settings.draws):
            if found or share.out:
                break
            rows = rng.choice(self.count, size, replace=False)
            part = Regressor(
                {v: c[rows] for v, c in self.columns.items()}, self.constants, self.seeds, strict
            )
            guesses = part.expressions(target[rows], share)
            # relative to what there is to explain: a rare value must not pass for an exception
            allowed = self.settings.tolerance * variation(target)
            found += [g for g in guesses if (~self.exact(g, target)).mean() <= allowed]
        return found
