"""Products: a word that tells program and machine apart is a shortest one; what is open says so."""

import itertools

import numpy as np
import pytest

from mips_jax.machines import Mealy, compare, equals_machine, machine_program, product
from mips_jax.programs import Program, Register, Var, call

X, S, NEW = Var("x"), Var("s"), Var("s", updated=True)
PARITY = Mealy.of([0, 1], [[0, 1], [1, 0]], [[0, 1], [1, 0]])


def _first_by_enumeration(program: Program, machine: Mealy, longest: int):
    """The length of the shortest word on which they differ, by trying all of them to `longest`."""
    letters = range(len(machine.letters))
    for length in range(1, longest + 1):
        words = np.array(list(itertools.product(letters, repeat=length)))
        if (program.run(machine.letters[words]) != machine.run(words)).any():
            return length
    return None


@pytest.mark.parametrize("seed", range(40))
def test_the_word_is_a_shortest_one_that_tells_them_apart(seed):
    rng = np.random.default_rng(seed)
    states, letters = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    first = Mealy.of(
        np.arange(letters),
        rng.integers(0, states, (states, letters)),
        rng.integers(0, 2, (states, letters)),
    )
    output = first.output.copy()
    output[rng.integers(states), rng.integers(letters)] += 1
    second = Mealy.of(first.letters, first.transition, output)
    program = machine_program(first, ((0, letters - 1),))
    assert compare(program, first).equal is True and compare(program, first).word is None
    found = compare(program, second)
    assert (
        found.equal is equals_machine(program, second) and 1 <= found.pairs <= states * states + 1
    )
    if found.equal:  # the state whose output differs is not reached
        assert _first_by_enumeration(program, second, states) is None
        return
    word = np.array(found.word)
    assert len(word) == _first_by_enumeration(program, second, states)
    wrote, wanted = program.run(word[None])[0], second.run(second.index_of(word)[None])[0]
    assert (wrote[:-1] == wanted[:-1]).all() and (wrote[-1] != wanted[-1]).any()


def test_letters_of_the_word_are_inputs_of_the_program():
    pair = Program(("a", "b"), (), (call("add", Var("a"), Var("b")),))
    machine = Mealy.of([[0, 0], [2, 3]], [[0, 0]], [[0, 6]])
    assert compare(pair, machine).word == ((2, 3),)


def test_what_is_left_open_says_why(monkeypatch):
    counter = Program(
        ("x",), (Register("s", 0, call("add", S, 1)),), (call("mod", call("mul", 0, NEW), 2),)
    )
    zero = Mealy.of([0], [[0]], [[0]])
    monkeypatch.setattr(product, "_LARGEST_PRODUCT", 50)
    found = compare(counter, zero)
    assert found.equal is None and found.word is None
    assert found.reason == "their product has more than 50 pairs" and found.pairs == 51
    doubling = Program(("x",), (Register("s", 1, call("mul", S, 2)),), (call("mul", 0, X),))
    monkeypatch.setattr(product, "_LARGEST_PRODUCT", 50_000)
    assert compare(doubling, zero).reason == f"a register grows beyond {2**20}"


def test_a_step_beyond_int64_is_no_proof_of_anything_wrong():
    """At 60,000 the fourth power leaves int64: there the program writes 1, as the machine does."""
    fourth = call("mul", call("mul", X, X), call("mul", X, X))
    program = Program(("x",), (), (call("gt", fourth, 0),))
    machine = Mealy.of([0, 60_000], [[0, 0]], [[0, 1]])
    assert compare(program, machine).equal is True
