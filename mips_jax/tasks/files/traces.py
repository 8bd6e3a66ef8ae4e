"""Runs of a machine as text, one a line: what was read and what was written, `a/0 b/1 a/1`."""

from __future__ import annotations

import re

from mips_jax.figures import shown
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.table import Reading, Table
from mips_jax.tasks.files.text_records import LineProblems

_STEP = re.compile(r"[^\s/,;]+/[^\s/,;]+")


def are_traces(content: Content) -> bool:
    """By lines of nothing but such pairs."""
    return (
        content.is_text
        and bool(content.lines)
        and all(_STEP.fullmatch(step) for line in content.lines for step in _steps(line))
    )


def _steps(line: str) -> list[str]:
    return [step for step in re.split(r"[\s,;]+", line.strip()) if step]


def read_traces(content: Content, reading: Reading) -> Table:
    """A row for each line, lists of inputs and outputs in its cells."""
    problems, x, y, places = LineProblems(content.name), [], [], []
    for line, text in enumerate(content.text.splitlines(), 1):
        steps = _steps(text)
        wrong = [step for step in steps if not _STEP.fullmatch(step)]
        if wrong:
            fix = "write each step as input/output"
            problems.add("a step is no input/output", line, shown(wrong[0]), fix, len(wrong))
        elif steps:
            pairs = [step.split("/") for step in steps]
            x.append([read for read, _ in pairs])
            y.append([written for _, written in pairs])
            places.append(line)
    problems.raise_if_any()
    note = "a step a/0 reads a and writes 0"
    return Table(content.name, {"x": x, "y": y}, places, "line", True, (note,))
