"""One table of many runs, from their result.json files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from mips_jax.figures import percent
from mips_jax.reporting.runs import varying_cells
from mips_jax.reporting.summary import table

COLUMNS = (
    "task",
    "solved",
    "judged by",
    "right",
    "right at 10x",
    "agrees",
    "proven",
    "method",
    "lines",
    "H",
    "start",
    "train s",
    "extract s",
    "total s",
)


def read_results(folder: Path) -> list[dict]:
    """The result.json of every job of a sweep, in the order of the jobs."""

    def position(path: Path) -> tuple[int, str]:
        number = path.parent.name.partition("_")[0]
        return (int(number) if number.isdigit() else 0, path.parent.name)

    return [
        json.loads(path.read_text())
        for path in sorted(Path(folder).glob("*/result.json"), key=position)
    ]


def row(result: Mapping) -> tuple[str, ...]:
    """One line of the table."""
    share = lambda value: "" if value is None else percent(value)
    seconds = result["seconds"]
    time = lambda key: "" if seconds.get(key) is None else f"{seconds[key]:.1f}"
    verification = result["verification"] or {}
    return (
        result["task"],
        "yes" if result["solved"] else result.get("outcome", "NO"),
        judged(verification),
        share(result["accuracy"]["test"]),
        share(result["accuracy"]["long"]),
        share(result["fidelity"]),
        proof_reaches(verification),
        result["method"] or "",
        "" if result["program_lines"] is None else str(result["program_lines"]),
        str((result["network"] or {}).get("hidden_dim", "")),
        (result["network"] or {}).get("start") or "",
        time("train"),
        time("extract"),
        time("total"),
    )


def proof_reaches(verification: Mapping) -> str:
    """`every length` where the network was proven to write what the program writes; empty where
    only samples speak for it.
    """
    return "every length" if verification.get("network_equals_machine") else ""


def judged(verification: Mapping) -> str:
    """How many sequences of the training length judged, and that nothing had seen them."""
    if not verification.get("test_sequences"):
        return ""
    unseen, count = verification["test_unseen"], verification["test_sequences"]
    return f"{unseen:,} unseen of all {count:,}" if verification["test_complete"] else f"{unseen:,}"


def verdict(results: Sequence[Mapping]) -> str:
    """The last line: how many were solved, how many of them at the long length, and how long it
    took.
    """
    solved = [result for result in results if result["solved"]]
    long = [result for result in solved if result["accuracy"]["long"] == 1.0]
    proven = [r for r in results if proof_reaches(r["verification"] or {})]
    minutes = sum(result["seconds"]["total"] or 0.0 for result in results) / 60
    return (
        f"{len(solved)} of {len(results)} solved, {len(long)} of them exact at ten times the "
        f"length too, {len(proven)} proven equal to the network at every length; {minutes:.1f} "
        "minutes"
    )


def rich_table(results: Sequence[Mapping]) -> Table:
    """The table for a terminal."""
    shown = Table(box=None, header_style="bold")
    for column in COLUMNS:
        shown.add_column(
            column, justify="left" if column in ("task", "method") else "right", no_wrap=True
        )
    for result in results:
        shown.add_row(*row(result), style=None if result["solved"] else "red")
    return shown


def markdown_table(results: Sequence[Mapping], runs: Sequence[Mapping] = ()) -> str:
    """The table for a page, with the reasons of what was not solved.

    Args:
        results: of the runs that are finished.
        runs: rows of `run_records` of all runs, in the same order: what varies between them is
            shown beside the results, and what is not finished below.
    """
    finished = [run for run in runs if run["finished"]]
    cells = varying_cells(finished) if len(finished) == len(results) else []
    header = (*COLUMNS, *(cells[0] if cells else ()))
    shown = lambda value: "" if value is None else value
    more = [tuple(map(shown, cell.values())) for cell in cells] or [()] * len(results)
    rows = [(*row(result), *cell) for result, cell in zip(results, more)]
    waiting = [f"- {run['folder']}: {run['outcome']}" for run in runs if not run["finished"]]
    parts = [table(header, rows), verdict(results) + ".", *not_solved(results)]
    parts += ["Not finished:\n\n" + "\n".join(waiting)] if waiting else []
    return "\n\n".join(parts) + "\n"


def not_solved(results: Sequence[Mapping]) -> list[str]:
    """The paragraph with the reasons of what was not solved; none where all was."""
    reasons = [
        f"- {result['task']}: {result['reason']}" for result in results if not result["solved"]
    ]
    return ["Not solved:\n\n" + "\n".join(reasons)] if reasons else []
