"""Guards: the conditions that a person puts before a branch.

Axes: R rows, G guards.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from mips_jax.extraction.plain.table import Pool, Table
from mips_jax.extraction.plain.terms import Term, applied
from mips_jax.programs import Expression
from mips_jax.programs.reading import reading_bits

_MOST_VALUES = 12  # of a variable that is compared with each of them
_MOST_GUARDS = 400


def guards(table: Table) -> Pool:
    """Conditions with their truth on each row, neither always true nor always false; of a condition
    and its opposite only one.
    """
    kept: dict[bytes, tuple[float, Expression, np.ndarray]] = {}
    for expression, values in _conditions(table):
        held = np.asarray(values) != 0
        if held.all() or not held.any():
            continue
        cost = reading_bits(expression, table.bits)
        for _mine, key in ((held, held.tobytes()), (~held, (~held).tobytes())):
            if key in kept:
                if cost < kept[key][0]:
                    del kept[key]
                    kept[held.tobytes()] = (cost, expression, held)
                break
        else:
            kept[held.tobytes()] = (cost, expression, held)
    ranked = sorted(kept.values(), key=lambda entry: entry[0])[:_MOST_GUARDS]
    return Pool(
        tuple(expression for _, expression, _ in ranked),
        np.array([held for _, _, held in ranked]).reshape(len(ranked), table.rows),
        np.array([cost for cost, _, _ in ranked]),
    )


def _conditions(table: Table) -> Iterator[Term]:
    leaves = list(table.columns.items())
    bits = [leaf for leaf in leaves if leaf[0] in table.bits]
    yield from bits
    numbers = [leaf for leaf in leaves if leaf[0] not in table.bits]
    for leaf in numbers:
        yield from _against_constants(leaf, table)
    for first, second in itertools.combinations(leaves, 2):
        alike = (first in bits) == (second in bits)
        yield applied("ne", first, second)
        if alike and first not in bits:
            yield applied("lt", first, second)
            yield applied("gt", first, second)
        if not (first in bits and second in bits):
            yield from _against_constants(applied("add", first, second), table, orders_only=True)
    for leaf, divisor in itertools.product(numbers, table.constants):
        if 2 <= divisor <= int(np.abs(leaf[1]).max()):
            for part in (applied("floordiv", leaf, divisor), applied("mod", leaf, divisor)):
                yield from _part(part, bits)


def _part(part: Term, bits) -> Iterator[Term]:
    """A digit of a number: compared with each bit where it is one itself, else with 0."""
    if part[1].min() == 0 and part[1].max() == 1:
        yield from (applied("ne", bit, part) for bit in bits)
    yield applied("eq", part, 0)


def _against_constants(term: Term, table: Table, orders_only: bool = False) -> Iterator[Term]:
    values = np.unique(term[1])
    if len(values) > _MOST_VALUES:
        values = np.intersect1d(values, [0, *table.constants])
    for value in values.tolist():
        if not orders_only:
            yield applied("eq", term, value)
        yield applied("ge", term, value)
        yield applied("gt", term, value)
