"""Programs written plainly: what a person would write for small machines, and that nothing else is
changed.
"""

import itertools

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.extraction.plain import cells_of, names_for, programs_of, reading_of, rewritten
from mips_jax.machines import compare
from mips_jax.networks import CallableNetwork
from mips_jax.programs import Program, Register, Var, call, compile_source
from tests.machines.test_decomposition import dihedral, machine_of, memory, permuting, two_parities

X, V = Var("x"), Var("value")
BIT = ((0, 1),)


def words(length: int = 8) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=length)))[:, :, None]


def one_register(update, initial: int = 0) -> Program:
    return Program(("x",), (Register("value", initial, update),), (Var("value", updated=True),))


@pytest.mark.parametrize(
    ("riddle", "plain"),
    [
        (call("add", X, call("mul", X, V)), "value + 1 if x else 0"),
        (call("mul", call("sub", X, 1), call("sub", -1, V)), "0 if x else value + 1"),
    ],
)
def test_products_with_bits_become_choices(riddle, plain):
    program = one_register(riddle)
    found = rewritten(program, words(), BIT)
    assert found is not None and plain in found.source
    assert (found.run(words(10)) == program.run(words(10))).all()
    assert reading_of(found, BIT) < reading_of(program, BIT)


def test_a_plain_program_is_left_alone():
    assert rewritten(one_register(call("add", V, X)), words(), BIT) is None


def test_a_rewritten_program_must_equal_the_machine():
    program = one_register(call("add", X, call("mul", X, V)))
    other = machine_of(lambda s, x: (x, x), 0, [0, 1])
    assert rewritten(program, words(), BIT, other) is None


@pytest.mark.parametrize(
    "machine",
    [
        permuting(3),
        permuting(4),
        machine_of(two_parities, (0, 0), [0, 1]),
        machine_of(dihedral, (0, 0), [0, 1]),
        machine_of(lambda s, x: ((s + (0, 1, -1)[x]) % 5,) * 2, 0, [0, 1, 2]),
    ],
)
def test_programs_of_a_machine_equal_it(machine):
    found = list(itertools.islice(programs_of(machine), 3))
    assert found
    for program, _ in found:
        assert compare(program, machine).equal is True
        letters = np.random.default_rng(0).integers(0, len(machine.letters), (20, 30))
        wanted = machine.run(letters)[:, :, 0].tolist()
        assert [compile_source(program.source)(word.tolist()) for word in letters] == wanted


def test_cells_are_written_as_a_list():
    letters = list(itertools.product((0, 1), (0, 1, 2), (0, 1)))
    machine = machine_of(memory, (0, 0, 0), letters)
    program, note = next(cells_of(machine))
    assert "cells[b] = c" in program.source and "outputs.append(cells[b])" in program.source
    assert "copy" in note
    assert compare(program, machine).equal is True


def test_registers_are_named_by_what_they_do():
    total = call("add", call("add", Var("a"), Var("b")), Var("state"))
    carry = Register("state", 0, call("gt", total, 1))
    program = Program(("a", "b"), (carry,), (call("mod", total, 2),))
    assert names_for(program) == {"state": "carry"}
    assert names_for(one_register(call("mod", call("add", call("mul", 2, V), X), 3))) == {
        "value": "rest"
    }
    assert names_for(one_register(call("add", V, X))) == {}


def test_a_network_of_flip_flops_is_no_table():
    def step(hidden, x):
        hidden = hidden.copy()
        for row, letter in zip(hidden, x[:, 0].astype(int)):
            if letter:
                row[(letter - 1) // 2] = (letter - 1) % 2
        return hidden

    network = CallableNetwork(step, lambda h: h @ [[1.0], [2.0], [4.0]], np.zeros(3))
    best = extract(network, [(0, 6)]).best
    assert best is not None and best.fidelity == 1.0 and best.method == "registers"
    assert "bits[(x - 1) // 2] = " in best.program.source
