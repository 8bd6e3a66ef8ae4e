"""metrics.csv and metrics.jsonl in the run folder, a row for each report of training.

A run that goes on adds to them. A row that was half-written when a run was killed is removed; rows
since the last checkpoint stand there twice then.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from mips_jax.reporting.files import plain
from mips_jax.tracking.tracker import TrackedRun, Value


class CsvMetrics:
    """metrics.csv: a header, then plain values; what is not known is empty."""

    def __init__(self, run: TrackedRun):
        self.path = run.folder / "metrics.csv"
        _without_half_line(self.path)

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        """Adds a row."""
        first = not self.path.exists() or self.path.stat().st_size == 0
        with self.path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([["step", *values]] if first else [])
            writer.writerow([step, *plain(dict(values)).values()])

    def finish(self, summary: Mapping[str, Value]) -> None:
        """It is in result.json."""

    def close(self) -> None:
        """Every row is written."""


class JsonLines:
    """metrics.jsonl: one object a line."""

    def __init__(self, run: TrackedRun):
        self.path = run.folder / "metrics.jsonl"
        _without_half_line(self.path)

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        """Adds a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain({"step": step, **values})) + "\n")

    def finish(self, summary: Mapping[str, Value]) -> None:
        """It is in result.json."""

    def close(self) -> None:
        """Every line is written."""


def _without_half_line(path: Path) -> None:
    """Removes what stands behind the last line's end."""
    if path.exists():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            path.write_bytes(whole)
