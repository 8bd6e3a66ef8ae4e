"""One job of the command line: from a config to a checked request, and from there to a filled run
folder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from mips_jax.command_line.schema import (
    Config,
    FileTask,
    FunctionTask,
    NamedTask,
    NetworkChoice,
    TaskChoice,
)
from mips_jax.distillation import Distillation
from mips_jax.errors import RequestError
from mips_jax.extraction.request import problems as extraction_problems
from mips_jax.networks import InputRange, Network, load_network, resolve_input_range
from mips_jax.pipeline import distil_network, distil_task
from mips_jax.reporting.files import plain
from mips_jax.reporting.progress import LiveProgress
from mips_jax.reporting.record import result_record
from mips_jax.reporting.run_folder import write_report
from mips_jax.reporting.summary import headline
from mips_jax.tasks import Task, get_task
from mips_jax.tasks.files.load import load_file_task
from mips_jax.tasks.from_function import load_function_task
from mips_jax.training.settings import validate as validate_training
from mips_jax.verification import problems as verification_problems

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
        task: what to learn, or None where a network is given.
        network: a network to distil, or None where one is trained.
        input_range: of the given network.
    """

    config: Config
    task: Task | None
    network: Network | None = None
    input_range: InputRange | None = None

    @classmethod
    def from_config(cls, config: Config) -> Job:
        """Checks every setting and reads the files.

        Raises:
            RequestError: with all problems that were found.
        """
        problems: list[str] = []
        if config.task is None and config.network is None:
            problems.append(NOTHING_ASKED)
        if config.task is not None and config.network is not None:
            problems.append(
                "both a task and a network are given; a network is distilled without a task: drop task or network"
            )
        _collect(problems, validate_training, config.training)
        problems += extraction_problems(config.extraction) + verification_problems(
            config.verification
        )
        for key in ("training_sequences", "test_sequences", "attempts"):
            if getattr(config, key) < 1:
                problems.append(f"{key} is {getattr(config, key)}, but must be >= 1; change {key}")
        task = _collect(problems, load_task, config.task) if config.task is not None else None
        network, input_range = None, None
        if config.network is not None:
            network, input_range = _collect(problems, load_network_choice, config.network) or (
                None,
                None,
            )
        if problems:
            raise RequestError(*problems)
        return cls(config, task, network, input_range)

    @property
    def name(self) -> str:
        """Of the task, or of the network's file."""
        return self.task.name if self.task is not None else Path(self.config.network.path).stem

    def run(self, folder: Path) -> Outcome:
        """Distils, and fills the run folder, which exists."""
        settings = self.config.pipeline_settings()
        with LiveProgress(self.name) as progress:
            if self.task is not None:
                found = distil_task(self.task, settings, progress, folder / "checkpoint")
            else:
                found = distil_network(
                    self.network, self.input_range, self.name, settings, progress
                )
            progress.stage("reporting")
            self._report(found, folder)
        return Outcome(found.solved, found.source, headline(result_record(found)))

    def _report(self, found: Distillation, folder: Path) -> None:
        if (
            found.member is not None
        ):  # takes the place of the running search, which can be resumed until now
            from mips_jax.training import save_member

            save_member(folder / "checkpoint", found.member, plain(dataclasses.asdict(self.config)))
        training = next(
            (t for t in found.trainings if t.best is found.member), None
        )  # the attempt that was best
        write_report(
            folder,
            result_record(found),
            found.source,
            found.description,
            training,
            found.network,
            found.inputs,
            found.extraction,
        )


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a command prints of a job.

    Attributes:
        solved: see `Distillation.solved`.
        source: the program, or None.
        headline: one line on how far it can be trusted.
    """

    solved: bool
    source: str | None
    headline: str


def _collect(problems: list[str], function: Callable, argument):
    """function(argument), its problems added to the others."""
    try:
        return function(argument)
    except RequestError as error:
        problems += error.problems
        return None


def load_task(choice: TaskChoice) -> Task:
    """The task that one of the doors leads to."""
    match choice:
        case NamedTask():
            task = get_task(choice.name)
            if choice.length is None:
                return task
            _check_length(choice.length)
            return dataclasses.replace(task, length=choice.length)
        case FileTask():
            return load_file_task(choice.path, choice.on_contradiction)
        case FunctionTask():
            _check_length(choice.length)
            return load_function_task(
                choice.target, choice.input_min, choice.input_max, choice.length
            )
    raise RequestError(f"task is {type(choice).__name__}, but must be a name, file or function")


def _check_length(length: int) -> None:
    if not 1 <= length <= 1000:
        raise RequestError(f"task.length is {length}, but must be 1 to 1000; change task.length")


def load_network_choice(choice: NetworkChoice) -> tuple[Network, InputRange]:
    """The given network and the range of inputs on which it is distilled."""
    options = {
        field.name: getattr(choice, field.name)
        for field in dataclasses.fields(choice)
        if field.name != "path"
    }
    network = load_network(Path(choice.path), ask_range=True, **options)
    return network, resolve_input_range(network, choice.input_min, choice.input_max)
