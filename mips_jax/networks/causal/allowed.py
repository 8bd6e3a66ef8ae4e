"""Language models within their language: a letter that the model does not allow ends the word.

What such a model writes after a letter that it excluded was never trained, and is nobody's concern.
Here every output is 0 from there on.

Axes: B words, T steps, R letters and further entries (such as the end), M nodes of a tree.
"""

from __future__ import annotations

import numpy as np

from mips_jax.networks.causal.network import CausalNetwork, Reader
from mips_jax.networks.encodings import Decoding, Rounded

_STRAY = 0.03  # share of the letters of drawn words that need not be allowed


class AllowedReader:
    """A reader whose outputs are sets of allowed letters, 0 after a letter that was not in the set.

    Args:
        reader: the model.
        decoding: its raw outputs -> sets; the first entries are the letters, in order.
        low: smallest letter.
        letters: how many there are.
    """

    def __init__(self, reader: Reader, decoding: Decoding, low: int, letters: int):
        self.inner, self.decoding, self.low, self.letters = reader, decoding, low, letters
        self.step_work, self.starts = reader.step_work, reader.starts
        self.branches, self.represents = reader.branches, reader.represents

    def read(self, words: np.ndarray) -> np.ndarray:
        """See `Reader.read`."""
        sets = self._sets(self.inner.read(words))
        steps = words.shape[1]
        before = sets if self.starts else np.pad(sets, ((0, 0), (1, 0), (0, 0)), constant_values=1)
        chosen = words - self.low
        legal = np.take_along_axis(before[:, :steps], chosen, axis=2)[:, :, 0]
        alive = np.cumprod(legal, axis=1)[:, :, None]
        written = sets[:, -steps:] * alive if steps else sets[:, :0]
        return np.concatenate([sets[:, :1], written], axis=1) if self.starts else written

    def represent(self, words: np.ndarray) -> np.ndarray:
        """See `Reader.represent`."""
        return self.inner.represent(words)

    def branch(self, words: np.ndarray, letters: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """See `Reader.branch`."""
        sets = self._sets(self.inner.branch(words, letters, parents))
        count = len(words)
        last = np.ones((count, self.letters))  # without a beginning any letter may come first
        if words.shape[1] or self.starts:
            last = self.read(words)[:, -1]
        for m, parent in enumerate(parents):
            before = last if parent < 0 else sets[:, parent]
            sets[:, m] *= before[:, letters[m, 0] - self.low, None]
        return sets

    def _sets(self, raw: np.ndarray) -> np.ndarray:
        flat = self.decoding.decode(raw.reshape(-1, raw.shape[2]))
        return flat.reshape(raw.shape).astype(np.float64)


class LanguageNetwork(CausalNetwork):
    """A language model within its language; see `AllowedReader`."""

    draws_words = True

    def own_words(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Words [count, length, 1] of letters that the model allows, but for a few."""
        ((low, high),) = self.encodable_range
        length = self.within(length)
        words = np.empty((count, length, 1), np.int64)
        states = np.broadcast_to(self.initial, (count, 1))
        odds = self.outputs(states)[:, : high - low + 1] if self.reader.starts else None
        for t in range(length):
            stray = rng.random(count) < _STRAY
            if odds is None:
                stray[:] = True
                odds = np.ones((count, high - low + 1))
            weights = np.where(stray[:, None] | ~odds.any(axis=1, keepdims=True), 1.0, odds)
            drawn = rng.random((count, 1)) * weights.sum(axis=1, keepdims=True)
            chosen = (np.cumsum(weights, axis=1) <= drawn).sum(axis=1)
            words[:, t, 0] = low + np.minimum(chosen, high - low)
            states = self.step(states, words[:, t])
            if t < length - 1:
                odds = self.outputs(states)[:, : high - low + 1]
        return words


def within_language(reader: Reader, decoding: Decoding, options, name: str) -> LanguageNetwork:
    """The network of a model whose words end where it does not allow their letters."""
    ((low, high),) = options.input_range
    allowed = AllowedReader(reader, decoding, low, high - low + 1)
    return LanguageNetwork(
        allowed, options.input_range, Rounded(), options.longest, options.trained_length, name
    )
