"""The evidence as four short lines, one for each way in which a claim is known; read off the claims
of result.json, so nothing is said that they do not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mips_jax.figures import percent, percent_at_most
from mips_jax.verification.claims import How
from mips_jax.verification.verdict import CONFIDENCE_TEXT

MOST_IN_A_LINE = 4  # claims; the rest is counted
UNTOUCHED = "everything: nothing was there to judge"
NONE = {
    How.PROVEN: "nothing",
    How.MEASURED: "nothing",
    How.REFUTED: "nothing that was tried",
    How.NOT_TRIED: "no check was left out",
}


def tiers(claims: Sequence[Mapping]) -> list[tuple[str, str]]:
    """(how, what) for `proven`, `measured`, `refuted`, `not tried`, in this order.

    Args:
        claims: of result.json.

    >>> tiers([])[-1]
    ('not tried', 'everything: nothing was there to judge')
    """
    if not claims:
        return [(str(how), UNTOUCHED if how is How.NOT_TRIED else "nothing") for how in How]
    return [(str(how), _line(how, [c for c in claims if c["how"] == how])) for how in How]


def _line(how: How, claims: Sequence[Mapping]) -> str:
    if not claims:
        return NONE[how]
    said = (
        _measured(claims) if how is How.MEASURED else list(dict.fromkeys(map(claim_text, claims)))
    )
    more = len(said) - MOST_IN_A_LINE
    shown = "; ".join(said[:MOST_IN_A_LINE])
    return f"{shown}; and {more} more" if more > 0 else shown


def _measured(claims: Sequence[Mapping]) -> list[str]:
    """One text for each pair that was compared: the first claim, and what all others come to."""
    pairs: dict[tuple, list[Mapping]] = {}
    for claim in claims:
        pairs.setdefault((claim["subject"], claim["equals"]), []).append(claim)
    said = []
    for first, *others in pairs.values():
        run = [c for c in others if c["count"] and c["agreement"] is not None]
        text = claim_text(first)
        if run:
            share, count = min(c["agreement"] for c in run), sum(c["count"] for c in run)
            longest = max(c["length"] or 0 for c in run)
            least = "" if share == 1.0 else "at least "
            text += f", and on {least}{percent(share)} of {count:,} others to length {longest}"
        said.append(text)
    return said


def claim_text(claim: Mapping) -> str:
    """A claim in a few words."""
    what = f"{claim['subject']} = {claim['equals']}"
    length = "every length" if claim["length"] is None else f"length {claim['length']}"
    unit = "outputs" if claim["equals"] == "integers" else "words"
    count = f"{claim['count']:,} {unit} of {length}" if claim["count"] else length
    words = f", {claim['words']}" if claim["words"] else ""
    match claim["how"]:
        case How.PROVEN:
            arithmetic = f", in {claim['arithmetic']} arithmetic" if claim["arithmetic"] else ""
            return f"{what} on {'all ' if claim['count'] else ''}{count}{words}{arithmetic}"
        case How.MEASURED:
            share, unseen = claim["agreement"], bool(claim["unseen"])
            worth = _worth(claim["error_bound"]) if unseen else ""
            part = "" if share is None else f"{percent(share)} of "
            return f"{what} on {part}{count}{words}{worth}"
        case How.REFUTED:
            wrong = f"{claim['wrong']:,} of " if claim["wrong"] and claim["count"] else "a word of "
            return f"{what} fails on {wrong}{count}{words}"
    return f"{what} on {count}: {claim['reason'] or 'no reason is given'}"


def _worth(bound: float | None) -> str:
    """What a sample is worth; nothing where it had been seen before."""
    if bound is None:
        return ""
    return f" (at most {percent_at_most(bound)} wrong, {CONFIDENCE_TEXT})"


def disagreements(result: Mapping) -> list[tuple[str, str, str, str]]:
    """(what was compared, word, what was written, what was expected) for every word that the claims
    of a result list, the shortest first, each once.
    """
    found = {}
    for claim in result.get("claims") or ():
        what = f"{claim['subject']} and {claim['equals']}"
        for one in claim["disagreements"]:
            word = tuple(map(_plain, one["word"]))
            wanted = "no number" if one["expected"] is None else str(one["expected"])
            row = (what, " ".join(map(str, word)), str(one["wrote"]), wanted)
            found[row] = len(word)
    return sorted(found, key=found.__getitem__)


def _plain(letter):
    return tuple(letter) if isinstance(letter, list) else letter
