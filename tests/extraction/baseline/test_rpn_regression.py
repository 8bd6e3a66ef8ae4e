"""Brute-force regression finds known formulas, and nothing where there is none."""

import numpy as np
import pytest

from mips_jax.extraction.baseline.rpn_regression import BruteForceLimits, brute_force
from mips_jax.programs import Var, evaluate

S, X = (a.ravel() for a in np.meshgrid(np.arange(12), np.arange(-4, 9)))
TARGETS = {
    "sum": S + X,
    "modulo": (S + X) % 3,
    "distance": np.abs(S - X),
    "equality": (S == X).astype(int),
    "even": (X % 2 == 0).astype(int),
    "count": S + (X > 0),
    "product": S * X - 1,
}


@pytest.mark.parametrize("name", TARGETS)
def test_finds_a_formula_that_is_exact_on_every_row(name):
    variables, columns = [Var("s"), Var("x")], np.stack([S, X])
    (formula,) = brute_force(variables, columns, TARGETS[name][None])
    np.testing.assert_array_equal(evaluate(formula, dict(zip(variables, columns))), TARGETS[name])


def test_several_targets_share_one_search():
    found = brute_force([Var("s"), Var("x")], np.stack([S, X]), np.stack([S - X, np.abs(X)]))
    assert all(formula is not None for formula in found)


def test_what_is_beyond_the_limits_is_none():
    noise = np.random.default_rng(0).integers(0, 9, S.size)
    limits = BruteForceLimits(symbols=6)
    assert brute_force([Var("s"), Var("x")], np.stack([S, X]), noise[None], limits) == [None]


def test_nothing_is_taken_modulo_zero():
    columns = np.array([[0, 1, 2], [3, 4, 5]])
    found = brute_force(
        [Var("s"), Var("x")], columns, np.array([[3, 0, 1]]), BruteForceLimits(symbols=3)
    )
    assert found == [None]
