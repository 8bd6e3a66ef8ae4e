"""What tracks a run, and the registry of those that there are.

A tracker is made from a `TrackedRun` and told metrics while the run trains and a summary at its
end. To add one, put a class (or "package.module:Class") into `TRACKERS`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from mips_jax.errors import RequestError
from mips_jax.registry import Registry
from mips_jax.validation import checked, names_of

Value = str | int | float | bool | None


@dataclasses.dataclass(frozen=True)
class TrackedRun:
    """What a tracker knows of a run.

    Attributes:
        name: of the task or the network.
        folder: the run folder.
        settings: the whole request, nested keys by path.
        project: under which services list it.
    """

    name: str
    folder: Path
    settings: Mapping[str, Value]
    project: str = "mips_jax"


class Tracker(Protocol):
    """Is told how a run goes; made by `TRACKERS[name](run)`."""

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        """Figures of this moment; `step` does not fall: training steps of all members so far."""

    def finish(self, summary: Mapping[str, Value]) -> None:
        """What came out."""

    def close(self) -> None:
        """The run ends here, finished or not."""


_HERE = "mips_jax.tracking"
TRACKERS = Registry(
    {
        "csv": f"{_HERE}.files:CsvMetrics",
        "jsonl": f"{_HERE}.files:JsonLines",
        "tensorboard": f"{_HERE}.services:TensorBoard",
        "wandb": f"{_HERE}.services:WandB",
        "mlflow": f"{_HERE}.services:MLflow",
    }
)
# Packages that a tracker needs; the extra of setup.cfg has the tracker's name.
NEEDS = {"tensorboard": "tensorboardX", "wandb": "wandb", "mlflow": "mlflow"}
FILES = ("csv", "jsonl")  # what they cannot write, nobody can: the run fails


@dataclasses.dataclass
class TrackingSettings:
    """Where figures go while a run trains; it decides nothing of the result.

    Attributes:
        trackers: names in `TRACKERS`.
        project: under which services list the run.
    """

    trackers: tuple[str, ...] = dataclasses.field(default=FILES, metadata=names_of(TRACKERS))
    project: str = "mips_jax"


def check(settings: TrackingSettings) -> None:
    """Raises RequestError for trackers that there are not, or whose package is not installed."""
    checked(settings, "tracking", TrackingSettings)
    missing = [n for n in settings.trackers if n in NEEDS and not _installed(NEEDS[n])]
    if missing:
        raise RequestError(
            *(
                f"tracking.trackers has {name!r}, which needs the package {NEEDS[name]}; install "
                f"it with: pip install 'mips_jax[{name}]', or leave it out of tracking.trackers"
                for name in missing
            )
        )


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


class Tracked:
    """Several trackers as one. A service that fails is told of once and left out: a run is not lost
    because somebody else's machine is down.
    """

    def __init__(self, names: tuple[str, ...], run: TrackedRun, tell: Callable[[str], None]):
        self._tell = tell
        self._trackers: dict[str, Tracker] = {}
        for name in names:
            with self._left_out_on_failure(name):
                self._trackers[name] = TRACKERS[name](run)

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._left_out_on_failure(name):
                tracker.metrics(values, step)

    def finish(self, summary: Mapping[str, Value]) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._left_out_on_failure(name):
                tracker.finish(summary)

    def close(self) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._left_out_on_failure(name):
                tracker.close()

    @contextlib.contextmanager
    def _left_out_on_failure(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if name in FILES:
                raise
            self._trackers.pop(name, None)
            reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
            self._tell(f"{name} does not track this run any more ({reason}); the run goes on")


@contextlib.contextmanager
def opened(
    settings: TrackingSettings, run: TrackedRun, tell: Callable[[str], None]
) -> Iterator[Tracked]:
    """The trackers of one run, closed at its end, however it ends."""
    tracked = Tracked(tuple(settings.trackers), run, tell)
    try:
        yield tracked
    finally:
        tracked.close()
