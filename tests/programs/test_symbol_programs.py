"""A program that reads and writes symbols, against its own printed text."""

import pytest

from mips_jax.errors import RequestError
from mips_jax.programs import Program, Register, SymbolProgram, Var, call, compile_source
from mips_jax.symbols import Symbols

PARITY = call("mod", call("add", Var("odd"), Var("x")), 2)


def parity(symbols: Symbols, inputs=("x",)) -> SymbolProgram:
    odd = Register("odd", 0, PARITY)
    return SymbolProgram.of(Program(inputs, (odd,), (Var("odd", updated=True),)), symbols)


def test_it_does_what_its_source_does():
    program = parity(Symbols((("a", "b"),), (("even", "odd"),)))
    assert program("abba") == compile_source(program.source)("abba")
    assert program("abba") == ["even", "odd", "even", "even"]
    assert program.run([[0, 1, 1, 0]]).ravel().tolist() == [0, 1, 0, 0]


def test_several_inputs_some_of_them_numbers():
    program = parity(Symbols((("lo", "hi"), None), (None,)), ("x", "y"))
    assert program([("hi", 7), ("lo", 2), ("hi", 0)]) == [1, 1, 0]


def test_a_strange_symbol_is_named_with_those_that_are_read():
    program = parity(Symbols((("a", "b"),), (None,)))
    with pytest.raises(RequestError, match="'c' is none of the symbols that are read: 'a', 'b'"):
        program("abc")
