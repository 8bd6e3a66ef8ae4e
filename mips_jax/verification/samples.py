"""Words to compare on, and claims from comparing outputs on them.

Axes: N words, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.inputs import Inputs
from mips_jax.sequences import Sequences, first_occurrences, keys_of
from mips_jax.verification.claims import (
    Claim,
    Disagreement,
    How,
    error_bound,
    plain_letter,
    plain_word,
)

LISTED = 5  # disagreements that a claim lists
# Share of steps that repeat the letter before, for words with long runs: they carry counters far.
RUNS = (0.75, 0.95)

# How words are drawn, for claims.
UNIFORM = "uniformly drawn"
WITH_RUNS = "with long runs of one letter"
WELL_FORMED = "drawn from the well-formed words"
BY_KIND = "with each kind of letter as likely"
BY_NETWORK = "of letters that the network allows, but for a few"


def how_drawn(inputs: Inputs) -> str:
    """How words are drawn whose letters are all as likely."""
    if inputs.ordered:
        return "of held-out inputs"
    if inputs.grammar is not None:
        return WELL_FORMED
    return "drawn from the inputs that occur" if inputs.restricted else UNIFORM


def drawn_otherwise(inputs: Inputs) -> str | None:
    """How words are drawn where not all letters are as likely, else None."""
    if inputs.draw is not None:
        return BY_NETWORK
    return None if inputs.kinds is None else BY_KIND


def words_with_runs(
    inputs: Inputs, count: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Words [count, length, I] in which most letters repeat the one before."""
    if inputs.grammar is not None:
        return inputs.runs(count, length, rng, np.array(RUNS))
    words = inputs.words(count, length, rng).copy()
    shares = np.array(RUNS)[np.arange(len(words)) % len(RUNS), None]
    repeats = rng.random(words.shape[:2]) < shares
    for t in range(1, words.shape[1]):
        words[:, t] = np.where(repeats[:, t, None], words[:, t - 1], words[:, t])
    return words


def distinct_words(words: np.ndarray, seen: tuple[np.ndarray, ...] = ()) -> tuple[int, int]:
    """How many of the words [N, T, I] are different, and how many of these are not among `seen`."""
    if not len(words):
        return 0, 0
    different = keys_of(words[first_occurrences(words)])
    known = np.zeros(len(different), bool)
    for other in seen:
        if other.shape[1:] == words.shape[1:]:
            known |= np.isin(different, keys_of(other))
    return len(different), int((~known).sum())


def compared(
    check: str,
    subject: str,
    equals: str,
    words: str,
    inputs: np.ndarray,
    wrote: np.ndarray,
    expected: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    complete: bool = False,
    unseen: int = 0,
    distinct: int | None = None,
    rows: np.ndarray | None = None,
    arithmetic: str | None = None,
    numbers: np.ndarray | None = None,
) -> Claim:
    """The claim that outputs are as expected, from running words.

    Args:
        check, subject, equals, words, complete, unseen, arithmetic: see `Claim`.
        inputs: [N, T, I] the words.
        wrote: [N, T, O] integers.
        expected: [N, T, O] integers.
        mask: [N, T], False where nothing is expected; None: everywhere.
        distinct: how many of the words are different; None: they are counted.
        rows: [N] numbers of the examples.
        numbers: [N, T] where what is expected is a number at all; None: everywhere.
    """
    agree = _agreement(wrote, expected, mask, numbers)
    right = agree.all(axis=1)
    wrong = int((~right).sum())
    steps = agree.size if mask is None else int(mask.sum())
    count, length = agree.shape
    all_steps = agree.all(axis=0)
    if distinct is None:
        distinct = distinct_words(inputs)[0]
    how = How.REFUTED if wrong else How.PROVEN if complete else How.MEASURED
    if not count:
        how = How.NOT_TRIED
    share = wrong / count if count else None
    return Claim(
        check,
        subject,
        equals,
        words,
        length,
        how,
        count,
        distinct,
        unseen,
        complete,
        None if share is None else 1.0 - share,
        1.0 - float((~agree).sum()) / steps if steps else None,
        share if complete else error_bound(wrong, distinct) if count else None,
        length if all_steps.all() else int(np.argmin(all_steps)),
        shortest_disagreements(inputs, wrote, expected, agree, rows, numbers),
        wrong,
        arithmetic,
    )


def judged_at(claim: Claim, sequences: Sequences) -> Claim:
    """A claim on labelled sequences that says so where they differ in length, or where not every
    step has a label: then nothing is claimed of the others.
    """
    differ = sequences.mask is not None and len(sequences) and not sequences.mask.all()
    shortest = int(sequences.steps.min()) if differ else None
    claim = dataclasses.replace(claim, shortest=shortest)
    if sequences.labelled is None:
        return claim
    return dataclasses.replace(claim, labels=sequences.labels, holds_to=None)


def _agreement(wrote, expected, mask, numbers) -> np.ndarray:
    """[N, T] bool; see `compared`."""
    agree = (wrote == expected).all(axis=2)
    if numbers is not None:
        agree &= numbers
    return agree if mask is None else agree | ~mask


def shortest_disagreements(
    inputs: np.ndarray,
    wrote: np.ndarray,
    expected: np.ndarray,
    agree: np.ndarray,
    rows: np.ndarray | None = None,
    numbers: np.ndarray | None = None,
) -> tuple[Disagreement, ...]:
    """Up to `LISTED` different words, cut where they first disagree ([N, T] `agree`), the shortest
    first.
    """
    wrong = np.flatnonzero(~agree.all(axis=1))
    ends = np.argmin(agree[wrong], axis=1)
    found: dict[tuple, Disagreement] = {}
    for index in np.argsort(ends, kind="stable"):
        n, t = wrong[index], ends[index]
        word = plain_word(inputs[n, : t + 1])
        row = None if rows is None else int(rows[n])
        wanted = plain_letter(expected[n, t]) if numbers is None or numbers[n, t] else None
        disagreement = Disagreement(word, plain_letter(wrote[n, t]), wanted, row)
        found.setdefault(word, disagreement)
        if len(found) == LISTED:
            break
    return tuple(found.values())
