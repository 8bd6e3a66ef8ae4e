"""Programs: the interpreter against step-by-step Python, and the printed source against both."""

import ast

import numpy as np
import pytest

from mips_jax.programs import (
    Const,
    Lookup,
    Program,
    Register,
    Var,
    body_lines,
    call,
    compile_source,
    program_source,
    renamed,
    reuse_updates,
)
from tests.programs.random_programs import random_program, run

X, A, B, S, R = Var("x"), Var("a"), Var("b"), Var("s"), Var("r")
NEW_S, NEW_R = Var("s", updated=True), Var("r", updated=True)


def _printed(program: Program, word: np.ndarray) -> list:
    inputs = [tuple(letter) if word.shape[1] > 1 else letter[0] for letter in word.tolist()]
    return compile_source(program.source)(inputs)


def _agree(program: Program, words: np.ndarray) -> None:
    """Interpreter, printed source and step-by-step evaluation write the same, in plain ints."""
    interpreted = program.run(words)
    for word, outputs in zip(words, interpreted):
        wanted = run(program, word)
        assert [tuple(map(int, row)) for row in outputs] == wanted, str(program)
        printed = _printed(program, word)
        assert printed == (wanted if len(program.outputs) > 1 else [row[0] for row in wanted]), (
            program.source
        )
        flat = [v for row in printed for v in row] if len(program.outputs) > 1 else printed
        assert all(type(v) is int for v in flat), program.source  # never a bool, never numpy's


@pytest.mark.parametrize(
    "inputs, registers, outputs",
    [(1, 0, 1), (1, 1, 1), (1, 2, 1), (1, 3, 2), (2, 2, 1), (2, 3, 3), (3, 1, 2)],
)
def test_random_programs_print_what_they_do(inputs, registers, outputs):
    rng = np.random.default_rng([inputs, registers, outputs])
    for _ in range(60):
        program = random_program(rng, inputs, registers, outputs, depth=int(rng.integers(1, 4)))
        words = rng.integers(-4, 8, (2, 5, inputs))
        _agree(program, words)
        reused = reuse_updates(program)
        np.testing.assert_array_equal(reused.run(words), program.run(words))


def test_registers_that_swap_are_assigned_together():
    swap = Program(
        ("x",),
        (Register("s", 0, call("add", R, X)), Register("r", 1, S)),
        (call("sub", NEW_S, NEW_R),),
    )
    assert (
        "s, r = r + x, s" in swap.source
        or "r, s = s, r + x" in swap.source
        or "s, r = x + r, s" in swap.source
    )
    _agree(swap, np.random.default_rng(0).integers(0, 9, (4, 12, 1)))


def test_three_registers_that_rotate():
    rotate = Program(
        ("x",),
        (Register("s", 1, R), Register("r", 2, Var("q")), Register("q", 3, call("add", S, X))),
        (call("add", NEW_S, call("mul", 3, call("sub", NEW_R, Var("q", updated=True)))),),
    )
    _agree(rotate, np.random.default_rng(0).integers(-3, 4, (4, 12, 1)))


def test_an_output_may_read_a_register_before_and_after_the_step():
    difference = Program(
        ("x",),
        (Register("s", 0, call("add", call("mul", S, 2), X)),),
        (call("sub", NEW_S, S), call("eq", S, NEW_S)),
    )
    _agree(difference, np.random.default_rng(1).integers(-3, 4, (4, 9, 1)))


@pytest.mark.parametrize(
    "output",
    [
        call("eq", X, S),
        call("not", X),
        call("in", X, 1, 2),
        call("xor", call("eq", X, S), call("lt", X, 1)),
        call("if", call("lt", X, 1), call("eq", S, 1), S),
        call("max", call("eq", X, 1), call("eq", S, 1)),
        call("and", call("eq", X, 1), call("lt", S, 3)),
        call("median", call("eq", X, 1), S, X),
        call("xor", call("xor", call("eq", X, S), call("lt", X, 1)), call("gt", S, 2)),
    ],
)
def test_truth_values_are_printed_as_ints(output):
    """Also where a register holds a truth value that is handed on."""
    for program in (
        Program(("x",), (Register("s", 0, call("mod", call("add", S, X), 3)),), (output,)),
        Program(("x",), (Register("s", 0, call("lt", X, 1)), Register("r", 0, output)), (NEW_R, R)),
    ):
        _agree(program, np.random.default_rng(2).integers(0, 4, (3, 8, 1)))


def test_values_beyond_64_bits_stay_exact():
    doubling = Program(
        ("x",),
        (Register("s", 1, call("add", call("mul", 3, S), X)),),
        (NEW_S, call("mod", NEW_S, 7), call("lt", NEW_S, 0)),
    )
    words = np.random.default_rng(3).integers(-1, 2, (3, 120, 1))
    _agree(doubling, words)
    assert max(abs(int(v)) for v in doubling.run(words).ravel()) > 2**100


def test_large_inputs_stay_exact():
    cube = Program(("x",), (), (call("mul", call("mul", X, X), X),))
    _agree(cube, np.array([[[10**9], [-(10**9)], [3]]]))
    word = np.array([[[2**62], [2**62], [2**62], [-5]]])
    _agree(Program(("x",), (Register("s", 0, call("add", S, X)),), (NEW_S,)), word)


def test_a_long_word_and_an_empty_one():
    total = Program(("x",), (Register("s", 0, call("add", S, X)),), (NEW_S,))
    word = np.random.default_rng(4).integers(0, 10, (1, 3000, 1))
    np.testing.assert_array_equal(total.run(word)[0, :, 0], np.cumsum(word))
    assert total.run(np.zeros((2, 0, 1), np.int64)).shape == (2, 0, 1)
    assert compile_source(total.source)([]) == []


def test_trace_gives_the_registers_after_each_step():
    program = Program(("x",), (Register("s", 0, call("add", S, X)), Register("r", 5, S)), (NEW_S,))
    word = np.array([[[1], [2], [3]]])
    outputs, history = program.trace(word)
    assert (
        history["s"].tolist() == [[1, 3, 6]]
        and history["r"].tolist() == [[0, 1, 3]]
        and outputs[0, :, 0].tolist() == [1, 3, 6]
    )


def test_lookups_of_one_and_two_indices():
    states = Lookup("NEXT", ((0, 1, 2), (1, 2, 0), (2, 0, 1)), (S, X), (0, -1))
    said = Lookup("OUTPUT", (10, -20, 30), (NEW_S,), (0,))
    machine = Program(("x",), (Register("s", 0, states),), (said, call("add", said, 1)))
    _agree(machine, np.random.default_rng(5).integers(-1, 2, (5, 20, 1)))
    assert machine.source.startswith("NEXT = (") and compile_source(machine.source)([0]) == [
        (-20, -19)
    ]


def test_a_table_of_one_cell_is_still_a_tuple():
    program = Program(("x",), (), (Lookup("OUTPUT", ((7,),), (Const(0), X), (0, 4)),))
    _agree(program, np.full((1, 3, 1), 4))


def test_shared_sub_expressions_are_named_once():
    total = call("add", call("add", A, B), S)
    adder = Program(
        ("a", "b"), (Register("s", 0, call("floordiv", total, 2)),), (call("mod", total, 2),)
    )
    assert adder.source.count("a + b") == 1
    _agree(adder, np.random.default_rng(6).integers(0, 2, (5, 20, 2)))
    taken = Program(
        ("a", "b"),
        (Register("total", 0, call("floordiv", call("add", call("add", A, B), Var("total")), 2)),),
        (call("mod", call("add", call("add", A, B), Var("total")), 2),),
    )
    _agree(taken, np.random.default_rng(6).integers(0, 2, (5, 20, 2)))


def test_reusing_updates_leaves_the_values_and_shortens():
    update = call("mod", call("add", S, X), 5)
    program = Program(
        ("x",),
        (Register("s", 0, update), Register("r", 0, call("add", R, update))),
        (call("mul", update, 2),),
    )
    reused = reuse_updates(program)
    words = np.random.default_rng(7).integers(0, 9, (5, 20, 1))
    np.testing.assert_array_equal(reused.run(words), program.run(words))
    assert reused.outputs == (call("mul", NEW_S, 2),) and reused.registers[1].update == call(
        "add", R, NEW_S
    )
    assert (
        reused.description_length
        < Program(
            ("x",), program.registers, (call("mul", call("mod", call("add", S, X), 6), 2),)
        ).description_length
    )


def test_renaming_changes_names_only():
    program = Program(
        ("x",),
        (Register("s", 0, call("add", S, X)), Register("r", 1, NEW_S)),
        (call("sub", NEW_R, S),),
    )
    other = renamed(program, {"s": "sum_so_far", "r": "copy"})
    words = np.random.default_rng(8).integers(0, 9, (3, 10, 1))
    np.testing.assert_array_equal(other.run(words), program.run(words))
    assert [r.name for r in other.registers] == [
        "sum_so_far",
        "copy",
    ] and other.description_length == program.description_length


def test_description_length_of_programs():
    window = Program(("x",), (Register("p", 0, X), Register("q", 0, Var("p"))), (Var("q"),))
    counter = Program(
        ("x",), (Register("s", 0, call("add", S, call("eq", X, 1))),), (call("gt", NEW_S, 3),)
    )
    table = Program(
        ("x",),
        (Register("s", 0, Lookup("N", tuple((0, 1, 2) for _ in range(9)), (S, X), (0, 0))),),
        (NEW_S,),
    )
    assert window.description_length < counter.description_length < table.description_length
    far = Program(("x",), (Register("s", 1000, call("add", S, X)),), (NEW_S,))
    near = Program(("x",), (Register("s", 0, call("add", S, X)),), (NEW_S,))
    assert near.description_length < far.description_length


def test_the_source_is_one_function_with_its_docstring():
    program = Program(("a", "b"), (Register("s", 0, call("max", S, A)),), (NEW_S, call("lt", A, B)))
    source = program_source(program, "Largest so far.\n\nDistilled; " + "evidence " * 40)
    tree = ast.parse(source)
    function = tree.body[-1]
    assert (
        isinstance(function, ast.FunctionDef)
        and function.name == "program"
        and [a.arg for a in function.args.args] == ["inputs"]
    )
    assert ast.get_docstring(function).startswith("Largest so far.")
    assert not any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(tree))
    assert max(map(len, source.splitlines())) <= 120
    assert body_lines(source) == body_lines(program.source) == 6


def test_docstrings_with_quotes_and_backslashes_stay_python():
    program = Program(("x",), (), (X,))
    for text in ('ends in a quote "', 'three """ quotes', "a back\\slash \\N", "trailing \\"):
        assert compile_source(program_source(program, text))([4]) == [4]
