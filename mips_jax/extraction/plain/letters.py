"""Registers that every letter copies, sets or leaves as they are: cells, delays, places of a tuple.

Axes: S states, A letters.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.plain.guarded import Guarded
from mips_jax.extraction.plain.table import Table
from mips_jax.inputs import input_names
from mips_jax.machines import Mealy
from mips_jax.programs import Call, Const, Expression, Var, call, tidied

_MOST_SOURCES = 3  # of one register: more are not read at a glance
_FEWEST_CELLS = 2
_MOST_CELLS = 8


@dataclasses.dataclass(frozen=True)
class Letters:
    """The letters of a machine as a table of its inputs, for guards that read nothing else."""

    table: Table
    search: Guarded

    @classmethod
    def of(cls, machine: Mealy) -> Letters:
        names = input_names(machine.letters.shape[1])
        return cls._of(machine.letters, names)

    @classmethod
    def _of(cls, letters: np.ndarray, names: tuple[str, ...]) -> Letters:
        columns: dict[Expression, np.ndarray] = {Var(n): letters[:, i] for i, n in enumerate(names)}
        constants = {2} | set(np.unique(letters).tolist()) | {int(letters.max()) + 1}
        few = tuple(sorted(c for c in constants if 0 <= c <= 16))
        table = Table(columns, frozenset(map(Var, names)), few)
        return cls(table, Guarded(table))

    def among(self, chosen: np.ndarray) -> Letters:
        """Only some of the letters [A] bool."""
        columns = {v: c[chosen] for v, c in self.table.columns.items()}
        table = dataclasses.replace(self.table, columns=columns)
        return Letters(table, Guarded(table))

    def truth(self, held: np.ndarray) -> Expression | None:
        """A condition that holds for these letters [A] bool and for no others."""
        if held.all() or not held.any():
            return Const(int(held[0]))
        found = self.search.best(held.astype(np.int64))
        if found is None or (isinstance(found, Call) and found.operator == "if"):
            return None
        return found

    def value(self, wanted: np.ndarray) -> Expression | None:
        """An expression with these values [A]."""
        return self.search.best(wanted.astype(np.int64))


def copied(
    after: np.ndarray, registers: dict[Var, np.ndarray], letters: Letters, own: Var
) -> Expression | None:
    """The update of a register that each letter sets to another one, to its own value, or to what
    depends on the letter alone.

    Args:
        after: [S, A] its value after each letter.
        registers: [S] the values of every register before it.
        letters: of the machine.
        own: the register itself.
    """
    sources = _sources(after, registers, own)
    if sources is None:
        return None
    groups: dict[Expression | None, np.ndarray] = {}
    for letter, source in enumerate(sources):
        groups.setdefault(source, np.zeros(len(sources), bool))[letter] = True
    if len(groups) > _MOST_SOURCES:
        return None
    branches = []
    for source, held in groups.items():
        value = letters.among(held).value(after[0][held]) if source is None else source
        condition = letters.truth(held)
        if value is None or condition is None:
            return None
        branches.append((condition, value))
    branches.sort(key=lambda b: (b[1] == own, -len(str(b[0]))))
    result = branches[-1][1]
    for condition, value in reversed(branches[:-1]):
        result = Call("if", (condition, value, result))
    return tidied(result)


def _sources(
    after: np.ndarray, registers: dict[Var, np.ndarray], own: Var
) -> list[Expression | None] | None:
    """For each letter the register that is copied, or None: what it becomes depends on the letter
    alone. None instead of all of them where a letter does neither.
    """
    ordered = [own, *(v for v in registers if v != own)]
    found: list[Expression | None] = []
    for column in after.T:
        if (column == column[0]).all():
            found.append(None)
            continue
        copies = [v for v in ordered if (registers[v] == column).all()]
        if not copies:
            return None
        found.append(copies[0])
    return found


def cells(
    afters: list[np.ndarray], registers: dict[Var, np.ndarray], letters: Letters
) -> list[Expression] | None:
    """The updates of registers of which each letter sets one at most, to what depends on the letter
    alone: `if guard: cell[index] = value`. The registers are put in the order of the index.

    Returns:
        For each register its update `value if guard and index == place else register`; None where
        they are no such cells.
    """
    own = list(registers)
    if not _FEWEST_CELLS <= len(own) <= _MOST_CELLS:
        return None
    writes = np.zeros((len(own), afters[0].shape[1]), bool)
    values = np.zeros(afters[0].shape[1], np.int64)
    for k, (after, variable) in enumerate(zip(afters, own)):
        for letter, column in enumerate(after.T):
            if (column == registers[variable]).all():
                continue
            if (column != column[0]).any():
                return None
            writes[k, letter], values[letter] = True, column[0]
    # a letter may set a register to the only value that the other states have as well
    if (writes.sum(axis=0) > 1).any() or not writes.any(axis=1).all():
        return None
    written: np.ndarray = np.asarray(writes.any(axis=0))
    some = letters.among(written)
    guard, value = letters.truth(written), some.value(values[written])
    index = _index(writes[:, written], some)
    if guard is None or value is None or index is None:
        return None
    place, expression = index
    updates: list[Expression] = []
    for k, variable in enumerate(own):
        here = call("eq", expression, int(place[k]))
        condition = here if guard == Const(1) else call("and", guard, here)
        updates.append(Call("if", (condition, value, variable)))
    return updates


def _index(writes: np.ndarray, letters: Letters) -> tuple[np.ndarray, Expression] | None:
    """(the place of each register, an expression that gives the place that is set)."""
    count = len(writes)
    first = writes.argmax(axis=1)  # a letter that sets each
    order = np.argsort(first, kind="stable")
    for chosen in (order, order[::-1]):
        place = np.empty(count, np.int64)
        place[chosen] = np.arange(count)
        found = letters.value(place[writes.argmax(axis=0)])
        if found is not None:
            return place, found
    return None
