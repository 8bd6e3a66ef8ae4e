"""Example sequences divided into three parts: to train on, to select networks by, and to judge by.

Equal inputs always stand in the same part. What is rare (a value of an input, a pair of letters in
a row, a length) is represented in judging and selection where enough sequences hold it.

Axes: N sequences, T time, I inputs a step, G groups of sequences with equal inputs.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.sequences import Sequences
from mips_jax.tasks.contradictions import PrefixOrder

SELECTION_FRACTION, JUDGING_FRACTION = 0.10, 0.15
MOST_TRAITS = 20_000  # traits that are looked after; the rarest of more
MOVED_SHARE, FEWEST_MOVED = 0.1, 4  # a part grows by at most so much for what is rare
FEWEST_TO_SHARE = (
    2  # groups with a trait from which one is given to judging; from one more, to selection
)


@dataclasses.dataclass(frozen=True)
class Division:
    """Rows of the three parts, each in ascending order.

    Attributes:
        training, selection, judging: [*] indices of sequences.
    """

    training: np.ndarray
    selection: np.ndarray
    judging: np.ndarray


def divide(sequences: Sequences, prefixes: PrefixOrder) -> Division:
    """The same parts in whatever order the sequences come."""
    group = np.empty(len(sequences), np.int64)
    group[prefixes.order] = prefixes.groups()
    sizes = np.bincount(group)
    shuffled = np.random.default_rng(0).permutation(len(sizes))
    part = np.zeros(len(sizes), np.int8)  # 0 training, 1 selection, 2 judging
    for number, fraction in ((2, JUDGING_FRACTION), (1, SELECTION_FRACTION)):
        wanted = max(1, round(fraction * len(group)))
        free = shuffled[(part[shuffled] == 0)]
        free = free[sizes[free] <= max(wanted, sizes[free].min(initial=wanted))]
        before = np.cumsum(sizes[free]) - sizes[free]
        part[free[before < wanted]] = number
    _represent_what_is_rare(part, *_traits(sequences, group))
    return Division(*(np.flatnonzero(part[group] == number) for number in range(3)))


def _traits(sequences: Sequences, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What sequences hold.

    Returns:
        group, trait: [K], [K] which groups hold which traits, numbered from the rarest on.
        letters: [traits] bool, which of them are values of an input.
    """
    real = np.arange(sequences.length) < sequences.steps[:, None]
    here = np.broadcast_to(group[:, None], real.shape)
    found, offset = [], 0
    inputs = [
        np.unique(sequences.inputs[:, :, i], return_inverse=True)[1].reshape(real.shape)
        for i in range(sequences.inputs.shape[2])
    ]
    for codes in inputs:
        found.append((here[real], codes[real] + offset))
        offset += int(codes.max(initial=0)) + 1
    values = offset
    for codes in inputs:  # the letter before and this one
        count, both = int(codes.max(initial=0)) + 1, real[:, 1:]
        pairs = codes[:, :-1] * count + codes[:, 1:]
        found.append((here[:, 1:][both], pairs[both] + offset))
        offset += count * count
    found.append((group, sequences.steps + offset))
    held = np.unique(np.stack([np.concatenate(column) for column in zip(*found)], axis=1), axis=0)
    names, trait, counts = np.unique(held[:, 1], return_inverse=True, return_counts=True)
    order = np.argsort(counts, kind="stable")[:MOST_TRAITS]
    rank = np.full(len(counts), -1)
    rank[order] = np.arange(len(order))
    kept = rank[trait] >= 0
    return held[kept, 0], rank[trait[kept]], names[order] < values


def _represent_what_is_rare(
    part: np.ndarray, group: np.ndarray, trait: np.ndarray, letters: np.ndarray
) -> None:
    """Moves groups of training to the parts that lack one of their traits, letters first,
    the rarest first.

    Half of the groups with a letter stay in training: what is never seen cannot be learnt.

    Args:
        part: [G] which part each group is in; changed.
        group, trait, letters: see `_traits`.
    """
    holders = _grouped(group, trait, len(letters))
    traits_of = _grouped(trait, group, len(part))
    counts = np.zeros((3, len(holders)), np.int64)
    np.add.at(counts, (part[group], trait), 1)
    total = counts.sum(axis=0)
    order = np.concatenate([np.flatnonzero(letters), np.flatnonzero(~letters)])
    for number, fewest in ((2, FEWEST_TO_SHARE), (1, FEWEST_TO_SHARE + 1)):
        left = FEWEST_MOVED + int(MOVED_SHARE * (part == number).sum())
        for index in order:
            groups = holders[index]
            if left == 0 or counts[number, index] or len(groups) < fewest:
                continue
            for candidate in groups[part[groups] == 0]:
                held = traits_of[candidate]
                if (2 * (counts[0, held] - 1) >= total[held])[letters[held]].all():
                    counts[0, held] -= 1
                    counts[number, held] += 1
                    part[candidate] = number
                    left -= 1
                    break


def _grouped(values: np.ndarray, keys: np.ndarray, count: int) -> list[np.ndarray]:
    """The values [K] at each key 0..count-1."""
    order = np.argsort(keys, kind="stable")
    return np.split(values[order], np.cumsum(np.bincount(keys, minlength=count))[:-1])
