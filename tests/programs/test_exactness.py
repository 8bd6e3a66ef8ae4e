"""Programs are exact: random ones on inputs of any size against their printed Python."""

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.programs import Program, Register, Var, call, compile_source, program_source, pruned
from tests.programs.random_programs import random_program

X = Var("x")
SIZES = (3, 9, 2**16, 2**31, 2**45, 2**62, 2**63, 2**70)


def _agrees(seed: int) -> None:
    """One random program on one random word: interpreter and printed code write the same."""
    rng = np.random.default_rng(seed)
    inputs, registers, outputs = rng.integers(1, 4), rng.integers(0, 4), rng.integers(1, 3)
    program = random_program(rng, inputs, registers, outputs, depth=int(rng.integers(1, 4)))
    size = SIZES[rng.integers(len(SIZES))]
    draw = lambda: int(rng.integers(-(2**62), 2**62)) * 2**9 % (2 * size + 1) - size
    words = [
        [tuple(draw() for _ in range(inputs)) for _ in range(int(rng.integers(1, 7)))]
        for _ in range(2)
    ]
    words[1] = words[0][::-1]
    function = compile_source(program_source(program))
    wanted = [function([step if inputs > 1 else step[0] for step in word]) for word in words]
    for candidate in (program, pruned(program)):
        written = candidate.run(words)
        got = [[s[0] if outputs == 1 else tuple(s) for s in w] for w in written.tolist()]
        assert got == wanted, (seed, str(program), words)
    assert written.dtype == np.int64 or max(map(abs, written.ravel().tolist())) >= 2**63 - 1


@pytest.mark.parametrize("part", range(4))
def test_random_programs_write_what_their_source_writes(part):
    for seed in range(300 * part, 300 * (part + 1)):
        _agrees(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_many_random_programs_write_what_their_source_writes(part):
    for seed in range(10_000 + 2_000 * part, 10_000 + 2_000 * (part + 1)):
        _agrees(seed)


@pytest.mark.parametrize("seed", range(100))
def test_any_integers_are_summed_and_multiplied_exactly(seed):
    rng = np.random.default_rng(seed)
    any_size = lambda: int(rng.choice([-1, 1])) * (3 ** int(rng.integers(0, 60)) - 1)
    update = call("add", call("mul", any_size(), Var("s")), call("mul", X, X))
    program = Program(("x",), (Register("s", any_size(), update),), (Var("s", updated=True),))
    word = [any_size() for _ in range(rng.integers(0, 9))]
    assert program(word) == compile_source(program.source)(word)


def test_an_input_that_nobody_reads_may_have_any_size():
    first = Program(("a", "b"), (), (call("add", Var("a"), 1),))
    assert first([(1, 2**70), (2, -(2**64))]) == [2, 3]


def test_the_product_that_overflowed_is_right():
    fourth = call("mul", call("mul", X, X), call("mul", X, X))
    assert Program(("x",), (), (fourth,))([60_000]) == [12_960_000_000_000_000_000]


def test_a_value_that_returns_into_int64_is_int64_again():
    update = call("if", call("gt", X, 0), call("mul", Var("s"), 2**40), 1)
    program = Program(("x",), (Register("s", 1, update),), (Var("s", updated=True),))
    outputs, history = program.trace([[1, 1, 0, 1]])
    assert outputs[0, :, 0].tolist() == [2**40, 2**80, 1, 2**40] == history["s"][0].tolist()
    assert program.run([[1, 0, 1]]).dtype == np.int64


TOTAL = Program(("x",), (Register("s", 0, call("add", Var("s"), X)),), (Var("s", updated=True),))
PAIR = Program(("a", "b"), (), (call("max", Var("a"), Var("b")), Var("a")))


def test_what_may_be_given():
    assert TOTAL([1, 0, 1]) == [1, 1, 2] and TOTAL([]) == []
    assert PAIR([(1, 2), (4, 3)]) == [(2, 1), (4, 4)]
    assert TOTAL.run([[1, 2], [3, 4]]).tolist() == [[[1], [3]], [[3], [7]]]
    assert TOTAL.run(np.array([[1.0, 2.0]])).tolist() == [[[1], [3]]]
    assert TOTAL.run(np.array([[2**63]], np.uint64)).tolist() == [[[2**63]]]
    assert TOTAL.run([[2**63, -1]]).tolist() == [[[2**63], [2**63 - 1]]]


@pytest.mark.parametrize(
    "program, given, text",
    [
        (TOTAL, [[1.5]], "the inputs hold 1.5, which is no integer"),
        (TOTAL, [[float("nan")]], "the inputs hold nan, which is no integer"),
        (TOTAL, [["a"]], "the inputs hold 'a', which is no integer"),
        (TOTAL, [[None]], "the inputs hold None, which is no integer"),
        (TOTAL, [[1, 2], [3]], "the sequences have different lengths"),
        (TOTAL, [1, 2], r"shape \[2\]; a program that reads x needs integers .* or"),
        (PAIR, [[1, 2], [3, 4]], r"shape \[2, 2\]; a program that reads a, b needs integers"),
        (PAIR, np.zeros((1, 2, 3), int), r"shape \[1, 2, 3\]"),
    ],
)
def test_what_may_not(program, given, text):
    with pytest.raises(RequestError, match=text):
        program.run(given)
