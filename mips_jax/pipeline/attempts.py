"""One network after another, ranked by what training and selection have seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.extraction import Candidate, Extraction
from mips_jax.extraction.extract import with_best
from mips_jax.inputs import Inputs
from mips_jax.networks import Network
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.extracting import extracted
from mips_jax.pipeline.inputs_in_use import inputs_in_use
from mips_jax.pipeline.progress import Watch
from mips_jax.pipeline.settings import PipelineSettings
from mips_jax.progress import Progress
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task
from mips_jax.tasks.examples import ExampleTask
from mips_jax.training.settings import TrainingSettings
from mips_jax.verification import step_accuracy, whole_sequence_accuracy

if TYPE_CHECKING:  # jax is imported only when something is trained
    from mips_jax.training import TrainingResult

LONG_SELECTION = 200  # sequences of the long length by which attempts are ranked
# Share of single outputs from which on a faithful program of an imperfect network has learned what
# there is to learn: the rest of the labels are noise, and another network would not help.
LEARNED_THROUGH_NOISE = 0.9


@dataclasses.dataclass(frozen=True, eq=False)
class Attempt:
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
        member = self.training.best
        if self.candidate is None or member is None:
            return False
        faithful = self.candidate.fidelity > 0.999
        noisy = faithful and not member.perfect and self.steps > LEARNED_THROUGH_NOISE
        return all(share == 1.0 for share in self.right) or noisy


def attempted(task: Task, result: TrainingResult, data, settings, watch: Watch) -> Attempt:
    """Training's result -> program, and how good it is on what selection may see."""
    inputs, member = Inputs.of(task.input_range), result.best
    if member is None:
        return Attempt(result, data, inputs, None)
    inputs, network = inputs_in_use(inputs, task), member.to_network(task.length)
    found = Distillation(task.name, task.description, inputs, network)
    found = extracted(found, settings, watch)
    extraction = found.extraction
    if extraction is None or extraction.best is None:
        return Attempt(result, data, inputs, network, extraction)
    training, selection = data
    length = settings.verification.long_factor * task.length
    long = task.selection_at(LONG_SELECTION, length, settings.verification.seed)
    best, right = best_on(extraction, [selection, *([] if long is None else [long]), training])
    extraction = with_best(extraction, network, best)
    steps = step_accuracy(best.program, selection)
    return Attempt(result, data, inputs, network, extraction, best, right, steps)


def best_on(
    extraction: Extraction, parts: Sequence[Sequences]
) -> tuple[Candidate, tuple[float, ...]]:
    """The candidate with the best score on what training and selection have seen, where the
    network may err itself; and its share of right sequences of each part.
    """
    best: tuple[float, Candidate, tuple[float, ...]] | None = None
    for candidate in extraction.candidates:  # the most faithful first: it wins among equals
        if best is not None and candidate.description_length >= best[0]:
            continue  # no score is below the length
        right = tuple(whole_sequence_accuracy(candidate.program, part) for part in parts)
        score = candidate.score_at(sum(right) / len(right))
        if best is None or score < best[0]:
            best = (score, candidate, right)
    if best is None:
        raise ValueError("an extraction without candidates has no best one")
    return best[1:]


def training_data(
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


def last_attempt(settled: bool) -> bool:
    """Whether no other network is needed, as the first of all processes that train together says.

    Args:
        settled: what it says.
    """
    from mips_jax.training.processes import agreed

    return agreed("settled", str(settled)) == str(True)


def train_along(task: Task, settings: PipelineSettings, progress: Progress) -> None:
    """What the other processes do while the first one distils: they train the same networks."""
    for number in range(settings.attempts):
        data = training_data(task, settings, number)
        train_networks(*data, settings, number, progress, None)
        if last_attempt(False):
            break
