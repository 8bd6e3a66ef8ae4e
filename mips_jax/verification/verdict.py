"""The verdict on a result, derived from its claims and from nothing else."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

import numpy as np

from mips_jax.figures import percent
from mips_jax.sequences import Sample
from mips_jax.verification.claims import CONFIDENCE, Claim, How, shown_share
from mips_jax.verification.running import NEAR_HALF

# Networks that write integers are within 0.05 of them on average; numbers without any relation to
# integers are 0.25 away.
FARTHEST_MEAN = 0.1
MOST_BEYOND = (
    0.05  # share of outputs that may stand between two integers: half of what chance gives
)
# The largest probability with which labels that nobody could foretell are all met by chance.
BY_CHANCE = 1e-6


class Outcome(enum.StrEnum):
    """How a distillation ended."""

    SOLVED = "solved"
    # a given network is followed on nearly all words of its length; disagreements are listed
    NEARLY = "nearly"
    CONTRADICTS_EXAMPLES = "contradicts examples"
    WRONG_ON_UNSEEN = "wrong on unseen sequences"
    WRONG_AT_LONG_LENGTH = "wrong at the long length"
    TOO_FEW_TO_JUDGE = "too few sequences to judge"
    DIFFERS_FROM_NETWORK = "differs from the network"
    NOT_INTEGERS = "outputs are not integers"
    CONSTANT = "output is constant"
    TABLE_NOT_EXACT = "a table that is not exact at the long length"
    NO_PROGRAM = "no program"
    NO_NETWORK = "no network"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is said of a result.

    Attributes:
        outcome: how it ended.
        reason: why it is not solved, ending in what can be done; None when it is.
    """

    outcome: Outcome
    reason: str | None = None

    @property
    def solved(self) -> bool:
        return self.outcome is Outcome.SOLVED


def verdict_by_truth(claims: Sequence[Claim], chance: float) -> Verdict:
    """Where the truth is known.

    Args:
        claims: of all checks.
        chance: see `chance_of`.
    """
    by_check = {claim.check: claim for claim in claims}
    unseen, known = by_check["unseen"], by_check["known"]
    if unseen.wrong:
        shown = f"it is right on {shown_share(unseen.agreement)} of the {_which(unseen)}"
        steps = f"and on {shown_share(unseen.step_agreement)} of their single outputs"
        return Verdict(Outcome.WRONG_ON_UNSEEN, f"{shown} {steps}{_first(unseen)}")
    if known.wrong:
        return Verdict(Outcome.CONTRADICTS_EXAMPLES, _contradicted(known))
    for claim in claims:
        if claim.check in ("long", "runs") and claim.wrong:
            where = f"of length {claim.length}, {claim.words}"
            shown = f"it is right on {shown_share(claim.agreement)} of the sequences {where}"
            return Verdict(
                Outcome.WRONG_AT_LONG_LENGTH, f"{shown}, and right to step {claim.holds_to}"
            )
    if not unseen.complete and not unseen.count:
        return Verdict(Outcome.TOO_FEW_TO_JUDGE, "no sequence is left to judge by; give more")
    if chance > BY_CHANCE:
        return Verdict(
            Outcome.TOO_FEW_TO_JUDGE,
            f"it is right on all that is given, but the {unseen.count:,} that judge are too few: "
            f"a guess could be right on them with probability {chance:.1g}; give more sequences",
        )
    return Verdict(Outcome.SOLVED)


def verdict_by_network(claims: Sequence[Claim], agreement: float) -> Verdict:
    """Where agreement with a given network is the judge.

    Args:
        claims: of all checks.
        agreement: share of words from which on the network counts as nearly followed: as a lower
            bound at the training length, as it was measured at twice that.
    """
    trouble = [c for c in claims if c.equals == "network" and c.how is How.REFUTED]
    if not trouble:
        return Verdict(Outcome.SOLVED)
    shortest = min(trouble, key=lambda c: c.holds_to if c.holds_to is not None else 0)
    sampled = [c for c in claims if c.check == "fidelity"]
    where = " in float32 arithmetic" if shortest.check == "float32" else ""
    shown = ", ".join(f"{shown_share(c.agreement)} at length {c.length}" for c in sampled)
    reason = f"right{where} to step {shortest.holds_to}{_first(shortest)}"
    if sampled:
        reason += f"; it agrees with the network on {shown}"
    told = next((c for c in trouble if c.pattern), None)
    if told is not None:
        reason += f"; at length {told.length}, {told.pattern}"
    settled = [c for c in claims if c.check == "settled"]
    if settled:
        shares = ", ".join(f"{shown_share(c.agreement)} at length {c.length}" for c in settled)
        reason += f", and on words {settled[0].words}, on {shares}"
    if sampled and _nearly(sampled, agreement):
        return Verdict(Outcome.NEARLY, reason)
    return Verdict(Outcome.DIFFERS_FROM_NETWORK, reason)


def _nearly(sampled: Sequence[Claim], agreement: float) -> bool:
    """Whether a network is followed on so many words: of its own length by the bound, of words
    twice as long, of which fewer are run, by the share.
    """
    own, *longer = sampled
    return 1.0 - (own.error_bound or 0.0) >= agreement and all(
        (claim.agreement or 0.0) >= agreement for claim in longer[:1]
    )


def verdict_on_integers(claims: Sequence[Claim]) -> Verdict | None:
    """Whether the network writes integers at all; None when it does.

    Args:
        claims: on its raw outputs, that on words of the training length first: it decides; on
            longer ones a network may drift from the integers, and then differs from the program.
    """
    for claim in claims:
        if claim.how is How.REFUTED:
            where = f"on words of {claim.length} steps"
            return Verdict(Outcome.NOT_INTEGERS, f"{claim.reason}, {where}")
    claim = claims[0]
    mean, largest = claim.step_agreement or 0.0, claim.margin or 0.0
    beyond = claim.wrong / max(1, claim.count)
    if mean > FARTHEST_MEAN or beyond > MOST_BEYOND:
        return Verdict(
            Outcome.NOT_INTEGERS,
            f"its raw outputs are {mean:.2f} from the nearest integer on average, {largest:.2f} "
            f"at most, {percent(beyond)} of them more than {NEAR_HALF}: these are no integers",
        )
    return None


def chance_of(sample: Sample) -> float:
    """The probability that all outputs of a sample are met by one who knows only how often each
    whole sequence of outputs occurs, and always says the most frequent one.

    Of a complete sample it is 0: nothing is left to chance.
    """
    if sample.complete:
        return 0.0
    part = sample.sequences
    if not len(part):
        return 1.0
    outputs = np.asarray(part.outputs, np.float64).reshape(len(part), part.length, -1)
    if part.judged is not None:  # labels side by side: one a word, at whatever step, is one label
        order = np.argsort(~part.judged, axis=1, kind="stable")[:, :, None]
        outputs = np.where(part.judged[:, :, None], outputs, 0.0)
        outputs = np.take_along_axis(outputs, order, axis=1)
    _, counts = np.unique(outputs.reshape(len(part), -1), axis=0, return_counts=True)
    return float(counts.max() / len(part)) ** len(part)


def _which(claim: Claim) -> str:
    kind = "" if claim.complete else "unseen "
    judged = "" if claim.labels is None else f" ({claim.labels:,} labelled steps)"
    return f"{claim.count:,} {kind}sequences of {claim.lengths}{judged}"


def _first(claim: Claim) -> str:
    """The shortest word on which a claim does not hold."""
    if not claim.disagreements:
        return ""
    found = claim.disagreements[0]
    wanted = "what is no number" if found.expected is None else found.expected
    return f"; after {_shown(found.word)} it writes {found.wrote} instead of {wanted}"


def _contradicted(claim: Claim) -> str:
    rows = ", ".join(str(d.row) for d in claim.disagreements if d.row is not None)
    shown = f"it contradicts {claim.wrong:,} of the {claim.count:,} {claim.words}"
    named = f" (number {rows}{', ...' if claim.wrong > len(claim.disagreements) else ''})"
    return f"{shown}{named if rows else ''}{_first(claim)}"


def _shown(word: tuple) -> str:
    """A word, of a long one its end."""
    if len(word) <= 12:
        return f"the inputs {list(word)}"
    return f"{len(word)} inputs ending in {list(word[-8:])}"


CONFIDENCE_TEXT = f"{CONFIDENCE:.0%} confidence"
