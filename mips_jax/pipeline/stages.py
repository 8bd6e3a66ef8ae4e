"""From a task to a verified program: the whole product as one function.

    Task -> sequences -> population of networks -> the smallest perfect network -> program
         -> verification

Training, selection and judging have sequences of their own. Attempts are ranked by what training
and selection have seen; the judge is asked once, about the one that was chosen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.extraction.letter_kinds import with_kinds
from mips_jax.extraction.request import asked_inputs
from mips_jax.extraction.request import check as check_request
from mips_jax.inputs import InputRange, Inputs
from mips_jax.networks import Network
from mips_jax.pipeline.attempts import (
    Attempt,
    attempted,
    last_attempt,
    train_networks,
    training_data,
)
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.extracting import extracted, extracted_at_length
from mips_jax.pipeline.inputs_in_use import inputs_in_use
from mips_jax.pipeline.judging import judged
from mips_jax.pipeline.progress import Watch
from mips_jax.pipeline.settings import PipelineSettings, requested
from mips_jax.pipeline.sources import Source, task_from
from mips_jax.progress import Progress
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task
from mips_jax.verification.survey import surveyed

_HALVES = 8000  # purpose of the random numbers that part given words
_NEARLY_ALL = 0.9  # of the given words are no longer than those that extraction looks at
LONGEST_WORDS = 100  # of these; longer ones cost much and show little more


def distil(
    source: Source | Network,
    input_range: InputRange | None = None,
    length: int = 10,
    settings: PipelineSettings | None = None,
    progress: Progress | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Distillation:
    """Distils whatever describes a task, or a network that is already trained.

    Args:
        source: a task, the name of one, example sequences (in memory in many forms, or the path of
            a file; see docs/data.md), a machine, a Python function (of a word to its outputs, or
            to the one after its last step), or a network (as `distil_network` does).
        input_range: for a function or a network: inclusive (low, high) of each input.
        length: for a function: the training length.
        settings: all choices.
        progress: who is told how far it is.
        columns: which column of the data is what, such as {"x": "event", "y": "label"}; what is
            left out is found out.

    Raises:
        RequestError: the source cannot be read or the settings do not fit it.
    """
    settings = requested(settings)  # before anything is read or called
    if isinstance(source, Network):
        return distil_network(source, input_range, settings=settings, progress=progress)
    return distil_task(task_from(source, input_range, length, columns), settings, progress)


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
    settings = requested(settings)
    watch = Watch(progress)
    attempts: list[Attempt] = []
    for number in range(settings.attempts):
        data = training_data(task, settings, number)
        watch.begin("train", "training" if not number else f"training again ({number + 1})")
        folder = None if checkpoint_dir is None else Path(checkpoint_dir) / f"attempt_{number}"
        result = train_networks(*data, settings, number, watch.progress, folder)
        attempts.append(attempted(task, result, data, settings, watch))
        if last_attempt(attempts[-1].settled):
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
        symbols=task.symbols,
        assumed=task.assumed,
    )
    seen = [part for attempt in attempts for part in attempt.data]
    return judged(found, task, seen, settings, watch)


def distil_network(
    network: Network,
    input_range: Inputs | InputRange | None = None,
    name: str = "network",
    settings: PipelineSettings | None = None,
    progress: Progress | None = None,
) -> Distillation:
    """Distils a network that somebody trained; without a truth, agreement with the network is the
    judge.

    Args:
        network: any network as plain arrays.
        input_range: bounds of each input; `Inputs` also says which occur; by default what the
            network is known to read.
        name: for reports.
        settings: `extraction` and `verification` are used.
        progress: who is told how far it is.

    Raises:
        RequestError: nobody says which inputs the network reads, or the settings do not fit it.
    """
    settings = requested(settings)
    watch = Watch(progress)
    inputs = asked_inputs(network, input_range)
    if network.draws_words:
        inputs = dataclasses.replace(inputs, draw=network.own_words)
    check_request(network, inputs.bounds, settings.extraction)
    watch.begin("extract", "looking at the network")
    survey, refused = surveyed(network, inputs, settings.verification)
    found = Distillation(name, "", inputs, network, survey=survey, refused=refused)
    if refused is not None:
        return judged(found, None, (), settings, watch)
    looking, judging = inputs.halves(np.random.default_rng((settings.extraction.seed, _HALVES)))
    looking = with_kinds(network, looking, settings.extraction.seed)
    settings = _as_long_as_words(network, inputs, settings)
    found = extracted_at_length(dataclasses.replace(found, inputs=looking), settings, watch)
    return judged(found, None, (), settings, watch, judging)


def _as_long_as_words(
    network: Network, inputs: Inputs, settings: PipelineSettings
) -> PipelineSettings:
    """Words as long as nearly all that were given, where nobody says how long they are."""
    known = network.trained_length or settings.extraction.length
    if inputs.ends is None or known:
        return settings
    length = max(2, int(np.quantile(inputs.ends, _NEARLY_ALL)))
    extraction = dataclasses.replace(settings.extraction, length=min(length, LONGEST_WORDS))
    return dataclasses.replace(settings, extraction=extraction)


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
    settings = requested(settings)
    watch = Watch(progress)
    inputs = inputs_in_use(Inputs.of(task.input_range), task)
    check_request(network, inputs.bounds, settings.extraction)
    if network.output_dim != task.output_dim:
        raise RequestError(
            f"the network writes {network.output_dim} integers a step, the task {task.name} has "
            f"{task.output_dim}"
        )
    found = Distillation(
        task.name,
        task.description,
        inputs,
        network,
        symbols=task.symbols,
        assumed=task.assumed,
    )
    return judged(extracted(found, settings, watch), task, trained_on, settings, watch)
