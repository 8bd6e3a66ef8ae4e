"""Partitions of a machine's states that its letters respect (with the substitution property), and
the parallel decompositions that follow from them (Hartmanis and Stearns, Algebraic Structure Theory
of Sequential Machines, 1966, chapters 2 and 3).

A partition is an array [S] of block numbers, numbered in the order of the states.

Axes: S states, A letters.
"""

from __future__ import annotations

import itertools

import numpy as np

from mips_jax.machines.mealy import Mealy

_ALL_PAIRS = 32  # states up to which every pair is joined
_MOST_STATES = 150  # of a machine of permutations, where pairs with the first state are enough
_MOST_PARTITIONS = 120
_MOST_FACTORS = 3


def substitution_partitions(machine: Mealy) -> list[np.ndarray]:
    """Partitions, neither of single states nor of one block, that every letter maps block into
    block; the coarsest first. Those that arise from a pair of states, and joins of two of them.
    """
    states = machine.states
    permuting = all(len(set(column.tolist())) == states for column in machine.transition.T)
    if states > (_MOST_STATES if permuting else _ALL_PAIRS):
        return []
    pairs = (
        ((0, other) for other in range(1, states))
        if permuting
        else itertools.combinations(range(states), 2)
    )
    steps = machine.transition.tolist()
    found = {p.tobytes(): p for pair in pairs for p in [_closed(steps, [pair])]}
    basic = list(found.values())[:_MOST_PARTITIONS]
    for one, other in itertools.combinations(basic, 2):
        if len(found) >= _MOST_PARTITIONS:
            break
        joined = join(one, other)
        found.setdefault(joined.tobytes(), joined)
    proper = [p for p in found.values() if 1 < blocks(p) < states]
    return sorted(proper, key=blocks)


def blocks(partition: np.ndarray) -> int:
    """How many blocks it has."""
    return int(partition.max()) + 1


def meet(*partitions: np.ndarray) -> np.ndarray:
    """The coarsest partition that is finer than each of these."""
    return _numbered(list(map(tuple, np.stack(partitions, axis=1).tolist())))


def join(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The finest partition that is coarser than both."""
    root = list(range(len(one)))
    for partition in (one, other):
        first: dict[int, int] = {}
        for state, block in enumerate(partition.tolist()):
            _unite(root, first.setdefault(block, state), state)
    return _numbered([_find(root, state) for state in range(len(one))])


def quotient(machine: Mealy, partition: np.ndarray) -> np.ndarray:
    """[K, A] the block after each letter, for a partition that the letters respect."""
    first = np.unique(partition, return_index=True)[1]
    return partition[machine.transition[first]]


def factors(machine: Mealy, partitions: list[np.ndarray]) -> list[tuple[np.ndarray, ...]]:
    """Sets of two or three partitions that together tell all states apart: the machine runs as
    their quotients side by side. Few blocks first, and of those quotients that ignore most letters.
    """
    found: list[tuple[int, int, int, tuple[np.ndarray, ...]]] = []
    for count in range(2, _MOST_FACTORS + 1):
        for chosen in itertools.combinations(partitions, count):
            size = int(np.prod([blocks(p) for p in chosen]))
            if size < machine.states or blocks(meet(*chosen)) < machine.states:
                continue
            if count > 2 and any(
                blocks(meet(*part)) == machine.states
                for part in itertools.combinations(chosen, count - 1)
            ):
                continue
            total = sum(blocks(p) for p in chosen)
            found.append((total, -sum(_ignored(machine, p) for p in chosen), len(found), chosen))
        if found:
            break
    return [chosen for *_, chosen in sorted(found, key=lambda entry: entry[:3])]


def _ignored(machine: Mealy, partition: np.ndarray) -> int:
    """Letters that leave every block where it is."""
    table = quotient(machine, partition)
    return int((table == np.arange(len(table))[:, None]).all(axis=0).sum())


def _closed(steps: list[list[int]], pairs: list[tuple[int, int]]) -> np.ndarray:
    """The finest partition that joins the pairs and that every letter respects."""
    root = list(range(len(steps)))
    todo = list(pairs)
    while todo:
        one, other = todo.pop()
        if _unite(root, one, other):
            todo += zip(steps[one], steps[other])
    return _numbered([_find(root, state) for state in range(len(steps))])


def _find(root: list[int], state: int) -> int:
    while root[state] != state:
        root[state] = root[root[state]]
        state = root[state]
    return state


def _unite(root: list[int], one: int, other: int) -> bool:
    """Joins two blocks; False where they were one."""
    first, second = _find(root, one), _find(root, other)
    root[max(first, second)] = min(first, second)
    return first != second


def _numbered(names: list) -> np.ndarray:
    number: dict = {}
    return np.array([number.setdefault(name, len(number)) for name in names])
