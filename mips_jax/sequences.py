"""Labelled integer sequences, the only form in which training sees a task, and samples to judge by.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True, repr=False)
class Sequences:
    """Input and output sequences of equal (padded) length.

    Attributes:
        inputs: [N, T, I] integers.
        outputs: [N, T, O] integers; `outputs[:, t]` is the output after input `t` was read.
        mask: [N, T] bool, False where a shorter sequence was padded; None when all have length T.
        labelled: [N, T] bool, True at the steps whose output is known, within `mask`; None when
            it is at every step.
    """

    inputs: np.ndarray
    outputs: np.ndarray
    mask: np.ndarray | None = None
    labelled: np.ndarray | None = None

    def __repr__(self) -> str:
        padded = "" if self.mask is None else ", padded"
        shapes = f"inputs {list(self.inputs.shape)}, outputs {list(self.outputs.shape)}"
        return f"Sequences({shapes}{padded})"

    def __len__(self) -> int:
        return self.inputs.shape[0]

    @property
    def length(self) -> int:
        return self.inputs.shape[1]

    @property
    def steps(self) -> np.ndarray:
        """[N] steps in each sequence."""
        if self.mask is None:
            return np.full(len(self), self.length)
        return self.mask.sum(axis=1)

    @property
    def judged(self) -> np.ndarray | None:
        """[N, T] bool: the steps whose output is learned, selected by and judged; None: all."""
        return self.mask if self.labelled is None else self.labelled

    @property
    def labels(self) -> int:
        """How many steps have a known output."""
        judged = self.judged
        return len(self) * self.length if judged is None else int(judged.sum())

    def __getitem__(self, rows) -> Sequences:
        """The same rows of every array (`rows`: a slice or an index array)."""
        mask = None if self.mask is None else self.mask[rows]
        labelled = None if self.labelled is None else self.labelled[rows]
        return Sequences(self.inputs[rows], self.outputs[rows], mask, labelled)


@dataclasses.dataclass(frozen=True)
class Sample:
    """Sequences to judge by, and what they are a sample of.

    Attributes:
        sequences: no two with the same inputs.
        unseen: [N] bool, whether neither training nor selection has seen the sequence's inputs.
        complete: whether these are all sequences of that length that there are.
        words: how sequences are drawn where not all are taken, as in "uniformly drawn".
    """

    sequences: Sequences
    unseen: np.ndarray
    complete: bool
    words: str

    @property
    def count_unseen(self) -> int:
        """How many of them neither training nor selection has seen."""
        return int(self.unseen.sum())


def keys_of(inputs: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """One comparable value for each input sequence [N, T, I]: equal exactly where the inputs are.

    Args:
        inputs: whole numbers within int64; only sets of the same width are compared.
        mask: [N, T], False beyond the end; the end of a sequence counts as a letter of its own.
    """
    narrow = not inputs.size or max(abs(int(inputs.min())), abs(int(inputs.max()))) < 2**31
    bits = 32 if narrow else 64
    columns = inputs.astype(f"i{bits // 8}")
    if mask is not None:
        columns = np.where(mask[:, :, None], columns, -(2 ** (bits - 1)))
    flat = np.ascontiguousarray(columns.reshape(len(columns), -1))
    return flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).reshape(-1)


def first_occurrences(inputs: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Index of the first occurrence of each different input sequence of [N, T, I], in order."""
    return np.sort(np.unique(keys_of(inputs, mask), return_index=True)[1])


def seen_in(inputs: np.ndarray, parts: Iterable[Sequences]) -> np.ndarray:
    """[N] bool: which input sequences [N, T, I] stand in one of the parts, of the same length."""
    keys = keys_of(inputs)
    found = np.zeros(len(inputs), bool)
    for part in parts:
        if part.inputs.shape[1:] == inputs.shape[1:]:
            found |= np.isin(keys, keys_of(part.inputs, part.mask))
    return found
