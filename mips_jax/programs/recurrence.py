"""Registers and recurrences: what a program is, before anybody runs or prints it."""

from __future__ import annotations

import dataclasses

from mips_jax.programs.expression import Expression


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
class Recurrence:
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
