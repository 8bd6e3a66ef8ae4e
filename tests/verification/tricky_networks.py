"""Networks that do for long what a program does, and then something else.

Axes: B sequences, I inputs, H hidden units.
"""

from __future__ import annotations

import numpy as np

from mips_jax.networks import Network


class ClockedParity(Network):
    """The parity of bits, upside down after a step; hidden state: parity and time."""

    input_dim = output_dim = 1

    def __init__(self, step: int):
        self.initial = np.zeros(2)
        self.after = step

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        return np.stack([(hidden[:, 0] + inputs[:, 0]) % 2, hidden[:, 1] + 1], axis=1)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        late = hidden[:, 1] > self.after
        return np.where(late, 1 - hidden[:, 0], hidden[:, 0])[:, None]


class Password(Network):
    """The parity of bits, upside down for good once a word was read; hidden state: parity, how much
    of the word was just read (as one number), and whether all of it ever was.
    """

    input_dim = output_dim = 1

    def __init__(self, word: tuple[int, ...]):
        self.initial = np.zeros(3)
        self.word = np.array(word)

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        bit, done = inputs[:, 0], hidden[:, 2]
        read = hidden[:, 1].astype(int)
        right = bit == self.word[np.minimum(read, len(self.word) - 1)]
        read = np.where(right, read + 1, (bit == self.word[0]).astype(int))
        done = np.maximum(done, read == len(self.word))
        read = np.where(read == len(self.word), 0, read)
        return np.stack([(hidden[:, 0] + bit) % 2, read, done], axis=1).astype(float)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return np.abs(hidden[:, 2] - hidden[:, 0])[:, None]
