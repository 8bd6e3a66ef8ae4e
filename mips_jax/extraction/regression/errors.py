"""On which rows many expressions are wrong, bit by bit: is there one that is right on all rows of a
set?

A set of rows is packed, eight rows a byte. For each byte of it and each of its 256 values lies
ready which expressions are wrong on some row of these eight (the method of four Russians), so a set
of rows is answered by one OR for each byte instead of one product for each row.

Axes: R rows, M expressions, P distinct patterns of errors, B bytes of R packed rows.
"""

from __future__ import annotations

import numpy as np

_WORD = 64  # rows or patterns in a machine word
_CHUNK = 1024  # expressions compared with one set of rows at a time


def packed(rows: np.ndarray) -> np.ndarray:
    """[K, B] uint8 sets of rows [K, R], in whole machine words."""
    return np.packbits(np.pad(rows, ((0, 0), (0, -rows.shape[1] % _WORD))), axis=1)


class Errors:
    """Where M expressions are wrong.

    Args:
        wrong: [M, R] bool.
    """

    def __init__(self, wrong: np.ndarray):
        self.count = len(wrong)
        sets = packed(wrong)
        self._words = np.ascontiguousarray(sets).view(np.uint64)
        whole = sets.view(np.dtype((np.void, sets.shape[1]))).ravel()
        _, first = np.unique(whole, return_index=True)
        self._any = self._wrong_on_some(wrong[np.sort(first)].T)

    @staticmethod
    def _wrong_on_some(wrong: np.ndarray) -> np.ndarray:
        """[B, 256, P / 64] for each value of each byte of rows: which patterns are wrong on some
        row of it, from [R, P].
        """
        rows, patterns = wrong.shape
        padded = np.ones((rows + -rows % _WORD, patterns + -patterns % _WORD), bool)
        padded[:rows, :patterns] = wrong
        words = np.packbits(padded, axis=1).view(np.uint64)
        words = words.reshape(-1, 8, words.shape[1])[:, ::-1]  # the first row is the highest bit
        table = np.zeros((len(words), 256, words.shape[2]), np.uint64)
        for bit in range(8):
            table[:, 1 << bit : 2 << bit] = table[:, : 1 << bit] | words[:, bit, None]
        return table

    def avoided(self, chosen: np.ndarray) -> np.ndarray:
        """[C] whether some expression is right on all rows of each set [C, B]."""
        wrong = self._any[0][chosen[:, 0]]
        for byte in range(1, chosen.shape[1]):
            wrong |= self._any[byte][chosen[:, byte]]
        return (~wrong).any(axis=1)

    def right(self, chosen: np.ndarray, most: int) -> np.ndarray:
        """The first expressions that are right on all rows of one set [B], at most so many."""
        rows = np.ascontiguousarray(chosen).view(np.uint64)
        found: list[np.ndarray] = []
        for start in range(0, self.count, _CHUNK):
            wrong = (self._words[start : start + _CHUNK] & rows).any(axis=1)
            found.append(start + np.flatnonzero(~wrong))
            if sum(map(len, found)) >= most:
                break
        return np.concatenate(found)[:most] if found else np.empty(0, np.int64)
