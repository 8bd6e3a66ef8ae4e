"""Coordinates: integers that together name a machine's state, each with a meaning of its own.

Axes: S states, A letters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from mips_jax.machines.decomposition.observables import observables
from mips_jax.machines.decomposition.partitions import (
    blocks,
    factors,
    meet,
    quotient,
    substitution_partitions,
)
from mips_jax.machines.mealy import Mealy

_MOST_SYSTEMS = 6  # of parallel components
_MOST_CASCADES = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Coordinates:
    """Integers for every state.

    Attributes:
        columns: [S] int64 each; together they tell all states apart.
        note: how they were found, in words.
    """

    columns: tuple[np.ndarray, ...]
    note: str


def coordinate_systems(machine: Mealy) -> Iterator[Coordinates]:
    """Ways of naming the states, those that are most like what people write first.

    Outputs that name the state; closed sets of what would be written; the steps along one letter;
    parallel components; a component and the rest (cascade).
    """
    seen: set[bytes] = set()
    for system in _all_systems(machine):
        key = b"".join(sorted(column.tobytes() for column in system.columns))
        if key not in seen and len(np.unique(np.stack(system.columns), axis=1).T) == machine.states:
            seen.add(key)
            yield system


def _all_systems(machine: Mealy) -> Iterator[Coordinates]:
    entered = written_on_entry(machine)
    if entered is not None:
        yield Coordinates(entered, "what was written last")
    for closed in observables(machine):
        if closed:
            yield Coordinates(tuple(closed), "what would be written after a few inputs")
    for column in labels(machine.transition, machine.letters):
        yield Coordinates((column,), "steps along one input")
    partitions = substitution_partitions(machine)
    for chosen in factors(machine, partitions)[:_MOST_SYSTEMS]:
        columns = tuple(_component(machine, partition) for partition in chosen)
        sizes = " x ".join(str(blocks(p)) for p in chosen)
        yield Coordinates(columns, f"parallel components of {sizes} states")
    for partition in partitions[:_MOST_CASCADES]:
        first = _component(machine, partition)
        for rest in _complements(machine, partition):
            sizes = f"{blocks(partition)} x {len(np.unique(rest))}"
            yield Coordinates((first, rest), f"a cascade of {sizes} states")


def written_on_entry(machine: Mealy) -> tuple[np.ndarray, ...] | None:
    """[S] for each output: what is written whenever a state is entered, where that names the state;
    the first state, if no letter leads there, gets the most frequent next value that is free.
    """
    states, outputs = machine.states, machine.output.shape[2]
    columns = np.full((outputs, states), -1)
    entered = np.zeros(states, bool)
    for state in range(states):
        for target, written in zip(machine.transition[state], machine.output[state]):
            if entered[target] and (columns[:, target] != written).any():
                return None
            columns[:, target], entered[target] = written, True
    if (~entered).sum() > (not entered[0]):
        return None
    if not entered[0]:
        columns[:, 0] = [0 if 0 not in c[1:] else int(c[1:].min()) - 1 for c in columns]
    kept = [c for c in columns if (c != c[0]).any()]
    return tuple(kept) if kept else None


def labels(table: np.ndarray, letters: np.ndarray) -> list[np.ndarray]:
    """Numberings [S] of the states of a table [S, A] of next states that are natural for it: 0 and
    1; the letter that was read last; the steps along one letter from the first state.
    """
    states = len(table)
    if states == 2:
        return [np.array([0, 1])]
    found = []
    if (table == table[0]).all() and letters.shape[1] == 1 and len(set(table[0])) == states:
        column = np.zeros(states, np.int64)
        column[table[0]] = letters[:, 0]
        found.append(column)
    for letter in range(table.shape[1]):
        path = [0]
        while table[path[-1], letter] not in path:
            path.append(int(table[path[-1], letter]))
        if len(path) == states:
            column = np.zeros(states, np.int64)
            column[path] = np.arange(states)
            found.append(column)
    return list({column.tobytes(): column for column in found}.values())


def _component(machine: Mealy, partition: np.ndarray) -> np.ndarray:
    """[S] a natural number for the block of each state."""
    named = labels(quotient(machine, partition), machine.letters)
    return (named[0] if named else np.arange(blocks(partition)))[partition]


def _complements(machine: Mealy, partition: np.ndarray) -> Iterator[np.ndarray]:
    """Columns [S] that name the state within its block: an output after one letter, or the order in
    which states are met.
    """
    for column in machine.output.transpose(2, 1, 0).reshape(-1, machine.states):
        values = np.unique(column, return_inverse=True)[1].ravel()
        if blocks(meet(partition, values)) == machine.states:
            yield column
            break
    met = [0] * blocks(partition)
    order = np.zeros(machine.states, np.int64)
    for state, block in enumerate(partition.tolist()):
        order[state] = met[block]
        met[block] += 1
    yield order
