"""A finite machine as a program over the coordinates of its state.

Axes: S states, A letters, R rows (a state and a letter each).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from mips_jax.extraction.plain.letters import Letters, cells, copied
from mips_jax.extraction.plain.rewrite import Rows
from mips_jax.inputs import input_names
from mips_jax.machines import Mealy, compare
from mips_jax.machines.decomposition import (
    Coordinates,
    coordinate_systems,
    group_name,
    observables,
)
from mips_jax.programs import Expression, Program, Register, Var, pruned, reuse_updates
from mips_jax.programs.reading import reading_bits

_MOST_ROWS = 4_000
_MOST_SYSTEMS = 10
_UNUSED = 2.0
_STATE_NAMES = ("state",)


def programs_of(machine: Mealy, most: float = np.inf) -> Iterator[tuple[Program, str]]:
    """(program, how it was found) for each way of naming the states whose updates and outputs can
    be written plainly. Every program is proven equal to the machine.

    Args:
        machine: a minimal one.
        most: bits that the updates may cost a reader.
    """
    if machine.states < 2 or machine.states * len(machine.letters) > _MOST_ROWS:
        return
    for system in itertools.islice(coordinate_systems(machine), _MOST_SYSTEMS):
        program = program_over(machine, system, most)
        if program is not None and compare(program, machine).equal is True:
            yield program, _noted(system, machine)


def cells_of(machine: Mealy) -> Iterator[tuple[Program, str]]:
    """(program, how it was found) where every letter only sets, copies or leaves registers: found
    at once, and as plain as can be. Every program is proven equal to the machine.
    """
    if machine.states < 2 or machine.states * len(machine.letters) > _MOST_ROWS:
        return
    for closed in observables(machine):
        system = Coordinates(tuple(closed), "cells that inputs set or copy")
        if len(closed) > 1:
            program = program_over(machine, system, searched=False)
            if program is not None and compare(program, machine).equal is True:
                yield program, _noted(system, machine)


def _noted(system: Coordinates, machine: Mealy) -> str:
    group = group_name(machine)
    return system.note + (f"; inputs act as {group}" if group else "")


def program_over(
    machine: Mealy, system: Coordinates, most: float = np.inf, searched: bool = True
) -> Program | None:
    """The program over these coordinates, or None where one of its expressions is not found.

    Args:
        machine: what it must equal.
        system: its registers.
        most: bits that the updates may cost a reader.
        searched: whether updates are sought that do more than set and copy.
    """
    names = register_names(len(system.columns))
    before = {Var(name): column for name, column in zip(names, system.columns)}
    afters = [column[machine.transition] for column in system.columns]
    letters = Letters.of(machine)
    rows = _rows(machine, system, names)
    updates = cells(afters, before, letters)
    if updates is None:
        updates, spent = [], 0.0
        for variable, after in zip(before, afters):
            update = copied(after, before, letters, variable) if len(before) > 1 else None
            if update is None and searched:
                update = rows.found(Var(variable.name, updated=True))
            if update is None:
                return None
            updates.append(update)
            spent += reading_bits(update)
            if spent > _UNUSED * most:  # some of them may prove not to be needed
                return None
    rows.offer(updates)
    outputs: list[Expression] = []
    for o in range(machine.output.shape[2]):
        written = rows.found(o)
        if written is None:
            return None
        outputs.append(written)
    registers = [
        Register(name, int(column[0]), update)
        for name, column, update in zip(names, system.columns, updates)
    ]
    inputs = input_names(machine.letters.shape[1])
    return pruned(reuse_updates(Program(inputs, tuple(registers), tuple(outputs))))


def register_names(count: int) -> tuple[str, ...]:
    return _STATE_NAMES if count == 1 else tuple(f"s{i}" for i in range(count))


def _rows(machine: Mealy, system: Coordinates, names: tuple[str, ...]) -> Rows:
    """Every state with every letter."""
    states = np.repeat(np.arange(machine.states), len(machine.letters))
    letters = np.tile(np.arange(len(machine.letters)), machine.states)
    after = machine.transition[states, letters]
    inputs = input_names(machine.letters.shape[1])
    columns = {Var(n): machine.letters[letters, i] for i, n in enumerate(inputs)}
    for name, column in zip(names, system.columns):
        columns[Var(name)] = column[states].astype(np.int64)
        columns[Var(name, updated=True)] = column[after].astype(np.int64)
    outputs = [machine.output[states, letters, o] for o in range(machine.output.shape[2])]
    return Rows(columns, outputs, {Var(n) for n in inputs})
