"""A finite machine written down as a program: its tables of next states and outputs.

Axes: S states, A letters, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import numpy as np

from mips_jax.inputs import InputRange, input_names
from mips_jax.machines.mealy import Mealy
from mips_jax.programs import Const, Lookup, Program, Register, Var


def machine_program(machine: Mealy, input_range: InputRange) -> Program:
    """A finite machine as a program: one register, a table of next states and one for each output.

    The tables cover the whole range; for letters that the machine does not read they repeat those
    of its first letter.
    """
    names = input_names(len(input_range))
    shape = tuple(high - low + 1 for low, high in input_range)
    lows = tuple(low for low, _ in input_range)
    column = np.zeros(shape, np.int64)
    column[tuple((machine.letters - np.array(lows)).T)] = np.arange(len(machine.letters))
    indices, offsets = (Var("state"), *map(Var, names)), (0, *lows)
    table = lambda name, values: Lookup(name, _as_tuples(values[:, column]), indices, offsets)
    outputs = tuple(
        table("OUTPUT" if machine.output.shape[2] == 1 else f"OUTPUT{o}", machine.output[:, :, o])
        for o in range(machine.output.shape[2])
    )
    if machine.states == 1:
        return Program(names, (Register("state", 0, Const(0)),), outputs)
    return Program(names, (Register("state", 0, table("NEXT", machine.transition)),), outputs)


def _as_tuples(table: np.ndarray) -> tuple:
    """An array as nested tuples of Python ints."""
    return tuple(_as_tuples(row) for row in table) if table.ndim > 1 else tuple(table.tolist())
