"""run.log: a line with its time for each stage, message and outcome of the runs in a folder."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

LOG = logging.getLogger("mips_jax")
LOG.addHandler(logging.NullHandler())  # else Python prints warnings of its own accord


class _Appending(logging.Handler):
    """Opens the file for each line, so that it may be moved or removed at any time."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        # a log that cannot be written is no reason to fail
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            file.write(self.format(record) + "\n")


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Lines of the logger `mips_jax` go to run.log in the folder."""
    handler, before = _Appending(folder / "run.log"), (LOG.level, LOG.propagate)
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False  # libraries may have set up a log on stderr, where it is shown already
    try:
        yield
    finally:
        LOG.setLevel(before[0])
        LOG.propagate = before[1]
        LOG.removeHandler(handler)
