"""Hostile requests: a sample of the benchmark's, in this process; the whole as a slow test."""

import random

import pytest

from benchmarks import hostile

SAMPLE = 12


@pytest.fixture(scope="module")
def cases():
    return hostile.cases()


def test_there_are_at_least_400_of_every_kind(cases):
    assert len(cases) >= 400
    assert len({case.category for case in cases}) >= 6


def test_each_of_a_sample_is_answered_by_one_message(cases):
    fast = [case for case in cases if case.fast]
    chosen = random.Random(1).sample(fast, SAMPLE)
    wrong = [
        (c.name, text) for judged in hostile.run(chosen).values() for c, text in judged if text
    ]
    assert wrong == []


@pytest.mark.slow
def test_each_of_them_all_is_answered_by_one_message(cases):
    found = hostile.run(cases)
    assert [(c.name, text) for judged in found.values() for c, text in judged if text] == []
