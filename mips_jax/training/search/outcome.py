"""What a search has found: its result, the chosen network as plain float64 arrays.

Axes: R rounds, M members, n parameters.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks import Network
from mips_jax.sequences import Sequences
from mips_jax.training.packing import scaling_of
from mips_jax.training.population import Shape
from mips_jax.training.result import (
    Condition,
    Curves,
    SearchOutcome,
    TrainedMember,
    TrainingResult,
    network_of,
)
from mips_jax.training.search.rules import finished
from mips_jax.training.search.state import SearchState
from mips_jax.training.settings import IDENTIFIED
from mips_jax.training.weights import raw_weights

ROWS = 8_192  # sequences that are run together


def training_result(
    state: SearchState,
    shapes: dict[int, Shape],
    training: Sequences,
    test: Sequences,
    seconds: float,
    compile_seconds: float,
    out_of_time: bool,
    identified: bool,
) -> TrainingResult:
    """The result of a search that has ended.

    Args:
        shapes: of the waves, by index.
        seconds, compile_seconds: see `TrainingResult`.
        out_of_time: whether it ended for that reason.
        identified: whether affine networks started from a fit of the data.
    """
    state = finished(state)
    best = best_member(state, shapes, training, test)
    if best is not None and best.architecture.affine and identified:
        best = dataclasses.replace(best, start=IDENTIFIED)
    return TrainingResult(
        best=best,
        members=tuple(member.record() for member in state.members),
        curves=curves(state),
        seconds=seconds,
        compile_seconds=compile_seconds,
        outcome=outcome_of(state, best, out_of_time),
    )


def outcome_of(state: SearchState, best: TrainedMember | None, out_of_time: bool) -> SearchOutcome:
    """How a search ended, by name."""
    if best is not None and best.perfect:
        return SearchOutcome.FOUND
    if out_of_time:
        return SearchOutcome.OUT_OF_TIME
    lost = any(member.condition is Condition.NONFINITE for member in state.members)
    return SearchOutcome.NONFINITE if best is None and lost else SearchOutcome.NOT_PERFECT


def curves(state: SearchState) -> Curves:
    """Learning curves of all members, NaN where a member was not running."""
    table = np.full((4, len(state.history), len(state.members)), np.nan)
    for round_, rows in enumerate(state.history):
        for index, row in rows.items():
            table[:, round_, index] = row
    return Curves(*table)


def best_member(
    state: SearchState, shapes: dict[int, Shape], training: Sequences, test: Sequences
) -> TrainedMember | None:
    """The smallest member that is perfect as a plain network, too; else the first candidate."""
    kept = [i for i in state.perfect() if i in state.chosen] or list(state.chosen)
    first = None
    for index in kept:
        member = trained_member(state, index, shapes, training, test)
        if member.perfect:
            return member
        first = first or member
    return first


def trained_member(
    state: SearchState,
    index: int,
    shapes: dict[int, Shape],
    training: Sequences,
    test: Sequences,
) -> TrainedMember:
    """Folds the training units into the weights and measures the plain float64 network on the whole
    test set.
    """
    member = state.members[index]
    shape = shapes[member.wave]
    scaling = scaling_of(training, keep_zero=shape.architecture.affine)
    weights = raw_weights(state.chosen[index], shape.model(), member.architecture, scaling)
    accuracy, largest = measure(network_of(member.architecture, weights, test.length), test)
    return TrainedMember(
        architecture=member.architecture,
        seed=member.seed,
        steps=member.steps,
        input_dim=shape.input_dim,
        output_dim=shape.output_dim,
        accuracy=accuracy,
        perfect=accuracy == 1.0,
        largest_error=largest,
        weights=weights,
    )


def measure(network: Network, sequences: Sequences) -> tuple[float, float]:
    """Fraction of whole sequences right after rounding, and the largest |raw output - target|."""
    wrong, largest = 0, 0.0
    for start in range(0, len(sequences), ROWS):
        part = sequences[start : start + ROWS]
        hidden = np.broadcast_to(network.initial, (len(part), network.hidden_dim))
        bad = np.zeros(len(part), bool)
        for t in range(part.length):
            hidden = network.step(hidden, part.inputs[:, t])
            used = np.ones(len(part), bool) if part.judged is None else part.judged[:, t]
            errors = np.abs(network.readout(hidden) - part.outputs[:, t]).max(axis=1)
            bad |= used & ~(errors < 0.5)
            largest = max(largest, float(np.max(errors[used], initial=0.0)))
        wrong += int(bad.sum())
    return 1.0 - wrong / len(sequences), largest
