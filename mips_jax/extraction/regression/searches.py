"""Searches among the expressions of a bank: two or more of them, put together, make the target.

Axes: R sampled rows, M expressions in the bank, C conditions, B bytes of packed rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.regression.errors import Errors, packed
from mips_jax.extraction.tuning import EnumerationSettings
from mips_jax.programs import Call, Const, Expression, expression_bits

_FEW = (8, 32)  # rows on which a match is looked for before all of them
_BLOCK = 64  # conditions compared with all errors at a time
_MATCH_BLOCK = 512  # expressions compared with the target at a time, on all rows


class Bank(Protocol):
    """What is searched.

    Attributes:
        settings: limits.
        values: [M, R] values of the expressions, the small ones first.
        hashes: [M] linear in the values.
        constants: bank index of each constant.
    """

    settings: EnumerationSettings
    values: np.ndarray
    hashes: np.ndarray
    constants: dict[int, int]

    def hash(self, values: np.ndarray) -> np.ndarray: ...
    def find(self, hashes: np.ndarray) -> np.ndarray: ...
    def expression(self, index: int) -> Expression: ...


Found = list[Expression]
BankSearch = Callable[[Bank, np.ndarray, Share], Found]


def sums(bank: Bank, target: np.ndarray, share: Share) -> Found:
    """target = e1 + e2 or e1 - e2, by the linearity of the hash."""
    found: Found = []
    share.spend(2 * len(bank.values))
    wanted = bank.hash(target[None])[0]
    for operator, partner in (("add", wanted - bank.hashes), ("sub", bank.hashes - wanted)):
        other = bank.find(partner)
        hits = np.flatnonzero(other >= 0)
        if operator == "add":
            hits = hits[hits <= other[hits]]
        hits = hits[np.argsort(np.maximum(hits, other[hits]), kind="stable")]
        for i in hits[: bank.settings.sums]:
            arguments = bank.expression(int(i)), bank.expression(int(other[i]))
            found.append(Call(operator, arguments))
    return found


def remainders(bank: Bank, target: np.ndarray, share: Share) -> Found:
    """target = e % k and e // k with k a constant."""
    found: Found = []
    for value in bank.constants:
        if value < 2:
            continue
        share.spend(2 * len(bank.values) * _FEW[0])
        if target.min() >= 0 and target.max() < value:
            hits = _matching(bank, lambda v, k=value: v % k, target)
            found += [Call("mod", (bank.expression(i), Const(value))) for i in hits]
        hits = _matching(bank, lambda v, k=value: v // k, target)
        found += [Call("floordiv", (bank.expression(i), Const(value))) for i in hits]
    return found


def _matching(bank: Bank, function, target: np.ndarray) -> list[int]:
    """The first expressions whose values become the target under `function`; few rows first."""
    alive = np.arange(len(bank.values))
    for few in _FEW:
        values = (
            bank.values[:, :few] if len(alive) == len(bank.values) else bank.values[alive, :few]
        )
        alive = alive[(function(values) == target[:few]).all(axis=1)]
    found: list[int] = []
    for start in range(0, len(alive), _MATCH_BLOCK):
        block = alive[start : start + _MATCH_BLOCK]
        right = (function(bank.values[block]) == target).all(axis=1)
        found += [int(i) for i in block[right]]
        if len(found) >= bank.settings.remainders:
            break
    return found[: bank.settings.remainders]


def extremes(bank: Bank, target: np.ndarray, share: Share) -> Found:
    """target = min(e1, e2) or max(e1, e2)."""
    found: Found = []
    values = bank.values[: bank.settings.extremes]
    share.spend(2 * values.size)
    few, some = values[:, : _FEW[0]], target[: _FEW[0]]
    for operator, beyond in (("min", np.less), ("max", np.greater)):
        alive = np.flatnonzero(~beyond(few, some).any(axis=1))
        alive = alive[~beyond(values[alive], target).any(axis=1)][: bank.settings.bounded]
        if len(alive) < 2:
            continue
        share.spend(len(alive) ** 2)
        unequal = values[alive] != target
        alive = alive[Errors(unequal).avoided(packed(unequal))]  # those that have a partner
        errors = (values[alive] != target).astype(np.float32)
        first, second = np.nonzero(errors @ errors.T < 0.5)
        once = first <= second
        first, second = first[once], second[once]
        best = np.argsort(alive[first] + alive[second], kind="stable")[: bank.settings.pairs]
        for k in best:
            pair = bank.expression(int(alive[first[k]])), bank.expression(int(alive[second[k]]))
            found.append(Call(operator, pair))
    return found


def conditionals(bank: Bank, target: np.ndarray, share: Share) -> Found:
    """target = e1 if c else e2: c is inside the rows where e1 is right, its complement inside
    those of e2.
    """
    conditions = _conditions(bank)
    if not len(conditions):
        return []
    errors = Errors(bank.values[: bank.settings.branches] != target)
    share.spend(errors.count * (len(target) + len(conditions)))
    holds = packed(bank.values[conditions] != 0)
    fails = packed(bank.values[conditions] == 0)
    possible = errors.avoided(holds) & errors.avoided(fails)
    found: Found = []
    for c in np.flatnonzero(possible)[: bank.settings.conditionals]:
        values = (
            min(
                (
                    bank.expression(int(e))
                    for e in errors.right(on[c], bank.settings.branch_choices)
                ),
                key=expression_bits,
            )
            for on in (holds, fails)
        )
        found.append(Call("if", (bank.expression(int(conditions[c])), *values)))
    return found


def decision_lists(bank: Bank, target: np.ndarray, share: Share) -> Found:
    """e1 if c1 else e2 if c2 else ... : greedily the pure (condition, expression) pair that
    covers most of what is left.
    """
    conditions = _conditions(bank)
    if not len(conditions):
        return []
    plain = len(conditions)
    holds = packed(np.concatenate([bank.values[conditions] != 0, bank.values[conditions] == 0]))
    errors = Errors(bank.values[: bank.settings.list_pool] != target)
    left = packed(np.ones((1, len(target)), bool))[0]
    branches: list[tuple[Expression, Expression]] = []
    for _ in range(bank.settings.list_length):
        if share.out:
            return []
        share.spend(len(holds) * errors.count)
        rest = errors.right(left, 1)
        if branches and len(rest):
            result = bank.expression(int(rest[0]))
            for test, value in reversed(branches):
                result = Call("if", (test, value, result))
            return [result]
        least = max(1.0, bank.settings.list_cover * int(np.bitwise_count(left).sum()))
        c = _widest(holds & left, errors, least)
        if c is None:
            return []
        value = bank.expression(int(errors.right(holds[c] & left, 1)[0]))
        test = bank.expression(int(conditions[c % plain]))
        branches.append((test if c < plain else Call("not", (test,)), value))
        left = left & ~holds[c]
    return []


def _conditions(bank: Bank) -> np.ndarray:
    """Bank indices of 0/1 valued expressions that are not constant on the rows."""
    values = bank.values[: bank.settings.condition_pool]
    boolean = (values.min(axis=1) == 0) & (values.max(axis=1) == 1)
    return np.flatnonzero(boolean)[: bank.settings.conditions]


def _widest(chosen: np.ndarray, errors: Errors, least: float) -> int | None:
    """The first of those sets of rows that some expression is right on and that cover most, at
    least `least` rows.
    """
    covered = np.bitwise_count(chosen).sum(axis=1, dtype=np.int64)
    order = np.argsort(-covered, kind="stable")
    order = order[covered[order] >= least]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        avoided = errors.avoided(chosen[block])
        if avoided.any():
            return int(block[np.argmax(avoided)])
    return None


CHEAP: tuple[BankSearch, ...] = (sums, remainders)
COSTLY: tuple[BankSearch, ...] = (conditionals, extremes, decision_lists)
