"""One job of the command line: from a config to a checked request, and from there to a filled run
folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import json
from collections.abc import Callable
from pathlib import Path

from mips_jax import tracking, verification
from mips_jax.command_line.failures import device_remedy, tell
from mips_jax.command_line.loading import (
    GivenNetwork,
    code_or_weights,
    load_network_choice,
    load_task,
    tell_assumed,
    tell_taken,
)
from mips_jax.command_line.schema import (
    Config,
)
from mips_jax.errors import EnvironmentFailure, RequestError
from mips_jax.pipeline import distil_task
from mips_jax.pipeline.attempts import train_along
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.settings import requested
from mips_jax.progress import Silent
from mips_jax.reporting.claimed_folder import ClaimedFolder, file_digest
from mips_jax.reporting.files import plain
from mips_jax.reporting.progress import LiveProgress
from mips_jax.reporting.record import result_record
from mips_jax.reporting.run_folder import write_shown
from mips_jax.reporting.runs import flat, outcome_row
from mips_jax.reporting.shown import Shown
from mips_jax.reporting.summary import headline
from mips_jax.tasks import Task, from_function
from mips_jax.tracking.tracker import TrackedRun
from mips_jax.training.settings import DeviceSettings
from mips_jax.validation import Problems

NOTHING_ASKED = (
    "nothing to do: give task=<name> (`mips-jax tasks` lists them), task=file task.path=..., "
    "task=function task.target=... task.input_min=... task.input_max=..., "
    "or network=file network.path=...; see mips-jax --help"
)


@dataclasses.dataclass(frozen=True)
class Job:
    """A request that has been checked, with its files read.

    Attributes:
        config: what was asked for.
        source: the task to learn, or a network to distil.
    """

    config: Config
    source: Task | GivenNetwork

    @classmethod
    def from_config(cls, config: Config) -> Job:
        """Checks every setting and reads the files.

        Raises:
            RequestError: with all problems that were found.
        """
        problems = Problems()
        if config.task is None and config.network is None:
            problems.add(NOTHING_ASKED)
        problems.of(requested, config.pipeline_settings())
        problems.of(tracking.check, config.tracking)
        source: Task | GivenNetwork | None = None
        if config.task is not None:
            source = problems.of(load_task, config.task)
        if config.network is not None:
            task = source if isinstance(source, Task) else None
            if task is not None or config.task is None:
                source = problems.of(load_network_choice, config.network, task)
        if source is None or problems:
            raise RequestError(*problems.sentences)
        return cls(config, source)

    @property
    def name(self) -> str:
        """Of the task, or of the network's file where no task is given."""
        given = isinstance(self.source, GivenNetwork) and self.source.task
        return given.name if given else self.source.name

    @property
    def identity(self) -> dict:
        """What decides the result: settings and the content of files, not where and how fast it is
        found.
        """
        asked = plain(dataclasses.asdict(self.config))
        del asked["overwrite"], asked["report"], asked["tracking"]
        for key in ("device", "time_limit_seconds", "checkpoint_seconds"):
            del asked["training"][key]
        given = self.source if isinstance(self.source, GivenNetwork) else None
        task = self.source if given is None else given.task
        path = getattr(self.config.task, "path", None)
        if isinstance(task, from_function.FunctionTask):
            path = getattr(inspect.getmodule(task.function), "__file__", None)
        network = code_or_weights(self.config.network)
        words = getattr(self.config.network, "inputs", None)
        digest = lambda place: None if place is None else file_digest(place)
        if network is not None and path is None:
            known = {} if words is None else {"words": digest(words)}
            return {"request": asked, "file": digest(network), **known}
        files = {"file": digest(path)} | ({"network": digest(network)} if network else {})
        return {"request": asked, **files}

    def run(self, claim: ClaimedFolder) -> Outcome:
        """Distils, and fills the run folder."""
        settings = self.config.pipeline_settings()
        if isinstance(self.source, GivenNetwork):
            tell_assumed(self.source.network)
        tell_taken(self.source.task if isinstance(self.source, GivenNetwork) else self.source)
        with (
            tracking.opened(self.config.tracking, self._tracked(claim), tell) as tracker,
            LiveProgress(self.name) as shown,
        ):
            progress = tracking.TrackedProgress(shown, tracker)
            if isinstance(self.source, GivenNetwork):
                found = self.source.distilled(settings, progress)
            else:
                open_devices(self.config.training.device)
                start_together()
                found = distil_task(self.source, settings, progress, claim.search)
            progress.stage("reporting")
            self._report(found, claim.path)
            tracker.finish(outcome_row(claim.path, result_record(found)))
            claim.finish()  # until here the next run would go on from the search
        nearly = found.verdict.outcome is verification.Outcome.NEARLY
        return Outcome(found.solved, found.source, headline(result_record(found)), nearly)

    def follows(self) -> bool:
        """Joins the other processes, where that is asked for; whether another one leads."""
        device = self.config.training.device
        if not device.distributed or isinstance(self.source, GivenNetwork):
            return False
        open_devices(device)
        from mips_jax.training.processes import leads

        return not leads()

    def follow(self) -> int:
        """Trains along; returns the exit code of the process that leads."""
        from mips_jax.training.processes import agreed, follow

        if follow() and not isinstance(self.source, GivenNetwork):
            train_along(self.source, self.config.pipeline_settings(), Silent())
        return int(agreed("end"))

    def leading(self, failed: int) -> contextlib.AbstractContextManager[Callable[[int], int]]:
        """Processes that follow hear how the job ends; gives a function that passes on its exit
        code.

        Args:
            failed: exit code where none is passed on.
        """
        device = self.config.training.device
        if not device.distributed or isinstance(self.source, GivenNetwork):
            return contextlib.nullcontext(lambda code: code)
        from mips_jax.training.processes import leading

        return leading(failed)

    def _tracked(self, claim: ClaimedFolder) -> TrackedRun:
        project = self.config.tracking.project
        return TrackedRun(self.name, claim.path, flat(self.identity["request"]), project)

    def _report(self, found: Distillation, folder: Path) -> None:
        if found.member is not None:
            from mips_jax.training import save_member

            save_member(folder / "checkpoint", found.member, plain(dataclasses.asdict(self.config)))
        missing = write_shown(folder, Shown.of(found), self.config.report)
        if missing is not None:
            tell(missing)


def start_together() -> None:
    """Processes that follow may train from here on."""
    from mips_jax.training.processes import start

    start()


def open_devices(settings: DeviceSettings) -> None:
    """Opens JAX's devices.

    Raises:
        EnvironmentFailure: there are none of the kind that is asked for.
    """
    try:
        import jax

        from mips_jax.training.devices import configure_devices

        configure_devices(settings)
        jax.devices()
    except Exception as error:  # an assertion, a RuntimeError, whatever a plug-in raises
        text = (str(error).splitlines() or [""])[0] or type(error).__name__
        if settings.distributed:
            raise EnvironmentFailure(
                f"this process cannot join the others (training.device.distributed=true): {text}",
                "start it with the cluster's launcher, or set training.device.distributed=false",
            ) from error
        raise EnvironmentFailure(
            f"JAX has no device to run on ({text})", device_remedy()
        ) from error


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a command prints of a job.

    Attributes:
        solved: see `Distillation.solved`.
        source: the program, or None.
        headline: one line on how far it can be trusted.
        nearly: whether a given network is followed on nearly all words.
    """

    solved: bool
    source: str | None
    headline: str
    nearly: bool = False


def earlier_outcome(folder: Path) -> Outcome:
    """What the finished run in a folder had found."""
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    program = folder / "program.py"
    source = program.read_text(encoding="utf-8") if program.exists() else None
    nearly = record["outcome"] == verification.Outcome.NEARLY
    return Outcome(record["solved"], source, headline(record), nearly)
