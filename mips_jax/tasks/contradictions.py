"""Example sequences compared by their inputs: which are equal, and where equal inputs have
different outputs.

Sorting the sequences once puts all that share a prefix next to each other, for every length of
prefix.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.sequences import Sequences


@dataclasses.dataclass(frozen=True)
class Contradictions:
    """Labels that differ from what most sequences with the same inputs so far have at the same
    step.

    No function of the inputs agrees with more of the labels than `labels - contradictory_labels`.

    Attributes:
        labels: number of labelled steps.
        contradictory_labels: how many of them are in the minority.
        sequences: number of sequences.
        contradictory_sequences: how many of them have at least one such label.
        example: one of them in words, "" if there is none.
    """

    labels: int
    contradictory_labels: int
    sequences: int
    contradictory_sequences: int
    example: str = ""

    def __str__(self) -> str:
        if not self.contradictory_labels:
            return f"none of the {self.labels} labels contradict each other"
        return (
            f"{self.contradictory_labels} of {self.labels} labels, in "
            f"{self.contradictory_sequences} of {self.sequences} sequences, contradict others that "
            f"follow the same inputs (for example, {self.example})"
        )


@dataclasses.dataclass(frozen=True)
class PrefixOrder:
    """Sequences sorted by their inputs.

    Attributes:
        order: [N] row of each sequence in the sorted order; equal ones keep their order.
        shared: [N - 1] number of leading steps that each sorted sequence shares with the one before
            it; T + 1 if the two are equal altogether, in length too.
        length: T.
    """

    order: np.ndarray
    shared: np.ndarray
    length: int

    @classmethod
    def of(cls, sequences: Sequences) -> PrefixOrder:
        """Sorts `sequences`, the end of a shorter one being a letter below all others."""
        inputs, mask = sequences.inputs, sequences.mask
        if mask is not None:
            inputs = np.where(mask[:, :, None], inputs, int(inputs.min()) - 1)
        order = np.lexsort(inputs.reshape(len(inputs), -1).T[::-1])
        shared = np.full(len(inputs) - 1, sequences.length + 1)
        for t in reversed(range(sequences.length)):
            letters = inputs[order, t]
            shared[(letters[1:] != letters[:-1]).any(axis=1)] = t
        return cls(order, shared, sequences.length)

    def groups(self, steps: int | None = None) -> np.ndarray:
        """[N] number of the group of each sorted sequence: equal in the first `steps` steps (None:
        altogether).
        """
        steps = self.length + 1 if steps is None else steps
        return np.concatenate([[0], np.cumsum(self.shared < steps)])


def find_contradictions(
    sequences: Sequences, prefixes: PrefixOrder | None = None
) -> Contradictions:
    """Counts the labels that contradict others; linear in the number of labels where there are
    none.

    >>> inputs = np.array([[[1], [2]], [[1], [3]], [[1], [2]]])
    >>> outputs = np.array([[[0], [5]], [[0], [5]], [[7], [5]]])
    >>> print(find_contradictions(Sequences(inputs, outputs)))  # doctest: +ELLIPSIS
    1 of 6 labels, in 1 of 3 sequences, contradict others that follow the same inputs ...
    """
    prefixes = prefixes or PrefixOrder.of(sequences)
    order = prefixes.order
    count, length = sequences.inputs.shape[:2]
    affected = np.zeros(count, bool)
    labels = contradictory = 0
    example = ""
    judged = np.ones((count, length), bool) if sequences.judged is None else sequences.judged
    for t in range(length):
        here = judged[order, t]
        rows, groups = order[here], prefixes.groups(t + 1)[here]  # sorted by their inputs
        labels += len(rows)
        outputs = sequences.outputs[rows, t]
        alike = groups[1:] == groups[:-1]
        if not ((outputs[1:] != outputs[:-1]).any(axis=1) & alike).any():
            continue
        minority, rival = _minority(np.cumsum(np.diff(groups, prepend=groups[0]) > 0), outputs)
        contradictory += int(minority.sum())
        affected[rows[minority]] = True
        if not example:
            row = int(np.flatnonzero(minority)[0])
            example = _example(sequences, int(rows[row]), int(rows[rival[row]]), t)
    return Contradictions(labels, contradictory, count, int(affected.sum()), example)


def _minority(groups: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose output is not the most frequent one (the smallest of several) of their group.

    Returns:
        minority: [N] bool.
        majority_row: [N] a row of the same group that has its most frequent output.
    """
    distinct, codes = np.unique(outputs, axis=0, return_inverse=True)
    pairs, first_row, pair_of_row, counts = np.unique(
        groups * len(distinct) + codes.reshape(-1),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    group_of_pair = pairs // len(distinct)
    ranked = np.lexsort((pairs, -counts, group_of_pair))
    winners = ranked[
        np.unique(group_of_pair[ranked], return_index=True)[1]
    ]  # one pair for each group
    winner_of_row = winners[groups]
    return pair_of_row.reshape(-1) != winner_of_row, first_row[winner_of_row]


def _example(sequences: Sequences, row: int, rival: int, t: int) -> str:
    def plain(values: np.ndarray):
        return values[0].item() if len(values) == 1 else tuple(values.tolist())

    inputs = [plain(letter) for letter in sequences.inputs[row, : t + 1]]
    shown = str(inputs) if len(inputs) <= 12 else f"[... {str(inputs[-12:])[1:]}"
    return (
        f"sequence {row} has the output {plain(sequences.outputs[row, t])} after the inputs "
        f"{shown}, where sequence {rival} has {plain(sequences.outputs[rival, t])}"
    )
