"""Products: are two machines, or a program and a machine, the same on every word?

Axes: S states, A letters.
"""

from __future__ import annotations

import numpy as np

from mips_jax.machines.mealy import Mealy
from mips_jax.programs import Program, Var

# Pairs of register values and machine states explored before the question is left open.
_LARGEST_PRODUCT = 50_000
# A register that grows beyond it belongs to no finite machine that could be proven equal.
_LARGEST_VALUE = 2**20


def first_difference(a: Mealy, b: Mealy) -> tuple[int, ...] | None:
    """The shortest word (letter indices) on which two machines over the same letters differ, or
    None: they are bisimilar.
    """
    queue, seen = [((0, 0), ())], {(0, 0)}
    for (p, q), word in queue:
        differs = np.flatnonzero((a.output[p] != b.output[q]).any(axis=1))
        if len(differs):
            return (*word, int(differs[0]))
        for letter in range(len(a.letters)):
            pair = (int(a.transition[p, letter]), int(b.transition[q, letter]))
            if pair not in seen:
                seen.add(pair)
                queue.append((pair, (*word, letter)))
    return None


def equals_machine(program: Program, machine: Mealy) -> bool | None:
    """Whether program and machine write the same on every word of every length (their product is
    explored to its end).

    Returns:
        True: proven. False: a word tells them apart. None: the product is larger than the limit, or
            a register grows on.
    """
    letters = machine.letters
    start = (tuple(r.initial for r in program.registers), 0)
    seen, frontier = {start}, [start]
    while frontier:
        registers = np.array([pair[0] for pair in frontier], np.int64).reshape(
            len(frontier), len(program.registers)
        )
        states = np.repeat([pair[1] for pair in frontier], len(letters))
        index = np.tile(np.arange(len(letters)), len(frontier))
        values = {Var(name): letters[index, i] for i, name in enumerate(program.inputs)}
        state = {
            r.name: np.repeat(registers[:, k], len(letters))
            for k, r in enumerate(program.registers)
        }
        after, outputs = program.step(values, state)
        if not np.array_equal(outputs, machine.output[states, index]):
            return False
        columns = [after[r.name] for r in program.registers]
        if any(np.abs(c).max() > _LARGEST_VALUE for c in columns):
            return None
        following = (
            zip(zip(*columns), machine.transition[states, index])
            if columns
            else (((), s) for s in machine.transition[states, index])
        )
        frontier = []
        for registers_after, state_after in following:
            pair = (tuple(int(v) for v in registers_after), int(state_after))
            if pair not in seen:
                seen.add(pair)
                frontier.append(pair)
        if len(seen) > _LARGEST_PRODUCT:
            return None
    return True
