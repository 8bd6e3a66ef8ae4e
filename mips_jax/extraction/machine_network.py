"""A finite machine in the place of the network that it was read off: the same behaviour without the
network's rare errors.

Axes: B sequences, S states, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.networks import Network


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MachineNetwork(Network):
    """Hidden states [B, S + O]: the machine's state as a one-hot vector, and what it wrote last.

    Attributes:
        machine: what it does.
        first: [O] outputs before the first input.
        trained_length: of the network that the machine stands for.
    """

    machine: Mealy
    first: np.ndarray
    trained_length: int | None = None

    @property
    def initial(self) -> np.ndarray:
        return np.concatenate([np.eye(self.machine.states)[0], self.first])

    @property
    def input_dim(self) -> int:
        return self.machine.letters.shape[1]

    @property
    def output_dim(self) -> int:
        return self.machine.output.shape[2]

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        states = hidden[:, : self.machine.states].argmax(axis=1)
        letters = self.machine.index_of(inputs)
        after = np.eye(self.machine.states)[self.machine.transition[states, letters]]
        return np.concatenate([after, self.machine.output[states, letters]], axis=1)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return hidden[:, self.machine.states :]
