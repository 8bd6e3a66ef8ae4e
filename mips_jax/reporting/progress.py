"""What a run is doing, on stderr: a live line on a terminal, one plain line a stage elsewhere
(cluster logs).
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from mips_jax import interrupts
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
        self._line: tuple[Progress, TaskID] | None = None  # on a terminal, within the context

    def __enter__(self) -> LiveProgress:
        if self.console.is_terminal:
            bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )
            bar.start()
            self._line = bar, bar.add_task(self.name, total=None, note="")
        return self

    def __exit__(self, *_) -> None:
        if self._line is not None:
            self._line[0].stop()
            self._line = None

    def stage(self, text: str) -> None:
        """Says that something new begins, such as "training" or "extracting"."""
        interrupts.check()
        if self._line is None:
            self.console.print(f"{self.name}: {text}", highlight=False, soft_wrap=True)
            return
        bar, task = self._line
        bar.update(task, description=f"{self.name}: {text}", completed=0, total=None, note="")

    def training(self, event) -> None:
        """Shows one `mips_jax.training.TrainingProgress`."""
        interrupts.check()
        if self._line is None:
            return
        bar, task = self._line
        right = f"{percent(event.best_accuracy)} right"
        bar.update(
            task,
            completed=min(event.steps, event.total_steps),
            total=event.total_steps,
            note=f"{event.members} networks, best: {right}, {event.best}",
        )
