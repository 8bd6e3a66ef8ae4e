"""Claims: what is said of a result, each with the evidence that it rests on.

Everything that is said elsewhere (verdict, exit code, docstring, summary, tables) is derived from
claims. A claim names its subject, what it is to equal, on which words, to which length, and how
that is known.

Axes: N words, T time, I inputs a step.
"""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from scipy.special import betaincinv

from mips_jax.figures import percent
from mips_jax.symbols import Symbols

CONFIDENCE = 0.99  # of every bound on an error rate, one-sided


class How(enum.StrEnum):
    """How a claim is known."""

    PROVEN = "proven"  # for every word that the claim is about, by argument or by running them all
    MEASURED = "measured"  # on a sample; `error_bound` says what it is worth
    REFUTED = "refuted"  # a word is known on which it does not hold
    NOT_TRIED = "not tried"  # `reason` says why


@dataclasses.dataclass(frozen=True)
class Disagreement:
    """A word on which two things differ, at its last step.

    Attributes:
        word: the inputs, integers or the symbols that they stand for (tuples where there are
            several a step).
        wrote: what the claim's subject writes after the last input.
        expected: what it should have written; None where that is no number.
        row: number of the example that holds the word; None if it is none of the given ones.
        truth: what is right there, where program and network are compared and somebody knows it.
    """

    word: tuple
    wrote: int | str | tuple
    expected: int | str | tuple | None
    row: int | None = None
    truth: int | str | tuple | None = None


@dataclasses.dataclass(frozen=True)
class Claim:
    """That one thing writes what another does, on some words.

    Attributes:
        check: which check found it, as in CHECKS.
        subject: `program`, `machine` or `network`.
        equals: `truth`, `examples`, `network`, `machine` or `integers`.
        words: the words it is about: their distribution, or which set of them.
        length: steps of the words; None: every length.
        how: see `How`.
        count: words that were run.
        distinct: how many of them are different.
        unseen: how many of the different ones neither training nor selection has seen.
        complete: whether they are all words of that length over the inputs that occur.
        agreement: share of the words that agree at every step; None where none was run.
        step_agreement: share of single steps that agree.
        error_bound: the error rate on such words is not larger, with confidence `CONFIDENCE`.
        holds_to: steps up to which all words agree; None where some of them have no label.
        disagreements: words on which it does not hold, the shortest first; not all of them.
        wrong: how many words do not agree.
        labels: steps that were judged, where not every step of the words has a label.
        shortest: steps of the shortest word, where their lengths differ.
        arithmetic: of the network, for claims about it.
        margin: of a proof: largest distance of a raw output from its integer, below 0.5.
        reason: why it was not tried, or what limits it.
        certificate: of a proof, what `mips_jax.check` reads.
        pattern: what the steps that disagree have in common, where a rule tells them.
    """

    check: str
    subject: str
    equals: str
    words: str
    length: int | None
    how: How
    count: int = 0
    distinct: int = 0
    unseen: int = 0
    complete: bool = False
    agreement: float | None = None
    step_agreement: float | None = None
    error_bound: float | None = None
    holds_to: int | None = None
    disagreements: tuple[Disagreement, ...] = ()
    wrong: int = 0
    arithmetic: str | None = None
    margin: float | None = None
    reason: str | None = None
    labels: int | None = None
    shortest: int | None = None
    certificate: dict | None = dataclasses.field(default=None, repr=False, compare=False)
    pattern: str | None = None

    def in_symbols(self, symbols: Symbols | None) -> Claim:
        """The claim with its disagreements as the task's symbols; None: as they are."""
        if symbols is None:
            return self
        told = tuple(
            Disagreement(
                symbols.read(found.word),
                symbols.written(found.wrote),
                symbols.written(found.expected),
                found.row,
                symbols.written(found.truth),
            )
            for found in self.disagreements
        )
        return dataclasses.replace(self, disagreements=told)

    @property
    def lengths(self) -> str:
        """Steps of the words, as people say it."""
        if self.length is None:
            return "every length"
        return (
            f"length {self.length}"
            if self.shortest is None
            else (f"length {self.shortest} to {self.length}")
        )

    def record(self) -> dict:
        """As plain values, for result.json; a certificate is a file of its own."""
        record = dataclasses.asdict(dataclasses.replace(self, certificate=None))
        del record["certificate"]
        return record

    @property
    def holds(self) -> bool:
        """Proven, or no word is known on which it does not hold and at least one was run."""
        return self.how in (How.PROVEN, How.MEASURED)


def error_bound(wrong: int, count: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound on an error rate (Clopper and Pearson 1934).

    Args:
        wrong: errors seen.
        count: independent trials, >= 0.
        confidence: probability with which the bound is right, 0 to 1.

    >>> round(error_bound(0, 10_000), 5), round(error_bound(0, 2), 2), error_bound(3, 3)
    (0.00046, 0.9, 1.0)
    """
    if wrong >= count:
        return 1.0
    return float(betaincinv(wrong + 1, count - wrong, confidence))


def plain_word(word: np.ndarray) -> tuple:
    """Inputs [T, I] (or outputs) as integers, tuples where there are several a step."""
    return tuple(plain_letter(row) for row in word)


def plain_letter(letter: np.ndarray) -> int | tuple[int, ...]:
    """One step's inputs [I] (or outputs) as an integer, or a tuple where there are several."""
    values = tuple(int(v) for v in letter)
    return values if len(values) > 1 else values[0]


def shown_share(share: float | None) -> str:
    """A share as a percentage."""
    return "none" if share is None else percent(share)
