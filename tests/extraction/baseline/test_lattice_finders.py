"""The paper's two lattice finders on states of networks with known integers."""

import numpy as np
import pytest

from mips_jax.extraction.baseline.basis_change import affine_transition
from mips_jax.extraction.baseline.lattice_finders import gcd_finder, lattice_codes, linear_finder
from mips_jax.extraction.traces import record
from mips_jax.inputs import random_words
from tests.extraction.baseline import hand_built


def _states(network, input_range):
    traces = record(network, random_words(input_range, 100, 10, np.random.default_rng(0)))
    return traces, traces.hidden.reshape(-1, network.hidden_dim)


@pytest.mark.parametrize(
    "build", [hand_built.spring, hand_built.gravity, lambda: hand_built.previous(2)]
)
def test_krylov_vectors_turn_the_dynamics_into_integers(build):
    network = hand_built.hidden_behind(build(), seed=1, noise=1e-7)
    traces, points = _states(network, ((-10, 10),))
    affine = affine_transition(network, traces)
    code = linear_finder(affine, points, network.initial)
    assert code.residual < 1e-2 and not code.encode(network.initial[None]).any()
    dynamics = code.basis @ affine.recurrent.T @ np.linalg.pinv(code.basis)
    np.testing.assert_allclose(dynamics, np.rint(dynamics), atol=1e-3)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_gcd_finder_finds_the_cell(dim):
    generator = np.random.default_rng(dim)
    basis = generator.normal(size=(dim, dim + 1))
    points = generator.integers(-9, 10, (300, dim)) @ basis
    code = gcd_finder(points, np.zeros(dim + 1))
    change = code.basis @ np.linalg.pinv(basis)
    np.testing.assert_allclose(change, np.rint(change), atol=1e-6)
    assert np.isclose(abs(np.linalg.det(change)), 1)


def test_gcd_finder_refuses_points_on_a_curve():
    along = np.linspace(-3, 3, 40)
    assert gcd_finder(np.column_stack([np.sin(along), along]), np.zeros(2)) is None


def test_the_shorter_description_comes_first():
    network = hand_built.hidden_behind(hand_built.spring(), seed=2)
    traces, points = _states(network, ((-10, 10),))
    codes = lattice_codes(affine_transition(network, traces), points, [network.initial])
    lengths = [code.description_length for code in codes]
    assert {code.finder for code in codes} == {"linear", "gcd"} and lengths == sorted(lengths)
