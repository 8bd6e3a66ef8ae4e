"""Exact algebra of integer matrices: independent rows, integer solutions, Hermite's form; by
sympy's matrices over the integers and the rationals.

Axes: N rows, D dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sympy.polys.matrices import DomainMatrix

_LARGEST = 2**62  # entry that is kept in 64 bits


def independent_rows(matrix: np.ndarray) -> list[int]:
    """Indices of the first rows of an integer matrix [N, D] that span all its rows."""
    _, pivots = _exact(matrix.T).to_field().rref()
    return list(pivots)


def solved_rows(basis: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    """Integer M [N, K] with M @ basis = targets exactly; None where there is none.

    Args:
        basis: [K, D] integers, independent rows.
        targets: [N, D] integers.
    """
    count = len(basis)
    joined = _exact(np.concatenate([basis, targets]).T).to_field()
    reduced, pivots = joined.rref()
    if tuple(pivots) != tuple(range(count)):
        return None
    solution = reduced.to_Matrix()[:count, count:].T
    if not all(value.is_Integer and abs(value) < _LARGEST for value in solution):
        return None
    return np.array(solution.tolist(), np.int64).reshape(len(targets), count)


def hermite_basis(rows: np.ndarray) -> np.ndarray | None:
    """Echelon basis [<= D, D] of the lattice that integer rows [N, D] generate (Hermite's form);
    None where it does not fit 64 bits.
    """
    from sympy.polys.matrices.normalforms import hermite_normal_form

    rows = rows[rows.any(axis=1)]
    if not len(rows):
        return np.zeros((0, rows.shape[1]), np.int64)
    # sympy's form is an echelon of columns from the last row on
    form = hermite_normal_form(_exact(rows.T[::-1])).transpose().to_list()
    if any(abs(value) >= _LARGEST for row in form for value in row):
        return None
    return np.array(form, np.int64).reshape(-1, rows.shape[1])[::-1, ::-1]


def _exact(matrix: np.ndarray) -> DomainMatrix:
    from sympy import ZZ
    from sympy.polys.matrices import DomainMatrix

    rows = [[ZZ(int(value)) for value in row] for row in matrix]
    return DomainMatrix(rows, matrix.shape, ZZ)
