"""Integer autoencoder in any dimension: hidden = codes @ basis + offset with integer codes, by
lattice reduction.

The points' differences generate a lattice if there is one. Its basis comes from the shortest of
them, reduced all at once by Lenstra, Lenstra and Lovasz's algorithm (LLL) next to their
multipliers, so that relations among them turn into short rows and drop out; points that this basis
does not explain refine it, and it is fitted to all points at the end. The search is repeated for
several assumed noise levels. A result must pay for itself in bits: points on a curve, or spread at
random, get no code.

Axes: N points, H hidden units, D lattice dimensions.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.baseline.lattice_basis import POINTS_FOR_SEARCH, lattice_basis, lll
from mips_jax.extraction.integer_algebra import hermite_basis

# Fractions of the points' spread below which a vector counts as zero.
NOISE_LEVELS = (1e-6, 1e-5, 1e-4, 4e-4, 1.5e-3, 4e-3, 8e-3, 1.5e-2, 3e-2, 5e-2)
SMALL_NOISE_LEVELS = NOISE_LEVELS[:6]
# beyond, relations among noisy vectors have coefficients too large for more noise
FEW_DIMENSIONS = 4
MORE_LEVELS = 2  # tried after the first success: the noise may have passed for a finer lattice
VISIBLE = 1e-3  # of the largest spread: directions with less are not stretched to full size
PRECISION = 1e-2  # of a cell, to which basis and offset are written down
LARGEST_FRACTION = 0.35  # of a cell, that any coordinate may lie from its integer
TYPICAL_FRACTION = 0.12  # root mean square of the same; uniform noise has 0.29


@dataclasses.dataclass(frozen=True, eq=False)
class IntegerCode:
    """An affine map between hidden states and integer vectors.

    Attributes:
        basis: [D, H] float64, one row for each lattice dimension.
        offset: [H] float64, the point with code 0.
        codes: [N, D] int64 of the points that it was found from.
        residual: largest distance of a coordinate from its integer, in cells (below 0.5; near 0 is
            good).
        finder: name of the algorithm that found it.
    """

    basis: np.ndarray
    offset: np.ndarray
    codes: np.ndarray
    residual: float
    finder: str

    @property
    def dim(self) -> int:
        return self.basis.shape[0]

    def coordinates(self, hidden: np.ndarray) -> np.ndarray:
        """hidden [N, H] -> real lattice coordinates [N, D]."""
        return (hidden - self.offset) @ np.linalg.pinv(self.basis)

    def encode(self, hidden: np.ndarray) -> np.ndarray:
        """hidden [N, H] -> codes [N, D] int64, the nearest integers."""
        return np.rint(self.coordinates(hidden)).astype(np.int64)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """codes [N, D] -> hidden [N, H]."""
        return codes @ self.basis + self.offset

    @property
    def description_length(self) -> float:
        """Bits of basis and offset (to `PRECISION`, or the residual where that is larger) and of
        the codes.
        """
        scale = max(np.abs(self.basis).max(), 1e-12)
        reals = np.concatenate([self.basis.ravel(), self.offset]) / (
            scale * max(self.residual, PRECISION)
        )
        return float(
            0.5 * np.log2(1 + reals**2).sum()
            + np.log2(1 + np.abs(self.codes)).sum()
            + self.codes.size
        )


def integer_coordinates(
    hidden: np.ndarray, *, origin: np.ndarray | None = None
) -> IntegerCode | None:
    """Finds the lattice that points lie on.

    Args:
        hidden: [N, H] float64 points (hidden states, or centres of their clusters), repetitions
            allowed.
        origin: [H] point that gets code 0; the first point by default.

    Returns:
        The code of shortest description, or None where the points are on no lattice that pays for
        itself.
    """
    hidden = np.asarray(hidden, np.float64)
    origin = hidden[0] if origin is None else np.asarray(origin, np.float64)
    spread = np.sqrt(((hidden - hidden.mean(0)) ** 2).sum(1).mean())
    if not np.isfinite(spread) or hidden.shape[0] < 2:
        return None
    if spread < 1e-9 * max(1.0, np.abs(hidden).max()):
        return None  # a single point: nothing to code
    found: list[IntegerCode] = []
    scales = [_whitening(hidden)] + [np.eye(hidden.shape[1])] * (hidden.shape[1] <= FEW_DIMENSIONS)
    for scale in scales:
        first_found = None
        levels = NOISE_LEVELS if scale.shape[1] <= FEW_DIMENSIONS else SMALL_NOISE_LEVELS
        for level, noise in enumerate(levels):
            if first_found is not None and level > first_found + MORE_LEVELS:
                break
            zero = noise * np.sqrt((((hidden - hidden.mean(0)) @ scale) ** 2).sum(1).mean())
            basis = lattice_basis(_sample((hidden - origin) @ scale, zero), zero)
            code = (
                None
                if basis is None
                else fit_code(hidden, basis @ np.linalg.pinv(scale), origin, finder="lll")
            )
            if code is not None:
                found.append(reduce_codes(whole_lattice(code)))
                first_found = level if first_found is None else first_found
    return min(found, key=lambda code: code.description_length, default=None)


def _whitening(hidden: np.ndarray) -> np.ndarray:
    """[H, D]: rows times it have covariance 1 in the directions in which the points spread visibly.

    A sum over a window moves the state far, its single terms only a little: without it they would
    drown in noise.
    """
    _, singular, axes = np.linalg.svd(hidden - hidden.mean(0), full_matrices=False)
    visible = singular > VISIBLE * singular.max()
    return axes[visible].T / singular[visible] * np.sqrt(hidden.shape[0])


def fit_code(
    hidden: np.ndarray, basis: np.ndarray, origin: np.ndarray, *, finder: str, must_pay: bool = True
) -> IntegerCode | None:
    """Rounds the points' coordinates, fits basis and offset to them again, and accepts the code
    only if it pays.

    Args:
        hidden: [N, H] points.
        basis: [D, H] linearly independent rows.
        origin: [H] point with code 0.
        finder: recorded in the code.
        must_pay: refuse a code that takes more bits than the points it replaces (three points in a
            plane, say).
    """
    offset = origin
    for _ in range(3):
        inverse = np.linalg.pinv(basis)
        coordinates = (hidden - offset) @ inverse
        codes = np.rint(coordinates)
        if (
            np.abs(codes).max() > 2**40
            or np.linalg.matrix_rank(codes - codes.mean(0)) < basis.shape[0]
        ):
            return None
        design = np.concatenate([codes, np.ones((codes.shape[0], 1))], axis=1)
        solution = np.linalg.lstsq(design, hidden, rcond=None)[0]
        basis, offset = solution[:-1], solution[-1]
    fractions = (hidden - codes @ basis - offset) @ np.linalg.pinv(basis)
    outside = np.abs(
        hidden - codes @ basis - offset
    ).max()  # also what lies off the lattice's subspace
    shortest = np.linalg.norm(basis, axis=1).min()
    if (
        np.abs(fractions).max() > LARGEST_FRACTION
        or np.sqrt((fractions**2).mean()) > TYPICAL_FRACTION
    ):
        return None
    if outside > LARGEST_FRACTION * shortest:
        return None
    residual = float(max(np.abs(fractions).max(), outside / shortest))
    code = IntegerCode(basis, offset, codes.astype(np.int64), residual, finder)
    return code if not must_pay or _saved_bits(code, fractions) > 0 else None


def whole_lattice(code: IntegerCode) -> IntegerCode:
    """The same points in the lattice that their codes generate, where that is a sparser one (all
    codes even, say).
    """
    generators = hermite_basis(np.unique(code.codes - code.codes[0], axis=0)[:2_000])
    if generators is None or generators.shape[0] < code.dim:
        return code
    if abs(round(np.linalg.det(generators))) == 1:
        return code
    coarser = lll(generators @ code.basis)
    refitted = fit_code(
        code.codes @ code.basis + code.offset, coarser, code.offset, finder=code.finder
    )
    if refitted is None:
        return code
    return dataclasses.replace(refitted, residual=code.residual)


def reduce_codes(code: IntegerCode) -> IntegerCode:
    """The same lattice in the basis with the smallest codes.

    The columns of the codes are reduced like a lattice of their own (LLL), then added to one
    another while that saves bits, and flipped.
    """
    columns = np.linalg.qr(code.codes.astype(np.float64)).R.T
    change = np.rint(lll(columns) @ np.linalg.pinv(columns)).astype(np.int64)
    if abs(round(np.linalg.det(change))) != 1:
        change = np.eye(code.dim, dtype=np.int64)
    codes, basis = code.codes @ change.T, np.linalg.inv(change).T @ code.basis
    cost = lambda column: np.log2(1 + np.abs(column)).sum()
    improved = True
    while improved:
        improved = False
        for i in range(code.dim):
            for j in range(code.dim):
                for sign in (1, -1):
                    candidate = codes[:, i] + sign * codes[:, j]
                    if i != j and cost(candidate) < cost(codes[:, i]) - 1e-9:
                        codes[:, i] = candidate
                        basis[j] = basis[j] - sign * basis[i]
                        improved = True
    for i in range(code.dim):
        if codes[:, i].sum() < 0:
            codes[:, i], basis[i] = -codes[:, i], -basis[i]
    return dataclasses.replace(code, codes=codes, basis=basis)


def _sample(differences: np.ndarray, zero: float) -> np.ndarray:
    """Distinct differences (means of those within a few noise lengths), a bounded number, spread
    over all lengths.
    """
    cells = np.rint(differences / (10 * zero)).astype(np.int64)
    _, groups = np.unique(cells, axis=0, return_inverse=True)
    groups = groups.reshape(-1)
    counts = np.bincount(groups)
    distinct = (
        np.stack([np.bincount(groups, column) for column in differences.T], axis=1)
        / counts[:, None]
    )
    distinct = distinct[np.linalg.norm(distinct, axis=1) > 2 * zero]
    if distinct.shape[0] > POINTS_FOR_SEARCH:
        order = np.argsort(np.linalg.norm(distinct, axis=1), kind="stable")
        near = order[: POINTS_FOR_SEARCH // 2]
        far = order[
            np.linspace(POINTS_FOR_SEARCH // 2, order.size - 1, POINTS_FOR_SEARCH // 2).astype(int)
        ]
        distinct = distinct[np.concatenate([near, far])]
    return distinct if distinct.shape[0] else differences[:1]


def _saved_bits(code: IntegerCode, fractions: np.ndarray) -> float:
    """Bits that integers save over writing each distinct point's coordinates to the residual's
    precision.
    """
    distinct = np.unique(code.codes, axis=0)
    precision = np.maximum(np.sqrt((fractions**2).mean(0)), 1e-6)  # [D], in cells
    extent = 1.0 + distinct.max(0) - distinct.min(0)
    if extent.max() > 64 + 16 * distinct.shape[0]:
        return -np.inf
    gained = distinct.shape[0] * np.log2(0.29 / precision).sum()
    paid = (code.dim + 1) * np.log2(extent / precision).sum()
    return float(gained - paid)
