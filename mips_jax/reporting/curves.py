"""Learning curves of all members of a search, for a picture and as CSV.

Axes: R rounds, M members.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a given network is reported on without loading jax
    from mips_jax.training import TrainingResult

COLUMNS = (
    *("member", "architecture", "seed", "status", "distilled"),
    *("step", "loss", "sequence_accuracy", "step_accuracy"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Member:
    """One network's training.

    Attributes:
        architecture: its sizes, as text.
        seed: its random seed.
        status: how its training ended.
        chosen: whether it is the one that was distilled.
        steps, loss, sequence_accuracy, step_accuracy: [R], NaN where it was not running.
    """

    architecture: str
    seed: int
    status: str
    chosen: bool
    steps: np.ndarray
    loss: np.ndarray
    sequence_accuracy: np.ndarray
    step_accuracy: np.ndarray

    @property
    def name(self) -> str:
        """For pointing at it."""
        state = f"{self.status}, distilled" if self.chosen else self.status
        return f"{self.architecture}, seed {self.seed}: {state}"


def chosen_index(training: TrainingResult) -> int | None:
    """Which member was distilled."""
    best = training.best
    for index, member in enumerate(training.members):
        if best is not None and (member.architecture, member.seed) == (
            best.architecture,
            best.seed,
        ):
            return index
    return None


def members(training: TrainingResult | None) -> list[Member]:
    """All networks that were trained, in the order in which they were started."""
    if training is None:
        return []
    curves, chosen = training.curves, chosen_index(training)
    return [
        Member(
            str(record.architecture),
            record.seed,
            str(record.status),
            m == chosen,
            curves.steps[:, m],
            curves.loss[:, m],
            curves.sequence_accuracy[:, m],
            curves.step_accuracy[:, m],
        )
        for m, record in enumerate(training.members)
    ]


def curves_csv(trained: Sequence[Member]) -> str:
    """One line for each evaluation of each member, `COLUMNS` as the head; empty where a loss is no
    number.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for index, member in enumerate(trained):
        who = (index, member.architecture, member.seed, member.status, int(member.chosen))
        table = (member.steps, member.loss, member.sequence_accuracy, member.step_accuracy)
        for step, *measured in zip(*(column.tolist() for column in table)):
            if np.isfinite(step):
                shown = (value if np.isfinite(value) else "" for value in measured)
                writer.writerow((*who, int(step), *shown))
    return out.getvalue()
