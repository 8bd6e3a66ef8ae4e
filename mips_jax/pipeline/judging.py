"""The stage that judges a program, on data that nothing before it has seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mips_jax.inputs import Inputs
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.inputs_in_use import unseen_inputs
from mips_jax.pipeline.progress import Watch
from mips_jax.pipeline.settings import PipelineSettings
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task
from mips_jax.tasks.coverage import coverage_notes
from mips_jax.tasks.examples import ExampleTask
from mips_jax.verification import (
    Case,
    Tradeoff,
    Truth,
    VerificationSettings,
    measured_front,
    verify,
)

_STRUCK = (
    "the clock struck while programs were looked for (extraction.seconds): a quieter machine may "
    "find another one"
)


def judged(
    found: Distillation,
    task: Task | None,
    seen: Sequence[Sequences],
    settings: PipelineSettings,
    watch: Watch,
    judging: Inputs | None = None,
) -> Distillation:
    """The evidence for the program that was chosen, if there is one.

    Args:
        found: so far.
        task: the truth, where one is known.
        seen: sequences that training and selection have seen.
        settings: how much is tested.
        watch: who is told.
        judging: given words that extraction has not seen.
    """
    case = _case(found, task, seen, settings.verification, judging)
    if case is None:
        return dataclasses.replace(found, seconds=watch.end())
    watch.begin("verify", "verifying")
    notes = (
        coverage_notes(task.given, task.judging, task.symbols)
        if isinstance(task, ExampleTask)
        else ()
    )
    if found.extraction is not None and found.extraction.struck:
        notes += (_STRUCK,)
    verification = verify(case, notes)
    front = _front(found, case, settings.verification) if not verification.solved else ()
    return dataclasses.replace(found, verification=verification, front=front, seconds=watch.end())


def _front(found: Distillation, case: Case, settings: VerificationSettings) -> tuple[Tradeoff, ...]:
    """The trade-off; not where the truth judges: there a program is right or it is not."""
    if case.truth is not None or found.extraction is None:
        return ()
    front = found.extraction.front
    if all(candidate.program == case.program for candidate in front):
        return ()  # nothing to trade
    programs = [(c.program, c.note, c.description_length) for c in front]
    return measured_front(programs, case.network, case.inputs, case.length, settings)


def _case(
    found: Distillation,
    task: Task | None,
    seen: Sequence[Sequences],
    settings: VerificationSettings,
    judging: Inputs | None,
) -> Case | None:
    candidate, network, extraction = found.candidate, found.network, found.extraction
    if candidate is None or network is None or extraction is None:
        return None
    return Case(
        candidate.program,
        network,
        unseen_inputs(found.inputs if judging is None else _judging(found, judging), task),
        network.within(extraction.length if task is None else task.length),
        # a machine says what it does on all words, those that nobody asks about among them
        extraction.machine if found.inputs.grammar is None else None,
        None if task is None else _truth(task, seen, settings),
        extraction.words,
        settings,
        candidate.transient,
        None if judging is None else judging.given,
        None if task is None else task.symbols,
    )


def _judging(found: Distillation, judging: Inputs) -> Inputs:
    """The words that extraction has not seen, by the kinds of letters that it found."""
    return dataclasses.replace(judging, kinds=found.inputs.kinds).unseen


def _truth(task: Task, seen: Sequence[Sequences], settings: VerificationSettings) -> Truth:
    """What judges a task: drawn on streams of its own."""
    given = task.given if isinstance(task, ExampleTask) else None
    long_length = settings.long_factor * task.length  # the program is judged, not the network
    return Truth(
        task.judging_sample(settings.sequences, settings.seed, seen),
        _joined(seen, task) if given is None else given,
        "sequences of training and selection" if given is None else "given examples",
        task.long_sequences(settings.long_sequences, long_length, settings.seed),
        task.labelled if given is None else None,
    )


def _joined(parts: Sequence[Sequences], task: Task) -> Sequences:
    if not parts:
        none = np.zeros((0, task.length, task.input_dim), np.int64)
        return Sequences(none, np.zeros((0, task.length, task.output_dim), np.int64))
    inputs = np.concatenate([part.inputs for part in parts])
    return Sequences(inputs, np.concatenate([part.outputs for part in parts]))
