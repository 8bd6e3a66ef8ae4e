"""A program as a finite machine, as far as words of some length reach.

Axes: S states, A letters, I inputs a step, O outputs a step, R registers.
"""

from __future__ import annotations

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.programs import Program
from mips_jax.programs.expression import Var


def unfolded(
    program: Program, letters: np.ndarray, steps: int, states: int
) -> tuple[Mealy, bool] | None:
    """The states that words of at most `steps` letters reach.

    Args:
        program: with integer registers.
        letters: [A, I].
        steps: >= 1.
        states: the most that are kept.

    Returns:
        The machine, its transitions -1 where more steps would be needed; and whether no longer word
        reaches another state. None where there are too many states, or an output is too large.
    """
    names = [register.name for register in program.registers]
    known = {tuple(int(register.initial) for register in program.registers): 0}
    new, rows, written = list(known), [], []
    for _ in range(steps):
        if not new:
            break
        after, outputs = _stepped(program, names, new, letters)
        if outputs.dtype == object or after.dtype == object:
            return None
        reached = [tuple(row) for row in after.tolist()]
        new = [state for state in dict.fromkeys(reached) if state not in known]
        known |= {state: len(known) + number for number, state in enumerate(new)}
        if len(known) > states:
            return None
        rows.append(np.array([known[state] for state in reached]).reshape(-1, len(letters)))
        written.append(outputs.reshape(-1, len(letters), outputs.shape[1]))
    transition, output = np.concatenate(rows), np.concatenate(written)
    missing = len(known) - len(transition)
    transition = np.pad(transition, ((0, missing), (0, 0)), constant_values=-1)
    output = np.pad(output, ((0, missing), (0, 0), (0, 0)))
    return Mealy(letters, transition, output), not missing


def _stepped(
    program: Program, names: list[str], states: list[tuple], letters: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Registers [S A, R] and outputs [S A, O] after every letter in every state."""
    before = np.array(states).reshape(len(states), len(names))
    before = np.repeat(before, len(letters), axis=0)
    read = np.tile(letters, (len(states), 1))
    values = {Var(name): read[:, i] for i, name in enumerate(program.inputs)}
    after, outputs = program.step(values, dict(zip(names, before.T)))
    columns = [after[name] for name in names]
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(read), 0), np.int64)
    return stacked, outputs
