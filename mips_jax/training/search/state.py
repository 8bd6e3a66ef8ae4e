"""Everything that a search has found out so far, as frozen records.

Axes: P places of a population, n parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from mips_jax.models import Architecture
from mips_jax.training.result import Condition, MemberRecord

EMPTY = -1  # in `SearchState.places`: no member


@dataclasses.dataclass(frozen=True)
class MemberProgress:
    """The running record of one member (JSON-able).

    Attributes:
        architecture, seed, steps, sequence_accuracy, step_accuracy, loss: as in `MemberRecord`.
        wave: index of the wave that it trains in.
        variant: index into `SearchTuning.variants`.
        condition: what it is doing, or how it ended.
        cycle, cycle_start, cycle_length: index of the current cycle, steps at its start, its steps.
        anneal_start: steps at which its learning rate began to fall, while it is annealing.
        annealed_cycle: the cycle in which it was nearly perfect and annealed last, or -1.
        polished: polishing cycles completed.
        largest_error: on the whole test set; infinite until it is perfect.
    """

    architecture: Architecture
    seed: int
    wave: int
    variant: int = 0
    condition: Condition = Condition.RUNNING
    steps: int = 0
    sequence_accuracy: float = 0.0
    step_accuracy: float = 0.0
    loss: float = float("nan")
    cycle: int = 0
    cycle_start: int = 0
    cycle_length: int = 0
    anneal_start: int = 0
    annealed_cycle: int = -1
    polished: int = 0
    largest_error: float = float("inf")

    @property
    def size(self) -> tuple[int, int, int]:
        """Of its architecture."""
        return self.architecture.size

    @property
    def rank(self) -> tuple[float, float, float]:
        """Sort key: the better member first."""
        return (-self.sequence_accuracy, -self.step_accuracy, self.loss)

    def record(self) -> MemberRecord:
        """What is reported of it."""
        return MemberRecord(
            self.architecture,
            self.seed,
            self.condition,
            self.steps,
            self.sequence_accuracy,
            self.step_accuracy,
            self.loss,
        )


Row = tuple[int, float, float, float]  # steps, sequence accuracy, step accuracy, loss


@dataclasses.dataclass(frozen=True, eq=False)
class SearchState:
    """What decides how a search goes on, beside the weights of the members now training.

    Attributes:
        members: every member ever started.
        wave: index of the wave now training.
        places: index of the member in each place of the population, EMPTY where there is none; None
            before a wave begins.
        chosen: parameters [n] of perfect (or else of the best) members by member index.
        history: {member index: row} for each round.
        work, work_at_first_perfect: member-steps so far, and when the first perfect member of this
            wave appeared (0: not yet).
    """

    members: tuple[MemberProgress, ...] = ()
    wave: int = 0
    places: tuple[int, ...] | None = None
    chosen: Mapping[int, np.ndarray] = dataclasses.field(default_factory=dict)
    history: tuple[Mapping[int, Row], ...] = ()
    work: int = 0
    work_at_first_perfect: int = 0

    @property
    def active(self) -> np.ndarray:
        """[P] bool: places with a member."""
        return np.array(self.places or (EMPTY,)) != EMPTY

    def occupied(self, *conditions: Condition) -> list[tuple[int, MemberProgress]]:
        """(place, member) of all members now training, or of those in one of the conditions."""
        pairs = [(p, self.members[i]) for p, i in enumerate(self.places or ()) if i != EMPTY]
        return [(p, m) for p, m in pairs if not conditions or m.condition in conditions]

    def imperfect(self) -> list[tuple[int, MemberProgress]]:
        """(place, member) of members that are training and not yet perfect."""
        return self.occupied(Condition.RUNNING, Condition.ANNEALING)

    def polishing(self) -> list[tuple[int, MemberProgress]]:
        """(place, member) of perfect members that are trained on."""
        return self.occupied(Condition.POLISHING)

    def perfect(self) -> list[int]:
        """Indices of confirmed perfect members, the smallest network first."""
        found = [i for i, m in enumerate(self.members) if m.condition.perfect]
        return sorted(found, key=lambda i: (self.members[i].size, self.members[i].largest_error))

    @property
    def smallest_perfect(self) -> int | None:
        """Hidden size of the smallest perfect member; None before there is one."""
        return next((self.members[i].architecture.hidden_dim for i in self.perfect()), None)

    def best(self) -> int | None:
        """Index of the smallest perfect member, or the most accurate one; None before the first
        evaluation.
        """
        for index in self.perfect():
            return index
        finite = [
            i
            for i, m in enumerate(self.members)
            if m.condition != Condition.NONFINITE and m.steps > 0
        ]
        return max(finite, key=lambda i: (self.members[i].sequence_accuracy, -i), default=None)

    def with_member(self, index: int, **changes) -> SearchState:
        """One member changed."""
        members = list(self.members)
        members[index] = dataclasses.replace(members[index], **changes)
        return dataclasses.replace(self, members=tuple(members))

    def changed(self, place: int, **changes) -> SearchState:
        """The member in a place changed."""
        return self.with_member(self._at(place), **changes)

    def stopped(self, place: int, condition: Condition) -> SearchState:
        """The member in a place ended, and the place empty."""
        state = self.changed(place, condition=condition)
        places = list(state.places or ())
        places[place] = EMPTY
        return dataclasses.replace(state, places=tuple(places))

    def started(self, place: int, member: MemberProgress) -> SearchState:
        """A fresh member in an empty place."""
        places = list(self.places or ())
        places[place] = len(self.members)
        return dataclasses.replace(self, members=(*self.members, member), places=tuple(places))

    def keeping(self, place: int, parameters: np.ndarray) -> SearchState:
        """The parameters [n] of the member in a place remembered."""
        return dataclasses.replace(self, chosen={**self.chosen, self._at(place): parameters.copy()})

    def _at(self, place: int) -> int:
        assert self.places is not None and self.places[place] != EMPTY
        return self.places[place]


def member_seed(base: int, index: int) -> int:
    """Of the index-th member of a search: nothing else decides it."""
    return int(np.random.SeedSequence([base, index]).generate_state(1)[0] >> 1)
