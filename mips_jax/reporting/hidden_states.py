"""Hidden states of a network on random words, with what the program and the machine make of these:
for pictures, for probing, and as a file.

Axes: B sequences, T time, I inputs a step, H hidden units, O outputs a step.
"""

from __future__ import annotations

import dataclasses
import io
import os
from pathlib import Path

import numpy as np
from scipy.linalg import eigh

from mips_jax.inputs import InputRange, Inputs, random_words
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.programs import Program
from mips_jax.reporting.files import write_bytes
from mips_jax.reporting.letters import shown_sign
from mips_jax.symbols import Symbols

SEQUENCES = 80  # that are run
MAX_COLOURINGS = 6  # of a picture


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HiddenStates:
    """Hidden states, each with the word that led to it.

    Attributes:
        words: [B, T, I] inputs, int64.
        hidden: [B, T, H] float64, the state after each input.
        outputs: [B, T, O] what the network wrote.
        initial: [H] the state before the first input.
        state: [B, T] the machine's state after each input; None without a machine.
        registers: name -> [B, T] the program's register after each input; int64, or objects holding
            integers where one does not fit.
        symbols: what inputs and outputs stand for, where they are no numbers.
    """

    words: np.ndarray
    hidden: np.ndarray
    outputs: np.ndarray
    initial: np.ndarray
    state: np.ndarray | None
    registers: dict[str, np.ndarray]
    symbols: Symbols | None = None

    @property
    def colourings(self) -> dict[str, np.ndarray]:
        """What to colour by -> [B, T]: the machine's state, each register, each output."""
        found = {} if self.state is None else {"state": self.state}
        found |= {f"register {name}": values for name, values in self.registers.items()}
        several = self.outputs.shape[2] > 1
        for o in range(self.outputs.shape[2]):
            found[f"output {o}" if several else "output"] = self.outputs[:, :, o]
        return dict(list(found.items())[:MAX_COLOURINGS])

    def label(self, colouring: str, value: int) -> str:
        """A value of one of the colourings as text: of an output, the symbol."""
        if self.symbols is None or not colouring.startswith("output"):
            return str(value)
        place = int(colouring.removeprefix("output") or 0)
        return shown_sign(self.symbols.outputs[place], value)

    def __repr__(self) -> str:
        count, length, width = self.hidden.shape
        beside = ", ".join(self.colourings)
        return f"HiddenStates({count} words of length {length}, H={width}; {beside})"

    def npz(self) -> bytes:
        """All arrays as the content of a .npz file: `words`, `hidden`, `outputs`, `initial`,
        `state`, and `register_<name>`; registers beyond int64 as text.
        """
        arrays = {name: getattr(self, name) for name in ("words", "hidden", "outputs", "initial")}
        if self.state is not None:
            arrays["state"] = self.state
        for name, values in self.registers.items():
            arrays[f"register_{name}"] = values.astype(str) if values.dtype == object else values
        written = io.BytesIO()
        np.savez_compressed(written, **arrays)
        return written.getvalue()

    def save(self, path: str | os.PathLike) -> Path:
        """Writes `npz()`, whole or not at all, and returns the path."""
        return write_bytes(Path(path), self.npz())


def hidden_states(
    network: Network,
    inputs: Inputs | InputRange,
    program: Program | None = None,
    machine: Mealy | None = None,
    length: int = 10,
    sequences: int = SEQUENCES,
    seed: int = 0,
    symbols: Symbols | None = None,
) -> HiddenStates:
    """Runs random words through a network, a program and a machine.

    Args:
        network: whose hidden states are asked for.
        inputs: that it reads.
        program: its registers are recorded, where it is given.
        machine: its states are, likewise.
        length: of the words.
        sequences: how many words.
        seed: of the words.
        symbols: what inputs and outputs stand for.
    """
    words = random_words(inputs, sequences, length, np.random.default_rng(seed))
    states, outputs = network.run(words)
    hidden = network.represent(states.reshape(-1, states.shape[2])).reshape(*states.shape[:2], -1)
    state = None if machine is None else states_after(machine, words)
    registers = {} if program is None else program.trace(words)[1]
    initial = network.represent(network.initial[None])[0]
    return HiddenStates(words, hidden, outputs, initial, state, registers, symbols)


def states_after(machine: Mealy, inputs: np.ndarray) -> np.ndarray:
    """State of the machine after each input: [B, T, I] -> [B, T]."""
    return machine.trace(machine.index_of(inputs))


def principal_axes(points: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Projects points on their directions of largest variance.

    Args:
        points: [N, H].
        dimensions: how many directions to keep (at most H are returned).

    Returns:
        The coordinates [N, min(dimensions, H)] and the share of the variance that each direction
        explains.
    """
    centred = points - points.mean(axis=0) if len(points) else points
    spread = centred.T @ centred
    width = len(spread)
    wanted = (max(0, width - dimensions), width - 1)
    variance, directions = eigh(spread, subset_by_index=wanted)  # ascending
    share = np.maximum(variance[::-1], 0.0) / max(np.trace(spread), np.finfo(float).tiny)
    return centred @ directions[:, ::-1], share


def as_numbers(values: np.ndarray) -> np.ndarray:
    """Integers of any size as int64, very large ones cut off."""
    values = np.asarray(values)
    return np.clip(values, -(2**62), 2**62).astype(np.int64) if values.dtype == object else values
