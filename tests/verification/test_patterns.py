"""Rules for where two things disagree, on errors that were made on purpose."""

import numpy as np
import pytest

from mips_jax.verification.patterns import pattern_of

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (400, 40, 1))
ONES = np.cumsum(BITS[:, :, 0], axis=1)


def runs_of_ones(words):
    run = np.zeros(words.shape[:2], int)
    for t in range(words.shape[1]):
        run[:, t] = words[:, t, 0] * ((run[:, t - 1] if t else 0) + 1)
    return np.maximum.accumulate(run, axis=1)


@pytest.mark.parametrize(
    "wrong, rule",
    [
        (ONES >= 11, "after at least 11 inputs 1"),
        (np.tile(np.arange(40) >= 24, (400, 1)), "after at least 25 inputs"),
        (runs_of_ones(BITS) >= 5, "after a run of at least 5 inputs 1"),
        (np.maximum.accumulate(2 * ONES - np.arange(1, 41), axis=1) >= 6, "after 6 more inputs 1"),
        (BITS[:, :, 0] == 1, "at an input 1"),
    ],
)
def test_errors_made_on_purpose_are_described(wrong, rule):
    found = pattern_of(BITS, ~wrong)
    assert found.rule.startswith(rule) and found.covered == found.explained == 1.0
    assert "100% of the wrong steps come" in str(found) and "200 words" in str(found)


def test_a_rule_is_measured_on_words_that_did_not_choose_it():
    noisy = (ONES >= 11) ^ (RNG.random(ONES.shape) < 0.02)
    found = pattern_of(BITS, ~noisy)
    about = ONES[1::2] >= 11
    assert found.rule == "after at least 11 inputs 1"
    assert found.covered == (noisy[1::2] & about).sum() / noisy[1::2].sum()
    assert found.explained == (noisy[1::2] & about).sum() / about.sum()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1])
def test_errors_by_chance_have_no_pattern(share):
    assert pattern_of(BITS, RNG.random(ONES.shape) >= share) is None


def test_of_many_letters_only_lengths_and_runs_are_said():
    words = RNG.integers(0, 300, (100, 30, 1))
    late = np.tile(np.arange(30) >= 9, (100, 1))
    assert pattern_of(words, ~late).rule == "after at least 10 inputs"


def test_several_inputs_a_step_are_told_together():
    words = RNG.integers(0, 2, (300, 20, 2))
    both = np.cumsum(words.all(axis=2), axis=1)
    assert pattern_of(words, both < 3).rule == "after at least 3 inputs (1, 1)"


def test_no_word_that_chose_a_rule_measures_it():
    few = np.repeat(RNG.integers(0, 2, (120, 40, 1)), 2, axis=0)  # each twice, in either half
    ones = np.cumsum(few[:, :, 0], axis=1)
    assert pattern_of(few, ones < 11).words == 60
