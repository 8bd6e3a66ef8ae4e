"""One target written plainly: a term, a condition, or a term for each of a few guards.

Axes: R rows, G guards, P terms.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.plain.guards import guards
from mips_jax.extraction.plain.table import Pool, Table
from mips_jax.extraction.plain.terms import sum_of, terms
from mips_jax.programs import Call, Const, Expression, call, negation, tidied
from mips_jax.programs.reading import reading_bits

_IF = 3.0  # bits
_CHOICES = 12  # guards for whose rest another guard is sought
_PAIRED = 45  # guards that are joined by `and`, two at a time
_SUMMED = 80  # guards behind which a sum with factors is sought
_FEW_TERMS = 250  # terms that are tried behind two guards
_LINKED = 0.05  # gain of a comparison that goes on where the last one ended
_JOINED = 4  # conditions that may be joined to one


def plainest(table: Table, target: np.ndarray) -> Expression | None:
    """The expression for the target that is easiest to read, None where there is none of the kind.

    Args:
        table: what is read.
        target: [R] int64.
    """
    return Guarded(table).best(np.asarray(target, np.int64))


@dataclasses.dataclass(frozen=True)
class _Found:
    expression: Expression
    cost: float


class Guarded:
    """The search on one table; guards are made once."""

    def __init__(self, table: Table):
        self.table = table
        self.guards = guards(table)
        self.masks = self.guards.values.astype(np.float32)  # [G, R]

    def best(self, target: np.ndarray) -> Expression | None:
        pool = terms(self.table, target)
        wrong = (pool.values != target).astype(np.float32)  # [P, R]
        found = [self._term(pool, wrong), self._truth(target)]
        found.append(self._one_guard(pool, wrong))
        plain = min((f.cost for f in found if f), default=np.inf)
        if plain > 40.0 and len(self.guards):
            few, right = pool.first(_FEW_TERMS), wrong[:_FEW_TERMS]
            found += [self._two_guards(pool, wrong), self._joined_guards(few, right)]
        if not any(found):
            found.append(self._sums_behind_guards(pool, wrong, target))
        known = [f for f in found if f is not None]
        best = min(known, key=lambda f: f.cost, default=None)
        return None if best is None else tidied(best.expression)

    def _term(self, pool: Pool, wrong: np.ndarray) -> _Found | None:
        right = np.flatnonzero(~wrong.any(axis=1))
        if not len(right):
            return None
        return _Found(pool.expressions[right[0]], float(pool.costs[right[0]]))

    # -- conditions as the target itself

    def _truth(self, target: np.ndarray) -> _Found | None:
        """The target is 0 or 1: a guard, its opposite, or several joined by `and` or by `or`."""
        if target.min(initial=0) < 0 or target.max(initial=0) > 1 or not len(self.guards):
            return None
        held = target != 0
        options = [self._joined(held, "and"), self._joined(~held, "or")]
        found = [f for f in options if f is not None]
        return min(found, key=lambda f: f.cost, default=None)

    def _joined(self, held: np.ndarray, operator: str) -> _Found | None:
        """Conditions that all hold where `held` does, and together nowhere else.

        For `or` the rows are those on which it must not hold, and all conditions are negated.
        """
        masks = np.concatenate([self.guards.values, ~self.guards.values])
        negated = np.arange(len(masks)) >= len(self.guards)
        costs = np.concatenate([self.guards.costs] * 2) + 1.0 * negated
        able = np.flatnonzero(masks[:, held].all(axis=1)) if held.any() else np.arange(0)
        left: np.ndarray = ~held
        chosen: list[int] = []
        while left.any():
            if not len(able) or len(chosen) == _JOINED:
                return None
            excluded = (~masks[able][:, left]).sum(axis=1)
            if not excluded.max():
                return None
            gain = np.where(excluded == left.sum(), 1e3, excluded / left.sum()) / costs[able]
            gain *= 1.0 + _LINKED * np.array([self._links(chosen, int(i)) for i in able])
            best = able[int(np.argmax(gain))]
            chosen.append(int(best))
            left = left & masks[best]
        parts = [self._condition(i % len(self.guards), negated[i]) for i in chosen]
        parts = parts if operator == "and" else [_opposite(p) for p in parts]
        expression = _chained(parts, operator)
        return _Found(expression, reading_bits(expression, self.table.bits))

    def _links(self, chosen: list[int], guard: int) -> bool:
        """Whether a comparison goes on where the last one ended: `a != b != c`."""
        if not chosen:
            return False
        pair = [self.guards.expressions[i % len(self.guards)] for i in (chosen[-1], guard)]
        calls = [e for e in pair if isinstance(e, Call) and len(e.arguments) == 2]
        return len(calls) == 2 and calls[0].arguments[1] == calls[1].arguments[0]

    def _condition(self, guard: int, negated: bool) -> Expression:
        expression = self.guards.expressions[guard]
        return _opposite(expression) if negated else expression

    # -- branches

    def _one_guard(self, pool: Pool, wrong: np.ndarray) -> _Found | None:
        if not len(self.guards):
            return None
        return self._branched(pool, wrong, self.guards.expressions, self.masks, self.guards.costs)

    def _branched(self, pool: Pool, wrong, conditions, masks, costs) -> _Found | None:
        """The cheapest `a if guard else b`."""
        if_held, otherwise = _errors(masks, wrong)
        first, second = _cheapest(if_held, pool.costs), _cheapest(otherwise, pool.costs)
        total = costs + first[1] + second[1] + _IF
        best = int(np.argmin(total))
        if not np.isfinite(total[best]):
            return None
        branches = (pool.expressions[first[0][best]], pool.expressions[second[0][best]])
        return _Found(_conditional(conditions[best], *branches), float(total[best]))

    def _two_guards(self, pool: Pool, wrong: np.ndarray) -> _Found | None:
        """`a if guard else (b if guard2 else c)`, and the same with the first guard's opposite."""
        if_held, otherwise = _errors(self.masks, wrong)
        best: _Found | None = None
        options = []
        for side, errors in ((True, if_held), (False, otherwise)):
            chosen, price = _cheapest(errors, pool.costs)
            covered = self.masks.sum(axis=1) if side else (1 - self.masks).sum(axis=1)
            score = price + self.guards.costs - 12.0 * covered / self.table.rows
            options += [(score[g], g, side, chosen[g], price[g]) for g in range(len(score))]
        for score, g, side, term, price in sorted(options, key=lambda o: o[0])[:_CHOICES]:
            if not np.isfinite(score):
                break
            rest = self.masks[g] == (0 if side else 1)
            rest_of = self._branched(
                pool,
                wrong[:, rest],
                self.guards.expressions,
                self.masks[:, rest],
                self.guards.costs,
            )
            if rest_of is None:
                continue
            cost = rest_of.cost + price + self.guards.costs[g] + _IF
            if best is None or cost < best.cost:
                condition = self._condition(g, not side)
                value = pool.expressions[term]
                best = _Found(_conditional(condition, value, rest_of.expression), float(cost))
        return best

    def _sums_behind_guards(self, pool: Pool, wrong, target: np.ndarray) -> _Found | None:
        """`a if guard else b` where one of the two is a sum with factors that no term is."""
        if_held, otherwise = _errors(self.masks, wrong)
        best: _Found | None = None
        for g in range(min(len(self.guards), _SUMMED)):
            held = self.guards.values[g]
            for rows, errors in ((held, otherwise), (~held, if_held)):
                place, price = _cheapest(errors[[g]], pool.costs)
                if not np.isfinite(price[0]):
                    continue
                total = sum_of(self.table, target, rows)
                if total is None:
                    continue
                other, condition = pool.expressions[place[0]], self.guards.expressions[g]
                branches = (total, other) if rows is held else (other, total)
                cost = self.guards.costs[g] + price[0] + _IF
                cost += reading_bits(total, self.table.bits)
                if best is None or cost < best.cost:
                    best = _Found(_conditional(condition, *branches), float(cost))
        return best

    def _joined_guards(self, pool: Pool, wrong: np.ndarray) -> _Found | None:
        """`a if guard and guard2 else b`, each of the two or its opposite."""
        few = min(len(self.guards), _PAIRED)
        first, second = np.triu_indices(few, 1)
        best: _Found | None = None
        for one in (False, True):
            for other in (False, True):
                held = self.guards.values[first] ^ one
                held &= self.guards.values[second] ^ other
                some = np.flatnonzero(held.any(axis=1))
                costs = self.guards.costs[first[some]] + self.guards.costs[second[some]] + 4.0
                conditions = _Lazy(self, first[some], second[some], one, other)
                found = self._branched(
                    pool, wrong, conditions, held[some].astype(np.float32), costs
                )
                if found is not None and (best is None or found.cost < best.cost):
                    best = found
        return best


class _Lazy:
    """Joined conditions, made when they are asked for."""

    def __init__(self, search: Guarded, first, second, one: bool, other: bool):
        self.search, self.first, self.second = search, first, second
        self.one, self.other = one, other

    def __getitem__(self, index: int) -> Expression:
        return call(
            "and",
            self.search._condition(int(self.first[index]), self.one),
            self.search._condition(int(self.second[index]), self.other),
        )


def _errors(masks: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[G, P] rows on which a term is wrong, of those where the guard holds and of the others."""
    held = masks @ wrong.T
    return held, wrong.sum(axis=1)[None] - held


def _cheapest(errors: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each guard the first (cheapest) term without errors, and its cost (inf: there is none).

    Terms are in the order of their costs.
    """
    right = errors < 0.5
    place = right.argmax(axis=1)
    return place, np.where(right.any(axis=1), costs[place], np.inf)


def _conditional(condition: Expression, chosen: Expression, other: Expression) -> Expression:
    """With a condition that is not negated where one branch is as good as the other."""
    if isinstance(condition, Call) and condition.operator in ("ne", "not"):
        if not isinstance(other, Call) or other.operator != "if":
            return Call("if", (_opposite(condition), other, chosen))
    return Call("if", (condition, chosen, other))


def _opposite(condition: Expression) -> Expression:
    return negation(condition)


def _chained(parts: list[Expression], operator: str) -> Expression:
    if not parts:
        return Const(int(operator == "and"))
    result = parts[0]
    for part in parts[1:]:
        result = Call(operator, (result, part))
    return result
