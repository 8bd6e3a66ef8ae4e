"""Plain terms: what a person writes on the right of an assignment, without a condition.

Axes: R rows, P expressions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from mips_jax.extraction.plain.table import Pool, Table
from mips_jax.extraction.regression.affine import affine_expression, integer_affine
from mips_jax.programs import OPERATORS, Const, Expression, Var, call, variables
from mips_jax.programs.reading import reading_bits

_FACTORS = (2, 3)  # of a digit that is shifted
_MOST_VALUES = 12  # of a target that may stand as constants
_MOST_SUMMED = 5  # variables of one sum
_LARGEST_DIVISOR = 16
_MOST_DIVISORS = 4
_JOINED = 7  # truths up to which three are joined, not only two

Term = tuple[Expression, np.ndarray]


def terms(table: Table, target: np.ndarray) -> Pool:
    """Terms that may be all of the target, or a branch of it.

    Args:
        table: what is read.
        target: [R] int64; its values and bounds are constants that are tried.
    """
    found = _Collected(table, target)
    values = np.unique(target)
    constants = values.tolist() if len(values) <= _MOST_VALUES else []
    found.add((Const(c), np.full(table.rows, c)) for c in dict.fromkeys([*constants, 0, 1]))
    leaves = [(v, c) for v, c in table.columns.items()]
    found.add(leaves)
    truths = table.bits
    bits = [leaf for leaf in leaves if leaf[0] in truths]
    found.add(_truths(bits))
    sums = list(_sums(leaves, bits))
    found.add(_affine(leaves, target))
    found.add(sums)
    found.add(_products(leaves, bits))
    found.add(_bounded(sums, target))
    found.add(_remainders(sums, leaves, target, table))
    found.add(_remainders(list(_products(leaves, bits)), [], target, table))
    return found.pool()


class _Collected:
    """Terms that are right on some row, with distinct values: the first of each is kept, since the
    simplest are made first.
    """

    def __init__(self, table: Table, target: np.ndarray):
        self.bits, self.target = table.bits, target
        self.kept: dict[bytes, tuple[float, Expression, np.ndarray]] = {}

    def add(self, found) -> None:
        for expression, values in found:
            values = np.ascontiguousarray(values, np.int64)
            if not (values == self.target).any():
                continue
            key = values.tobytes()
            if key not in self.kept:
                self.kept[key] = (reading_bits(expression, self.bits), expression, values)

    def pool(self) -> Pool:
        ranked = sorted(self.kept.values(), key=lambda entry: entry[0])
        return Pool(
            tuple(expression for _, expression, _ in ranked),
            np.array([values for _, _, values in ranked]),
            np.array([cost for cost, _, _ in ranked]),
        )


def applied(operator: str, *terms: Term | int) -> Term:
    """An operator on terms, with its values."""
    both = [t if isinstance(t, tuple) else (Const(t), np.array(t)) for t in terms]
    values = OPERATORS[operator].evaluate(*(column for _, column in both))
    return call(operator, *(expression for expression, _ in both)), values


def _truths(bits: list[Term]) -> Iterator[Term]:
    for bit in bits:
        yield applied("sub", 1, bit)
    for count in (2, 3) if len(bits) <= _JOINED else (2,):
        for chosen in itertools.combinations(bits, count):
            for operator in ("xor", "and", "or"):
                term = chosen[0]
                for other in chosen[1:]:
                    term = applied(operator, term, other)
                yield term
                if operator == "xor":
                    yield applied("sub", 1, term)


def _sums(leaves: list[Term], bits: list[Term]) -> Iterator[Term]:
    for leaf in leaves:
        yield applied("add", leaf, 1)
        yield applied("sub", leaf, 1)
        yield from (applied("mul", factor, leaf) for factor in _FACTORS)
        if leaf not in bits:
            yield applied("neg", leaf)
            yield applied("abs", leaf)
    for first, second in itertools.combinations(leaves, 2):
        total = applied("add", first, second)
        yield total
        yield applied("add", total, 1)
        yield applied("sub", total, 1)
    for first, second in itertools.permutations(leaves, 2):
        yield applied("sub", first, second)
        for factor in _FACTORS:
            yield applied("add", applied("mul", factor, first), second)
    for count in range(3, min(len(leaves), _MOST_SUMMED) + 1):
        for chosen in itertools.combinations(leaves, count):
            total = chosen[0]
            for other in chosen[1:]:
                total = applied("add", total, other)
            yield total
    for bit, leaf in itertools.product(bits, leaves):
        if leaf not in bits:
            step = applied("mul", 2, bit)
            yield applied("sub", applied("add", leaf, 1), step)
            yield applied("sub", applied("add", leaf, step), 1)


def _affine(leaves: list[Term], target: np.ndarray) -> Iterator[Term]:
    """A sum with factors, of all variables before the step or after it."""
    for chosen in (_moment(leaves, late=True), _moment(leaves, late=False)):
        solution = integer_affine([values for _, values in chosen], target) if chosen else None
        if solution is not None:
            yield affine_expression([e for e, _ in chosen], *solution), target


def _moment(leaves: list[Term], late: bool) -> list[Term]:
    """The inputs, and the registers after the step (where they are known) or before it."""
    after = {e.name for e, _ in leaves if isinstance(e, Var) and e.updated}
    made = {v for e, _ in leaves if not isinstance(e, Var) for v in variables(e)}
    return [
        (e, values)
        for e, values in leaves
        if e not in made
        if not isinstance(e, Var) or e.updated == (late and e.name in after)
    ]


def sum_of(table: Table, target: np.ndarray, rows: np.ndarray) -> Expression | None:
    """A sum with factors that is the target on some rows [R] bool, of variables before the step."""
    chosen = _moment(list(table.columns.items()), late=False)
    solution = integer_affine([values[rows] for _, values in chosen], target[rows])
    if solution is None or sum(c != 0 for c in solution[0]) > _MOST_SUMMED:
        return None
    return affine_expression([e for e, _ in chosen], *solution)


def _products(leaves: list[Term], bits: list[Term]) -> Iterator[Term]:
    numbers = [leaf for leaf in leaves if leaf[0] not in {b[0] for b in bits}]
    for first, second in itertools.combinations(numbers, 2):
        if max(np.abs(first[1]).max(), np.abs(second[1]).max()) < 2**20:
            yield applied("mul", first, second)
        yield applied("max", first, second)
        yield applied("min", first, second)
        if min(first[1].min(), second[1].min()) >= 0:
            yield applied("xor", first, second)


def _bounded(sums: list[Term], target: np.ndarray) -> Iterator[Term]:
    """Within the smallest and the largest value of the target."""
    low, high = int(target.min()), int(target.max())
    for term in sums:
        if term[1].max() > high and term[1].min() < high:
            yield applied("min", term, high)
        if term[1].min() < low and term[1].max() > low:
            yield applied("max", term, low)


def _remainders(found: list[Term], leaves, target: np.ndarray, table: Table) -> Iterator[Term]:
    high = int(target.max())
    every = [c for c in table.constants if 2 <= c <= _LARGEST_DIVISOR]
    divisors = set(every[:_MOST_DIVISORS])
    moduli = {high + 1, *[c for c in every if c > high][:_MOST_DIVISORS]}
    for term in found + leaves:
        largest = np.abs(term[1]).max()
        if target.min() >= 0 and high >= 1 and 1 < high + 1 <= 2 * largest + 2:
            yield from (applied("mod", term, m) for m in sorted(moduli) if m > 1)
        yield from (applied("floordiv", term, d) for d in sorted(divisors) if d <= largest)
