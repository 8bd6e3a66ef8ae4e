"""The rules of a search on hand-written states; nothing is trained."""

import dataclasses

import numpy as np
import pytest

from mips_jax.models import Architecture
from mips_jax.training import Condition, ModelSettings, SearchTuning, TrainingSettings
from mips_jax.training.search import rules
from mips_jax.training.search.ladder import ladder
from mips_jax.training.search.state import EMPTY, MemberProgress, SearchState, member_seed

SMALL, LARGE = Architecture(1, 64, 2, 32, 2), Architecture(2, 64, 2, 32, 2)
SETTINGS = TrainingSettings(max_steps=6_000, cycle_steps=1_000)
CHOICES = rules.Choices(SETTINGS, SearchTuning())


def state_of(*members: MemberProgress, **changes) -> SearchState:
    places = tuple(range(len(members)))
    return dataclasses.replace(SearchState(members, places=places), **changes)


def member(architecture=SMALL, **changes) -> MemberProgress:
    values = {"steps": 250, "sequence_accuracy": 0.5, "loss": 1.0, "cycle_length": 1_000}
    return MemberProgress(architecture, seed=0, wave=0, **(values | changes))


def seen_of(state: SearchState, wrong=None, tests=None, **changes) -> rules.Observation:
    """What is seen of members that have `wrong` of 100 sequences wrong."""
    count = len(state.places)
    wrong = np.full(count, 50) if wrong is None else np.asarray(wrong)
    values = {
        "steps": np.array([250] * count),
        "loss": np.ones(count),
        "finite": np.ones(count, bool),
        "averages": np.arange(2.0 * count).reshape(count, 2),
        "evaluated": np.ones(count, bool),
        "wrong_sequences": wrong,
        "wrong_steps": wrong,
        "block_sequences": 100,
        "block_steps": 1_000,
        "whole_test": lambda place: (tests or {}).get(place, (0.0, 9.0)),
    }
    return rules.Observation(**(values | changes))


def conditions(state: SearchState) -> list[Condition]:
    return [m.condition for m in state.members]


def test_record_notes_what_was_evaluated_and_counts_work():
    state = state_of(member(steps=0), member(steps=0))
    after = rules.record(
        state, seen_of(state, [10, 20], evaluated=np.array([True, False])), CHOICES
    )
    assert after.members[0].sequence_accuracy == 0.9 and after.members[0].steps == 250
    assert after.members[1] == state.members[1]
    assert list(after.history[0]) == [0] and after.work == 2 * SETTINGS.chunk_steps
    assert state.history == (), "the state before is untouched"


def test_confirm_polishes_what_is_right_on_the_whole_test_only():
    state = state_of(member(), member(), member(LARGE), work=500)
    seen = seen_of(state, [0, 0, 0], {0: (1.0, 0.2), 1: (0.999, 0.7), 2: (1.0, 0.1)})
    after = rules.confirm(state, seen, CHOICES)
    assert conditions(after) == [Condition.POLISHING, Condition.RUNNING, Condition.RUNNING]
    np.testing.assert_array_equal(after.chosen[0], seen.averages[0])
    assert after.work_at_first_perfect == 500 and after.members[0].largest_error == 0.2


def test_supersede_stops_larger_ones_and_rivals():
    state = state_of(
        member(condition=Condition.POLISHING), member(), member(LARGE), member(Architecture(1))
    )
    after = rules.supersede(state, seen_of(state), CHOICES)
    assert conditions(after) == [
        Condition.POLISHING,
        Condition.OUTPACED,
        Condition.SUPERSEDED,
        Condition.RUNNING,
    ]
    assert after.places == (0, EMPTY, EMPTY, 3)


def test_nonfinite_members_are_replaced_until_that_is_hopeless():
    state = state_of(member(variant=2), member(condition=Condition.POLISHING))
    after = rules.replace_nonfinite(state, seen_of(state, finite=np.zeros(2, bool)), CHOICES)
    assert conditions(after) == [Condition.NONFINITE, Condition.PERFECT, Condition.RUNNING]
    assert after.places == (2, EMPTY) and after.members[2].variant == 3
    assert after.members[2].seed == member_seed(SETTINGS.seed, 2)
    lost = member(condition=Condition.NONFINITE)
    state = dataclasses.replace(state, members=(*state.members, *[lost] * 8))
    after = rules.replace_nonfinite(state, seen_of(state, finite=np.zeros(2, bool)), CHOICES)
    assert len(after.members) == 10 and after.places == (EMPTY, EMPTY)


def test_anneal_when_nearly_perfect_once_a_cycle_and_before_being_given_up():
    state = state_of(member(sequence_accuracy=0.999), member(), member(steps=5_250))
    after = rules.anneal(state, seen_of(state), CHOICES)
    assert conditions(after) == [Condition.ANNEALING, Condition.RUNNING, Condition.ANNEALING]
    later = after.changed(0, steps=250 + CHOICES.tuning.anneal_steps)
    assert conditions(rules.anneal(later, seen_of(later), CHOICES))[0] is Condition.RUNNING


def test_cull_keeps_the_better_half_and_doubles_its_cycle():
    ended = [member(steps=1_000, sequence_accuracy=a) for a in (0.96, 0.99, 0.97)]
    state = state_of(*ended)
    after = rules.cull(state, seen_of(state), CHOICES)
    assert conditions(after) == [Condition.STOPPED, Condition.RUNNING, Condition.RUNNING]
    best = after.members[1]
    assert (best.cycle, best.cycle_start, best.cycle_length) == (1, 1_000, 2_000)


@pytest.mark.parametrize(("last_wave", "left"), [(False, 0), (True, 1)])
def test_a_poor_wave_gives_way_unless_it_is_the_last(last_wave, left):
    state = state_of(member(steps=1_000), member(steps=1_000))
    choices = dataclasses.replace(CHOICES, last_wave=last_wave)
    assert len(rules.cull(state, seen_of(state), choices).occupied()) == left


def test_early_cull_is_by_level():
    early = {"steps": CHOICES.tuning.early_cull_steps}
    accuracies = ((SMALL, 0.1), (SMALL, 0.2), (LARGE, 0.8), (LARGE, 0.9))
    state = state_of(*[member(a, sequence_accuracy=s, **early) for a, s in accuracies])
    after = rules.cull_early(state, seen_of(state), CHOICES)
    assert after.places == (EMPTY, 1, EMPTY, 3)


def test_polishing_keeps_the_better_network_and_is_repeated_where_errors_are_large():
    polishing = {"condition": Condition.POLISHING, "cycle_start": 0, "cycle_length": 250}
    state = state_of(*[member(largest_error=0.4, **polishing)] * 3)
    seen = seen_of(state, tests={0: (1.0, 0.1), 1: (1.0, 0.3), 2: (0.9, 0.6)})
    after = rules.finish_polishing(state, seen, CHOICES)
    assert [m.largest_error for m in after.members] == [0.1, 0.3, 0.4]
    assert set(after.chosen) == {0, 1}
    assert after.places == (EMPTY, 1, 2) and after.members[1].cycle_length == 500


def test_smaller_sizes_have_their_chance_and_no_more():
    state = state_of(member(), work=17_001, work_at_first_perfect=10_000)
    assert not rules.end_when_patience_is_over(state, seen_of(state), CHOICES).occupied()
    waiting = dataclasses.replace(state, work=16_000)
    assert rules.end_when_patience_is_over(waiting, seen_of(waiting), CHOICES).occupied()


def test_the_best_so_far_is_kept_and_never_one_that_is_not_finite():
    state = state_of(member(), member(sequence_accuracy=0.7))
    after = rules.keep_best(state, seen_of(state), CHOICES)
    assert set(after.chosen) == {1}
    broken = seen_of(state, averages=np.full((2, 2), np.nan))
    assert rules.keep_best(state, broken, CHOICES).chosen == {}


def test_at_the_end_nobody_anneals_or_is_polished():
    state = state_of(member(condition=Condition.POLISHING), member(condition=Condition.ANNEALING))
    assert conditions(rules.finished(state)) == [Condition.PERFECT, Condition.RUNNING]


def test_an_affine_transition_is_tried_first_where_it_is_wanted():
    model = ModelSettings(hidden_dims=(1, 2, 3), depths=(1, 2), widths=(64, 128))
    usual = ladder(model, None)
    waves = ladder(dataclasses.replace(model, affine_transition=True), None)
    assert waves[1:] == usual
    assert [str(a) for a in waves[0].levels] == [f"H={h} f=affine g=64x2" for h in (1, 2, 3)]
    assert waves[0].padded == waves[0].levels[-1]


def test_smaller_hidden_sizes_follow_a_perfect_network_with_an_affine_transition():
    model = ModelSettings(hidden_dims=(1, 2, 3), depths=(1, 2), affine_transition=True)
    affine, full = ladder(model, None)[:2]
    assert affine.affine_transition and not full.affine_transition
    assert [a.hidden_dim for a in full.below(3)] == [1, 2]
    assert full.below(None) == full.levels and not full.below(1)
