"""An affine network whose weights have come out as integers is itself the program (paper, section
3.4).

Axes: H hidden units, I inputs, O outputs.
"""

from __future__ import annotations

import numpy as np

from mips_jax.extraction.regression.regressor import affine_expression
from mips_jax.extraction.traces import Traces
from mips_jax.inputs import input_names
from mips_jax.networks import MLPRNN
from mips_jax.programs import Program, Register, Var

NEAR_INTEGER = 0.1  # a recurrent weight further from an integer is not rounded


def integer_program(network: MLPRNN, traces: Traces) -> tuple[Program | None, str]:
    """Rounds all weights of a network with affine transition and output.

    Returns:
        The program if it reproduces the network on the words, else None and why not.
    """
    if len(network.transition) != 1 or len(network.output) != 1:
        return None, "transition or output has a hidden layer"
    (weight, bias), (readout, offset) = network.transition[0], network.output[0]
    hidden_dim = network.hidden_dim
    distance = np.abs(np.concatenate([a.ravel() for a in (weight, readout)]))
    distance = np.abs(distance - np.rint(distance)).max()
    if distance > NEAR_INTEGER:
        return None, f"a weight is {distance:.2f} from an integer"
    rounded = (np.rint(a).astype(int) for a in (weight, bias, readout, offset, network.initial))
    weight, bias, readout, offset, initial = rounded
    inputs = input_names(network.input_dim)
    registers = register_names(hidden_dim)
    state = [Var(name) for name in registers]
    letters = [Var(name) for name in inputs]
    updates = [
        affine_expression([*state, *letters], list(map(int, w)), int(b))
        for w, b in zip(weight, bias)
    ]
    after = [Var(name, updated=True) for name in registers]
    outputs = tuple(
        affine_expression(after, list(map(int, w)), int(b)) for w, b in zip(readout, offset)
    )
    for start in (
        np.zeros(hidden_dim, int),
        initial,
    ):  # the transition often forgets its start at once
        rows = zip(registers, start, updates)
        program = Program(
            inputs,
            tuple(Register(name, int(value), update) for name, value, update in rows),
            outputs,
        )
        if np.array_equal(program.run(traces.words), traces.outputs):
            return program, "all weights integer"
    return None, "the rounded network gives other outputs"


def register_names(count: int) -> tuple[str, ...]:
    """Names of the registers in programs."""
    return ("s",) if count == 1 else tuple(f"s{i}" for i in range(count))
