"""What other tools read of a machine does what the machine does: AALpy is asked."""

import sys

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.machines import Mealy

CARRY = Mealy.of(
    [(a, b) for a in range(2) for b in range(2)],
    [[0, 0, 0, 1], [0, 1, 1, 1]],
    [[0, 1, 1, 0], [1, 0, 0, 1]],
)
SIGNED = Mealy.of([-3, 12], [[1, 0], [1, 0]], [[[-1, 2], [0, 0]], [[5, -6], [7, 8]]])


def random_machine(states: int, seed: int) -> Mealy:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, states, (states, 3))
    return Mealy.of([0, 1, 2], table, rng.integers(-2, 3, (states, 3)))


@pytest.mark.parametrize("machine", [CARRY, SIGNED, random_machine(9, 0)])
def test_aalpy_s_machine_writes_the_same(machine):
    pytest.importorskip("aalpy")
    words = np.random.default_rng(1).integers(0, len(machine.letters), (20, 12))
    theirs = machine.to_aalpy()
    for word, expected in zip(words, machine.run(words)):
        theirs.reset_to_initial()
        letters = [plain(machine.letters[a]) for a in word]
        assert [theirs.step(letter) for letter in letters] == [plain(row) for row in expected]


@pytest.mark.parametrize("machine", [CARRY, SIGNED, random_machine(9, 0)])
def test_aalpy_reads_the_dot_file(machine, tmp_path):
    pytest.importorskip("aalpy")
    from aalpy.utils import load_automaton_from_file

    path = tmp_path / "machine.dot"
    path.write_text(machine.to_dot())
    theirs = load_automaton_from_file(str(path), "mealy")
    assert len(theirs.states) == machine.states
    names = {str(letter): letter for letter in theirs.get_input_alphabet()}
    words = np.random.default_rng(1).integers(0, len(machine.letters), (20, 12))
    for word, expected in zip(words, machine.run(words)):
        theirs.reset_to_initial()
        wrote = [theirs.step(names[str(plain(machine.letters[a]))]) for a in word]
        assert list(map(str, wrote)) == [str(plain(row)) for row in expected]


def test_without_aalpy_the_message_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "aalpy.automata", None)
    with pytest.raises(RequestError, match=r"pip install 'aalpy>=1\.4'"):
        CARRY.to_aalpy()


def test_a_machine_is_short_to_look_at():
    assert repr(CARRY) == "Mealy(2 states, 4 letters, 2 different outputs)"


def plain(values):
    return tuple(values.tolist()) if len(values) > 1 else int(values[0])
