"""What a search reports: the chosen network, one record for each member, learning curves, live
progress.

Axes: M members in the order they were started, R rounds (one evaluation after each chunk of
    training).
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from mips_jax.models import CELLS, Architecture
from mips_jax.networks import Network
from mips_jax.registry import resolved
from mips_jax.training.settings import RANDOM


class Condition(enum.StrEnum):
    """What a member is doing, or how it ended."""

    RUNNING = "running"  # training; in a result: the search ended first
    ANNEALING = "annealing"  # training with a falling learning rate
    POLISHING = "polishing"  # perfect, and trained on with a falling rate and under pressure
    PERFECT = "perfect"  # every sequence of the whole test set right
    NOT_CONVERGED = "not_converged"  # not perfect after training.max_steps
    STOPPED = "stopped"  # hopeless beside its rivals
    SUPERSEDED = "superseded"  # a smaller network was perfect
    OUTPACED = "outpaced"  # another of its size was perfect first
    NONFINITE = "nonfinite"  # a weight became NaN or infinite; the member was replaced

    @property
    def perfect(self) -> bool:
        """Whether it is confirmed to be right on the whole test set."""
        return self in (Condition.POLISHING, Condition.PERFECT)


class SearchOutcome(enum.Enum):
    """How a search ended; the value is what can be done about it."""

    FOUND = ""
    NOT_PERFECT = (
        "no network is perfect; raise training.max_steps, or give model.hidden_dims larger sizes"
    )
    OUT_OF_TIME = (
        "the time limit ended training before a network was perfect; raise "
        "training.time_limit_seconds"
    )
    NONFINITE = "training produced no finite network; lower training.learning_rate"

    @property
    def remedy(self) -> str:
        """What happened, and what can be done; empty where nothing need be."""
        return str(self.value)


@dataclasses.dataclass(frozen=True)
class MemberRecord:
    """How one member ended.

    Attributes:
        architecture: its shape.
        seed: its own seed; (architecture, seed) determine it.
        status: what it was doing at the end, or how it ended.
        steps: optimizer steps taken.
        sequence_accuracy: fraction of whole test sequences right, at its last evaluation.
        step_accuracy: the same for single steps.
        loss: mean training loss over its last chunk.
    """

    architecture: Architecture
    seed: int
    status: Condition
    steps: int
    sequence_accuracy: float
    step_accuracy: float
    loss: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrainedMember:
    """A trained network on raw integers, as plain arrays.

    Attributes:
        architecture, seed, steps: as in `MemberRecord`.
        input_dim, output_dim: integers read and written a step.
        accuracy: fraction of whole test sequences exactly right after rounding.
        perfect: whether that is all of them.
        largest_error: largest |output - target| on the test sequences (< 0.5 when perfect).
        weights: {"transition": [{"weight": [out, in], "bias": [out]}, ...], "output": [...]} in
            float64; other cells have "cell" layers in place of "transition".
        start: "identified" where it started from a fit of the training data, else "random".
    """

    architecture: Architecture
    seed: int
    steps: int
    input_dim: int
    output_dim: int
    accuracy: float
    perfect: bool
    largest_error: float
    weights: dict[str, Any]
    start: str = RANDOM

    def __repr__(self) -> str:
        right = f"{self.accuracy:.2%} of sequences right"
        return f"TrainedMember({self.architecture}, seed {self.seed}, {self.steps} steps: {right})"

    def to_network(self, trained_length: int | None = None) -> Network:
        """The same network as extraction sees it."""
        return network_of(self.architecture, self.weights, trained_length)


def network_of(
    architecture: Architecture, weights: dict[str, Any], trained_length: int | None
) -> Network:
    """Plain weights -> a network in float64."""
    layers = {
        part: tuple(
            (np.asarray(layer["weight"], np.float64), np.asarray(layer["bias"], np.float64))
            for layer in stack
        )
        for part, stack in weights.items()
    }
    return resolved(CELLS[architecture.cell].network)(layers, trained_length)


@dataclasses.dataclass(frozen=True, eq=False)
class Curves:
    """Learning curves as arrays, NaN where a member was not running.

    Attributes:
        steps: [R, M] steps taken by each member at each evaluation.
        sequence_accuracy, step_accuracy, loss: [R, M].
    """

    steps: np.ndarray
    sequence_accuracy: np.ndarray
    step_accuracy: np.ndarray
    loss: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrainingResult:
    """The outcome of one search.

    Attributes:
        best: the smallest perfect network, or the most accurate one; None when no member was
            evaluated and finite.
        members: one record for each member ever started, in order.
        curves: their learning curves, columns in the order of `members`.
        seconds: wall time of the whole search.
        compile_seconds: the part of it spent on preparing waves.
        outcome: how it ended, with what to change.
    """

    best: TrainedMember | None
    members: tuple[MemberRecord, ...]
    curves: Curves
    seconds: float
    compile_seconds: float
    outcome: SearchOutcome = SearchOutcome.FOUND

    def __repr__(self) -> str:
        count = f"{len(self.members)} members, {self.seconds:.0f} s"
        return f"TrainingResult({self.outcome.name.lower()}; {count}; best: {self.best})"


@dataclasses.dataclass(frozen=True)
class TrainingProgress:
    """What the search is doing, for a live display.

    Attributes:
        stage: short text, such as "H=1..4 f=64x2 g=32x2".
        steps: optimizer steps taken by the longest-running member of this stage.
        total_steps: steps after which an imperfect member is given up.
        members: members now running.
        best_accuracy: best sequence accuracy so far.
        best: the architecture that has it, as text.
        seconds: since the search began.
        loss: the lowest of the last round; NaN before the first.
        perfect: members that are right on all test sequences.
        work: training steps of all members so far.
    """

    stage: str
    steps: int
    total_steps: int
    members: int
    best_accuracy: float
    best: str
    seconds: float
    loss: float = float("nan")
    perfect: int = 0
    work: int = 0


ProgressCallback = Callable[[TrainingProgress], None]
