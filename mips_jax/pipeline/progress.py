"""How long the stages of a job take, and who is told where nobody is named."""

from __future__ import annotations

import time

from mips_jax.pipeline.distillation import Seconds
from mips_jax.progress import Progress, Silent
from mips_jax.reporting.notebook import NotebookProgress, in_notebook


def shown_progress(progress: Progress | None) -> Progress:
    """Who is told where nobody is named: a line of the notebook, or nobody."""
    if progress is not None:
        return progress
    return NotebookProgress() if in_notebook() else Silent()


class Watch:
    """Announces stages and adds up their time."""

    def __init__(self, progress: Progress | None):
        self.progress = shown_progress(progress)
        self.started = self.since = time.monotonic()
        self.stage: str | None = None
        self.spent: dict[str, float] = {}

    def begin(self, stage: str, text: str) -> None:
        self._close()
        self.stage, self.since = stage, time.monotonic()
        self.progress.stage(text)

    def end(self) -> Seconds:
        self._close()
        self.stage = None
        if isinstance(self.progress, NotebookProgress):
            self.progress.finish()
        return Seconds(**self.spent, total=time.monotonic() - self.started)

    def _close(self) -> None:
        if self.stage is not None:
            passed = time.monotonic() - self.since
            self.spent[self.stage] = self.spent.get(self.stage, 0.0) + passed
