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
    Program,
    Var,
    evaluate,
    pruned,
    reuse_updates,
    variables,
    walk,
)
from mips_jax.programs.reading import NO_BITS, reading_bits, riddle_bits

_ROWS = 400  # of a table that is searched
_ROUNDS = 3  # in which rows that contradict an expression join the table
_FAILURES = 40  # rows that join it
_COLUMNS = 9  # of a table: more make too many terms
_REGISTER = 6.0  # bits that one more register costs a reader
_LARGEST_CONSTANT = 100
_PLAIN = 14.0  # an expression that costs less is left alone
_MARGIN = 0.5  # bits that must be gained


def reading_of(program: Program, bounds: InputRange) -> float:
    """What a program costs a reader, in bits."""
    bits = bits_of(program, bounds)
    seen: set[Expression] = set()
    total = _REGISTER * len(program.registers)
    for expression in (*(r.update for r in program.registers), *program.outputs):
        cost = reading_bits(expression, bits)
        total += 4.0 if expression in seen else cost
        seen.add(expression)
    return total


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


def rewritten(program: Program, words: np.ndarray, machine: Mealy | None = None) -> Program | None:
    """The program written plainly, or None where nothing is gained or nothing else is the same.

    Args:
        program: right on all words of interest.
        words: [W, T, I] on which rows are collected.
        machine: where the program is one, the machine that it is.
    """
    rows = Rows.of(program, words)
    registers, changed = [], False
    for register in program.registers:
        update = rows.plainer(Var(register.name, updated=True), register.update)
        changed |= update != register.update
        registers.append(dataclasses.replace(register, update=update))
    outputs = tuple(rows.plainer(o, e) for o, e in enumerate(program.outputs))
    if not changed and outputs == program.outputs:
        return None
    found = pruned(reuse_updates(Program(program.inputs, tuple(registers), outputs)))
    return found if same(found, program, words, machine) else None


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

    def _read(self, target: Var | int, expression: Expression) -> list[Var]:
        """What it may read: the inputs, the registers before the step, and of those after it the
        ones that it reads now.
        """
        known = variables(expression)
        late = {v for v in known if v.updated}
        if not isinstance(target, Var):
            late |= {v for v in self.columns if v.updated}
        every = [v for v in self.columns if not v.updated or v in late]
        if len(every) > _COLUMNS:
            every = [v for v in every if v in known or v in self.inputs]
        return every

    def _search(self, read: list[Var], wanted: np.ndarray, now: Expression) -> Expression | None:
        rng = np.random.default_rng(0)
        count = len(wanted)
        if count > 2**20 or any(abs(int(self.columns[v].max(initial=0))) > 2**30 for v in read):
            return None
        chosen = np.arange(count)
        if count > _ROWS:
            ends = [int(f(self.columns[v])) for v in read for f in (np.argmin, np.argmax)]
            chosen = np.unique([*ends, *rng.choice(count, _ROWS, replace=False)])
        own = [node.value for node in walk(now) if isinstance(node, Const)]
        constants = tuple(sorted({*self.constants, *own}))
        everything = {v: self.columns[v] for v in read}
        for _ in range(_ROUNDS):
            table = Table(
                {v: c[chosen] for v, c in everything.items()},
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


def _is_bit(column: np.ndarray) -> bool:
    return bool(column.min(initial=0) >= 0 and column.max(initial=0) <= 1)


def _constants(columns: dict[Var, np.ndarray], outputs: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Small bounds of all that is read and written, and their neighbours."""
    found = {2}
    for column in (*columns.values(), *outputs):
        low, high = int(column.min(initial=0)), int(column.max(initial=0))
        found |= {low, high, high + 1, (high + 1) // 2}
    return tuple(sorted(c for c in found if abs(c) <= _LARGEST_CONSTANT))


__all__ = ["NO_BITS", "Call", "Rows", "bits_of", "reading_of", "rewritten", "riddles_of", "same"]
