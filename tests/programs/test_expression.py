"""Expressions: evaluation, their text read back by Python, tidying, description length."""

import numpy as np
import pytest

from mips_jax.programs import (
    OPERATORS,
    Call,
    Const,
    Lookup,
    Var,
    call,
    evaluate,
    expression_bits,
    expression_text,
    is_boolean,
    replace,
    shared_bits,
    tidied,
    variables,
    walk,
)
from tests.programs.random_programs import random_expression, value

X, Y, Z = Var("x"), Var("y"), Var("z")
TABLE = (5, -1, 2, 7)


def _cases(seed: int, count: int):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield (
            random_expression(rng, [X, Y, Z], int(rng.integers(1, 5))),
            rng.integers(-9, 10, (6, 3)),
        )


def _columns(rows: np.ndarray, dtype=np.int64) -> dict[Var, np.ndarray]:
    return {v: rows[:, i].astype(dtype) for i, v in enumerate((X, Y, Z))}


def _by_python(text: str, row) -> int:
    return int(eval(text, {"x": row[0], "y": row[1], "z": row[2], "TABLE": TABLE}))


@pytest.mark.parametrize("dtype", [np.int64, object])
def test_evaluation_is_python_arithmetic(dtype):
    for expression, rows in _cases(0, 400):
        got = np.broadcast_to(evaluate(expression, _columns(rows, dtype)), (len(rows),))
        wanted = [value(expression, dict(zip((X, Y, Z), row))) for row in rows.tolist()]
        assert [int(g) for g in got] == wanted, expression


def test_text_reads_back_as_the_same_value():
    for expression, rows in _cases(1, 1500):
        text = expression_text(expression)
        for row in rows.tolist():
            assert _by_python(text, row) == value(expression, dict(zip((X, Y, Z), row))), (
                text,
                expression,
            )


@pytest.mark.parametrize(
    "expression, text",
    [
        (call("mod", call("add", X, Y), 3), "(x + y) % 3"),
        (call("add", X, call("mod", Y, 3)), "x + y % 3"),
        (call("mul", X, call("floordiv", Y, 2)), "x * (y // 2)"),
        (call("mul", X, call("mod", Y, 2)), "x * (y % 2)"),
        (call("floordiv", call("mul", X, Y), 2), "x * y // 2"),
        (call("sub", X, call("sub", Y, Z)), "x - (y - z)"),
        (call("sub", X, call("add", Y, Z)), "x - (y + z)"),
        (call("neg", call("add", X, Y)), "-(x + y)"),
        (call("abs", call("sub", X, -2)), "abs(x - -2)"),
        (call("eq", call("eq", X, Y), Z), "(x == y) == z"),
        (call("and", call("or", X, Y), call("not", Z)), "(x or y) and not z"),
        (
            call("if", call("gt", X, 2), Y, call("if", call("eq", X, 0), Z, 1)),
            "y if x > 2 else z if x == 0 else 1",
        ),
        (call("add", call("if", X, Y, Z), 1), "(y if x else z) + 1"),
        (call("in", X, 1, 4), "x in (1, 4)"),
        (call("in", X, 1), "x in (1,)"),
        (call("median", X, Y, Z), "sorted((x, y, z))[1]"),
        (call("argmax", X, Y), "(x, y).index(max(x, y))"),
        (Lookup("T", ((1, 2), (3, 4)), (X, Y), (-1, 3)), "T[x + 1][y - 3]"),
    ],
)
def test_text_is_what_a_person_would_write(expression, text):
    assert expression_text(expression) == text


def test_tidying_keeps_the_value_and_settles():
    for expression, rows in _cases(2, 1500):
        tidy = tidied(expression)
        for row in rows.tolist():
            values = dict(zip((X, Y, Z), row))
            assert value(tidy, values) == value(expression, values), (
                expression_text(expression),
                expression_text(tidy),
            )


@pytest.mark.parametrize(
    "expression, text",
    [
        (call("lt", 1, call("add", 2, X)), "x + 2 > 1"),
        (call("sub", call("add", X, Y), X), "y"),
        (call("sub", 1, call("eq", X, Y)), "x != y"),
        (call("mul", call("lt", X, 1), call("eq", Y, 2)), "x < 1 and y == 2"),
        (call("max", call("lt", X, 1), call("eq", Y, 2)), "x < 1 or y == 2"),
        (call("not", call("in", X, 1, 2)), "not x in (1, 2)"),
        (call("min", 3, X), "min(x, 3)"),
        (call("add", call("neg", X), 3), "3 - x"),
        (call("add", X, X), "2 * x"),
    ],
)
def test_tidying_writes_as_people_do(expression, text):
    assert expression_text(tidied(expression)) == text


def test_equal_sums_are_equal_trees_after_tidying():
    a, b = call("add", call("sub", X, Y), Z), call("sub", call("add", Z, X), Y)
    assert tidied(a) == tidied(b)


def test_description_length_orders_expressions_as_readers_do():
    assert (
        expression_bits(X)
        < expression_bits(call("add", X, 1))
        < expression_bits(call("add", X, call("mul", 2, Y)))
    )
    assert expression_bits(Const(1)) < expression_bits(Const(100)) == expression_bits(Const(-100))
    assert (
        expression_bits(call("if", call("eq", X, Y), Z, 0))
        < expression_bits(call("mul", call("eq", X, Y), Z)) + 8
    )
    table = Lookup("T", tuple(range(40)), (X,), (0,))
    assert expression_bits(table) > expression_bits(call("mod", call("add", X, Y), 40))
    for expression, _ in _cases(3, 200):
        assert expression_bits(expression) > 0
        for part in walk(expression):
            assert expression_bits(part) <= expression_bits(expression)


def test_what_was_written_before_costs_a_name_only():
    expression = call("mod", call("add", X, Y), 7)
    seen: set = set()
    first, second = shared_bits(expression, 4, seen), shared_bits(expression, 4, seen)
    assert first == expression_bits(expression) and second == expression_bits(X)


def test_replace_variables_and_equality():
    expression = call("add", call("mul", X, Y), X)
    assert variables(expression) == {X, Y}
    assert replace(expression, {X: Z}) == call("add", call("mul", Z, Y), Z)
    assert replace(expression, {call("mul", X, Y): Z, X: Y}) == call(
        "add", Z, Y
    )  # the outermost first
    assert len({expression, call("add", call("mul", X, Y), X)}) == 1


def test_every_operator_is_known_to_the_second_evaluator_and_booleans_are_marked():
    from tests.programs.random_programs import _PYTHON

    assert set(_PYTHON) == set(OPERATORS)
    for name in ("eq", "in", "and", "or", "not"):
        assert is_boolean(Call(name, (X, Y)))
    assert not is_boolean(call("xor", X, Y))
