"""Products: are two machines, or a program and a machine, the same on every word?

Axes: A letters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from mips_jax.machines.mealy import Mealy
from mips_jax.programs import Program, Var

# Pairs of register values and machine states explored before the question is left open.
_LARGEST_PRODUCT = 50_000
# A register that grows beyond it belongs to no finite machine that could be proven equal.
_LARGEST_VALUE = 2**20

_Pair = tuple[tuple[int, ...], int]  # (registers or state of the first, state of the second)
_Step = tuple[_Pair, int]  # the pair before, and the letter read


@dataclasses.dataclass(frozen=True)
class ProductResult:
    """What exploring the product of a program and a machine has shown.

    Attributes:
        equal: True: they write the same on every word of every length. False: `word` tells them
            apart. None: left open, `reason` says why.
        word: a shortest word that tells them apart, letters (tuples of I ints), or None.
        pairs: pairs of registers and state that were reached.
        reason: why the question is open; empty where it is not.
    """

    equal: bool | None
    word: tuple[tuple[int, ...], ...] | None
    pairs: int
    reason: str = ""


def first_difference(a: Mealy, b: Mealy) -> tuple[int, ...] | None:
    """The shortest word (letter indices) on which two machines over the same letters differ, or
    None: they are bisimilar.
    """
    start: _Pair = ((0,), 0)
    queue, reached = [start], dict[_Pair, _Step | None]({start: None})
    for pair in queue:
        (p,), q = pair
        differs = np.flatnonzero((a.output[p] != b.output[q]).any(axis=1))
        if len(differs):
            return (*_word_to(pair, reached), int(differs[0]))
        for letter in range(len(a.letters)):
            after = ((int(a.transition[p, letter]),), int(b.transition[q, letter]))
            if after not in reached:
                reached[after] = (pair, letter)
                queue.append(after)
    return None


def bisimilar(a: Mealy, b: Mealy) -> bool:
    """Whether two machines over the same letters write the same on every word."""
    return first_difference(a, b) is None


def equals_machine(program: Program, machine: Mealy) -> bool | None:
    """Whether program and machine write the same on every word of every length; `compare` also
    says why, or where not.
    """
    return compare(program, machine).equal


def compare(program: Program, machine: Mealy) -> ProductResult:
    """Explores the product of a program and a machine, breadth first, to its end.

    Args:
        program: reads as many integers a step as the machine.
        machine: the letters that count are its own.

    Returns:
        Equal; or different, with a shortest word; or open, where the product has more than
        `_LARGEST_PRODUCT` pairs or a register grows beyond `_LARGEST_VALUE`.
    """
    start: _Pair = (tuple(r.initial for r in program.registers), 0)
    level, reached = [start], dict[_Pair, _Step | None]({start: None})
    left_open = lambda reason: ProductResult(None, None, len(reached), reason)
    while level:
        differs, following = _stepped(program, machine, level)
        if differs is not None:
            pair, letter = differs
            word = (*_word_to(pair, reached), letter)
            letters = tuple(tuple(machine.letters[a].tolist()) for a in word)
            return ProductResult(False, letters, len(reached))
        level = []
        for after, step in following:
            if after in reached:
                continue
            if max(map(abs, after[0]), default=0) > _LARGEST_VALUE:
                return left_open(f"a register grows beyond {_LARGEST_VALUE}")
            reached[after] = step
            level.append(after)
        if len(reached) > _LARGEST_PRODUCT:
            return left_open(f"their product has more than {_LARGEST_PRODUCT} pairs")
    return ProductResult(True, None, len(reached))


def _stepped(
    program: Program, machine: Mealy, level: list[_Pair]
) -> tuple[_Step | None, Iterator[tuple[_Pair, _Step]]]:
    """Every letter read in every pair: the first (pair, letter) where the outputs differ or None,
    and for each the pair after it.
    """
    count = len(machine.letters)
    index = np.tile(np.arange(count), len(level))
    states = np.repeat([state for _, state in level], count)
    values = {Var(name): machine.letters[index, i] for i, name in enumerate(program.inputs)}
    before = {
        r.name: np.repeat(np.array([registers[k] for registers, _ in level]), count)
        for k, r in enumerate(program.registers)
    }
    after, outputs = program.step(values, before)
    steps = [(pair, letter) for pair in level for letter in range(count)]
    wrong = np.flatnonzero((outputs != machine.output[states, index]).any(axis=1))
    columns = [after[r.name].tolist() for r in program.registers]
    registers = zip(*columns) if columns else ((),) * len(steps)
    pairs = zip(registers, machine.transition[states, index].tolist())
    return (steps[wrong[0]] if len(wrong) else None), zip(pairs, steps)


def _word_to(pair: _Pair, reached: dict[_Pair, _Step | None]) -> tuple[int, ...]:
    """The letters by which a breadth-first search came to a pair."""
    word: list[int] = []
    while (step := reached[pair]) is not None:
        pair, letter = step
        word.append(letter)
    return tuple(reversed(word))
