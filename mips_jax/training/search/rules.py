"""What follows from an evaluation: pure functions from one state of a search to the next.

- Steps are counted in cycles, each twice as long as the last; at a cycle's end the better half goes
on.
- A member that is perfect on the evaluation block is confirmed on the whole test set and polished;
larger levels stop.
- Smaller levels go on for as long again (`smaller_patience`), then the search ends.
- A member that becomes NaN is replaced by a fresh seed; a wave whose best member stays poor gives
way to the next.
Axes: P places of a population, n parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.training.result import Condition
from mips_jax.training.search.state import EMPTY, MemberProgress, Row, SearchState, member_seed
from mips_jax.training.search.tuning import SearchTuning
from mips_jax.training.settings import TrainingSettings


@dataclasses.dataclass(frozen=True, eq=False)
class Observation:
    """What is seen of the population after a chunk of training; by place.

    Attributes:
        steps, loss: [P] taken so far; mean over the last chunk.
        finite: [P] whether all weights are.
        averages: [P, n] parameters that were evaluated.
        evaluated: [P] members that were; those that time was too short for were not.
        wrong_sequences, wrong_steps: [P] on the evaluation block.
        block_sequences, block_steps: its size.
        whole_test: place -> (sequence accuracy, largest error) on all test sequences.
        complete: whether the chunk is; time may have been up before.
    """

    steps: np.ndarray
    loss: np.ndarray
    finite: np.ndarray
    averages: np.ndarray
    evaluated: np.ndarray
    wrong_sequences: np.ndarray
    wrong_steps: np.ndarray
    block_sequences: int
    block_steps: int
    whole_test: Callable[[int], tuple[float, float]]
    complete: bool = True


@dataclasses.dataclass(frozen=True)
class Choices:
    """What a search was asked for; `last_wave`: whether no other shape would follow."""

    settings: TrainingSettings
    tuning: SearchTuning
    last_wave: bool = False


Rule = Callable[[SearchState, Observation, Choices], SearchState]


def record(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Notes how every member is doing."""
    rows: dict[int, Row] = {}
    work = state.work + len(state.occupied()) * choices.settings.chunk_steps
    for place, index in enumerate(state.places or ()):
        if index == EMPTY or not seen.evaluated[place]:
            continue
        row = (
            int(seen.steps[place]),
            1.0 - int(seen.wrong_sequences[place]) / seen.block_sequences,
            1.0 - int(seen.wrong_steps[place]) / seen.block_steps,
            float(seen.loss[place]),
        )
        rows[index] = row
        names = ("steps", "sequence_accuracy", "step_accuracy", "loss")
        state = state.with_member(index, **dict(zip(names, row, strict=True)))
    return dataclasses.replace(state, work=work, history=(*state.history, rows))


def keep_best(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Remembers the parameters of the best imperfect member so far, if it is still training."""
    index, places = state.best(), state.places or ()
    if index is None or state.members[index].condition.perfect or index not in places:
        return state
    average = seen.averages[places.index(index)]
    if not np.isfinite(average).all():
        return state
    perfect = {i: row for i, row in state.chosen.items() if state.members[i].condition.perfect}
    state = dataclasses.replace(state, chosen=perfect)
    return state.keeping(places.index(index), average)


def fresh_member(
    state: SearchState, architecture, variant: int, choices: Choices
) -> MemberProgress:
    """The next member: its seed depends on the base seed and on how many came before it."""
    length = min(choices.settings.cycle_steps, choices.settings.max_steps)
    seed = member_seed(choices.settings.seed, len(state.members))
    return MemberProgress(architecture, seed, state.wave, variant, cycle_length=length)


def replace_nonfinite(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Members with a weight or loss that is NaN or infinite give their place to a fresh seed."""
    for place, member in [*state.imperfect(), *state.polishing()]:
        if seen.finite[place] and np.isfinite(member.loss):
            continue
        if member.condition is Condition.POLISHING:  # what was kept before polishing stands
            state = state.stopped(place, Condition.PERFECT)
            continue
        state = state.stopped(place, Condition.NONFINITE)
        lost = sum(m.condition is Condition.NONFINITE for m in state.members)
        if lost <= choices.tuning.replacements * len(state.places or ()):
            fresh = fresh_member(state, member.architecture, member.variant + 1, choices)
            state = state.started(place, fresh)
    return state


def polished_enough(state: SearchState, size: tuple[int, int, int], choices: Choices) -> bool:
    """Whether a smaller network, or enough of this size, are perfect already."""
    perfect = [state.members[i].size for i in state.perfect()]
    enough = max(choices.tuning.polished, choices.settings.perfect_members)
    return any(other < size for other in perfect) or perfect.count(size) >= enough


def confirm(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Members without an error on the block: those that are perfect on the whole test set are
    polished.
    """
    for place, member in sorted(state.imperfect(), key=lambda pair: pair[1].size):
        if seen.wrong_sequences[place] > 0 or polished_enough(state, member.size, choices):
            continue
        accuracy, largest = seen.whole_test(place)
        if accuracy < 1.0:
            continue
        state = state.changed(
            place,
            condition=Condition.POLISHING,
            largest_error=largest,
            cycle_start=member.steps,
            cycle_length=choices.settings.polish_steps,
        ).keeping(place, seen.averages[place])
        first = state.work_at_first_perfect or state.work
        state = dataclasses.replace(state, work_at_first_perfect=first)
    return state


def supersede(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Stops members that are larger than a perfect one, and rivals of its size once there are
    enough.
    """
    perfect = [state.members[i].size for i in state.perfect()]
    if not perfect:
        return state
    enough = perfect.count(perfect[0]) >= choices.settings.perfect_members
    for place, member in [*state.imperfect(), *state.polishing()]:
        polishing = member.condition is Condition.POLISHING
        if member.size > perfect[0]:
            ended = Condition.PERFECT if polishing else Condition.SUPERSEDED
            state = state.stopped(place, ended)
        elif member.size == perfect[0] and enough and not polishing:
            state = state.stopped(place, Condition.OUTPACED)
    return state


def anneal(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Lets the learning rate of members fall for a while: the last errors of nearly perfect ones
    are often mere noise. Whoever is about to be given up has this chance, too.
    """
    tuning, max_steps = choices.tuning, choices.settings.max_steps
    for place, member in state.imperfect():
        annealing, start = member.condition is Condition.ANNEALING, member.anneal_start
        cycle = member.annealed_cycle
        if not annealing and max_steps - tuning.anneal_steps <= member.steps < max_steps:
            annealing, start = True, member.steps
        if annealing and member.steps - start >= tuning.anneal_steps:
            annealing = False
        elif cycle < member.cycle and member.sequence_accuracy >= tuning.anneal_above:
            annealing, start, cycle = True, member.steps, member.cycle
        condition = Condition.ANNEALING if annealing else Condition.RUNNING
        state = state.changed(place, condition=condition, anneal_start=start, annealed_cycle=cycle)
    return state


def finish_polishing(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Keeps what polishing has made better; a network with large errors is polished once more."""
    for place, member in state.polishing():
        if member.steps - member.cycle_start < member.cycle_length:
            continue
        accuracy, largest = seen.whole_test(place)
        if accuracy == 1.0:
            state = state.keeping(place, seen.averages[place])
        else:
            largest = member.largest_error
        polished = member.polished + 1
        state = state.changed(
            place,
            largest_error=largest,
            sequence_accuracy=1.0,
            step_accuracy=1.0,
            polished=polished,
        )
        if largest > choices.tuning.enough_margin and polished < 2:
            twice = 2 * member.cycle_length
            state = state.changed(place, cycle_start=member.steps, cycle_length=twice)
        else:
            state = state.stopped(place, Condition.PERFECT)
    return state


def cull_early(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """The worse half of every level stops after `early_cull_steps`."""
    steps = choices.tuning.early_cull_steps
    early = [pair for pair in state.imperfect() if pair[1].steps == steps and pair[1].cycle == 0]
    for size in {member.size for _, member in early}:
        level = sorted((p for p in early if p[1].size == size), key=lambda pair: pair[1].rank)
        for place, _ in level[(len(level) + 1) // 2 :]:
            state = state.stopped(place, Condition.STOPPED)
    return state


def cull(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """At the ends of cycles the worse half of all stops; a poor wave stops altogether."""
    tuning, max_steps = choices.tuning, choices.settings.max_steps
    ended = [
        (place, member)
        for place, member in state.imperfect()
        if member.steps - member.cycle_start >= member.cycle_length
    ]
    if not ended:
        return state
    ended.sort(key=lambda pair: pair[1].rank)
    cycle = max(member.cycle for _, member in ended)
    best = max(member.sequence_accuracy for _, member in ended)
    poor = cycle < len(tuning.abandon_below) and best < tuning.abandon_below[cycle]
    if poor and not choices.last_wave and not state.perfect():
        return _all_stopped(state)
    for position, (place, member) in enumerate(ended):
        if member.steps >= max_steps:
            state = state.stopped(place, Condition.NOT_CONVERGED)
        elif position >= (len(ended) + 1) // 2:
            state = state.stopped(place, Condition.STOPPED)
        else:
            length = min(2 * member.cycle_length, max(1, max_steps - member.steps))
            state = state.changed(
                place, cycle=member.cycle + 1, cycle_start=member.steps, cycle_length=length
            )
    return state


def end_when_patience_is_over(
    state: SearchState, seen: Observation, choices: Choices
) -> SearchState:
    """Once a network is perfect and polished, smaller sizes have had their chance after a while."""
    first = state.work_at_first_perfect
    if not first or state.polishing():
        return state
    granted = choices.settings.smaller_patience * max(first, choices.tuning.patience_floor)
    return _all_stopped(state) if state.work - first >= granted else state


def _all_stopped(state: SearchState) -> SearchState:
    for place, _ in state.imperfect():
        state = state.stopped(place, Condition.STOPPED)
    return state


RULES: tuple[Rule, ...] = (
    record,
    keep_best,  # before any member gives up its place
    replace_nonfinite,
    confirm,
    supersede,
    anneal,
    finish_polishing,
    cull_early,
    cull,
    end_when_patience_is_over,
    keep_best,
)


def after_chunk(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """All rules in their order."""
    for rule in RULES:
        state = rule(state, seen, choices)
    return state


def out_of_time(state: SearchState, seen: Observation, choices: Choices) -> SearchState:
    """Of a chunk that was cut short only what it shows is used; the search itself resumes before
    it.
    """
    return keep_best(record(state, seen, choices), seen, choices)


def finished(state: SearchState) -> SearchState:
    """At the end of the search, what is being polished is perfect, and nobody anneals."""
    ends = {Condition.POLISHING: Condition.PERFECT, Condition.ANNEALING: Condition.RUNNING}
    members = tuple(
        dataclasses.replace(m, condition=ends.get(m.condition, m.condition)) for m in state.members
    )
    return dataclasses.replace(state, members=members)
