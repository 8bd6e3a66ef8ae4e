"""The expression bank: one expression for each column of values, and solutions that are exact on
the sampled rows.
"""

import numpy as np
import pytest

from mips_jax.extraction.regression.enumeration import ExpressionBank
from mips_jax.extraction.tuning import EnumerationSettings
from mips_jax.programs import Const, Var, call, evaluate, expression_bits, expression_text, walk

X, Y = Var("x"), Var("y")
GRID = np.array([(x, y) for x in range(-4, 7) for y in range(5)])
COLUMNS = {X: GRID[:, 0], Y: GRID[:, 1]}


@pytest.fixture(scope="module")
def bank() -> ExpressionBank:
    return ExpressionBank(COLUMNS, [3, 5], EnumerationSettings(largest_size=5, bank=6000))


def test_every_value_column_is_kept_once_with_the_expression_that_gives_it(bank):
    assert len(bank) > 2000 and len(np.unique(bank.values, axis=0)) == len(bank)
    for index in np.random.default_rng(0).choice(len(bank), 400, replace=False):
        expression = bank.expression(int(index))
        np.testing.assert_array_equal(
            np.broadcast_to(evaluate(expression, COLUMNS), (len(GRID),)), bank.values[index]
        )
        assert len(list(walk(expression))) <= 5


def test_smaller_expressions_come_first(bank):
    sizes = [len(list(walk(bank.expression(i)))) for i in range(len(bank))]
    assert sizes == sorted(sizes)
    wanted = {(v, tuple(c)) for v, c in COLUMNS.items()}
    assert wanted <= {(bank.expression(i), tuple(bank.values[i])) for i in range(8)}


def test_small_expressions_are_all_there(bank):
    known = {row.tobytes() for row in bank.values}
    for expression in (
        call("add", X, Y),
        call("mod", X, 3),
        call("floordiv", X, 2),
        call("max", X, Y),
        call("abs", call("sub", X, Y)),
        call("mod", call("add", X, Y), 5),
        call("lt", X, Y),
        call("min", call("add", X, 1), 3),
    ):
        assert evaluate(expression, COLUMNS).astype(np.int32).tobytes() in known, expression_text(
            expression
        )


TARGETS = [
    call("mod", call("add", call("mul", 2, X), Y), 5),
    call("if", call("eq", Y, 0), 0, call("add", X, 1)),
    call("max", call("sub", X, Y), call("mod", Y, 3)),
    call("if", call("lt", X, Y), X, call("mul", Y, 2)),
    call("add", call("mul", X, Y), call("eq", X, Y)),
    call("min", call("max", X, 0), call("add", Y, 1)),
    call("if", call("eq", X, 0), 7, call("if", call("eq", Y, 0), X, Y)),
]


@pytest.mark.parametrize("target", TARGETS, ids=expression_text)
def test_solutions_are_exact_on_the_sampled_rows(bank, target):
    values = np.asarray(evaluate(target, COLUMNS))
    found = list(bank.solve(values))
    assert found
    for expression in found:
        np.testing.assert_array_equal(
            np.broadcast_to(evaluate(expression, COLUMNS), values.shape), values
        )
    assert min(map(expression_bits, found)) <= expression_bits(target) + 30


def test_noise_has_no_small_solution(bank):
    noise = np.random.default_rng(1).integers(0, 1000, len(GRID))
    assert list(bank.solve(noise)) == []


def test_values_that_grow_without_bound_are_left_out():
    big = ExpressionBank(
        {X: np.array([1, 2**20, 2**25 - 1, 2**25, -(2**25)])},
        [],
        EnumerationSettings(largest_size=5, bank=3000),
    )
    for index in range(len(big)):
        exact = np.broadcast_to(
            evaluate(big.expression(index), {X: big.values[0].astype(object)}), (5,)
        )
        assert [int(v) for v in exact] == big.values[index].tolist()
        assert max(abs(int(v)) for v in exact) < 2**27


def test_seeds_are_leaves_and_limits_are_kept():
    seed = call("median", X, Y, Const(2))
    bank = ExpressionBank(
        COLUMNS,
        [],
        EnumerationSettings(largest_size=4, bank=500),
        [(seed, evaluate(seed, COLUMNS))],
    )
    assert len(bank) <= 500
    assert any(bank.expression(i) == seed for i in range(len(bank)))
    np.testing.assert_array_equal(
        evaluate(next(iter(bank.solve(evaluate(call("mod", seed, 2), COLUMNS)))), COLUMNS),
        evaluate(seed, COLUMNS) % 2,
    )
