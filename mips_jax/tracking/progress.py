"""Progress that is shown, logged and tracked."""

from __future__ import annotations

import dataclasses
import logging
import time

from mips_jax.progress import Progress
from mips_jax.tracking.tracker import Tracker

LOG = logging.getLogger("mips_jax")


class TrackedProgress:
    """Passes everything on to `shown`; stages go to the log, reports of training to the tracker.

    Args:
        shown: such as `LiveProgress`.
        tracker: is told every report.
        log_seconds: time between two lines of the log within training, at least.
    """

    def __init__(self, shown: Progress, tracker: Tracker, log_seconds: float = 30.0):
        self.shown, self.tracker, self.log_seconds = shown, tracker, log_seconds
        self._attempt, self._logged = 0, float("-inf")

    def stage(self, text: str) -> None:
        """A new stage begins."""
        LOG.info(text)
        if text.startswith("training"):
            self._attempt += 1
        self.shown.stage(text)

    def training(self, event) -> None:
        """One `mips_jax.training.TrainingProgress`."""
        values = dataclasses.asdict(event)
        step = values.pop("work")
        self.tracker.metrics({"time": time.time(), "attempt": self._attempt, **values}, step)
        if time.monotonic() - self._logged >= self.log_seconds:
            self._logged = time.monotonic()
            LOG.info(
                "%s: %d members, up to %d of %d steps; best so far %.4f right (%s), loss %.3g",
                event.stage,
                event.members,
                event.steps,
                event.total_steps,
                event.best_accuracy,
                event.best or "none",
                event.loss,
            )
        self.shown.training(event)
