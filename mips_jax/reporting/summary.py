"""summary.md: one run as a page for people. The figures are those of result.json; nothing is
computed here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from mips_jax.figures import percent
from mips_jax.verification.verdict import CONFIDENCE_TEXT

MAX_MEMBERS = 12  # rows of the training table; the rest is counted


@dataclasses.dataclass(frozen=True)
class CandidateRow:
    """A program that was considered.

    Attributes:
        method: how it was found.
        bits: its description length.
        fidelity: fraction of sequences on which it agrees with the network.
        remark: how it came about.
        chosen: whether it is the one that was taken.
    """

    method: str
    bits: float
    fidelity: float
    remark: str
    chosen: bool = False


@dataclasses.dataclass(frozen=True)
class RegisterRow:
    """An integer that the program remembers, and where the network keeps it.

    Attributes:
        name: the variable in the program.
        initial: its first value.
        encoding: how the hidden state holds it, in words or as a formula.
    """

    name: str
    initial: object
    encoding: str


@dataclasses.dataclass(frozen=True)
class MemberRow:
    """A trained network.

    Attributes:
        architecture: its sizes, as text.
        seed: its random seed.
        status: how its training ended.
        steps: steps taken.
        accuracy: fraction of whole sequences right.
        chosen: whether it is the one that was distilled.
    """

    architecture: str
    seed: int
    status: str
    steps: int
    accuracy: float
    chosen: bool = False


def headline(result: Mapping) -> str:
    """One line on how far a program can be trusted, from result.json's content; never more than
    what was measured.

    >>> headline({"task": "Sum_All", "solved": True, "verification": {"summary": "Right on all"}})
    'Sum_All: solved. Right on all.'
    """
    parts = [f"{result['task']}: {state_of(result)}."]
    for text in (
        (result.get("verification") or {}).get("summary"),
        None if result["solved"] else result.get("reason"),
    ):
        if text:
            parts.append(f"{text[0].upper()}{text[1:].rstrip('.')}.")
    return " ".join(parts)


def state_of(result: Mapping) -> str:
    """`solved`, `nearly`, or that it is not solved."""
    if result["solved"]:
        return "solved"
    return "nearly" if result.get("outcome") == "nearly" else "not solved"


def render_summary(
    result: Mapping,
    source: str | None,
    candidates: Sequence[CandidateRow] = (),
    registers: Sequence[RegisterRow] = (),
    members: Sequence[MemberRow] = (),
    figures: Mapping[str, str] | None = None,
    description: str = "",
    outcomes: Sequence[tuple[str, str]] = (),
    remarks: Sequence[str] = (),
) -> str:
    """The page as Markdown.

    Args:
        result: the content of result.json.
        source: the program, or None.
        candidates: programs considered, simplest first.
        registers: what the program remembers.
        members: the trained networks.
        figures: caption -> file name in the run folder.
        description: what the task is, in one sentence.
        outcomes: (method, what became of it), for every method that ran.
        remarks: on what there is beside the figures, a sentence each.
    """
    sections = [
        f"# {result['task']}",
        description,
        headline(result),
        *_program_section(source),
        *_register_section(registers),
        "## How far it can be trusted",
        table(("what", "figure"), trust_rows(result)),
        *_front_section(result.get("front") or ()),
        *_candidate_section(candidates),
        *_outcome_section(outcomes),
        *_member_section(members),
        *(f"![{caption}]({file})" for caption, file in (figures or {}).items()),
        *remarks,
        *_time_section(result.get("seconds") or {}),
        "Every figure of this page is in `result.json`; the request is in `.hydra/`.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _program_section(source: str | None) -> list[str]:
    if not source:
        return ["## The program", "None was found."]
    return ["## The program", f"```python\n{source.rstrip()}\n```"]


def _register_section(registers: Sequence[RegisterRow]) -> list[str]:
    if not registers:
        return []
    rows = [(f"`{row.name}`", f"`{row.initial}`", row.encoding) for row in registers]
    return [
        "## What it remembers, and where the network keeps it",
        table(("register", "starts as", "in the network"), rows),
    ]


def _front_section(front: Sequence[Mapping]) -> list[str]:
    """The trade-off, a row for each program and a column for each kind of words."""
    if not front:
        return []
    kinds = [f"length {claim['length']}, {claim['words']}" for claim in front[0]["claims"]]
    rows = []
    for one in front:
        cells = [_agreement(claim) for claim in one["claims"]]
        words = [d for claim in one["claims"] for d in claim["disagreements"]]
        first = min(words, key=lambda d: len(d["word"]), default=None)
        shortest = "" if first is None else f"{_plain(first, 'word')}"
        rows.append((one["note"], f"{one['bits']:.0f}", *cells, shortest))
    return [
        "## From small to faithful",
        "Programs that no other betters in size and agreement both; agreement with the network, "
        f"and in brackets what it is at least ({CONFIDENCE_TEXT}). Their Python is in "
        "`result.json`.",
        table(("found by", "bits", *kinds, "shortest word on which they differ"), rows),
    ]


def _agreement(claim: Mapping) -> str:
    if claim["agreement"] is None:
        return ""
    bound = claim["error_bound"]
    least = "" if bound is None else f" ({percent(1.0 - bound)})"
    return f"{percent(claim['agreement'])}{least}"


def _candidate_section(candidates: Sequence[CandidateRow]) -> list[str]:
    if not candidates:
        return []
    rows = [
        (c.method, f"{c.bits:.0f}", percent(c.fidelity), c.remark, "taken" if c.chosen else "")
        for c in candidates
    ]
    return [
        "## Programs considered",
        table(("method", "bits", "agrees with the network", "remark", ""), rows),
    ]


def _outcome_section(outcomes: Sequence[tuple[str, str]]) -> list[str]:
    if not outcomes:
        return []
    said = "; ".join(f"{method}: {outcome}" for method, outcome in outcomes)
    return [f"What each method said: {said}."]


def _member_section(members: Sequence[MemberRow]) -> list[str]:
    if not members:
        return []
    rows = [
        (
            row.architecture,
            row.seed,
            row.status,
            f"{row.steps:,}",
            percent(row.accuracy),
            "distilled" if row.chosen else "",
        )
        for row in sorted(members, key=lambda row: not row.chosen)[:MAX_MEMBERS]
    ]
    header = ("architecture", "seed", "status", "steps", "sequences right", "")
    more = len(members) - MAX_MEMBERS
    return ["## Networks trained", table(header, rows), f"and {more} more." if more > 0 else ""]


def _time_section(seconds: Mapping[str, float | None]) -> list[str]:
    if not seconds:
        return []
    times = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items() if value is not None)
    return ["## Time", f"Seconds: {times}."]


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; bars and line breaks in cells are escaped."""

    def line(cells):
        return (
            "| "
            + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells)
            + " |"
        )

    return "\n".join([line(header), line(["---"] * len(header)), *map(line, rows)])


def trust_rows(result: Mapping) -> list[tuple[str, str]]:
    rows = [(_claim_subject(claim), _claim_evidence(claim)) for claim in result.get("claims") or ()]
    rows += [("not covered", note) for note in (result.get("verification") or {}).get("notes", ())]
    rows.append(("method", str(result.get("method"))))
    network = result.get("network") or {}
    if network:
        rows.append(("network", ", ".join(f"{key} {value}" for key, value in network.items())))
    return rows


def _claim_subject(claim: Mapping) -> str:
    length = "every length" if claim["length"] is None else f"length {claim['length']}"
    if claim.get("shortest"):
        length = f"length {claim['shortest']} to {claim['length']}"
    words = f", {claim['words']}" if claim["words"] else ""
    return f"{claim['subject']} = {claim['equals']}, {length}{words}"


def _claim_evidence(claim: Mapping) -> str:
    """What is known of a claim, in the order: how, on how much, what it is worth, what is wrong."""
    parts = [str(claim["how"])]
    if claim["count"]:
        share = claim["agreement"]
        shown = "" if share is None else f"{percent(share)} of "
        parts.append(f"{shown}{claim['count']:,}")
    if claim.get("labels") is not None:
        parts.append(f"judged at their {claim['labels']:,} labelled steps only")
    if claim["distinct"]:
        parts.append(f"{claim['distinct']:,} different, {claim['unseen']:,} unseen")
    if claim["how"] == "measured" and claim["error_bound"] is not None:
        parts.append(f"error rate below {claim['error_bound']:.2g} ({CONFIDENCE_TEXT})")
    if claim["wrong"] and claim["holds_to"] is not None:
        parts.append(f"right to step {claim['holds_to']}")
    if claim["margin"] is not None:
        parts.append(f"raw outputs within {claim['margin']:.3f} of an integer")
    if claim["arithmetic"]:
        parts.append(f"{claim['arithmetic']} arithmetic")
    for found in claim["disagreements"]:
        parts.append(
            f"after {_plain(found, 'word')}: {_plain(found, 'wrote')}, not "
            f"{_plain(found, 'expected')}{_who(found, claim)}"
        )
    if claim.get("pattern"):
        parts.append(claim["pattern"])
    if claim["reason"]:
        parts.append(str(claim["reason"]))
    return "; ".join(parts)


def _who(found: Mapping, claim: Mapping) -> str:
    """Which of the two is right, where the truth is known."""
    if found.get("truth") is None:
        return ""
    sides = {"wrote": claim["subject"], "expected": claim["equals"]}
    right = [who for key, who in sides.items() if _plain(found, key) == _plain(found, "truth")]
    return f" (the {right[0]} is right)" if right else " (neither is right)"


def _plain(found: Mapping, key: str) -> str:
    value = found[key]
    shown = list(value) if isinstance(value, tuple | list) else value
    return str(shown) if key != "word" or len(shown) <= 12 else f"[... {str(shown[-8:])[1:]}"
