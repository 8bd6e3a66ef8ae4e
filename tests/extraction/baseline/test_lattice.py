"""The integer autoencoder against lattices that are known, and against points that lie on none."""

import numpy as np
import pytest

from mips_jax.extraction.baseline.lattice import integer_coordinates
from mips_jax.extraction.baseline.lattice_basis import lll
from mips_jax.extraction.integer_algebra import hermite_basis


def _points(dim: int, hidden: int, high: int, count: int, noise: float, seed: int):
    """Points of a random lattice, noise in units of its flattest direction, and their true
    integers.
    """
    generator = np.random.default_rng(seed)
    basis = generator.normal(size=(dim, hidden))
    integers = generator.integers(0, high + 1, (count, dim))
    points = integers @ basis + generator.normal(size=hidden)
    flattest = np.linalg.svd(basis)[1].min()
    return points + noise * flattest * generator.normal(size=points.shape), integers


def _is_unimodular_image(codes: np.ndarray, integers: np.ndarray) -> bool:
    change = np.linalg.lstsq(integers - integers[0], codes - codes[0], rcond=None)[0]
    return np.abs(change - np.rint(change)).max() < 1e-6 and np.isclose(
        abs(np.linalg.det(change)), 1
    )


@pytest.mark.parametrize("noise", [1e-8, 1e-4])
@pytest.mark.parametrize(
    "dim, hidden, high", [(1, 1, 9), (1, 3, 99), (2, 2, 3), (3, 5, 99), (6, 6, 99)]
)
def test_finds_the_lattice_up_to_a_unimodular_change(dim, hidden, high, noise):
    points, integers = _points(dim, hidden, high, 400, noise, seed=dim)
    code = integer_coordinates(points)
    assert code is not None and code.dim == dim
    assert _is_unimodular_image(code.codes, integers)
    assert code.residual < 0.05
    np.testing.assert_array_equal(code.encode(points), code.codes)
    assert (
        np.abs(code.decode(code.codes) - points).max()
        < 0.05 * np.linalg.norm(code.basis, axis=1).min()
    )


def test_tolerates_clusters_of_visible_width():
    points, integers = _points(1, 3, 30, 400, 0.02, seed=7)
    code = integer_coordinates(points)
    assert code is not None and _is_unimodular_image(code.codes, integers)


def test_an_unseen_point_gets_its_own_integers():
    points, integers = _points(3, 4, 50, 400, 1e-5, seed=8)
    code = integer_coordinates(points[:200])
    assert _is_unimodular_image(code.encode(points), integers)


@pytest.mark.parametrize("curve", [np.tanh, np.expm1, np.sin])
def test_points_on_a_curve_have_no_code(curve):
    along = np.arange(-12, 13)[:, None] / 4
    assert integer_coordinates(curve(along @ np.array([[0.9, -0.7, 1.1]]))) is None


@pytest.mark.parametrize("count, hidden", [(4, 1), (8, 2), (30, 3), (200, 3)])
def test_random_points_have_no_code(count, hidden):
    assert integer_coordinates(np.random.default_rng(count).normal(size=(count, hidden))) is None


def test_a_single_point_or_nonfinite_points_have_no_code():
    assert integer_coordinates(np.ones((10, 3))) is None
    assert integer_coordinates(np.array([[0.0], [np.nan], [1.0]])) is None


def test_lll_keeps_the_lattice_and_shortens_the_basis():
    generator = np.random.default_rng(0)
    change = np.array([[1, 7, -3], [0, 1, 11], [0, 0, 1]])
    short = generator.normal(size=(3, 3))
    reduced = lll(change @ short)
    multipliers = reduced @ np.linalg.inv(change @ short)
    assert np.abs(multipliers - np.rint(multipliers)).max() < 1e-8
    assert np.isclose(abs(np.linalg.det(multipliers)), 1)
    assert np.linalg.norm(reduced) <= np.linalg.norm(short) * 2


def test_hermite_basis_generates_the_same_rows():
    rows = np.array([[2, 4], [4, 2], [6, 0]])
    basis = hermite_basis(rows)
    assert (
        abs(round(np.linalg.det(basis))) == 12
    )  # index of the lattice 2 * {(a, b): a + b = 0 mod 3}
    multipliers = rows @ np.linalg.inv(basis)
    assert np.abs(multipliers - np.rint(multipliers)).max() < 1e-9
