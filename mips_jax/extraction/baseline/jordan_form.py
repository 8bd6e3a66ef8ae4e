"""Real Jordan form of a matrix that was trained, so that its eigenvalues are never exactly
repeated.

An eigenvalue of a Jordan block of size k that is off by e moves by e^(1/k). So eigenvalues within a
radius are taken
together: their mean, which is well conditioned, is the block's eigenvalue, and the block's chain is
    read off the powers
of (W - mean) on their joint invariant subspace. Several radii are tried; the form kept is the best
conditioned one of those that reproduce the matrix. Blocks of complex pairs are rotations [[a, b],
[-b, a]].

Axes: H dimensions of the matrix, K of one cluster of eigenvalues.
"""

from __future__ import annotations

import dataclasses

import numpy as np

RADII = (0.0, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7)
LARGEST_ERROR = 0.02  # of an entry of the Jordan matrix, absolute
LARGEST_CONDITION = 1e6
SNAP = 0.01  # eigenvalues this close to an integer are taken to be that integer


@dataclasses.dataclass(frozen=True)
class JordanBlock:
    """One block on the diagonal.

    Attributes:
        start: its first row.
        size: rows it takes.
        eigenvalue: real, or the member with positive imaginary part of a complex pair (size 2).
    """

    start: int
    size: int
    eigenvalue: complex

    @property
    def rows(self) -> slice:
        return slice(self.start, self.start + self.size)

    @property
    def is_rotation(self) -> bool:
        return abs(self.eigenvalue.imag) > 0


@dataclasses.dataclass(frozen=True, eq=False)
class JordanForm:
    """basis^-1 @ matrix @ basis = form, up to `error`.

    Attributes:
        basis: [H, H] real, columns are the (generalised) eigenvectors.
        form: [H, H] real, block diagonal: ones above the diagonal within a block.
        blocks: of the diagonal, in order.
        error: largest entry of basis^-1 @ matrix @ basis - form.
    """

    basis: np.ndarray
    form: np.ndarray
    blocks: tuple[JordanBlock, ...]
    error: float


def jordan_form(matrix: np.ndarray) -> JordanForm | None:
    """The best conditioned real Jordan form that reproduces the matrix, or None where none is well
    conditioned.
    """
    found = []
    for radius in RADII:
        candidate = _form_with_radius(matrix, radius)
        if candidate is not None and candidate.error <= LARGEST_ERROR:
            condition = np.linalg.cond(candidate.basis)
            if condition < LARGEST_CONDITION:
                found.append((condition, candidate))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _form_with_radius(matrix: np.ndarray, radius: float) -> JordanForm | None:
    columns, blocks, start = [], [], 0
    for cluster in _clusters(np.linalg.eigvals(matrix), radius):
        subspace = _invariant_subspace(matrix, cluster)
        if abs(cluster.mean().imag) > 1e-9:
            if cluster.size > 1:
                return None  # a repeated complex pair: its chains are not built
            chains = [_rotation(matrix, cluster[0])]
        else:
            inner = _chains(subspace.T @ matrix @ subspace, _snapped(float(cluster.mean().real)))
            if inner is None:
                return None
            chains = [subspace @ chain for chain in inner]
        for chain in chains:
            mean = cluster.mean()
            value = complex(mean) if abs(mean.imag) > 1e-9 else complex(_snapped(float(mean.real)))
            columns.append(chain)
            blocks.append(JordanBlock(start, chain.shape[1], value))
            start += chain.shape[1]
    basis = np.concatenate(columns, axis=1)
    if (
        basis.shape[0] != basis.shape[1]
        or not np.isfinite(basis).all()
        or np.linalg.cond(basis) > 1e12
    ):
        return None
    form = _block_diagonal(blocks, basis.shape[0])
    error = float(np.abs(np.linalg.solve(basis, matrix @ basis) - form).max())
    return JordanForm(basis, form, tuple(blocks), error)


def _clusters(eigenvalues: np.ndarray, radius: float) -> list[np.ndarray]:
    """Groups of eigenvalues connected by steps of at most `radius`; of two conjugate groups only
    the upper one.
    """
    remaining = list(range(eigenvalues.size))
    groups = []
    while remaining:
        group = [remaining.pop(0)]
        for member in group:
            near = [i for i in remaining if abs(eigenvalues[i] - eigenvalues[member]) <= radius]
            group += near
            remaining = [i for i in remaining if i not in near]
        groups.append(eigenvalues[group])
    kept = []
    for values in groups:
        if abs(values.mean().imag) <= 1e-9:
            kept.append(np.asarray(values, complex).real + 0j if values.size == 1 else values)
        elif values.mean().imag > 0:
            kept.append(values)
    return sorted(kept, key=lambda g: (-round(abs(g.mean()), 6), g.mean().real))


def _invariant_subspace(matrix: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """[H, K] orthonormal basis of the cluster's joint invariant subspace (null space of the product
    of its factors).
    """
    product = np.eye(matrix.shape[0], dtype=complex)
    for value in cluster:
        product = product @ (matrix - value * np.eye(matrix.shape[0]))
    _, _, right = np.linalg.svd(product.real if abs(cluster.mean().imag) <= 1e-9 else product)
    return (
        right[-cluster.size :].conj().T.real
        if abs(cluster.mean().imag) <= 1e-9
        else right[-cluster.size :].conj().T
    )


def _rotation(matrix: np.ndarray, eigenvalue: complex) -> np.ndarray:
    """[H, 2]: real and imaginary part of the eigenvector, on which the matrix acts as [[a, b], [-b,
    a]].
    """
    values, vectors = np.linalg.eig(matrix)
    vector = vectors[:, np.argmin(np.abs(values - eigenvalue))]
    return np.stack([vector.real, vector.imag], axis=1)


def _chains(restricted: np.ndarray, eigenvalue: float) -> list[np.ndarray] | None:
    """Jordan chains of a matrix with a single eigenvalue.

    Args:
        restricted: [K, K], nearly eigenvalue * 1 + nilpotent.
        eigenvalue: the eigenvalue.

    Returns:
        Arrays [K, length] with K columns in all, each (N^(m-1) v, ..., N v, v); longest first.
    """
    size = restricted.shape[0]
    nilpotent = restricted - eigenvalue * np.eye(size)
    powers = [np.eye(size)]
    for _ in range(size):
        powers.append(powers[-1] @ nilpotent)
    scale = max(1.0, np.abs(nilpotent).max())
    ranks = [
        int((np.linalg.svd(p, compute_uv=False) > 0.03 * scale**i).sum())
        for i, p in enumerate(powers)
    ]
    if ranks[size] != 0:
        return None
    chains: list[np.ndarray] = []
    for length in range(size, 0, -1):
        # Number of blocks of exactly this length, from the ranks of the powers.
        after = ranks[length + 1] if length < size else 0
        blocks = ranks[length - 1] - 2 * ranks[length] + after
        for _ in range(blocks):
            head = _head(powers, length, chains)
            chains.append(np.stack([powers[p] @ head for p in range(length - 1, -1, -1)], axis=1))
    return chains if sum(c.shape[1] for c in chains) == size else None


def _head(powers: list[np.ndarray], length: int, chains: list[np.ndarray]) -> np.ndarray:
    """A vector that N^length kills, whose N^(length - 1) image is largest beyond the ends of the
    chains so far.
    """
    size = powers[0].shape[0]
    _, singular, right = np.linalg.svd(powers[length])
    killed = (
        right[singular <= max(0.03, 3e-2 * singular.max(initial=0.0))].T
        if length < size
        else np.eye(size)
    )
    ends = np.stack([c[:, 0] for c in chains], axis=1) if chains else np.zeros((size, 0))
    image = powers[length - 1] @ killed
    if ends.shape[1]:
        orthonormal = np.linalg.qr(ends)[0]
        image = image - orthonormal @ (orthonormal.T @ image)
    _, _, directions = np.linalg.svd(image)
    return killed @ directions[0]


def _block_diagonal(blocks: list[JordanBlock], size: int) -> np.ndarray:
    form = np.zeros((size, size))
    for block in blocks:
        a, b = block.eigenvalue.real, block.eigenvalue.imag
        if block.is_rotation:
            form[block.rows, block.rows] = [[a, b], [-b, a]]
        else:
            form[block.rows, block.rows] = a * np.eye(block.size) + np.eye(block.size, k=1)
    return form


def _snapped(value: float) -> float:
    return float(round(value)) if abs(value - round(value)) <= SNAP else value
