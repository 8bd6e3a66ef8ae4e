"""From a task to a verified program: the whole product as one function.

    Task -> sequences -> population of networks -> the smallest perfect network -> program
         -> verification

Training, selection and judging have sequences of their own. Attempts are ranked by what training
and selection have seen; the judge is asked once, about the one that was chosen.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mips_jax.distillation import Distillation, Seconds
from mips_jax.extraction import Candidate, Extraction, ExtractionSettings, extract
from mips_jax.inputs import InputRange, Inputs, observed_inputs
from mips_jax.networks import Network
from mips_jax.sequences import Sequences
from mips_jax.sources import Source, task_from
from mips_jax.tasks import Task
from mips_jax.tasks.coverage import coverage_notes
from mips_jax.tasks.examples import ExampleTask
from mips_jax.training.settings import TrainingSettings
from mips_jax.validation import bounds, checked
from mips_jax.verification import (
    Case,
    Truth,
    Verification,
    VerificationSettings,
    step_accuracy,
    verify,
    whole_sequence_accuracy,
)
from mips_jax.verification.settings import MOST_SEQUENCES
from mips_jax.verification.survey import surveyed

if TYPE_CHECKING:  # jax is imported only when something is trained
    from mips_jax.training import TrainingResult

LONG_SELECTION = 200  # sequences of the long length by which attempts are ranked
# Share of single outputs from which on a faithful program of an imperfect network has learned what
# there is to learn: the rest of the labels are noise, and another network would not help.
LEARNED_THROUGH_NOISE = 0.9


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
            program is not exact on what training and selection have seen, >= 1.
    """

    training: TrainingSettings | None = None
    extraction: ExtractionSettings = dataclasses.field(default_factory=ExtractionSettings)
    verification: VerificationSettings = dataclasses.field(default_factory=VerificationSettings)
    training_sequences: int = dataclasses.field(default=65_536, metadata=bounds(1, MOST_SEQUENCES))
    test_sequences: int = dataclasses.field(default=65_536, metadata=bounds(1, MOST_SEQUENCES))
    attempts: int = dataclasses.field(default=2, metadata=bounds(1, 1_000))


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


def distil(
    source: Source,
    input_range: InputRange | None = None,
    length: int = 10,
    settings: PipelineSettings | None = None,
    progress: Progress | None = None,
) -> Distillation:
    """Distils whatever describes a task; see `distil_network` for a network that is already
    trained.

    Args:
        source: a task, the name of one, example sequences (in memory, or the path of a .npz, .csv
            or .jsonl file), or a Python function from input sequences to output sequences.
        input_range: for a function: inclusive (low, high) of each input.
        length: for a function: the training length.
        settings: all choices.
        progress: who is told how far it is.

    Raises:
        RequestError: the source cannot be read or the settings do not fit it.
    """
    settings = checked(settings, "", PipelineSettings)  # before anything is read or called
    return distil_task(task_from(source, input_range, length), settings, progress)


def distil_task(
    task: Task,
    settings: PipelineSettings | None = None,
    progress: Progress | None = None,
    checkpoint_dir: Path | None = None,
) -> Distillation:
    """Trains networks on a task, distils the smallest perfect one, and verifies the program.

    Args:
        task: where sequences come from; extraction never sees it.
        settings: all choices.
        progress: who is told how far it is.
        checkpoint_dir: folder for the running search, so that it survives a crash.

    Raises:
        RequestError: the settings are out of range or do not fit the task.
    """
    settings = checked(settings, "", PipelineSettings)
    watch = _Watch(progress or Silent())
    attempts: list[_Attempt] = []
    for number in range(settings.attempts):
        data = _training_data(task, settings, number)
        watch.begin("train", "training" if not number else f"training again ({number + 1})")
        folder = None if checkpoint_dir is None else Path(checkpoint_dir) / f"attempt_{number}"
        result = train_networks(*data, settings, number, watch.progress, folder)
        attempts.append(_attempt(task, result, data, settings, watch))
        if attempts[-1].settled:
            break
    best = max(attempts, key=lambda attempt: attempt.rank)  # the first of equals
    found = Distillation(
        task.name,
        task.description,
        best.inputs,
        best.network,
        best.training.best,
        tuple(attempt.training for attempt in attempts),
        best.extraction,
        best.candidate,
    )
    seen = [part for attempt in attempts for part in attempt.data]
    return _judged(found, task, seen, settings, watch)


def distil_network(
    network: Network,
    input_range: Inputs | InputRange,
    name: str = "network",
    settings: PipelineSettings | None = None,
    progress: Progress | None = None,
) -> Distillation:
    """Distils a network that somebody trained; without a truth, agreement with the network is the
    judge.

    Args:
        network: any network as plain arrays.
        input_range: bounds of each input; `Inputs` also says which occur.
        name: for reports.
        settings: `extraction` and `verification` are used.
        progress: who is told how far it is.
    """
    settings = checked(settings, "", PipelineSettings)
    watch = _Watch(progress or Silent())
    inputs = Inputs.of(input_range)
    watch.begin("extract", "looking at the network")
    survey, refused = surveyed(network, inputs, settings.verification)
    found = Distillation(name, "", inputs, network, survey=survey, refused=refused)
    if refused is None:
        found = _extracted(found, settings, watch)
    return _judged(found, None, (), settings, watch)


def distil_given(
    network: Network,
    task: Task,
    settings: PipelineSettings | None = None,
    progress: Progress | None = None,
    trained_on: Sequence[Sequences] = (),
) -> Distillation:
    """Distils a network whose task is known: like `distil_network`, but the truth is the judge.

    Args:
        network: any network as plain arrays.
        task: what it was trained on; used for verification only.
        settings: `extraction` and `verification` are used.
        progress: who is told how far it is.
        trained_on: sequences that its training and selection have seen, where they are known.
    """
    settings = checked(settings, "", PipelineSettings)
    watch = _Watch(progress or Silent())
    inputs = _inputs_in_use(Inputs.of(task.input_range), task)
    found = Distillation(task.name, task.description, inputs, network)
    return _judged(_extracted(found, settings, watch), task, trained_on, settings, watch)


@dataclasses.dataclass(frozen=True, eq=False)
class _Attempt:
    """One network and its program, with what may rank them.

    Attributes:
        data: what training and selection have seen.
        right: shares of the sequences that the program has right: of those of selection, of long
            ones for selection, and of those of training.
        steps: share of single outputs of selection.
    """

    training: TrainingResult
    data: tuple[Sequences, Sequences]
    inputs: Inputs
    network: Network | None
    extraction: Extraction | None = None
    candidate: Candidate | None = None
    right: tuple[float, ...] = ()
    steps: float = 0.0

    @property
    def rank(self) -> tuple:
        return (self.candidate is not None, *self.right)

    @property
    def settled(self) -> bool:
        """Whether another network could not be better, as far as may be seen here."""
        if self.candidate is None:
            return False
        member = self.training.best
        faithful = self.candidate.fidelity > 0.999
        noisy = faithful and not member.perfect and self.steps > LEARNED_THROUGH_NOISE
        return all(share == 1.0 for share in self.right) or noisy


def _attempt(task: Task, result: TrainingResult, data, settings, watch: _Watch) -> _Attempt:
    """Training's result -> program, and how good it is on what selection may see."""
    inputs, member = Inputs.of(task.input_range), result.best
    if member is None:
        return _Attempt(result, data, inputs, None)
    inputs, network = _inputs_in_use(inputs, task), member.to_network(task.length)
    found = Distillation(task.name, task.description, inputs, network)
    found = _extracted(found, settings, watch)
    if found.program is None:
        return _Attempt(result, data, inputs, network, found.extraction)
    training, selection = data
    length = settings.verification.long_factor * task.length
    long = task.selection_at(LONG_SELECTION, length, settings.verification.seed)
    parts = [selection, *([] if long is None else [long]), training]
    right = tuple(whole_sequence_accuracy(found.program, part) for part in parts)
    steps = step_accuracy(found.program, selection)
    return _Attempt(result, data, inputs, network, found.extraction, found.candidate, right, steps)


def _training_data(
    task: Task, settings: PipelineSettings, attempt: int
) -> tuple[Sequences, Sequences]:
    """What one search trains on and selects by; every attempt draws other sequences."""
    if isinstance(task, ExampleTask):  # everything is used: there is no more to be had
        return task.training, task.selection
    seed = _training_settings(settings, attempt).seed
    training = task.training_sequences(settings.training_sequences, seed)
    return training, task.test_sequences(settings.test_sequences, seed)


def _training_settings(settings: PipelineSettings, attempt: int) -> TrainingSettings:
    choices = settings.training or TrainingSettings()
    return dataclasses.replace(choices, seed=choices.seed + 1000 * attempt)


def train_networks(
    training: Sequences,
    selection: Sequences,
    settings: PipelineSettings,
    attempt: int,
    progress: Progress,
    folder: Path | None,
) -> TrainingResult:
    """One search over architectures and seeds."""
    from mips_jax.training import train

    choices = _training_settings(settings, attempt)
    return train(training, selection, choices, progress=progress.training, checkpoint_dir=folder)


def _inputs_in_use(inputs: Inputs, task: Task | None) -> Inputs:
    """The range, with what is known of the inputs a network was trained on. No label is looked
    at.
    """
    if not isinstance(task, ExampleTask):
        return inputs
    return observed_inputs(inputs.bounds, task.training.inputs, task.training.mask)


def _unseen_inputs(inputs: Inputs, task: Task | None) -> Inputs:
    """For judging: inputs that extraction has not seen."""
    if not isinstance(task, ExampleTask):
        return inputs
    return inputs.like(task.judging.inputs, task.judging.mask).unseen


def _extracted(found: Distillation, settings: PipelineSettings, watch: _Watch) -> Distillation:
    """Network -> candidates."""
    watch.begin("extract", "extracting")
    network, inputs = found.network, found.inputs
    extraction = extract(network, inputs, settings.extraction)
    return dataclasses.replace(found, extraction=extraction, candidate=extraction.best)


def _judged(
    found: Distillation,
    task: Task | None,
    seen: Sequence[Sequences],
    settings: PipelineSettings,
    watch: _Watch,
) -> Distillation:
    """The evidence for the program that was chosen, if there is one."""
    verification = None
    if found.program is not None:
        watch.begin("verify", "verifying")
        verification = _verified(found, task, seen, settings.verification)
    return dataclasses.replace(found, verification=verification, seconds=watch.end())


def _verified(
    found: Distillation,
    task: Task | None,
    seen: Sequence[Sequences],
    settings: VerificationSettings,
) -> Verification:
    extraction = found.extraction
    case = Case(
        found.program,
        found.network,
        _unseen_inputs(found.inputs, task),
        extraction.length if task is None else task.length,
        extraction.machine,
        None if task is None else _truth(task, seen, settings),
        getattr(extraction, "words", ()),
        settings,
    )
    notes = coverage_notes(task.given, task.judging) if isinstance(task, ExampleTask) else ()
    return verify(case, notes)


def _truth(task: Task, seen: Sequence[Sequences], settings: VerificationSettings) -> Truth:
    """What judges a task: drawn on streams of its own."""
    given = isinstance(task, ExampleTask)
    long_length = settings.long_factor * task.length
    return Truth(
        task.judging_sample(settings.sequences, settings.seed, seen),
        task.given if given else _joined(seen, task),
        "given examples" if given else "sequences of training and selection",
        task.long_sequences(settings.long_sequences, long_length, settings.seed),
        None if given else task.labelled,
    )


def _joined(parts: Sequence[Sequences], task: Task) -> Sequences:
    if not parts:
        none = np.zeros((0, task.length, task.input_dim), np.int64)
        return Sequences(none, np.zeros((0, task.length, task.output_dim), np.int64))
    inputs = np.concatenate([part.inputs for part in parts])
    return Sequences(inputs, np.concatenate([part.outputs for part in parts]))


class _Watch:
    """Announces stages and adds up their time."""

    def __init__(self, progress: Progress):
        self.progress = progress
        self.started = self.since = time.monotonic()
        self.stage: str | None = None
        self.spent: dict[str, float] = {}

    def begin(self, stage: str, text: str) -> None:
        self._close()
        self.stage, self.since = stage, time.monotonic()
        self.progress.stage(text)

    def end(self) -> Seconds:
        self._close()
        self.stage = None
        return Seconds(**self.spent, total=time.monotonic() - self.started)

    def _close(self) -> None:
        if self.stage is not None:
            passed = time.monotonic() - self.since
            self.spent[self.stage] = self.spent.get(self.stage, 0.0) + passed
