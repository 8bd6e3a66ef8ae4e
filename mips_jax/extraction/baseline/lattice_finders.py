"""The paper's two lattice finders (section 3.3) and the choice between them by description length.

- Linear: with an affine transition h' = W h + V x + b the reachable states are the integer span of
the Krylov vectors
  V_i, W V_i, W^2 V_i, ... and of the first displacement under zero input; the first D independent
  ones are the basis.
- GCD: the volumes spanned by points of a lattice are multiples of its cell's. Euclid's algorithm on
vectors: a point
  with a fractional coordinate f replaces a basis vector by its remainder and the volume shrinks by
  |f|, until all are integer.

Axes: N points, H hidden units, D lattice dimensions.
"""

from __future__ import annotations

import numpy as np

from mips_jax.extraction.baseline.basis_change import AffineTransition
from mips_jax.extraction.baseline.lattice import IntegerCode, fit_code, reduce_codes
from mips_jax.extraction.baseline.lattice_basis import lll

# of a cell: a coordinate this close to an integer counts as one in Euclid's algorithm
INTEGER_WITHIN = 0.1
INDEPENDENT = 0.02  # of a vector's length, that must lie outside the span of those before
SMALLEST_CELL = 1e-3  # of the points' spread: a finer lattice explains anything


def linear_finder(
    affine: AffineTransition, points: np.ndarray, origin: np.ndarray
) -> IntegerCode | None:
    """Krylov vectors of the transition as lattice basis.

    Args:
        affine: the transition's linear part.
        points: [N, H] hidden states (or centres of their clusters).
        origin: [H] the point that gets code 0.
    """
    differences = points - origin
    axes = _axes(differences)
    drift = affine.recurrent @ origin + affine.bias - origin
    vectors = [*affine.inputs.T, drift]
    for _ in range(affine.recurrent.shape[0] - 1):
        vectors += [affine.recurrent @ vector for vector in vectors[-affine.inputs.shape[1] - 1 :]]
    generators = np.array(vectors) @ axes.T
    lengths = np.linalg.norm(generators, axis=1)
    generators = generators[lengths > INDEPENDENT * lengths.max(initial=0.0)]
    if not axes.shape[0] or not generators.shape[0]:
        return None
    basis = _euclid(generators, _first_independent(generators, 0.0), SMALLEST_CELL * lengths.max())
    return (
        None
        if basis is None
        else fit_code(points, basis @ axes, origin, finder="linear", must_pay=False)
    )


def gcd_finder(points: np.ndarray, origin: np.ndarray) -> IntegerCode | None:
    """Euclid's algorithm on the volumes that points span.

    Args:
        points: [N, H] hidden states (or centres of their clusters).
        origin: [H] the point that gets code 0.
    """
    differences = points - origin
    axes = _axes(differences)
    if not axes.shape[0]:
        return None
    inside = differences @ axes.T
    smallest = SMALLEST_CELL * np.sqrt((inside**2).sum(1).mean())
    shortest_first = inside[np.argsort(np.linalg.norm(inside, axis=1), kind="stable")]
    basis = _euclid(inside, _first_independent(shortest_first, smallest), smallest)
    if basis is None:
        return None
    code = fit_code(points, lll(basis) @ axes, origin, finder="gcd", must_pay=False)
    return None if code is None else reduce_codes(code)


def lattice_codes(
    affine: AffineTransition, points: np.ndarray, origins: list[np.ndarray]
) -> list[IntegerCode]:
    """The shortest description by each finder, from several points of departure; the shorter of the
    two first.
    """
    best: dict[str, IntegerCode] = {}
    for origin in origins:
        for code in (linear_finder(affine, points, origin), gcd_finder(points, origin)):
            if code is not None:
                kept = best.setdefault(code.finder, code)
                if code.description_length < kept.description_length:
                    best[code.finder] = code
    return sorted(best.values(), key=lambda code: code.description_length)


def _euclid(vectors: np.ndarray, basis: np.ndarray | None, smallest: float) -> np.ndarray | None:
    """Refines a basis [D, D] until every vector [N, D] is an integer combination of it.

    None where there is no basis, or it would become finer than `smallest`. A vector with a
    fractional coordinate f takes the place of that basis vector, less its integer part: the volume
    shrinks to |f| <= 1/2 of what it was.
    """
    while basis is not None and np.linalg.norm(lll(basis), axis=1).min() >= smallest:
        coordinates = vectors @ np.linalg.inv(basis)
        fractions = coordinates - np.rint(coordinates)
        vector, axis = np.unravel_index(np.argmax(np.abs(fractions)), fractions.shape)
        if abs(fractions[vector, axis]) <= INTEGER_WITHIN:
            return basis
        basis = basis.copy()
        basis[axis] = fractions[vector] @ basis
    return None


def _axes(differences: np.ndarray) -> np.ndarray:
    """[D, H]: orthonormal directions in which points differ by more than noise."""
    _, _, axes = np.linalg.svd(differences, full_matrices=False)
    return axes[: _rank(differences)]


def _rank(differences: np.ndarray) -> int:
    """Dimensions in which points differ by more than noise."""
    singular = np.linalg.svd(differences, compute_uv=False)
    return (
        int((singular > 1e-3 * singular.max(initial=0.0)).sum())
        if singular.max(initial=0.0) > 0
        else 0
    )


def _outside(vector: np.ndarray, basis: list[np.ndarray]) -> float:
    """Length of the vector's component outside the span of the basis."""
    if not basis:
        return float(np.linalg.norm(vector))
    orthonormal = np.linalg.qr(np.array(basis).T)[0]
    return float(np.linalg.norm(vector - orthonormal @ (orthonormal.T @ vector)))


def _first_independent(vectors: np.ndarray, smallest: float) -> np.ndarray | None:
    """[D, D]: the first vectors that are independent and not noise, or None where there are too
    few.
    """
    basis: list[np.ndarray] = []
    for vector in vectors:
        length = np.linalg.norm(vector)
        if length > smallest and _outside(vector, basis) > INDEPENDENT * length:
            basis.append(vector)
            if len(basis) == vectors.shape[1]:
                return np.array(basis)
    return None
