"""A program written again, expression by expression, as a person would write it.

What it does stays the same: every new expression equals the old one on all rows that words of
many kinds reach, and the whole is compared with the old program on longer words, or with the
machine.

Axes: W words, T time, I inputs a step, R rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mips_jax.extraction.plain.guarded import Guarded
from mips_jax.extraction.plain.table import Table
from mips_jax.inputs import InputRange
from mips_jax.machines import Mealy, compare
from mips_jax.programs import (
    Call,
    Const,
    Expression,
    Lookup,
    Program,
    Var,
    call,
    evaluate,
    pruned,
    reuse_updates,
    variables,
    walk,
)
from mips_jax.programs.arrays import Cells, lists_of
from mips_jax.programs.reading import reading_bits, riddle_bits, shared_reading_bits

_ROWS = 250  # of a table that is searched
_ROUNDS = 3  # in which rows that contradict an expression join the table
_FAILURES = 40  # rows that join it
_COLUMNS = 9  # of a table: more make too many terms
_REGISTER = 6.0  # bits that one more register costs a reader
_LARGEST_CONSTANT = 100
_PLAIN = 14.0  # an expression that costs less is left alone
_LONGEST_TABLE = 6  # entries of a table that is written where it is read
_MARGIN = 0.5  # bits that must be gained


def reading_of(program: Program, bounds: InputRange) -> float:
    """What a program costs a reader, in bits: registers that are kept in a list are read as one."""
    bits = bits_of(program, bounds)
    lists = lists_of(program)
    listed = {r.name for found in lists for r in found.registers}
    parts: list[Expression] = [r.update for r in program.registers if r.name not in listed]
    for found in lists:
        parts.append(found.value)
        if isinstance(found, Cells):
            parts += [found.index] + ([found.guard] if found.guard else [])
    seen: set[Expression] = set()
    total = _REGISTER * (len(program.registers) - len(listed) + len(lists))
    return total + sum(shared_reading_bits(e, bits, seen) for e in (*parts, *program.outputs))


def riddles_of(program: Program, bounds: InputRange) -> float:
    """The part of it that is owed to riddles."""
    bits = bits_of(program, bounds)
    every = (*(r.update for r in program.registers), *program.outputs)
    return sum(riddle_bits(expression, bits) for expression in every)


def bits_of(program: Program, bounds: InputRange) -> frozenset[Var]:
    """Inputs whose range is 0..1."""
    return frozenset(
        Var(name) for name, range_ in zip(program.inputs, bounds) if tuple(range_) == (0, 1)
    )


def rewritten(
    program: Program, words: np.ndarray, bounds: InputRange, machine: Mealy | None = None
) -> Program | None:
    """The program written plainly, or None where nothing is gained or nothing else is the same.

    Args:
        program: right on all words of interest.
        words: [W, T, I] on which rows are collected.
        bounds: of every input.
        machine: where the program is one, the machine that it is.
    """
    rows = Rows.of(program, words)
    found = reuse_updates(program)
    least = start = reading_of(found, bounds)
    targets: list[Var | int] = [Var(r.name, updated=True) for r in found.registers]
    for target in [*targets, *range(len(found.outputs))]:
        trial = _with(found, target, rows.plainer(target, _expression(found, target)))
        reading = reading_of(trial, bounds)
        if reading < least - _MARGIN:
            found, least = trial, reading
    if least == start:
        return None
    found = pruned(found)
    return found if same(found, program, words, machine) else None


def _expression(program: Program, target: Var | int) -> Expression:
    if isinstance(target, int):
        return program.outputs[target]
    return next(r.update for r in program.registers if r.name == target.name)


def _with(program: Program, target: Var | int, expression: Expression) -> Program:
    """The program with another expression for a register after the step, or for an output."""
    if isinstance(target, int):
        outputs = list(program.outputs)
        outputs[target] = expression
        return reuse_updates(dataclasses.replace(program, outputs=tuple(outputs)))
    registers = [
        dataclasses.replace(r, update=expression) if r.name == target.name else r
        for r in program.registers
    ]
    return reuse_updates(dataclasses.replace(program, registers=tuple(registers)))


def same(found: Program, known: Program, words: np.ndarray, machine: Mealy | None) -> bool:
    """Whether two programs write the same: on every word where the machine is known, else on words
    five times as long that are made of these.
    """
    if machine is not None:
        return compare(found, machine).equal is True
    count = len(words) // 5
    longer = words[: 5 * count].reshape(count, -1, words.shape[2])
    both = [words, longer] if count else [words]
    return all((found.run(w) == known.run(w)).all() for w in both)


class Rows:
    """What every step of a program reads and writes, each different step once."""

    def __init__(self, columns: dict[Var, np.ndarray], outputs: Sequence[np.ndarray], inputs):
        self.columns, self.outputs, self.inputs = columns, outputs, inputs
        self.constants = _constants(columns, outputs)
        self.offered: dict[Expression, np.ndarray] = {}

    @classmethod
    def of(cls, program: Program, words: np.ndarray) -> Rows:
        written, traces = program.trace(words)
        columns = {Var(n): words[:, :, i] for i, n in enumerate(program.inputs)}
        for register in program.registers:
            after = traces[register.name]
            start = np.full((len(words), 1), register.initial)
            columns[Var(register.name)] = np.concatenate([start, after[:, :-1]], axis=1)
            columns[Var(register.name, updated=True)] = after
        flat = {v: c.reshape(-1) for v, c in columns.items()}
        read = np.stack([c for v, c in flat.items() if not v.updated], axis=1)
        first = np.unique(read, axis=0, return_index=True)[1]
        outputs = [written[:, :, o].reshape(-1)[first] for o in range(written.shape[2])]
        flat = {v: c[first].astype(np.int64) for v, c in flat.items()}
        return cls(flat, outputs, {Var(n) for n in program.inputs})

    def plainer(self, target: Var | int, expression: Expression) -> Expression:
        """The expression, or one that says the same and is easier to read.

        Args:
            target: the register after the step, or the output's index.
            expression: that gives it now.
        """
        if isinstance(expression, Var | Const):
            return expression
        read = self._read(target, expression)
        bits = frozenset(v for v in read if _is_bit(self.columns[v]))
        cost = reading_bits(expression, bits)
        if cost < _PLAIN and not riddle_bits(expression, bits):
            return expression
        wanted = self.columns[target] if isinstance(target, Var) else self.outputs[target]
        found = self._search(read, wanted, expression)
        if found is None or reading_bits(found, bits) > cost - _MARGIN:
            return expression
        return found

    def found(self, target: Var | int) -> Expression | None:
        """The plainest expression for a register after the step, from what was before it, or for an
        output, from what is before and after; None where there is none of the kind.
        """
        wanted = self.columns[target] if isinstance(target, Var) else self.outputs[target]
        if (wanted == wanted[0]).all():
            return Const(int(wanted[0]))
        read = self._read(target, None)
        copies = [v for v in read if (self.columns[v] == wanted).all()]
        return copies[0] if copies else self._search(read, wanted, None)

    def offer(self, updates: Sequence[Expression]) -> None:
        """Outputs may be made of the short tables that these updates read."""
        parts = [node for e in updates for node in walk(e)]
        sums = [n for n in parts if isinstance(n, Call) and n.operator == "add"]
        tables = [n for n in sums if any(isinstance(a, Lookup) for a in n.arguments)]
        self.offered = {t: evaluate(t, self.columns) for t in tables}

    def _read(self, target: Var | int, expression: Expression | None) -> list[Var]:
        """What it may read: the inputs, the registers before the step, and of those after it the
        ones that it reads now.
        """
        known = variables(expression) if expression is not None else set()
        late = {v for v in known if v.updated}
        if not isinstance(target, Var):
            late |= {v for v in self.columns if v.updated}
        every = [v for v in self.columns if not v.updated or v in late]
        if len(every) > _COLUMNS and known:
            every = [v for v in every if v in known or v in self.inputs]
        elif len(every) > _COLUMNS:
            every = [v for v in every if not v.updated]
        return every

    def _search(
        self, read: list[Var], wanted: np.ndarray, now: Expression | None
    ) -> Expression | None:
        rng = np.random.default_rng(0)
        count = len(wanted)
        if count > 2**20 or any(abs(int(self.columns[v].max(initial=0))) > 2**30 for v in read):
            return None
        chosen = np.arange(count)
        if count > _ROWS:
            ends = [int(f(self.columns[v])) for v in read for f in (np.argmin, np.argmax)]
            chosen = np.unique([*ends, *rng.choice(count, _ROWS, replace=False)])
        parts = walk(now) if now is not None else ()
        own = [node.value for node in parts if isinstance(node, Const)]
        constants = tuple(sorted({*self.constants, *own}))
        everything = {v: self.columns[v] for v in read}
        leaves: dict[Expression, np.ndarray] = dict(self.offered or self._steps(read, wanted))
        leaves = {**{v: c for v, c in everything.items()}, **leaves}
        for _ in range(_ROUNDS):
            table = Table(
                {v: c[chosen] for v, c in leaves.items()},
                frozenset(self.inputs & set(read)),
                constants,
            )
            found = Guarded(table).best(wanted[chosen])
            if found is None:
                return None
            values = np.broadcast_to(evaluate(found, everything), wanted.shape)
            failing = np.flatnonzero(values != wanted)
            if not len(failing):
                return found
            chosen = np.union1d(chosen, rng.permutation(failing)[:_FAILURES])
        return None

    def _steps(self, read: list[Var], wanted: np.ndarray) -> dict[Expression, np.ndarray]:
        """By how much each letter moves a register, as a short table, where there is one number
        for each letter that is right for most states.
        """
        letters = [v for v in read if v in self.inputs]
        own = [v for v in read if v not in self.inputs and not v.updated]
        if len(letters) != 1 or len(own) != 1:
            return {}
        letter, change = self.columns[letters[0]], wanted - self.columns[own[0]]
        low, high = int(letter.min()), int(letter.max())
        if not 2 <= high - low < _LONGEST_TABLE or wanted.min() != self.columns[own[0]].min():
            return {}
        moves = [_most_frequent(change[letter == a]) for a in range(low, high + 1)]
        known = [m for m in moves if m is not None]
        if len(known) < len(moves) or len(set(np.diff(known))) == 1:
            return {}
        total = call("add", own[0], Lookup("STEPS", tuple(known), (letters[0],), (low,)))
        return {total: evaluate(total, self.columns)}


def _most_frequent(values: np.ndarray) -> int | None:
    """The smallest in size of the most frequent ones; None of nothing."""
    if not len(values):
        return None
    found, counts = np.unique(values, return_counts=True)
    most = found[counts == counts.max()]
    return int(most[np.abs(most).argmin()])


def _is_bit(column: np.ndarray) -> bool:
    return bool(column.min(initial=0) >= 0 and column.max(initial=0) <= 1)


def _constants(columns: dict[Var, np.ndarray], outputs: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Small bounds of all that is read and written, and their neighbours."""
    found = {2}
    for column in (*columns.values(), *outputs):
        low, high = int(column.min(initial=0)), int(column.max(initial=0))
        found |= {low, high, high + 1, (high + 1) // 2}
    return tuple(sorted(c for c in found if abs(c) <= _LARGEST_CONSTANT))
