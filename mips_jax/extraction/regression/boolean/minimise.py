"""The shortest formula for a Boolean table: two-level minimisation, exclusive-or form, counts,
gates split off.

A row is an integer whose bit i is variable i. Rows that are neither on nor off are don't-cares.
Every form below is tried and the shortest wins:

- sum of products of the on-set, and of the off-set negated (Quine-McCluskey, `two_level.py`);
- exclusive-or of products (Zhegalkin polynomial: Moebius transform or, with don't-cares,
elimination over GF(2));
- a count of literals that is at least, at most, exactly, between (`a + b + c >= 2`), or a weighted
sum of them;
- `v and f`, `v or f`, `v ^ f` with a single variable split off; two variables that matter only
through one gate
  (`a ^ b`, `a and b`, ...) merged into it; `f if v else g`; each searched further by the same
  means.

Axes: N rows given, K variables.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from mips_jax.extraction.regression.boolean.forms import (
    count_forms,
    exclusive_or_forms,
    gate_forms,
    literal_forms,
    selector_forms,
    threshold_forms,
    two_level_forms,
)
from mips_jax.extraction.regression.boolean.table import PartialTable, minimum_support
from mips_jax.extraction.regression.boolean.two_level import DENSE_BITS
from mips_jax.programs import Const, Expression, Var, expression_bits, negation, walk

# Nodes of a minimum cover: without, and with, a count or an exclusive-or to beat.
FULL_NODES, SHORT_NODES = 200, 20
SELECTOR_BITS = 4  # K up to which `f if v else g` is tried


class ConflictError(ValueError):
    """A table asks for both values of one row."""


def minimise(
    on_set: Sequence[int] | np.ndarray,
    dont_care: Sequence[int] | np.ndarray,
    bits: int,
    variables: Sequence[Expression] | None = None,
) -> Expression:
    """The shortest formula found that is 1 on the on-set, anything on don't-cares, 0 elsewhere.

    Args:
        on_set: rows with value 1 (bit i of a row is variable i).
        dont_care: rows with either value.
        bits: K, the number of variables; every row is listed, so K is small (`minimise_table` takes
            up to 62).
        variables: [K] what stands for each variable; `b0`, `b1`, ... by default.

    Returns:
        An expression of and, or, not, xor, comparisons of counts.

    >>> from mips_jax.programs import expression_text
    >>> expression_text(minimise([3, 5, 6, 7], [], 3))
    'b0 + b1 + b2 > 1'
    >>> expression_text(minimise([1, 2, 4, 7], [], 3))
    'b0 ^ b1 ^ b2'
    """
    value = np.zeros(1 << bits, np.int8)
    value[np.asarray(dont_care, np.int64)] = 2
    value[np.asarray(on_set, np.int64)] = 1
    return _best(
        PartialTable(
            np.flatnonzero(value == 1), np.flatnonzero(value == 0), _names(bits, variables)
        )
    )


def minimise_table(
    rows: np.ndarray, values: np.ndarray, variables: Sequence[Expression] | None = None
) -> Expression:
    """The shortest formula found for the rows that are given; all other rows are don't-cares.

    Args:
        rows: [N, K] integers 0 or 1, K up to 62.
        values: [N] integers 0 or 1.
        variables: [K] what stands for each variable.

    Raises:
        ConflictError: the same row occurs with both values.
    """
    packed = (np.asarray(rows, np.int64) << np.arange(rows.shape[1])).sum(1)
    on, off = np.unique(packed[np.asarray(values) == 1]), np.unique(packed[np.asarray(values) == 0])
    conflicts = np.intersect1d(on, off)
    if conflicts.size:
        row = tuple(int(b) for b in (conflicts[0] >> np.arange(rows.shape[1])) & 1)
        raise ConflictError(f"{conflicts.size} rows occur with both values, {row} among them")
    return _best(PartialTable(on, off, _names(rows.shape[1], variables)))


def _names(bits: int, variables: Sequence[Expression] | None) -> tuple[Expression, ...]:
    return tuple(variables) if variables is not None else tuple(Var(f"b{i}") for i in range(bits))


def _best(table: PartialTable) -> Expression:
    """The shortest of all forms."""
    memo: dict[tuple, Expression] = {}

    def search(table: PartialTable, depth: int) -> Expression:
        if not table.on.size:
            return Const(0)
        if not table.off.size:
            return Const(1)
        if table.key not in memo:
            memo[table.key] = min(forms(table, depth), key=_length)
        return memo[table.key]

    def forms(table: PartialTable, depth: int) -> Iterator[Expression]:
        narrow = minimum_support(table)
        if narrow.bits == 1:
            yield narrow.variables[0] if narrow.on[0] == 1 else negation(narrow.variables[0])
            return
        short = [*exclusive_or_forms(narrow), *count_forms(narrow), *threshold_forms(narrow)]
        yield from short
        nodes = (SHORT_NODES if short else FULL_NODES) // (1 + depth) + 1
        if not table.complete and narrow.bits < table.bits <= DENSE_BITS:
            yield from two_level_forms(table, nodes)  # other variables may need fewer literals
        table = narrow
        yield from two_level_forms(table, nodes)
        if depth < 12:
            recurse = functools.partial(search, depth=depth + 1)
            if table.bits <= SELECTOR_BITS:
                yield from selector_forms(table, recurse)
            splits = itertools.chain(literal_forms(table, recurse), gate_forms(table, recurse))
            # Splits of a complete function lead to one another's results; with don't-cares a few
            # are compared.
            yield from itertools.islice(splits, 2 if table.complete or table.bits > 6 else 6)

    return search(table, 0)


def _length(expression: Expression) -> float:
    """Bits, and a little for each symbol: a sub-expression written twice is not as short as one
    written once.
    """
    return expression_bits(expression) + 0.5 * sum(1 for _ in walk(expression))
