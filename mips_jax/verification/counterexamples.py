"""A search for words on which a network and its program differ, led by what is new.

Random words hardly ever meet what is rare: a password, a counter at its end, a letter that matters
in one state only. But on the way there the network's hidden state is somewhere new. So the search
keeps one word for each cell of (registers of the program, hidden state), and goes on from the cells
that it has been to least (as fuzzers do: coverage in place of chance).

Axes: B words advanced together, I inputs a step, H hidden units.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.inputs import Inputs
from mips_jax.networks import Network
from mips_jax.networks.well_formed import WellFormed, well_formed
from mips_jax.programs import Program, Var

_BATCH = 256  # words advanced together
_LETTERS = 8  # tried from each of them
_DIRECTIONS = 6  # of the hidden state, the widest, that make a cell
_CELL = 0.25  # of a direction's standard deviation on random words, a cell's width
_WEIGHTS_FREE = 16_384  # a network with so many numbers in its state costs one unit a step


class _Archive:
    """One word for each cell: its hidden state, registers, length and the way it was reached."""

    def __init__(self) -> None:
        self.cells: dict[bytes, int] = {}
        self.hidden: list[np.ndarray] = []
        self.registers: list[tuple] = []
        self.letters: list[np.ndarray] = []  # that of the start is never read
        self.parent: list[int] = []
        self.depth: list[int] = []
        self.visits: list[int] = []

    def add(self, cell: bytes, hidden, registers, letter, parent: int, depth: int) -> None:
        if cell in self.cells:
            self.visits[self.cells[cell]] += 1
            return
        self.cells[cell] = len(self.hidden)
        self.hidden.append(hidden)
        self.registers.append(registers)
        self.letters.append(letter)
        self.parent.append(parent)
        self.depth.append(depth)
        self.visits.append(0)

    def word(self, index: int, letter: np.ndarray) -> np.ndarray:
        """The word [T, I] that leads to a cell, and one letter more."""
        found = [letter]
        while index > 0:
            found.append(self.letters[index])
            index = self.parent[index]
        return np.array(found[::-1])


def find_disagreement(
    program: Program,
    network: Network,
    inputs: Inputs,
    longest: int,
    steps: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray | None, int]:
    """Looks for a word on which the two differ at the last step.

    Args:
        program, network: what is compared.
        inputs: letters that may be read; a grammar may say which words count.
        longest: steps of the longest word that is tried.
        steps: work: single steps of a small network.
        rng: what chooses.

    Returns:
        The shortest word found [T, I] or None, and the steps run.
    """
    cost = max(1.0, network.hidden_dim**2 / _WEIGHTS_FREE)
    if not network.recurrent:
        cost = network.step_work
    anywhere = dataclasses.replace(inputs.free, grammar=None).unseen
    beside = well_formed(network, inputs.grammar)
    project = _projection(beside, inputs, rng)
    archive = _Archive()
    start = tuple(int(r.initial) for r in program.registers)
    archive.add(b"start", beside.initial, start, np.zeros(inputs.dim, np.int64), -1, 0)
    used, spent = 0, 0.0
    while spent < steps:
        open_ = [i for i in range(len(archive.hidden)) if archive.depth[i] < longest]
        if not open_:
            break
        visits = np.array([archive.visits[i] for i in open_])
        depth = np.array([archive.depth[i] for i in open_])
        order = np.lexsort((rng.random(len(open_)), depth, visits))[:_BATCH]
        chosen = np.repeat(np.array(open_)[order], _LETTERS)
        letters = anywhere.words(len(chosen), 1, rng)[:, 0]
        for i in np.unique(chosen):
            archive.visits[i] += 1
        word = _advance(archive, program, beside, chosen, letters, project)
        used += len(chosen)
        spent += len(chosen) * cost
        if word is not None:
            return _confirmed(program, network, word), used
    return None, used


def _advance(archive, program, network, chosen, letters, project) -> np.ndarray | None:
    """One step from each chosen cell; a word on which program and network differ, if one is met."""
    hidden = network.step(np.stack([archive.hidden[i] for i in chosen]), letters)
    if isinstance(network, WellFormed):
        counts = network.allowed(hidden)
        hidden, letters, chosen = hidden[counts], letters[counts], chosen[counts]
        if not len(chosen):
            return None
    before = np.array([archive.registers[i] for i in chosen], object).reshape(len(chosen), -1)
    values = {Var(name): letters[:, i] for i, name in enumerate(program.inputs)}
    state = {r.name: _narrow(before[:, k]) for k, r in enumerate(program.registers)}
    after, written = program.step(values, state)
    differ = np.flatnonzero((network.outputs(hidden) != written).any(axis=1))
    if len(differ):
        depth = np.array([archive.depth[chosen[i]] for i in differ])
        first = int(differ[int(np.argmin(depth))])
        return archive.word(int(chosen[first]), letters[first])
    columns = [after[r.name] for r in program.registers]
    registers = (
        list(zip(*(column.tolist() for column in columns))) if columns else [()] * len(hidden)
    )
    cells = np.floor(project(hidden)).astype(np.int64)
    for row, index in enumerate(chosen):
        cell = cells[row].tobytes() + repr(registers[row]).encode()
        archive.add(
            cell, hidden[row], registers[row], letters[row], int(index), archive.depth[index] + 1
        )
    return None


def _narrow(column: np.ndarray) -> np.ndarray:
    """Python integers as int64 where they are small."""
    if all(abs(int(v)) < 2**31 for v in column):
        return column.astype(np.int64)
    return column


def _projection(network: Network, inputs: Inputs, rng: np.random.Generator):
    """States [B, H] -> coordinates whose whole parts are cells."""
    words = inputs.words(64, network.within(30), rng)
    hidden = network.represent(network.run(words)[0].reshape(-1, network.hidden_dim))
    hidden = hidden[np.isfinite(hidden).all(axis=1)]
    if len(hidden) < 2:
        return lambda states: np.zeros((len(states), 1))
    center = hidden.mean(axis=0)
    _, size, directions = np.linalg.svd(hidden - center, full_matrices=False)
    kept = size > 1e-9 * max(float(size[0]), 1e-300)
    directions, size = directions[kept][:_DIRECTIONS], size[kept][:_DIRECTIONS]
    scale = _CELL * size / np.sqrt(len(hidden))
    return lambda states: np.clip(
        np.nan_to_num((network.represent(states) - center) @ directions.T / scale), -1e15, 1e15
    )


def _confirmed(program: Program, network: Network, word: np.ndarray) -> np.ndarray | None:
    """The word cut where the two first differ when it is run on its own, or None."""
    differ = (network.run(word[None])[1] != program.run(word[None])).any(axis=2)[0]
    return word[: int(np.argmax(differ)) + 1] if differ.any() else None
