"""Programs: integer registers, an update for each, and outputs; run by an interpreter, printed as
Python.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.programs.cost import shared_bits
from mips_jax.programs.evaluation import (
    bounds,
    evaluate_as,
    fits,
    interval_of,
    narrowed,
)
from mips_jax.programs.expression import Expression, Var, replace, variables
from mips_jax.programs.operators import Interval
from mips_jax.programs.printing import program_source
from mips_jax.programs.recurrence import Recurrence, Register
from mips_jax.programs.text import expression_text
from mips_jax.programs.words import as_words
from mips_jax.symbols import Symbols

# Bits of the largest registers for which one bound holds for a whole run: the search for it starts
# here. Registers beyond it are bounded step by step.
_WIDEST = 62


@dataclasses.dataclass(frozen=True, repr=False)
class Program(Recurrence):
    """A recurrence over integers that can be run, measured and printed.

    >>> from mips_jax.programs import call
    >>> total = call("add", Var("total"), Var("x"))
    >>> program = Program(("x",), (Register("total", 0, total),), (Var("total", updated=True),))
    >>> program([1, 0, 2**70])
    [1, 1, 1180591620717411303425]
    """

    @property
    def source(self) -> str:
        """The program as Python: `def program(inputs)`, standard library only."""
        return program_source(self)

    @property
    def description_length(self) -> float:
        """Bits that it takes to write the program down (the chooser's measure)."""
        count = len(self.inputs) + 2 * len(self.registers)
        seen: set[Expression] = set()
        bits = 0.0
        for register in self.registers:
            bits += 3.0 + abs(register.initial).bit_length()
            # a register that only passes a value on (a window) is read at a glance
            bits += (
                1.0
                if isinstance(register.update, Var)
                else 3.0 + shared_bits(register.update, count, seen)
            )
        return bits + sum(shared_bits(output, count, seen) for output in self.outputs)

    def __call__(self, sequence: Sequence) -> list:
        """The outputs on one sequence, as plain Python.

        Args:
            sequence: ints, or tuples of I ints where the program reads several a step.

        Returns:
            A list as long: ints, or tuples where the program writes several a step.
        """
        outputs = self.run([list(sequence)])[0].tolist()
        return [row[0] if len(self.outputs) == 1 else tuple(row) for row in outputs]

    def run(self, inputs: np.ndarray | Sequence) -> np.ndarray:
        """The outputs on many sequences at once, exact at any length and any size.

        Args:
            inputs: [N, T, I] integers, as an array or nested sequences; [N, T] where I is 1.

        Returns:
            [N, T, O] int64, or objects holding Python ints where one of them does not fit.

        Raises:
            RequestError: the inputs have another shape, or are no integers.
            ZeroDivisionError: a step divides by zero.
        """
        return self.trace(inputs)[0]

    def trace(self, inputs: np.ndarray | Sequence) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Outputs [N, T, O] and the values [N, T] of each register after every step; see `run`."""
        steps = as_words(inputs, self.inputs)
        count, length, _ = steps.shape
        if not steps.size:
            nothing = np.zeros((count, length, len(self.outputs)), np.int64)
            return nothing, {r.name: nothing[:, :, 0] for r in self.registers}
        letters = {Var(name): interval_of(steps[:, :, i]) for i, name in enumerate(self.inputs)}
        safe = self._safe_magnitude(letters)
        state = {r.name: narrowed(np.full(count, r.initial, dtype=object)) for r in self.registers}
        outputs, history = [], []
        for t in range(length):
            values = {Var(name): steps[:, t, i] for i, name in enumerate(self.inputs)}
            boxes = {Var(name): interval_of(value) for name, value in state.items()}
            within = safe >= 0 and all(
                -safe <= low and high <= safe for low, high in boxes.values()
            )
            state, result = self._step(values, state, within or self._fits(letters | boxes))
            outputs.append(result)
            history.append(state)
        stacked = {
            r.name: narrowed(np.stack([h[r.name] for h in history], axis=1)) for r in self.registers
        }
        return narrowed(np.stack(outputs, axis=1)), stacked

    def step(
        self, values: Mapping[Var, np.ndarray], state: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One step for N states, as exact as `run`.

        Args:
            values: [N] integers for each input.
            state: [N] integers for each register.

        Returns:
            The registers [N] after it, and the outputs [N, O].
        """
        boxes = {v: interval_of(column) for v, column in values.items()}
        boxes |= {Var(name): interval_of(column) for name, column in state.items()}
        return self._step(values, state, self._fits(boxes))

    def _step(
        self, values: Mapping[Var, np.ndarray], state: Mapping[str, np.ndarray], plain: bool
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One step in int64 (`plain`: nothing can leave it) or in Python's integers."""
        dtype = np.int64 if plain else object
        shape = next(iter(values.values())).shape
        known = {v: column.astype(dtype, copy=False) for v, column in values.items()}
        known |= {Var(name): column.astype(dtype, copy=False) for name, column in state.items()}
        try:
            with np.errstate(divide="raise"):
                for register in self.registers:
                    known[Var(register.name, updated=True)] = np.broadcast_to(
                        evaluate_as(dtype, register.update, known), shape
                    )
                results = [evaluate_as(dtype, output, known) for output in self.outputs]
        except FloatingPointError as error:
            raise ZeroDivisionError(f"the program divides by zero: {self}") from error
        written = np.stack([np.broadcast_to(result, shape) for result in results], axis=-1)
        after = {r.name: narrowed(known[Var(r.name, updated=True)]) for r in self.registers}
        return after, narrowed(written)

    def _fits(self, boxes: Mapping[Var, Interval]) -> bool:
        """Whether no number of a step can leave int64, given the ranges of all it reads."""
        known = dict(boxes)
        for register in self.registers:
            if not fits(register.update, known):
                return False
            known[Var(register.name, updated=True)] = bounds(register.update, known)
        return all(fits(output, known) for output in self.outputs)

    def _safe_magnitude(self, letters: Mapping[Var, Interval]) -> int:
        """The largest 2**k - 1 such that a step fits in int64 while all registers are within it; -1
        where there is none.
        """
        low, high = -1, _WIDEST  # fits at `low` bits, or low is -1
        while low < high:
            bits = (low + high + 1) // 2
            around = (1 - 2**bits, 2**bits - 1)
            if self._fits({**letters, **{Var(r.name): around for r in self.registers}}):
                low = bits
            else:
                high = bits - 1
        return 2**low - 1 if low >= 0 else -1

    def __repr__(self) -> str:
        return f"Program({self})"

    def __str__(self) -> str:
        updates = [
            f"{r.name}' = {_primed_text(r.update)}  ({r.name}_0 = {r.initial})"
            for r in self.registers
        ]
        return "; ".join(
            updates + [f"y{i} = {_primed_text(o)}" for i, o in enumerate(self.outputs)]
        )


def pruned(program: Program) -> Program:
    """The program without registers that no output depends on, and without those whose old value
    nobody reads.
    """
    program = _inlined(program)
    updates = {r.name: r.update for r in program.registers}
    needed: set[str] = set()
    todo = [v.name for output in program.outputs for v in variables(output)]
    while todo:
        name = todo.pop()
        if name in updates and name not in needed:
            needed.add(name)
            todo += [v.name for v in variables(updates[name])]
    return dataclasses.replace(
        program, registers=tuple(r for r in program.registers if r.name in needed)
    )


def _inlined(program: Program) -> Program:
    """Registers that are only read after their update are written out where they are read."""
    for register in program.registers:
        others = [r for r in program.registers if r.name != register.name]
        readers = [r.update for r in program.registers] + list(program.outputs)
        if any(Var(register.name) in variables(e) for e in readers):
            continue
        written: dict[Expression, Expression] = {Var(register.name, updated=True): register.update}
        registers = tuple(dataclasses.replace(r, update=replace(r.update, written)) for r in others)
        return _inlined(
            Program(program.inputs, registers, tuple(replace(o, written) for o in program.outputs))
        )
    return program


def renamed(program: Program, names: dict[str, str]) -> Program:
    """The program with its registers called by other names."""
    both: dict[Expression, Expression] = {
        Var(old, late): Var(new, late) for old, new in names.items() for late in (False, True)
    }
    registers = tuple(
        Register(names.get(r.name, r.name), r.initial, replace(r.update, both))
        for r in program.registers
    )
    return Program(program.inputs, registers, tuple(replace(o, both) for o in program.outputs))


def _primed_text(expression: Expression) -> str:
    """Like `expression_text`, with a prime on updated registers."""
    return expression_text(
        replace(expression, {v: Var(v.name + "'") for v in variables(expression) if v.updated})
    )


def compile_source(source: str) -> Callable[[list], list]:
    """The function `program` that a printed program defines (for checks: what users will run is
    what was verified).
    """
    namespace: dict = {}
    exec(compile(source, "program.py", "exec"), namespace)  # our own printer's output
    return namespace["program"]


@dataclasses.dataclass(frozen=True, repr=False)
class SymbolProgram(Program):
    """A program that reads and writes symbols where it is called and printed, as in the task that
    it was found for; `run` and `trace` are about integers like any program's.

    Attributes:
        symbols: what its integers stand for.
    """

    symbols: Symbols

    @classmethod
    def of(cls, program: Program, symbols: Symbols) -> SymbolProgram:
        """The same program, in symbols."""
        return cls(program.inputs, program.registers, program.outputs, symbols)

    @property
    def source(self) -> str:
        """The program as Python, with a table of the symbols."""
        return program_source(self, None, self.symbols)

    def __call__(self, sequence: Sequence) -> list:
        """The outputs on one sequence of symbols.

        Raises:
            RequestError: something in it is none of the symbols.
        """
        try:
            word = self.symbols.coded(sequence)
        except ValueError as error:
            raise RequestError(str(error)) from None
        return list(map(self.symbols.written, super().__call__(word)))
