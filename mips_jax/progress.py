"""Who is told how far a job is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Who is told how far a job is."""

    def stage(self, text: str) -> None:
        """A new stage begins."""

    def training(self, event) -> None:
        """Training has gone on a little."""


class Silent:
    """Progress that shows nothing (see `mips_jax.reporting.progress.LiveProgress`)."""

    def stage(self, text: str) -> None:
        """A new stage begins."""

    def training(self, event) -> None:
        """Training has gone on a little."""
