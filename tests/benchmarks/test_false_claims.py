"""The benchmark of false claims: a sample of its cases here, the whole as a slow test."""

import pytest

from benchmarks.false_claims.cases import CATEGORIES, chosen
from benchmarks.false_claims.running import run_all, run_one, show

# Categories whose networks are made by hand: nothing is trained.
QUICK = ("late clocks", "saturating", "passwords", "not integers", "constants", "counters", "sums")


def test_there_are_as_many_cases_as_the_issue_asks_for():
    sizes = {right: 0 for right in (False, True)}
    for category in CATEGORIES.values():
        sizes[category.right] += category.count
    assert sizes == {False: 300, True: 300}


@pytest.mark.parametrize("category", QUICK)
@pytest.mark.parametrize("number", [0, 3])
def test_nothing_false_is_said_of_a_case(category, number):
    row = run_one((category, number), seed=0)
    assert row.false == [] and row.outcome != "crashed"
    assert row.solved or not CATEGORIES[category].right


@pytest.mark.slow
def test_nothing_false_is_said_of_any_case_and_right_ones_are_solved():
    _, solved, right, false = show(run_all(chosen(None, None, 0), 0, jobs=2))
    assert false == 0 and right - solved <= 6
