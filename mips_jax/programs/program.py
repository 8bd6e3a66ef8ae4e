"""Programs: integer registers, an update for each, and outputs; run by an interpreter, printed as
Python.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.programs.expression import (
    Expression,
    Var,
    evaluate,
    expression_text,
    replace,
    shared_bits,
    variables,
)

_SAFE_MAGNITUDE = (
    2**20
)  # beyond it the interpreter changes from int64 to Python's unbounded integers


@dataclasses.dataclass(frozen=True)
class Register:
    """An integer that the program remembers.

    Attributes:
        name: an identifier, unlike any other register's and any input's.
        initial: its value before the first input.
        update: its value after a step; reads the inputs, the registers before the step, and the
            updated value of registers that come earlier in the program.
    """

    name: str
    initial: int
    update: Expression


@dataclasses.dataclass(frozen=True)
class Program:
    """A recurrence over integers.

    Attributes:
        inputs: names of the inputs of a step.
        registers: in the order of their updates.
        outputs: one expression for each output; may read inputs and registers before and after the
            step.
    """

    inputs: tuple[str, ...]
    registers: tuple[Register, ...]
    outputs: tuple[Expression, ...]

    @property
    def source(self) -> str:
        """The program as Python: `def program(inputs)`, standard library only."""
        from mips_jax.programs.printing import program_source

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

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """The outputs on many sequences at once, exact at any length.

        Args:
            inputs: [N, T, I] integers.

        Returns:
            [N, T, O] int64, or Python-int objects where a value left the range that is safe in
            int64.
        """
        return self.trace(inputs)[0]

    def trace(self, inputs: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Outputs [N, T, O] and, for each register, its value [N, T] after every step."""
        count, length, _ = inputs.shape
        if not length:
            return np.zeros((count, 0, len(self.outputs)), np.int64), {
                r.name: np.zeros((count, 0), np.int64) for r in self.registers
            }
        steps = inputs.astype(
            object
            if inputs.size and max(-int(inputs.min()), int(inputs.max())) > _SAFE_MAGNITUDE
            else np.int64
        )
        state = {r.name: np.full(count, r.initial, steps.dtype) for r in self.registers}
        outputs, history = [], []
        for t in range(length):
            if (
                state
                and steps.dtype != object
                and any(len(v) and np.abs(v).max() > _SAFE_MAGNITUDE for v in state.values())
            ):
                steps, state = (
                    steps.astype(object),
                    {name: value.astype(object) for name, value in state.items()},
                )
            values = {Var(name): steps[:, t, i] for i, name in enumerate(self.inputs)}
            state, result = self.step(values, state)
            outputs.append(result)
            history.append(state)
        dtype = object if steps.dtype == object else np.int64
        stacked = {
            r.name: np.stack([h[r.name].astype(dtype) for h in history], axis=1)
            for r in self.registers
        }
        return np.stack([o.astype(dtype) for o in outputs], axis=1), stacked

    def step(
        self, values: dict[Var, np.ndarray], state: dict[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One step for N states: inputs and registers [N] -> registers after it, outputs [N, O]."""
        shape = next(iter(values.values())).shape
        values = values | {Var(name): value for name, value in state.items()}
        for register in self.registers:
            values[Var(register.name, updated=True)] = np.broadcast_to(
                evaluate(register.update, values), shape
            )
        result = np.stack(
            [np.broadcast_to(evaluate(o, values), shape) for o in self.outputs], axis=-1
        )
        return {r.name: values[Var(r.name, updated=True)] for r in self.registers}, result

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
        written = {Var(register.name, updated=True): register.update}
        registers = tuple(dataclasses.replace(r, update=replace(r.update, written)) for r in others)
        return _inlined(
            Program(program.inputs, registers, tuple(replace(o, written) for o in program.outputs))
        )
    return program


def renamed(program: Program, names: dict[str, str]) -> Program:
    """The program with its registers called by other names."""
    both = {Var(old, late): Var(new, late) for old, new in names.items() for late in (False, True)}
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


def compile_source(source: str):
    """The function `program` that a printed program defines (for checks: what users will run is
    what was verified).
    """
    namespace: dict = {}
    exec(compile(source, "program.py", "exec"), namespace)  # our own printer's output
    return namespace["program"]
