"""What a network does: hidden states and integer outputs along words of our own choosing, and after
probe words.

Axes: W words, T time, I inputs a step, O outputs a step, H hidden units, N hidden states, K probe
    steps, D numbers of a representation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.networks import Network

_CHUNK = 1 << 15  # hidden states advanced at a time


@dataclasses.dataclass(frozen=True)
class Traces:
    """Runs of the network on a set of words.

    Attributes:
        words: [W, T, I] int64.
        hidden: [W, T + 1, H] states; index 0 is the initial one.
        outputs: [W, T, O] int64; `outputs[:, t]` after input t was read.
        represent: states [N, H] -> [N, D], see `Network.represent`; None: they are it themselves.
    """

    words: np.ndarray
    hidden: np.ndarray
    outputs: np.ndarray
    represent: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def length(self) -> int:
        return self.words.shape[1]

    def rows(self, indices: np.ndarray) -> "Traces":
        """Some of the words."""
        parts = (self.words[indices], self.hidden[indices], self.outputs[indices])
        return Traces(*parts, self.represent)

    def points(self, states: np.ndarray) -> np.ndarray:
        """Where states [N, H] lie: [N, D]."""
        return states if self.represent is None else self.represent(states)

    def joined(self, other: "Traces") -> "Traces":
        """These words and another set of them."""
        parts = zip(
            (self.words, self.hidden, self.outputs), (other.words, other.hidden, other.outputs)
        )
        words, hidden, outputs = (np.concatenate(p) for p in parts)
        return Traces(words, hidden, outputs, self.represent)


def record(network: Network, words: np.ndarray) -> Traces:
    """Runs the network from its initial state on words [W, T, I]."""
    parts = [network.run(words[i : i + _CHUNK]) for i in range(0, len(words), _CHUNK)]
    hidden, outputs = (np.concatenate(p) for p in zip(*parts))
    start = np.broadcast_to(network.initial, (len(words), 1, network.hidden_dim))
    return Traces(words, np.concatenate([start, hidden], axis=1), outputs, network.represent)


def probe(network: Network, hidden: np.ndarray, word: np.ndarray) -> np.ndarray:
    """Outputs [N, K, O] that follow when a probe word [K, I] is read from hidden states [N, H]."""
    results = []
    for start in range(0, len(hidden), _CHUNK):
        state = hidden[start : start + _CHUNK]
        network.prefetch(state, word[None])
        outputs = []
        for letter in word:
            state = network.step(state, np.broadcast_to(letter, (len(state), len(letter))))
            outputs.append(network.outputs(state))
        results.append(np.stack(outputs, axis=1))
    return np.concatenate(results)
