"""What a call is doing, as one line of a notebook."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import Any

from mips_jax import interrupts
from mips_jax.figures import percent

_SECONDS_BETWEEN = 0.3  # updates of the line


def in_notebook() -> bool:
    """Whether this runs in a notebook: in an IPython with a kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


class NotebookProgress:
    """Shows the stages of one call in a line that is written over; works in every notebook that
    shows HTML.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._started = self._shown = time.monotonic()
        self._stage = ""

    def stage(self, text: str) -> None:
        """A new stage begins."""
        interrupts.check()
        self._stage = text
        self._say(text)

    def training(self, event) -> None:
        """Shows one `mips_jax.training.TrainingProgress`."""
        interrupts.check()
        if time.monotonic() - self._shown < _SECONDS_BETWEEN:
            return
        right = f"{percent(event.best_accuracy)} right"
        self._say(
            f"{self._stage}: step {event.steps:,} of {event.total_steps:,}, "
            f"{event.members} networks, best: {right}, {event.best}"
        )

    def finish(self) -> None:
        """The call has come to its end."""
        self._say("done")

    def _say(self, text: str) -> None:
        from IPython.display import HTML, display

        self._shown = time.monotonic()
        line = HTML(f"<small>{escape(text)} ({self._shown - self._started:.0f} s)</small>")
        if self._handle is None:
            self._handle = display(line, display_id=True)
        else:
            self._handle.update(line)
