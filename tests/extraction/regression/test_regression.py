"""Regression of integer columns: closed forms and counterexample rows."""

import itertools

import numpy as np
import pytest

from mips_jax.budget import Share
from mips_jax.extraction.regression.affine import affine_expression, affine_modulo, integer_affine
from mips_jax.extraction.regression.regressor import Regressor
from mips_jax.extraction.tuning import EnumerationSettings, RegressionSettings
from mips_jax.programs import Const, Var, call, evaluate, expression_text

X, Y, Z = Var("x"), Var("y"), Var("z")
ROWS = np.random.default_rng(0).integers(-9, 10, (500, 3))
COLUMNS = {v: ROWS[:, i] for i, v in enumerate((X, Y, Z))}
SMALL = RegressionSettings(enumeration=EnumerationSettings(largest_size=5, bank=8000))


def _found(columns, target, constants=(), settings=SMALL):
    target = np.broadcast_to(np.asarray(target), next(iter(columns.values())).shape)
    found = Regressor(columns, constants, settings=settings).expressions(target)
    for expression in found:  # whatever is returned is exact on every row
        np.testing.assert_array_equal(
            np.broadcast_to(evaluate(expression, columns), target.shape), target
        )
    return [expression_text(e) for e in found]


def test_constants_copies_and_affine_maps():
    assert _found(COLUMNS, 7) == ["7"]
    assert _found(COLUMNS, COLUMNS[Y]) == ["y"]
    assert _found(COLUMNS, 2 * COLUMNS[X] - COLUMNS[Z] + 3)[0] == "2 * x - z + 3"
    assert _found(COLUMNS, 4 - COLUMNS[X])[0] == "4 - x"
    assert _found(COLUMNS, -COLUMNS[X])[0] == "-x"


def test_affine_under_a_modulus():
    x, y, z = ROWS.T
    assert _found(COLUMNS, (3 * x + 5 * y + z + 2) % 11)[0].endswith("% 11")
    assert _found(COLUMNS, (x + y) % 8)[0] == "(x + y) % 8"
    assert _found(COLUMNS, (x - y) % 6)[0] == "(x - y) % 6"


@pytest.mark.parametrize("modulus", [2, 3, 6, 8, 9, 15, 97])
def test_affine_modulo_finds_coefficients_or_nothing(modulus):
    rng = np.random.default_rng(modulus)
    columns = list(rng.integers(0, modulus, (3, 400)))
    for _ in range(10):
        coefficients, offset = rng.integers(0, modulus, 3), int(rng.integers(0, modulus))
        target = (sum(c * v for c, v in zip(coefficients, columns)) + offset) % modulus
        solution = affine_modulo(columns, target, modulus)
        if solution is not None:
            np.testing.assert_array_equal(
                (sum(c * v for c, v in zip(solution[0], columns)) + solution[1]) % modulus, target
            )
        if modulus in (2, 3, 97):  # a field: elimination always succeeds
            assert solution is not None
    assert affine_modulo(columns, rng.integers(0, modulus, 400), modulus) is None


def test_integer_affine_is_exact_or_nothing():
    x, y, _ = ROWS.T
    assert integer_affine([x, y], 3 * x - 100 * y + 12) == ([3, -100], 12)
    assert integer_affine([x, y], x * y) is None
    almost = 2 * x + 1
    almost[17] += 1
    assert integer_affine([x], almost) is None
    assert expression_text(affine_expression([X, Y], [0, 0], -3)) == "-3"
    assert expression_text(affine_expression([X, Y], [-2, 1], 0)) == "y - 2 * x"


def test_membership_and_thresholds():
    x = np.arange(0, 20)
    assert (
        _found({X: x}, np.isin(x, (0, 1, 4, 9, 16)).astype(int), range(10))[0]
        == "x in (0, 1, 4, 9, 16)"
    )
    assert _found({X: x}, (x == 7).astype(int))[0] == "x == 7"
    assert _found({X: x}, (x != 7).astype(int))[0] == "x != 7"
    assert _found({X: x}, (x > 6).astype(int), [6, 7])[0] in ("x > 6", "x >= 7")


def test_truth_tables_are_minimised():
    rows = np.array(list(itertools.product((0, 1), repeat=4)))
    columns = {Var(n): rows[:, i] for i, n in enumerate("abcd")}
    assert _found(columns, (rows.sum(axis=1) >= 2).astype(int))[0] == "a + b + c + d > 1"
    assert _found(columns, rows.sum(axis=1) % 2)[0] == "a ^ b ^ c ^ d"
    assert _found(columns, rows[:, 0] & (1 - rows[:, 2]))[0] in ("a > c", "a and not c")


def test_rows_that_refute_a_candidate_join_the_sample():
    """Few rows tell `x` from `x if y < 9 else 0`: a search on a sample alone would be satisfied
    with `x`.
    """
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 10, 5000), rng.integers(0, 300, 5000)
    y[:4] = 299
    x[:4] = (3, 4, 5, 6)
    y[4:] = np.minimum(y[4:], 290)
    target = np.where(y == 299, 0, x)
    regressor = Regressor(
        {X: x, Y: y},
        [299, 290],
        settings=RegressionSettings(
            rows=20, enumeration=EnumerationSettings(largest_size=5, bank=4000)
        ),
    )
    found = regressor.expressions(target)
    assert found and all((np.asarray(evaluate(e, {X: x, Y: y})) == target).all() for e in found)


def test_nothing_is_returned_for_noise():
    x = np.repeat(np.arange(12), 3)
    noise = np.random.default_rng(2).permutation(12)[x] ** 3 % 53
    tiny = EnumerationSettings(largest_size=2, bank=200)
    assert Regressor({X: x}, settings=RegressionSettings(enumeration=tiny)).expressions(noise) == []


def test_a_target_that_is_no_function_of_the_variables_has_no_expression():
    x = np.array([0, 1, 0, 1] * 10)
    target = np.array([0, 1, 1, 1] * 10)
    for columns in ({X: x}, {X: x, Y: x}):
        assert Regressor(columns, settings=SMALL).expressions(target) == []


def test_large_targets_end():
    x = np.arange(50)
    assert _found({X: x}, x * 10**6)[0] == "1000000 * x"
    assert Regressor({X: x}, settings=SMALL).expressions(np.where(x == 0, 0, 2**62)) is not None


def test_conditionals_between_expressions():
    x, y, _ = ROWS.T
    text = _found(COLUMNS, np.where(x == 0, 0, y + 1), [0])
    assert text[0] == "0 if x == 0 else y + 1"
    assert _found(COLUMNS, np.maximum(x, y))[0] == "max(x, y)"
    assert _found(COLUMNS, np.abs(x - y))[0] == "abs(x - y)"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_variable_that_only_adds_is_set_apart(sign):
    """(d + x, doubled at every second step) % 10: too long for this enumeration over all three
    variables.
    """
    digit, x, phase = np.array(list(itertools.product(range(10), range(5), range(2)))).T
    doubled = np.where(phase == 1, 2 * x, x)
    columns = {Var("d"): digit, X: x, Var("phase"): phase}
    found = _found(columns, (doubled + sign * digit) % 10)
    assert found and all(text.endswith("% 10") for text in found)
    assert (
        Regressor(columns, settings=SMALL)._by_enumeration((doubled + sign * digit) % 10, Share())
        == []
    )


def test_constant_expression():
    assert Regressor({X: np.array([3])}, settings=SMALL).expressions(np.array([5])) == [Const(5)]
    assert call("add", X, 0) != X
