"""What can become of a method: named values whose text ends in what the user may do about it."""

from __future__ import annotations

import dataclasses
import enum


class Outcome(enum.Enum):
    """How a method ended; the value is the sentence for reports."""

    FOUND = "found"
    CLOSED = "closed"
    NOT_NEEDED = "not needed: an exact program was known"
    NO_USE = (
        "not needed: a machine is known, or longer words would not lead to one;"
        " a larger extraction.length tries more"
    )
    NOT_AFFINE = (
        "the outputs are not an affine function of the inputs; extraction.method=auto tries more"
    )
    NOT_CLOSED = (
        "new states appear up to the last step: the network counts; registers hold a count,"
        " or a larger extraction.length closes the machine"
    )
    NEARLY_CLOSED = (
        "a finite machine on shorter words, from which the network departs now and then on longer"
        " ones; programs are sought for the machine"
    )
    TOO_MANY_LETTERS = (
        "more letters than a transition table may have; narrow the range of the inputs"
    )
    INPUTS_DEPEND_ON_THE_PAST = (
        "which letters occur depends on the past; a machine needs inputs that are free"
    )
    TOO_MANY_STATES = "more states than allowed; raise extraction.states"
    INCONSISTENT = "no set of probe words tells its states apart; raise extraction.words"
    NO_PROGRAM = "no expressions explain what the network does; raise extraction.effort"
    NOTHING_TO_TRY = "nothing to try within so few steps; raise extraction.length"
    REFUSED = "the method does not apply to this network; use extraction.method=auto"
    OUT_OF_REACH = "words longer than the model can read were needed; lower extraction.length"
    OUT_OF_WORK = "the work allowed was done; raise extraction.effort"
    OUT_OF_TIME = "the clock struck before it was done; raise extraction.seconds"


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of one method.

    Attributes:
        method: its name.
        outcome: how it ended.
        detail: figures, may be empty.
    """

    method: str
    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.outcome.value, self.detail]))
