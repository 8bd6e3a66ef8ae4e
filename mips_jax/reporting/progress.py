"""What a run is doing, on stderr: a live line on a terminal, one plain line a stage elsewhere
(cluster logs).
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from mips_jax.figures import percent


class LiveProgress:
    """Shows the stages of one job; use as a context manager.

    Args:
        name: of the job, shown first.
        console: where to write; a terminal's stderr by default.
    """

    def __init__(self, name: str, console: Console | None = None):
        self.name = name
        self.console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> LiveProgress:
        if self.console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.name, total=None, note="")
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def stage(self, text: str) -> None:
        """Says that something new begins, such as "training" or "extracting"."""
        if self._bar is not None:
            self._bar.update(
                self._task, description=f"{self.name}: {text}", completed=0, total=None, note=""
            )
        else:
            self.console.print(f"{self.name}: {text}", highlight=False, soft_wrap=True)

    def training(self, event) -> None:
        """Shows one `mips_jax.training.TrainingProgress`."""
        if self._bar is not None:
            note = f"{event.members} networks, best: {percent(event.best_accuracy)} right, {event.best}"
            self._bar.update(
                self._task,
                completed=min(event.steps, event.total_steps),
                total=event.total_steps,
                note=note,
            )
