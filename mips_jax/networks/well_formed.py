"""A network beside a grammar: on words that do not count it gives up, instead of doing anything.

Axes: B sequences, H hidden units, G states of the grammar, I inputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.inputs.grammar import NOT_ALLOWED, Grammar
from mips_jax.networks.network import Network


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class WellFormed(Network):
    """Hidden states [B, H + G]: the network's, and the grammar's state as a one-hot vector, all
    zeros after a word that does not count; raw outputs are 0 then.

    Attributes:
        network: what is read.
        grammar: which words count.
    """

    network: Network
    grammar: Grammar

    @property
    def trained_length(self) -> int | None:
        return self.network.trained_length

    @property
    def longest(self) -> int | None:
        return self.network.longest

    @property
    def recurrent(self) -> bool:
        return self.network.recurrent

    @property
    def initial(self) -> np.ndarray:
        return np.concatenate([self.network.initial, np.eye(1, self._states)[0]])

    @property
    def input_dim(self) -> int:
        return self.network.input_dim

    @property
    def output_dim(self) -> int:
        return self.network.output_dim

    @property
    def step_work(self) -> float:
        return self.network.step_work

    @property
    def _states(self) -> int:
        return len(self.grammar.final)

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        own = self.network.step(self._own(hidden), inputs)
        letters = self.grammar.index_of(inputs)
        before = hidden[:, -self._states :]
        after = self.grammar.following[before.argmax(axis=1), letters]
        counts = self.allowed(hidden) & (after != NOT_ALLOWED)
        states = np.eye(self._states)[after] * counts[:, None]
        return np.concatenate([own, states], axis=1)

    def represent(self, states: np.ndarray) -> np.ndarray:
        return np.concatenate([self.network.represent(self._own(states)), self.form(states)], 1)

    def prefetch(self, states: np.ndarray, words: np.ndarray) -> None:
        self.network.prefetch(self._own(states), words)

    def _own(self, hidden: np.ndarray) -> np.ndarray:
        """[B, H] the network's own states."""
        return hidden[:, : -self._states].astype(self.network.initial.dtype)

    def allowed(self, hidden: np.ndarray) -> np.ndarray:
        """[B] bool: whether what was read is the beginning of a word that counts."""
        return np.any(self.form(hidden) > 0.0, axis=1)

    def form(self, hidden: np.ndarray) -> np.ndarray:
        """[B, G] the grammar's state as a one-hot vector."""
        return hidden[:, -self._states :]

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return self.network.readout(self._own(hidden)) * self.allowed(hidden)[:, None]

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return self.network.decode(raw)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        return self.network.distance(raw)


def well_formed(network: Network, grammar: Grammar | None) -> Network:
    """The network, beside the grammar if there is one."""
    return network if grammar is None else WellFormed(network, grammar)
