"""What a network does: hidden states and integer outputs along words of our own choosing, and after
probe words.

Axes: W words, T time, I inputs a step, O outputs a step, H hidden units, N hidden states, K probe
    steps.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks import Network

_CHUNK = 1 << 15  # hidden states advanced at a time


@dataclasses.dataclass(frozen=True)
class Traces:
    """Runs of the network on a set of words.

    Attributes:
        words: [W, T, I] int64.
        hidden: [W, T + 1, H] float64; index 0 is the initial state.
        outputs: [W, T, O] int64; `outputs[:, t]` after input t was read.
    """

    words: np.ndarray
    hidden: np.ndarray
    outputs: np.ndarray

    @property
    def length(self) -> int:
        return self.words.shape[1]

    def rows(self, indices: np.ndarray) -> "Traces":
        """Some of the words."""
        return Traces(self.words[indices], self.hidden[indices], self.outputs[indices])

    def joined(self, other: "Traces") -> "Traces":
        """These words and another set of them."""
        parts = zip(
            (self.words, self.hidden, self.outputs), (other.words, other.hidden, other.outputs)
        )
        return Traces(*(np.concatenate(p) for p in parts))


def record(network: Network, words: np.ndarray) -> Traces:
    """Runs the network from its initial state on words [W, T, I]."""
    parts = [network.run(words[i : i + _CHUNK]) for i in range(0, len(words), _CHUNK)]
    hidden, outputs = (np.concatenate(p) for p in zip(*parts))
    start = np.broadcast_to(network.initial, (len(words), 1, network.hidden_dim))
    return Traces(words, np.concatenate([start, hidden], axis=1), outputs)


def probe(network: Network, hidden: np.ndarray, word: np.ndarray) -> np.ndarray:
    """Outputs [N, K, O] that follow when a probe word [K, I] is read from hidden states [N, H]."""
    results = []
    for start in range(0, len(hidden), _CHUNK):
        state = hidden[start : start + _CHUNK]
        outputs = []
        for letter in word:
            state = network.step(state, np.broadcast_to(letter, (len(state), len(letter))))
            outputs.append(network.outputs(state))
        results.append(np.stack(outputs, axis=1))
    return np.concatenate(results)
