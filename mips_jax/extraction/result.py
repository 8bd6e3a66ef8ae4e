"""What extraction reports: candidates, how registers are held, the outcome of every method."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.outcomes import Report
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.machines import Mealy
from mips_jax.programs import Program

# the method of every program that holds a constant table, however it was found
TABLE = "table"
_EXCEPTION_BITS = 20.0  # a wrong sequence among 1,000 costs as much as naming it and its correction
_TRANSIENT_BITS = 40.0  # of each first step that is left unexplained


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How the hidden state holds one register.

    Attributes:
        register: its name in the program.
        meaning: what it is, in words.
        kind: `direction` (affine in h), `curve` (a function of h, not affine), `partly held` or
            `not held`.
        recovered: share of the register's variance that an affine map of h explains.
        held: the same for the nearest neighbours in h: 1 when h determines it.
    """

    register: str
    meaning: str
    kind: str
    recovered: float
    held: float


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A program that a method proposed.

    Attributes:
        method: `linear`, `registers`, `table` (it holds a transition table: a last resort), or
            `paper`.
        program: the program.
        description_length: bits of the program.
        fidelity: share of fresh words on which program and network agree at every step.
        note: how it was found.
        alphabet: `boolean` where inputs and outputs are all 0 or 1, else `integer`.
        meanings: (register, what it is in words) where known.
        transient: first steps that are left unexplained, since the network does anything on them.
        settled: share of fresh words on which both agree at every step after these.
        reading: bits that the program costs a reader; None: its description length.
    """

    method: str
    program: Program
    description_length: float
    fidelity: float
    note: str = ""
    alphabet: str = "integer"
    meanings: tuple[tuple[str, str], ...] = ()
    transient: int = 0
    settled: float = 0.0
    reading: float | None = None

    @property
    def score(self) -> float:
        """Bits of reading the program plus those of its exceptions among 1,000 words; the lowest
        wins.
        """
        whole = self.score_at(self.fidelity)
        if not self.transient:
            return whole
        return min(whole, self.score_at(self.settled) + _TRANSIENT_BITS * self.transient)

    def score_at(self, share: float) -> float:
        """The same where it is right on another share of the words that count."""
        bits = self.description_length if self.reading is None else self.reading
        return bits + _EXCEPTION_BITS * 1000 * (1.0 - share)


@dataclasses.dataclass(frozen=True, repr=False)
class Extraction:
    """What extraction found.

    Attributes:
        candidates: every program proposed, the best first.
        machine: the finite machine that the network behaves like, when it has one.
        encodings: how the hidden state holds each register of the best program.
        statuses: (method, outcome) of every method that ran, in order.
        length: words up to this length were put to the network.
        seconds: time taken.
        settings: as used.
        words: all random words [W, T, I] that took part in the selection of candidates.
        struck: whether the guard's clock struck, so that a quieter machine might find more.
        reports: how every method ended, as named values.
        stand_in: the machine that the network nearly is, where it errs and one was found.
        alternatives: further programs, tables of ever more faithful machines: they are no
            candidates, but part of the trade-off.
    """

    candidates: tuple[Candidate, ...]
    machine: Mealy | None
    encodings: tuple[Encoding, ...]
    statuses: tuple[tuple[str, str], ...]
    length: int
    seconds: float
    settings: ExtractionSettings
    words: tuple[np.ndarray, ...] = ()
    struck: bool = False
    reports: tuple[Report, ...] = ()
    stand_in: Mealy | None = None
    alternatives: tuple[Candidate, ...] = ()

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The trade-off: programs that no other betters in length and fidelity both, the shortest
        first.
        """
        kept: list[Candidate] = []
        everything = (*self.candidates, *self.alternatives)
        for one in sorted(everything, key=lambda c: (c.description_length, -c.fidelity)):
            if not kept or one.fidelity > kept[-1].fidelity:
                kept.append(one)
        return tuple(kept)

    def __repr__(self) -> str:
        best = f", the best by {self.best.method}" if self.best else ""
        tried = ", ".join(method for method, _ in self.statuses)
        return f"Extraction({len(self.candidates)} programs{best}; tried: {tried})"

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    @property
    def program(self) -> Program | None:
        return self.candidates[0].program if self.candidates else None
