"""Affine maps over the integers: found exactly, also under a modulus; written as a person would.

Axes: N rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mips_jax.programs import Const, Expression, call

_LARGEST = 1e6  # coefficients beyond it are accidents of the least squares
_ROWS = 2000  # rows that are eliminated; the result is checked on all


def integer_affine(columns: list[np.ndarray], target: np.ndarray) -> tuple[list[int], int] | None:
    """Integer coefficients and offset with target = sum_i c_i column_i + offset on every row [N],
    or None.
    """
    design = np.stack([*columns, np.ones(len(target))], axis=1).astype(np.float64)
    solution = np.linalg.lstsq(design, target.astype(np.float64), rcond=None)[0]
    rounded = np.rint(solution)
    if np.abs(rounded).max() > _LARGEST or not np.array_equal(
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
    if len(rows) > _ROWS:
        rows = rows[np.random.default_rng(0).choice(len(rows), _ROWS, replace=False)]
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
