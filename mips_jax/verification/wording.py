"""Claims in words: the evidence for a docstring, a headline, a page. Nothing is said that no claim
says.
"""

from __future__ import annotations

from collections.abc import Sequence

from mips_jax.figures import percent, percent_at_most
from mips_jax.verification.claims import Claim, How, shown_share
from mips_jax.verification.running import NEAR_HALF
from mips_jax.verification.verdict import CONFIDENCE_TEXT


def summary(claims: Sequence[Claim]) -> str:
    """The evidence in a few sentences, without a full stop at its end."""
    sentences = [_by_truth(claims), _by_network(claims), _by_proof(claims), _integers(claims)]
    return ". ".join(s[0].upper() + s[1:] for s in sentences if s)


def _named(claims: Sequence[Claim], check: str) -> list[Claim]:
    return [claim for claim in claims if claim.check == check]


def _by_truth(claims: Sequence[Claim]) -> str:
    parts = []
    for claim in _named(claims, "unseen"):
        if claim.complete:
            parts.append(
                f"{_share(claim)} {claim.count:,} sequences of {claim.lengths}{_judged(claim)}"
            )
        else:
            bound = (
                f" (at most {_bound(claim)} wrong, {CONFIDENCE_TEXT})" if not claim.wrong else ""
            )
            parts.append(
                f"{_share(claim)} {claim.count:,} unseen sequences of {claim.lengths}"
                f"{_judged(claim)}{bound}"
            )
    for claim in _named(claims, "known"):
        if claim.wrong and claim.words.startswith("given"):
            parts.append(f"contradicts {claim.wrong:,} of the {claim.count:,} {claim.words}")
    for claim in _named(claims, "long"):
        if claim.count:
            parts.append(f"{_share(claim)} {claim.count:,} of length {claim.length}")
    for claim in _named(claims, "runs"):
        if claim.wrong:
            parts.append(f"{_share(claim)} {claim.count:,} {claim.words}")
    return f"right {', '.join(parts)}" if parts else ""


def _by_network(claims: Sequence[Claim]) -> str:
    sampled = [claim for claim in claims if claim.check.startswith("fidelity")]
    if not sampled:
        return ""
    first, longest = sampled[0], max(sampled, key=lambda c: c.length or 0)
    right = [c for c in sampled if not c.wrong]
    text = f"agrees with the network on {shown_share(first.agreement)} of {first.count:,} words"
    text += f" of length {first.length}, {first.words}"
    if len(right) == len(sampled):
        others = sum(c.count for c in sampled[1:])
        if others:
            text += f", and on {others:,} up to length {longest.length}"
    else:
        to = min(c.holds_to or 0 for c in sampled if c.wrong)
        text += f"; to step {to} on all words run"
    single = [c for c in claims if c.check == "float32" and c.wrong]
    if single:
        share = percent(single[0].agreement or 0.0)
        text += f"; evaluated in float32 on {share} of words of length {single[0].length} only"
    for claim in claims:
        if claim.check in ("search", "proof") and claim.how is How.REFUTED:
            length = len(claim.disagreements[0].word)
            text += f"; but the network writes something else on a word of {length} inputs"
    return text


def _by_proof(claims: Sequence[Claim]) -> str:
    """The tier of the proof, where there is one; a machine read off the network is no network."""
    shortest = next((c.length or 0 for c in _named(claims, "fidelity")), 0)
    for claim in _named(claims, "proof"):
        short = claim.length is not None and claim.length < shortest  # samples say more
        if claim.how is not How.PROVEN or short:
            continue
        which = "the inputs that occur" if "occur" in claim.words else "all inputs in range"
        words = f"{tier(claims)}, over {which}, in {claim.arithmetic}"
        return f"proven equal to the network itself on {words}"
    return ""


def tier(claims: Sequence[Claim]) -> str:
    """What the equality of program and network is known of, in one of four sentences."""
    proofs = _named(claims, "proof")
    proven = next((claim for claim in proofs if claim.how is How.PROVEN), None)
    breaking = [len(c.disagreements[0].word) for c in proofs if c.how is How.REFUTED]
    if proven is not None and proven.length is None:
        return "every word of every length"
    if proven is not None:
        words = f"every word up to {proven.length} step{'s' * (proven.length != 1)}"
        if not breaking:
            return words
        shortest = "shortest" if breaking[0] == (proven.length or 0) + 1 else "first known"
        return f"{words}, {shortest} failing word of length {breaking[0]}"
    if breaking:
        return f"sampled only: they differ on a word of {breaking[0]} inputs"
    reason = next((c.reason for c in proofs if c.reason), "no proof was tried")
    return f"sampled only: {reason}"


def _integers(claims: Sequence[Claim]) -> str:
    for claim in _named(claims, "integers"):
        if claim.reason:
            return f"{claim.reason}, on words of {claim.length} steps"
        if (claim.margin or 0.0) > NEAR_HALF:
            where = f"on words of {claim.length} steps"
            return f"{where} its raw outputs are up to {claim.margin:.3f} from an integer"
    return ""


def _share(claim: Claim) -> str:
    return (
        "on all" if claim.complete and not claim.wrong else f"on {shown_share(claim.agreement)} of"
    )


def _judged(claim: Claim) -> str:
    """At which steps, where not at all."""
    if claim.labels is None:
        return ""
    return f", judged at their {claim.labels:,} labelled steps only"


def _bound(claim: Claim) -> str:
    """An upper bound as a percentage, rounded up."""
    return percent_at_most(claim.error_bound or 0.0)
