"""The machine that a network nearly is, where the truth is known."""

import dataclasses

import numpy as np
import pytest

from mips_jax.budget import Budget, Guard, Share
from mips_jax.extraction.automaton import learn_automaton
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.extraction.stand_in import persistent
from mips_jax.extraction.tolerant_automaton import NearlyMachine, front, nearly_machines
from mips_jax.extraction.tuning import TUNING
from mips_jax.inputs import Inputs
from mips_jax.machines import Mealy, bisimilar
from tests.extraction.perfect_networks import BIT, IntegerState, parity
from tests.extraction.test_erring_networks import DIGITS, erring


@pytest.mark.parametrize(
    "step, seen, states",
    [
        (lambda s, x: (s + x) % 5, lambda s: s, 5),
        (lambda s, x: np.minimum(s + x, 6), lambda s: s, 7),
        (lambda s, x: (2 * s + x) % 7, lambda s: s == 0, 7),
    ],
)
def test_the_true_machine_stands_among_them_beside_rare_errors(step, seen, states):
    found = nearly_machines(erring(step, seen), Inputs.of(DIGITS), 10)
    truth = learn_automaton(IntegerState([0], step, seen), Inputs.of(DIGITS), 12).machine
    assert truth.states == states
    equal = [nearly for nearly in found if bisimilar(nearly.machine, truth)]
    assert len(equal) == 1 and 0.9 < equal[0].agreement < 1.0


def test_a_perfect_network_gives_its_machine_and_no_other():
    found = nearly_machines(parity(), Inputs.of(BIT), 10)
    assert [(n.machine.states, n.agreement) for n in found] == [(2, 1.0)]


def test_results_do_not_depend_on_anything_but_the_seed():
    ask = lambda: nearly_machines(
        erring(lambda s, x: (s + x) % 5, lambda s: s), Inputs.of(DIGITS), 10
    )
    assert [n.machine.to_json() for n in ask()] == [n.machine.to_json() for n in ask()]


def test_work_is_limited_and_something_is_found_all_the_same():
    counter = IntegerState([0], lambda s, x: s + x)
    share = Share(20_000)
    found = nearly_machines(counter, Inputs.of(DIGITS), 30, share=share)
    assert found and share.spent < 3 * share.limit


def test_only_what_nothing_betters_is_kept():
    one = lambda states, agreement: NearlyMachine(
        Mealy.of([0], [[0]] * states, [[0]] * states), agreement, 0.0, 10
    )
    kept = front([one(3, 0.9), one(2, 0.8), one(4, 0.85), one(2, 0.7), one(5, 0.99)])
    assert [(n.machine.states, n.agreement) for n in kept] == [(2, 0.8), (3, 0.9), (5, 0.99)]


def asked(network, inputs) -> tuple[Mealy | None, list[NearlyMachine]]:
    evidence = Evidence.of(network, Inputs.of(inputs), ExtractionSettings(), TUNING)
    return persistent(evidence, Budget(dataclasses.asdict(TUNING.work), 1.0, Guard()))


def test_a_machine_that_words_of_several_lengths_agree_on_lasts():
    step, seen = lambda s, x: (s + x) % 5, lambda s: s
    truth = learn_automaton(IntegerState([0], step, seen), Inputs.of(DIGITS), 12).machine
    machine, others = asked(erring(step, seen), DIGITS)
    assert bisimilar(machine, truth)
    assert any(bisimilar(other.machine, truth) for other in others)


@pytest.mark.parametrize(
    "counter",
    [
        IntegerState([0], lambda s, x: s + x),
        IntegerState([0], lambda s, x: np.where(s < 0, s, s + 2 * x - 1), lambda s: s == 0),
        IntegerState([0], lambda s, x: np.maximum(s + 2 * x - 1, 0), lambda s: s > 0),
    ],
)
def test_a_count_lasts_at_no_length(counter):
    assert asked(counter, BIT) == (None, [])
