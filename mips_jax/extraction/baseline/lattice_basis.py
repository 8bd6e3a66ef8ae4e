"""Bases of lattices given by noisy generators.

Axes: N vectors, G generators reduced together, H dimensions of the space, D of the lattice.
"""

from __future__ import annotations

import numpy as np

POINTS_FOR_SEARCH = 300  # points whose differences are looked at
GENERATORS_BEYOND = 6  # generators reduced together, beyond a multiple of the dimension


def lattice_basis(vectors: np.ndarray, zero: float) -> np.ndarray | None:
    """A reduced basis of the lattice that noisy vectors generate.

    Args:
        vectors: [N, H] float64.
        zero: length below which a vector is noise.

    Returns:
        [D, H], or None where the vectors generate no lattice much coarser than `zero`.
    """
    _, singular, axes = np.linalg.svd(vectors, full_matrices=False)
    axes = axes[singular > 3 * zero * np.sqrt(vectors.shape[0])]
    points = vectors @ axes.T  # [N, D], within the subspace that is not noise
    dim = axes.shape[0]
    if dim == 0 or points.shape[0] < dim:
        return None
    short = _short_differences(points, zero)
    # Many generators at once have relations with small coefficients, and these amplify noise
    # little.
    basis = _generated(_distinct(short, zero, 3 * dim + GENERATORS_BEYOND), zero, dim)
    for _ in range(4 * dim + 4):
        if basis is None:
            return None
        basis = _refit(basis, short)
        unexplained = _unexplained(points, basis, zero)
        if not unexplained.any():
            return basis @ axes
        residues = points[unexplained] - np.rint(points[unexplained] @ np.linalg.inv(basis)) @ basis
        residues = residues[np.argsort(np.linalg.norm(residues, axis=1), kind="stable")]
        residues = _distinct(residues, zero, dim + GENERATORS_BEYOND)
        basis = _generated(np.concatenate([basis, residues]), zero, dim)
    return None


def lll(vectors: np.ndarray, delta: float = 0.99) -> np.ndarray:
    """Lenstra-Lenstra-Lovasz reduction of linearly independent rows [D, H] float64.

    In floats: sympy's exact reduction fails on some bases (an assertion of its own, 1.14), and its
    input would be noisy here anyway.
    """
    reduced = np.array(vectors, np.float64)
    count = reduced.shape[0]
    k = 1
    norms, coefficients = _gram_schmidt(reduced)
    while k < count:
        for j in range(k - 1, -1, -1):
            factor = np.rint(coefficients[k, j])
            if factor:
                reduced[k] -= factor * reduced[j]
                coefficients[k, : j + 1] -= factor * coefficients[j, : j + 1]
        if norms[k] >= (delta - coefficients[k, k - 1] ** 2) * norms[k - 1]:
            k += 1
        else:
            reduced[[k, k - 1]] = reduced[[k - 1, k]]
            norms, coefficients = _gram_schmidt(reduced)
            k = max(k - 1, 1)
    return reduced


def _gram_schmidt(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared norms [D] of the orthogonalised rows, and the coefficients [D, D] (unit lower
    triangular).
    """
    _, upper = np.linalg.qr(rows.T)
    diagonal = np.diag(upper).copy()
    diagonal[diagonal == 0] = 1e-300
    return np.diag(upper) ** 2, (upper / diagonal[:, None]).T


def _short_differences(points: np.ndarray, zero: float) -> np.ndarray:
    """The points and their differences, those that are not noise, the shortest first."""
    few = points[: 2 * POINTS_FOR_SEARCH // 3]
    differences = (few[:, None] - few[None, :])[np.triu_indices(few.shape[0], 1)]
    vectors = np.concatenate([points, differences])
    lengths = np.linalg.norm(vectors, axis=1)
    vectors, lengths = vectors[lengths > 6 * zero], lengths[lengths > 6 * zero]
    return vectors[np.argsort(lengths, kind="stable")[:4_000]]


def _unexplained(points: np.ndarray, basis: np.ndarray, zero: float) -> np.ndarray:
    """[N] bool: points that are not integer combinations of the basis, within the noise."""
    codes = np.rint(points @ np.linalg.inv(basis))
    away = np.linalg.norm(points - codes @ basis, axis=1)
    return away > max(6 * zero, 0.1 * np.linalg.norm(basis, axis=1).min())


def _generated(generators: np.ndarray, zero: float, dim: int) -> np.ndarray | None:
    """Reduced basis [D, D] of the lattice that [G, D] vectors generate, or None where it is too
    fine for the noise.

    The rows (vector / zero, multipliers) are reduced: G - D short rows are the relations among the
    generators, the others a basis.
    """
    count = generators.shape[0]
    if count < dim:
        return None
    extended = lll(np.concatenate([generators / zero, np.eye(count)], axis=1))
    vectors = extended[:, :dim] * zero
    lengths = np.linalg.norm(vectors, axis=1)
    order = np.argsort(lengths, kind="stable")
    relations, rest = vectors[order[: count - dim]], vectors[order[count - dim :]]
    noise = np.linalg.norm(relations, axis=1).max(initial=0.0)
    if noise > 0.2 * lengths[order[count - dim]] or lengths[order[count - dim]] < 12 * zero:
        return None
    if np.linalg.matrix_rank(rest) < dim:
        return None
    return lll(rest)


def _distinct(vectors: np.ndarray, zero: float, count: int) -> np.ndarray:
    """The first `count` vectors that differ, up to sign, by more than noise; each the mean of the
    vectors like it.
    """
    sums: list[np.ndarray] = []
    sizes: list[int] = []
    for vector in vectors[: 40 * count]:
        means = np.array(sums).reshape(-1, vectors.shape[1]) / np.array(sizes)[:, None]
        apart = np.minimum(np.abs(means - vector).max(1), np.abs(means + vector).max(1))
        if apart.size and apart.min() <= 6 * zero:
            like = int(np.argmin(apart))
            sums[like] = sums[like] + (vector if sums[like] @ vector > 0 else -vector)
            sizes[like] += 1
        elif len(sums) < count:
            sums.append(vector)
            sizes.append(1)
    return np.array(sums).reshape(-1, vectors.shape[1]) / np.array(sizes)[:, None]


def _refit(basis: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Least-squares fit of the basis to vectors (shortest first): to the nearest, then to more and
    more of them.
    """
    for count in (2**k for k in range(5, 13)):
        codes = np.rint(vectors[:count] @ np.linalg.inv(basis))
        away = np.linalg.norm(vectors[:count] - codes @ basis, axis=1)
        explained = away < 0.25 * np.linalg.norm(basis, axis=1).min()
        if explained.any() and np.linalg.matrix_rank(codes[explained]) == basis.shape[0]:
            refitted = np.linalg.lstsq(codes[explained], vectors[:count][explained], rcond=None)[0]
            if np.linalg.matrix_rank(refitted) == basis.shape[0]:
                basis = refitted
        if count >= vectors.shape[0]:
            break
    return basis
