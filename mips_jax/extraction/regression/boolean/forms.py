"""Forms of one partial Boolean function, each an expression: sums of products, exclusive-ors,
counts, gates split off.

Forms that split something off are given a `search` for the rest. K: variables of the function.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeGuard

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from mips_jax.extraction.regression.boolean.table import PartialTable, drop_bit
from mips_jax.extraction.regression.boolean.two_level import (
    DENSE_BITS,
    TwoLevel,
    sum_of_products,
    sum_of_products_against_off_set,
)
from mips_jax.programs import Call, Const, Expression, call, negation

GATES = {  # two variables -> one, on 0/1 arrays; the other two-input gates are complements of these
    "xor": lambda a, b: a ^ b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "and_not": lambda a, b: a & (1 - b),
    "not_and": lambda a, b: (1 - a) & b,
}
LARGEST_WEIGHT = 8  # of a variable in a weighted sum
THRESHOLD_NODES = 50  # of branch and bound: weights that exist are found at the first few
GATE_BITS = 10  # K up to which pairs of variables are tried for a gate
POLARITY_BITS = 8  # K up to which every sign pattern is tried for counts


def two_level_forms(table: PartialTable, nodes: int) -> Iterator[Expression]:
    """Sum of products, and the negated sum of products of the complement, also as a product of
    sums.

    Args:
        table: the function.
        nodes: of branch and bound in each search for a minimum cover.
    """
    if table.bits <= DENSE_BITS:
        dont_care = table.dont_care
        positive = sum_of_products(table.on, dont_care, table.bits, nodes=nodes)
        negative = sum_of_products(table.off, dont_care, table.bits, nodes=nodes)
    else:
        positive = sum_of_products_against_off_set(table.on, table.off, table.bits)
        negative = sum_of_products_against_off_set(table.off, table.on, table.bits)
    yield _sum_of_products_expression(positive, table.variables)
    yield negation(_sum_of_products_expression(negative, table.variables))
    yield _product_of_sums_expression(negative, table.variables)


def exclusive_or_forms(table: PartialTable) -> Iterator[Expression]:
    monomials = polynomial(table.on, table.bits) if table.complete else _sparse_polynomial(table)
    if monomials is None or len(monomials) > 4 * table.bits:
        return
    odd = 0 in monomials
    products = [_product(mask, mask, table.variables) for mask in monomials if mask]
    if not products:
        return
    if odd and len(products) == 2:
        yield call("eq", *products)
    elif odd:
        yield negation(fold("xor", products))
        yield fold("xor", [negation(products[0]), *products[1:]])
    else:
        yield fold("xor", products)


def _sparse_polynomial(table: PartialTable) -> list[int] | None:
    """A polynomial of low degree that agrees with a partial function (elimination over GF(2)), or
    None.
    """
    rows = np.concatenate([table.on, table.off])
    target = np.arange(rows.size) < table.on.size
    for degree in (1, 2):
        subsets = [
            c for d in range(degree + 1) for c in itertools.combinations(range(table.bits), d)
        ]
        if len(subsets) > 300:
            return None
        masks = np.array([sum(1 << i for i in c) for c in subsets], np.int64)
        solution = _solve_gf2((rows[:, None] & masks) == masks, target)
        if solution is not None:
            return [int(m) for m in masks[solution]]
    return None


def _solve_gf2(matrix: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """A solution [columns] bool of matrix x = target over GF(2), free variables 0; None where there
    is none.
    """
    work = np.concatenate([matrix, target[:, None]], axis=1)
    pivots, row = [], 0
    for column in range(matrix.shape[1]):
        below = np.flatnonzero(work[row:, column])
        if not below.size:
            continue
        work[[row, row + below[0]]] = work[[row + below[0], row]]
        others = work[:, column].copy()
        others[row] = False
        work[others] ^= work[row]
        pivots.append(column)
        row += 1
        if row == work.shape[0]:
            break
    if work[row:, -1].any():
        return None
    solution = np.zeros(matrix.shape[1], bool)
    solution[pivots] = work[: len(pivots), -1]
    return solution


def count_forms(table: PartialTable) -> Iterator[Expression]:
    """Conditions on how many of the literals are true."""
    for polarity in _polarities(table):
        counts_on = np.unique(np.bitwise_count(table.on ^ polarity))
        counts_off = np.unique(np.bitwise_count(table.off ^ polarity))
        if np.intersect1d(counts_on, counts_off).size:
            continue
        literals = [negation(v) if polarity >> i & 1 else v for i, v in enumerate(table.variables)]
        count = fold("add", literals)
        yield from _conditions_on_count(
            count, [int(c) for c in counts_on], [int(c) for c in counts_off]
        )


def _polarities(table: PartialTable) -> list[int]:
    """Sign patterns to try, each or its complement (counting the others says the same)."""
    if table.bits <= POLARITY_BITS:
        half = range(1 << table.bits)
        full = (1 << table.bits) - 1
        return [p for p in half if (p.bit_count(), p) <= ((full ^ p).bit_count(), full ^ p)]
    often = lambda rows: (rows[:, None] >> np.arange(table.bits) & 1).mean(0)
    signs = often(table.on) < often(table.off)
    by_correlation = int((signs << np.arange(table.bits)).sum())
    return sorted({0, by_correlation, ((1 << table.bits) - 1) ^ by_correlation}, key=int.bit_count)[
        :2
    ]


def _conditions_on_count(count: Expression, on: list[int], off: list[int]) -> Iterator[Expression]:
    low, high = on[0], on[-1]
    if all(c < low for c in off):
        yield call("gt", count, low - 1)
    elif all(c > high for c in off):
        yield call("lt", count, high + 1)
    elif len(on) == 1:
        yield call("eq", count, low)
    elif len(off) == 1:
        yield call("ne", count, off[0])
    else:
        yield call("in", count, *on)


def threshold_forms(table: PartialTable) -> Iterator[Expression]:
    """A weighted sum of variables above a threshold, with small integer weights (`2 * a + b > c + 2
    * d`).
    """
    if table.bits < 3:
        return
    digits = lambda rows: (rows[:, None] >> np.arange(table.bits)) & 1
    points = np.concatenate([digits(table.on), digits(table.off)])
    signs = np.where(np.arange(points.shape[0]) < table.on.size, 1.0, -1.0)
    found = _smallest_weights(points, signs)
    if found is not None and np.abs(found[0]).max() > 1:  # of ones alone: a count
        yield _threshold_expression(*found, table.variables)


def _smallest_weights(points: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, int] | None:
    """Integer weights [K] of the least total size, and the threshold that their sum exceeds on
    on-rows only; None where no weights up to `LARGEST_WEIGHT` separate the rows.

    Args:
        points: [N, K] 0 or 1.
        signs: [N], 1 for an on-row, -1 for an off-row.
    """
    count = points.shape[1]
    # weights = positive - negative; an on-row has sum >= threshold + 1, an off-row sum <= threshold
    rows = np.concatenate([points, -points, -np.ones((len(points), 1))], axis=1) * signs[:, None]
    price = np.concatenate([np.ones(2 * count), [0.0]])
    bound = np.concatenate([np.full(2 * count, LARGEST_WEIGHT), [LARGEST_WEIGHT * count]])
    found = milp(
        price,
        integrality=np.ones(2 * count + 1, np.int64),
        bounds=Bounds(np.where(price, 0, -bound), bound),
        constraints=LinearConstraint(rows, lb=np.where(signs > 0, 1.0, 0.0)),
        options={"node_limit": THRESHOLD_NODES},
    )
    if found.x is None:
        return None
    whole = np.rint(found.x).astype(np.int64)
    weights, threshold = whole[:count] - whole[count:-1], int(whole[-1])
    separates = np.array_equal(points @ weights > threshold, signs > 0)
    return (weights, threshold) if separates else None


def _threshold_expression(
    weights: np.ndarray, above: int, variables: Sequence[Expression]
) -> Expression:
    """sum of weights * variables > above, negative terms moved to the right."""
    term = lambda w, v: v if w == 1 else call("mul", w, v)
    left = [term(int(w), v) for w, v in zip(weights, variables) if w > 0]
    right = [term(int(-w), v) for w, v in zip(weights, variables) if w < 0]
    if not left:
        return call("lt", fold("add", right), -above)
    if not right:
        return call("gt", fold("add", left), above)
    total = fold("add", right)
    if above:
        total = call("add" if above > 0 else "sub", total, abs(above))
    return call("gt", fold("add", left), total)


def literal_forms(table: PartialTable, search) -> Iterator[Expression]:
    """One variable v split off: `v and f`, `v or f`, `not v and f`, `not v or f`, `v ^ f`."""
    for i, variable in enumerate(table.variables):
        on1, off1 = (rows[rows >> i & 1 == 1] for rows in (table.on, table.off))
        on0, off0 = (rows[rows >> i & 1 == 0] for rows in (table.on, table.off))
        if not on0.size:
            yield call("and", variable, search(table.without(i, on1, off1)))
        elif not on1.size:
            yield call("and", negation(variable), search(table.without(i, on0, off0)))
        elif not off0.size:
            yield call("or", negation(variable), search(table.without(i, on1, off1)))
        elif not off1.size:
            yield call("or", variable, search(table.without(i, on0, off0)))
        else:
            rest = table.without(i, np.concatenate([on0, off1]), np.concatenate([off0, on1]))
            if not np.intersect1d(rest.on, rest.off).size:
                inner = search(rest)
                yield fold("xor", [variable, inner])
                yield call(
                    "eq" if _is_negation(inner) else "ne", variable, _without_negation(inner)
                )


def selector_forms(table: PartialTable, search) -> Iterator[Expression]:
    """`f if v else g` for each variable v."""
    for i, variable in enumerate(table.variables):
        sides = [
            (table.on[table.on >> i & 1 == side], table.off[table.off >> i & 1 == side])
            for side in (1, 0)
        ]
        if all(on.size and off.size for on, off in sides):
            yield call("if", variable, *(search(table.without(i, on, off)) for on, off in sides))


def gate_forms(table: PartialTable, search) -> Iterator[Expression]:
    """Two variables that matter only through one gate are replaced by it."""
    if not 2 < table.bits <= GATE_BITS:
        return
    for i, j in itertools.combinations(range(table.bits), 2):
        for gate, function in GATES.items():
            on, off = (_merged(rows, i, j, function) for rows in (table.on, table.off))
            if np.intersect1d(on, off).size:
                continue
            merged = list(table.variables)
            merged[i] = _gate_expression(gate, table.variables[i], table.variables[j])
            del merged[j]
            yield search(PartialTable.of(on, off, merged))


def _merged(rows: np.ndarray, i: int, j: int, gate: Callable) -> np.ndarray:
    """Rows whose bit i is the gate of bits i and j, without bit j."""
    return drop_bit((rows & ~(1 << i)) | (gate(rows >> i & 1, rows >> j & 1) << i), j)


def _gate_expression(gate: str, a: Expression, b: Expression) -> Expression:
    match gate:
        case "and_not":
            return call("and", a, negation(b))
        case "not_and":
            return call("and", negation(a), b)
        case "xor":
            return fold("xor", [a, b])
    return call(gate, a, b)


def polynomial(on_set: np.ndarray, bits: int) -> list[int]:
    """Zhegalkin polynomial (algebraic normal form): the masks of its monomials, 0 for the constant
    1.
    """
    coefficients = np.zeros((2,) * bits, bool)
    coefficients.reshape(-1)[np.asarray(on_set, np.int64)] = True
    for axis in range(bits):  # Moebius transform
        zero, one = np.moveaxis(coefficients, axis, 0)
        one ^= zero
    return [int(m) for m in np.flatnonzero(coefficients)]


def fold(operator: str, terms: Sequence[Expression]) -> Expression:
    """A balanced tree of an associative binary operator (a thousand left-nested terms would
    overflow the stack).
    """
    if len(terms) == 1:
        return terms[0]
    half = (len(terms) + 1) // 2
    return call(operator, fold(operator, terms[:half]), fold(operator, terms[half:]))


def _is_negation(expression: Expression) -> TypeGuard[Call]:
    return isinstance(expression, Call) and expression.operator == "not"


def _without_negation(expression: Expression) -> Expression:
    return expression.arguments[0] if _is_negation(expression) else expression


def _product(mask: int, value: int, variables: Sequence[Expression]) -> Expression:
    chosen = [
        v if value >> i & 1 else negation(v) for i, v in enumerate(variables) if mask >> i & 1
    ]
    return fold("and", chosen) if chosen else Const(1)


def _sum_of_products_expression(cover: TwoLevel, variables: Sequence[Expression]) -> Expression:
    return (
        fold("or", [_product(m, v, variables) for m, v in cover.cubes]) if cover.cubes else Const(0)
    )


def _product_of_sums_expression(
    complement: TwoLevel, variables: Sequence[Expression]
) -> Expression:
    """De Morgan: the function whose complement is the given cover."""
    sums = []
    for mask, value in complement.cubes:
        literals = [
            negation(v) if value >> i & 1 else v for i, v in enumerate(variables) if mask >> i & 1
        ]
        sums.append(fold("or", literals) if literals else Const(0))
    return fold("and", sums) if sums else Const(1)
