"""One job of the command line: from a config to a checked request, and from there to a filled run
folder.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

from mips_jax import verification
from mips_jax.command_line.failures import device_remedy, tell
from mips_jax.command_line.schema import (
    Config,
    FileTask,
    FunctionTask,
    NamedTask,
    NetworkChoice,
    TaskChoice,
)
from mips_jax.errors import EnvironmentFailure, RequestError
from mips_jax.networks import InputRange, Network, load_network, resolve_input_range
from mips_jax.pipeline import PipelineSettings, distil_given, distil_network, distil_task
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.progress import Progress
from mips_jax.pipeline.settings import requested
from mips_jax.reporting.claimed_folder import ClaimedFolder, file_digest
from mips_jax.reporting.files import plain
from mips_jax.reporting.progress import LiveProgress
from mips_jax.reporting.record import result_record
from mips_jax.reporting.run_folder import write_report
from mips_jax.reporting.summary import headline
from mips_jax.tasks import Task, from_function, get_task
from mips_jax.tasks.files.load import load_file_task
from mips_jax.training.settings import DeviceSettings
from mips_jax.validation import Problems

NOTHING_ASKED = (
    "nothing to do: give task=<name> (`mips-jax tasks` lists them), task=file task.path=..., "
    "task=function task.target=... task.input_min=... task.input_max=..., "
    "or network=file network.path=...; see mips-jax --help"
)


@dataclasses.dataclass(frozen=True)
class GivenNetwork:
    """A network to distil.

    Attributes:
        name: of its file.
        network: what was read from it.
        input_range: on which it is distilled.
        task: the truth that judges, where one is given.
    """

    name: str
    network: Network
    input_range: InputRange
    task: Task | None = None

    def distilled(self, settings: PipelineSettings, progress: Progress) -> Distillation:
        """Judged by the truth where there is one, else by agreement with the network."""
        if self.task is not None:
            return distil_given(self.network, self.task, settings, progress)
        return distil_network(self.network, self.input_range, self.name, settings, progress)


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
        del asked["overwrite"]
        for key in ("device", "time_limit_seconds", "checkpoint_seconds"):
            del asked["training"][key]
        given = self.source if isinstance(self.source, GivenNetwork) else None
        task = self.source if given is None else given.task
        path = getattr(self.config.task, "path", None)
        if isinstance(task, from_function.FunctionTask):
            path = getattr(inspect.getmodule(task.function), "__file__", None)
        network = getattr(self.config.network, "path", None)
        digest = lambda place: None if place is None else file_digest(place)
        if network is not None and path is None:
            return {"request": asked, "file": digest(network)}
        files = {"file": digest(path)} | ({"network": digest(network)} if network else {})
        return {"request": asked, **files}

    def run(self, claim: ClaimedFolder) -> Outcome:
        """Distils, and fills the run folder."""
        settings = self.config.pipeline_settings()
        if isinstance(self.source, GivenNetwork):
            tell_assumed(self.source.network)
        with LiveProgress(self.name) as progress:
            if isinstance(self.source, GivenNetwork):
                found = self.source.distilled(settings, progress)
            else:
                open_devices(self.config.training.device)
                found = distil_task(self.source, settings, progress, claim.search)
            progress.stage("reporting")
            self._report(found, claim.path)
            claim.finish()  # until here the next run would go on from the search
        nearly = found.verdict.outcome is verification.Outcome.NEARLY
        return Outcome(found.solved, found.source, headline(result_record(found)), nearly)

    def _report(self, found: Distillation, folder: Path) -> None:
        if found.member is not None:
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
            None if found.verification is None else found.verification.certificate,
        )


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


def load_task(choice: TaskChoice) -> Task:
    """The task that one of the doors leads to."""
    match choice:
        case NamedTask():
            task = get_task(choice.name)
            if choice.length is None:
                return task
            _check_length(choice.length)
            if not dataclasses.is_dataclass(task):
                raise RequestError(f"{task.name} has one length only; drop task.length")
            return dataclasses.replace(task, length=choice.length)
        case FileTask():
            return load_file_task(choice.path, choice.on_contradiction, choice.memory_gib)
        case FunctionTask():
            _check_length(choice.length)
            return from_function.load_function_task(
                choice.target, choice.input_min, choice.input_max, choice.length
            )
    raise RequestError(f"task is {type(choice).__name__}, but must be a name, file or function")


def _check_length(length: int) -> None:
    if not 1 <= length <= 1000:
        raise RequestError(f"task.length is {length}; allowed: 1 to 1000")


def load_network_choice(choice: NetworkChoice, task: Task | None = None) -> GivenNetwork:
    """The given network and the range of inputs on which it is distilled: the task's, where there
    is one.
    """
    options = {
        field.name: getattr(choice, field.name)
        for field in dataclasses.fields(choice)
        if field.name != "path"
    }
    path = Path(choice.path)
    if task is None:
        network = load_network(path, ask_range=True, **options)
        input_range = resolve_input_range(network, choice.input_min, choice.input_max)
        return GivenNetwork(path.stem, network, input_range)
    lows, highs = map(list, zip(*task.input_range))
    network = _loaded_for(path, options, lows, highs, task)
    if network.output_dim != task.output_dim:
        raise RequestError(
            f"{path}: the network writes {network.output_dim} integers a step, the task "
            f"{task.name} has {task.output_dim} (network.head)"
        )
    return GivenNetwork(path.stem, network, resolve_input_range(network, lows, highs), task)


def _loaded_for(path: Path, options: dict, lows: list, highs: list, task: Task) -> Network:
    """The network with the task's range for what nobody said of its inputs."""
    ranged = dict(options)
    for name, bound in (("input_min", lows), ("input_max", highs)):
        if ranged[name] is None:
            ranged[name] = bound if len(bound) > 1 else bound[0]
    try:
        network = load_network(path, **ranged)
    except RequestError:
        network = load_network(path, **options)  # where it fails too, it says why
        if network.input_dim == len(lows):
            raise
    if network.input_dim != len(lows):
        raise RequestError(
            f"{path}: the network reads {network.input_dim} integers a step, the task {task.name} "
            f"has {len(lows)} (network.input_dim, network.encoding)"
        )
    return network


def tell_assumed(network: Network) -> None:
    """One line on what the network's file did not say."""
    if network.assumed:
        tell(
            f"the network's file does not say it, so this is assumed: {'; '.join(network.assumed)}"
        )
