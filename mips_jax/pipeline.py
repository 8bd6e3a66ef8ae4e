"""From a task to a verified program: the whole product as one function.

Task -> sequences -> population of networks -> the smallest perfect network -> program ->
verification
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.errors import RequestError
from mips_jax.extraction import Candidate, Extraction, ExtractionSettings, extract
from mips_jax.figures import percent
from mips_jax.inputs import InputRange, Inputs, observed_inputs
from mips_jax.networks import Network
from mips_jax.programs import Program, body_lines, program_source
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task, get_task
from mips_jax.tasks.examples import ExampleTask, example_task
from mips_jax.tasks.files.load import load_file_task
from mips_jax.tasks.from_function import FunctionTask
from mips_jax.verification import Verification, VerificationSettings, verify

if TYPE_CHECKING:  # jax is imported only when something is trained
    from mips_jax.training import TrainedMember, TrainingResult, TrainingSettings


@dataclasses.dataclass
class PipelineSettings:
    """Everything that can be chosen for one job.

    Attributes:
        training: the search for a network; None for the defaults.
        extraction: from network to program.
        verification: how much is tested.
        training_sequences: sequences drawn for training (a file gives what it has), >= 1.
        test_sequences: fresh sequences that a network must get right to count as perfect, >= 1.
        attempts: networks that are distilled at most, each from its own search, when the first
            program is not exact, >= 1.
    """

    training: "TrainingSettings | None" = None
    extraction: ExtractionSettings = dataclasses.field(default_factory=ExtractionSettings)
    verification: VerificationSettings = dataclasses.field(default_factory=VerificationSettings)
    training_sequences: int = 65_536
    test_sequences: int = 65_536
    attempts: int = 2


class Silent:
    """Progress that shows nothing (see `mips_jax.reporting.progress.LiveProgress`)."""

    def stage(self, text: str) -> None:
        """A new stage begins."""

    def training(self, event) -> None:
        """Training has gone on a little."""


@dataclasses.dataclass(frozen=True, eq=False)
class Distillation:
    """A program with its evidence.

    Attributes:
        name: of the task or the network.
        description: of the task, in a sentence.
        inputs: their bounds, and what is known of those that occur.
        network: what was distilled; None when training produced nothing finite.
        member: the chosen member of the population; None for a network trained elsewhere.
        trainings: one search for each attempt.
        extraction: all candidates and how registers are held; None without a network.
        candidate: the program chosen; None when none was found.
        verification: what was measured; None without a program.
        seconds: `train`, `extract`, `verify`, `total`.
    """

    name: str
    description: str
    inputs: Inputs
    network: Network | None
    member: "TrainedMember | None"
    trainings: "tuple[TrainingResult, ...]"
    extraction: Extraction | None
    candidate: Candidate | None
    verification: Verification | None
    seconds: dict[str, float]

    @property
    def program(self) -> Program | None:
        """The chosen program."""
        return self.candidate.program if self.candidate else None

    @property
    def method(self) -> str | None:
        """How the chosen program was found."""
        return self.candidate.method if self.candidate else None

    @property
    def source(self) -> str | None:
        """The program as Python, its evidence in the docstring."""
        if self.program is None or self.verification is None:
            return None
        return program_source(self.program, docstring(self))

    @property
    def program_lines(self) -> int | None:
        """Lines of the program's body."""
        return None if self.program is None else body_lines(program_source(self.program))

    @property
    def solved(self) -> bool:
        """Exact on every fresh sequence of the training length; a table only if it is exact at the
        long length too.
        """
        if self.verification is None or not self.verification.solved:
            return False
        return self.method != "table" or self.verification.long_accuracy == 1.0

    @property
    def reason(self) -> str | None:
        """Why it is not solved; None when it is."""
        if self.solved:
            return None
        if self.network is None:
            return "training produced no finite network; lower training.learning_rate"
        imperfect = (
            ""
            if self.member is None or self.member.perfect
            else (
                f"the best network gets only {percent(self.member.accuracy)} of the test sequences right "
                "(raise training.max_steps, or give model.hidden_dims larger sizes)"
            )
        )
        if self.program is None:
            outcomes = "; ".join(
                f"{method}: {outcome}" for method, outcome in self.extraction.statuses
            )
            return "; ".join(filter(None, [imperfect, f"no method found a program ({outcomes})"]))
        if self.method == "table" and self.verification.solved:
            return "only a lookup table was found, and it is not exact at the long length"
        if self.verification.test_accuracy is None:
            return f"the best program agrees with the network on {percent(self.verification.fidelity)} of random sequences only"
        labels = (
            f"it contradicts {1 - self.verification.test_step_accuracy:.2%} of their single outputs"
        )
        shown = f"the best program is right on {percent(self.verification.test_accuracy)} of the unseen sequences, {labels}"
        faithful = (
            f"and agrees with the network on {percent(self.verification.fidelity)} of random ones"
        )
        return "; ".join(filter(None, [imperfect, f"{shown} {faithful}"]))

    def _repr_markdown_(self) -> str:
        if self.source is None:
            return f"**{self.name}**: {self.reason}"
        return f"**{self.name}**: {self.verification.summary}.\n\n```python\n{self.source}```"

    def __repr__(self) -> str:
        state = "solved" if self.solved else f"not solved ({self.reason})"
        return f"Distillation({self.name}: {state})\n{self.source or ''}"


def docstring(distillation: Distillation) -> str:
    """The evidence, as the program's docstring."""
    lines = [
        f"{distillation.name}: {distillation.description}"
        if distillation.description
        else distillation.name
    ]
    lines += ["", f"Distilled from a recurrent network. {distillation.verification.summary}."]
    return "\n".join(lines)


def distil(
    source: Task | Sequences | Callable | str | Path,
    input_range: InputRange | None = None,
    length: int = 10,
    settings: PipelineSettings | None = None,
    progress=None,
) -> Distillation:
    """Distils whatever describes a task; see `distil_network` for a network that is already
    trained.

    Args:
        source: a task, the name of one, example sequences (in memory, or the path of a .npz, .csv
            or .jsonl file), or a Python function from input sequences to output sequences.
        input_range: for a function: inclusive (low, high) of each input.
        length: for a function: the training length.
        settings: all choices.
        progress: an object with `stage(text)` and `training(event)`.

    Raises:
        RequestError: the source cannot be read or the settings do not fit it.
    """
    return distil_task(task_from(source, input_range, length), settings, progress)


def task_from(
    source: Task | Sequences | Callable | str | Path, input_range: InputRange | None, length: int
) -> Task:
    """The task that a source describes."""
    if isinstance(source, Task):
        return source
    if isinstance(source, Sequences):
        return example_task(source.inputs, source.outputs, source.mask)
    if isinstance(source, Path) or (
        isinstance(source, str) and Path(source).suffix in (".npz", ".csv", ".jsonl")
    ):
        return load_file_task(source)
    if isinstance(source, str):
        return get_task(source)
    if callable(source):
        if input_range is None:
            raise RequestError(
                "a function needs the range of its inputs; give input_range=((low, high), ...), one pair for each input"
            )
        return FunctionTask(source, input_range, length)
    raise RequestError(
        f"cannot distil a {type(source).__name__}; give a task, its name, Sequences, a file or a function"
    )


def distil_task(
    task: Task,
    settings: PipelineSettings | None = None,
    progress=None,
    checkpoint_dir: Path | None = None,
) -> Distillation:
    """Trains networks on a task, distils the smallest perfect one, and verifies the program.

    Args:
        task: where sequences come from; extraction never sees it.
        settings: all choices.
        progress: an object with `stage(text)` and `training(event)`.
        checkpoint_dir: folder for the running search, so that it survives a crash.

    Raises:
        RequestError: the settings are out of range or do not fit the task.
    """
    settings, progress = settings or PipelineSettings(), progress or Silent()
    started, seconds, trainings, best = (
        time.monotonic(),
        dict.fromkeys(("train", "extract", "verify"), 0.0),
        [],
        None,
    )
    for attempt in range(settings.attempts):
        with _timed(
            seconds,
            "train",
            progress,
            "training" if not attempt else f"training again ({attempt + 1} of {settings.attempts})",
        ):
            folder = None if checkpoint_dir is None else Path(checkpoint_dir) / f"attempt_{attempt}"
            result = train_networks(task, settings, attempt, progress, folder)
            trainings.append(result)
        member = result.best
        network = None if member is None else member.to_network(task.length)
        found = _distil(
            task.name,
            task.description,
            network,
            Inputs.of(task.input_range),
            task,
            member,
            settings,
            seconds,
            progress,
        )
        if best is None or _rank(found) > _rank(best):
            best = found
        if best.solved or _learned_through_noise(found):
            break
    seconds["total"] = time.monotonic() - started
    return dataclasses.replace(best, trainings=tuple(trainings), seconds=seconds)


def distil_network(
    network: Network,
    input_range: Inputs | InputRange,
    name: str = "network",
    settings: PipelineSettings | None = None,
    progress=None,
) -> Distillation:
    """Distils a network that somebody trained; without a truth, agreement with the network is the
    judge.

    Args:
        network: any network as plain arrays.
        input_range: bounds of each input; `Inputs` also says which occur.
        name: for reports.
        settings: `extraction` and `verification` are used.
        progress: an object with `stage(text)`.
    """
    settings, progress = settings or PipelineSettings(), progress or Silent()
    started, seconds = time.monotonic(), {"train": None, "extract": 0.0, "verify": 0.0}
    found = _distil(name, "", network, Inputs.of(input_range), None, None, settings, seconds, progress)
    seconds["total"] = time.monotonic() - started
    return dataclasses.replace(found, seconds=seconds)


def distil_given(
    network: Network, task: Task, settings: PipelineSettings | None = None, progress=None
) -> Distillation:
    """Distils a network whose task is known: like `distil_network`, but the truth is the judge.

    Args:
        network: any network as plain arrays.
        task: what it was trained on; used for verification only.
        settings: `extraction` and `verification` are used.
        progress: an object with `stage(text)`.
    """
    settings, progress = settings or PipelineSettings(), progress or Silent()
    started, seconds = time.monotonic(), {"train": None, "extract": 0.0, "verify": 0.0}
    found = _distil(
        task.name,
        task.description,
        network,
        Inputs.of(task.input_range),
        task,
        None,
        settings,
        seconds,
        progress,
    )
    seconds["total"] = time.monotonic() - started
    return dataclasses.replace(found, seconds=seconds)


def train_networks(
    task: Task, settings: PipelineSettings, attempt: int, progress, folder: Path | None
) -> "TrainingResult":
    """One search over architectures and seeds; every attempt draws other sequences and other seeds."""
    from mips_jax.training import TrainingSettings, train

    choices = settings.training or TrainingSettings()
    choices = dataclasses.replace(choices, seed=choices.seed + 1000 * attempt)
    # of given examples everything is used: there is no more to be had
    given = isinstance(task, ExampleTask)
    training = (
        task.training
        if given
        else task.training_sequences(settings.training_sequences, choices.seed)
    )
    test = task.held_out if given else task.test_sequences(settings.test_sequences, choices.seed)
    return train(training, test, choices, progress=progress.training, checkpoint_dir=folder)


def _distil(
    name,
    description,
    network,
    inputs: Inputs,
    task: Task | None,
    member,
    settings,
    seconds,
    progress,
) -> Distillation:
    """Network -> candidates -> verification of the best."""
    extraction = candidate = verification = None
    if network is not None:
        with _timed(seconds, "extract", progress, "extracting"):
            inputs = _inputs_in_use(inputs, task)
            extraction = extract(network, inputs, settings.extraction)
            candidate = extraction.best
    if candidate is not None:
        with _timed(seconds, "verify", progress, "verifying"):
            verification = _verified(
                candidate.program,
                network,
                _unseen_inputs(inputs, task),
                extraction,
                task,
                settings.verification,
            )
    return Distillation(
        name,
        description,
        inputs,
        network,
        member,
        (),
        extraction,
        candidate,
        verification,
        seconds,
    )


def _inputs_in_use(inputs: Inputs, task: Task | None) -> Inputs:
    """The range, with what is known of the inputs a network was trained on. No label is looked at."""
    if not isinstance(task, ExampleTask):
        return inputs
    return observed_inputs(inputs.bounds, task.training.inputs, task.training.mask)


def _unseen_inputs(inputs: Inputs, task: Task | None) -> Inputs:
    """For judging: inputs that extraction has not seen."""
    if not isinstance(task, ExampleTask):
        return inputs
    return inputs.like(task.held_out.inputs, task.held_out.mask).unseen


def _verified(
    program,
    network,
    inputs,
    extraction: Extraction,
    task: Task | None,
    settings: VerificationSettings,
) -> Verification:
    length = extraction.length if task is None else task.length
    test = long = None
    if task is not None:
        # another seed than the networks were selected with; of given examples the whole held-out
        # part
        test = (
            task.held_out
            if isinstance(task, ExampleTask)
            else task.test_sequences(settings.sequences, settings.seed + 7919)
        )
        long = task.long_sequences(
            settings.long_sequences, settings.long_factor * length, settings.seed
        )
    return verify(program, network, inputs, length, test, long, extraction.machine, settings)


def _learned_through_noise(distillation: Distillation) -> bool:
    """The program is what the network does, and still some labels differ: another network would not
    help.
    """
    verification = distillation.verification
    faithful = verification is not None and verification.fidelity > 0.999
    return (
        faithful
        and not distillation.member.perfect
        and (verification.test_step_accuracy or 0.0) > 0.9
    )


def _rank(distillation: Distillation) -> tuple:
    verification = distillation.verification
    if verification is None:
        return (0, 0.0, 0.0)
    return (1, verification.test_accuracy or 0.0, verification.long_accuracy or 0.0)


class _timed:
    """Announces a stage and adds its time to a dictionary."""

    def __init__(self, seconds: dict, key: str, progress, text: str):
        self.seconds, self.key = seconds, key
        progress.stage(text)

    def __enter__(self):
        self.since = time.monotonic()

    def __exit__(self, *_):
        self.seconds[self.key] = (self.seconds[self.key] or 0.0) + time.monotonic() - self.since
