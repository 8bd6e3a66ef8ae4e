"""The contract of the table of operators: every entry, and one that only this file knows, is exact
in both arithmetics, bounded, and printed so that Python reads the same value.
"""

import itertools

import numpy as np
import pytest

from mips_jax.programs import (
    OPERATORS,
    Call,
    Const,
    Operator,
    Program,
    Register,
    Var,
    bounds,
    call,
    compile_source,
    evaluate,
    expression_bits,
    expression_text,
    negation,
    tidied,
)
from mips_jax.programs import program as program_module
from tests.programs.random_programs import _PYTHON, value

X, Y, Z = Var("x"), Var("y"), Var("z")
EDGES = [0, 1, -1, 2, -7, 10, 2**31, -(2**31), 2**62, -(2**62), 2**63 - 1, -(2**63), 2**64, 3**50]
TOY = Operator(
    lambda a, b: a * a + b * b,
    lambda a, b: (0, max(abs(v) for v in a) ** 2 + max(abs(v) for v in b) ** 2),
    "({0} ** 2 + {1} ** 2)",
    levels=(11,),
    commutative=True,
    mirrored="squares",
)


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(OPERATORS, "squares", TOY)
    monkeypatch.setitem(_PYTHON, "squares", lambda a, b: a * a + b * b)


@pytest.fixture(params=[*OPERATORS, "squares"])
def operator(request, toy) -> str:
    return request.param


def _arity(name: str) -> int:
    return {"neg": 1, "abs": 1, "not": 1, "if": 3, "median": 3, "argmax": 3, "in": 3}.get(name, 2)


def _rows(name: str, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Arguments at the edges of int64 and beyond, and random ones; divisors are not 0, what `and`
    and `or` join are truth values.
    """
    pool = (0, 1) if name in ("and", "or") else EDGES
    rows = list(itertools.product(pool, repeat=_arity(name)))
    rows = [rows[i] for i in rng.permutation(len(rows))[:200]]
    return [r for r in rows if not (OPERATORS[name].partial and r[1] == 0)]


def test_its_value_is_pythons_and_within_its_bounds(operator):
    kind, rng = OPERATORS[operator], np.random.default_rng(0)
    names = (X, Y, Z)[: _arity(operator)]
    expression = Call(operator, names)
    for row in _rows(operator, rng):
        values = dict(zip(names, row))
        wanted = value(expression, values)
        columns = {v: np.array([n], object) for v, n in values.items()}
        assert evaluate(expression, columns).tolist() == [wanted], row
        others = _rows(operator, rng)[0]
        boxes = {v: (min(a, b), max(a, b)) for v, a, b in zip(names, row, others)}
        if not kind.partial or boxes[Y][0] * boxes[Y][1] > 0:
            low, high = bounds(expression, boxes)
            assert low <= wanted <= high
            assert low <= value(expression, dict(zip(names, others))) <= high
        assert not kind.boolean or wanted in (0, 1)


def test_it_is_printed_as_python_reads_it(operator):
    names = (X, Y, Z)[: _arity(operator)]
    plain = Call(operator, names)
    truths = OPERATORS[operator].lazy or operator == "not"
    inner = call("gt", X, Y) if truths else call("add", X, Y)
    nested = Call(operator, (inner, *names[1:]))
    around = call("sub", Z, Call(operator, (*names[:-1], inner)))
    rng = np.random.default_rng(1)
    for expression in (plain, nested, around, tidied(nested), tidied(around)):
        for row in rng.integers(1, 9, (20, 3)).tolist():
            row = [v % 2 for v in row] if operator in ("and", "or") else row
            got = eval(expression_text(expression), dict(zip("xyz", row)))
            assert int(got) == value(expression, dict(zip((X, Y, Z), row))), expression_text(
                expression
            )


def test_what_the_table_says_of_it_is_true(operator):
    kind, rng = OPERATORS[operator], np.random.default_rng(2)
    names = (X, Y, Z)[: _arity(operator)]
    expression = Call(operator, names)
    at = lambda e, row: value(e, dict(zip(names, row)))
    assert expression_bits(expression) > 0
    for row in _rows(operator, rng):
        if kind.commutative:
            assert at(expression, row) == at(Call(operator, names[::-1]), row)
        if kind.mirrored:
            assert at(expression, row) == at(Call(kind.mirrored, names[::-1]), row)
        if kind.negated:
            assert at(negation(expression), row) == int(not at(expression, row))
        if kind.on_truths:
            truths = tuple(v % 2 for v in row)
            assert at(expression, truths) == at(Call(kind.on_truths, names), truths)
    if kind.associative:
        a, b, c = 1, 0, 1
        left = value(Call(operator, (Call(operator, (X, Y)), Z)), {X: a, Y: b, Z: c})
        assert left == value(Call(operator, (X, Call(operator, (Y, Z)))), {X: a, Y: b, Z: c})


def test_a_toy_runs_and_prints_in_a_program(toy):
    update = Call("squares", (Var("s"), X))
    program = Program(("x",), (Register("s", 1, update),), (Var("s", updated=True),))
    word = [1, 2, 3, 4, 5, 6, 7]
    wanted = compile_source(program.source)(word)
    assert program(word) == wanted and wanted[-1] > 2**64
    assert tidied(Call("squares", (Const(3), X))) == Call("squares", (X, Const(3)))


def test_conditionals_are_lazy_where_a_branch_has_no_value():
    safe = call("if", call("ne", X, 0), call("floordiv", 12, X), -1)
    guarded = call("and", call("ne", X, 0), call("eq", call("mod", 12, X), 0))
    program = Program(("x",), (), (safe, guarded))
    assert program([0, 5, -4, 0]) == compile_source(program.source)([0, 5, -4, 0])
    with pytest.raises(ZeroDivisionError, match="divides by zero: y0 = 12 // x"):
        Program(("x",), (), (call("floordiv", 12, X),)).run([[3, 0]])


def test_int64_is_left_only_where_it_must_be(monkeypatch):
    used = []
    monkeypatch.setattr(
        program_module,
        "evaluate_as",
        lambda dtype, *rest: used.append(dtype) or _evaluate_as(dtype, *rest),
    )
    modulo = Program(
        ("x",),
        (Register("s", 0, call("mod", call("add", call("mul", 2, Var("s")), X), 7)),),
        (Var("s", updated=True),),
    )
    modulo.run(np.random.default_rng(0).integers(-(2**40), 2**40, (5, 30, 1)))
    assert set(used) == {np.int64}
    assert modulo.run([[2**70]]).tolist() == [[[2**70 % 7]]] and object in used


_evaluate_as = program_module.evaluate_as
