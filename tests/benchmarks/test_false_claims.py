"""Nothing is called right that is not: a sample of the cases, the judge itself, all cases."""

import dataclasses
import types

import numpy as np
import pytest

from benchmarks.false_claims.cases import CATEGORIES, chosen, make
from benchmarks.false_claims.judging import false_claims
from benchmarks.false_claims.registers import behaviour, plain, sum_modulo
from benchmarks.false_claims.running import run_one
from benchmarks.false_claims.subject import Subject, uniform
from mips_jax.verification.claims import Claim, How

QUICK = ("late clocks", "saturating", "not integers", "not finite", "float32", "constants")
QUICK_RIGHT = ("sums", "counters", "extremes", "two inputs", "parities")
SAMPLE = [(name, number) for name in QUICK for number in (1, 4)]
SAMPLE += [(name, 3) for name in QUICK_RIGHT] + [("passwords", 4), ("rarely wrong", 0)]


def test_there_are_300_of_each():
    counts = {right: 0 for right in (False, True)}
    for category in CATEGORIES.values():
        counts[category.right] += category.count
    assert counts == {False: 300, True: 300}


@pytest.mark.parametrize("name", [n for n, c in CATEGORIES.items() if n != "example files"])
def test_networks_do_what_the_cases_say(name):
    for number in range(0, CATEGORIES[name].count, 5):
        subject = make(name, number, seed=0)
        if subject.network is not None:
            words = uniform(np.random.default_rng(1), subject.bounds, 50, 30)
            np.testing.assert_array_equal(behaviour(subject.network)(words), subject.truth(words))


def said(how: How, length: int | None, text: str = "", bound: float | None = None):
    """A result whose program writes the sum modulo 2, with one claim about it."""
    program = types.SimpleNamespace(run=sum_modulo(2, 1).run)
    claim = Claim("x", "program", "network", "uniformly drawn", length, how, error_bound=bound)
    summary = types.SimpleNamespace(summary=text)
    return types.SimpleNamespace(
        program=program, solved=True, claims=(claim,), reason=None, verification=summary, source=""
    )


def test_judge_sees_lies():
    truth = sum_modulo(2, 1)
    right = Subject("right", truth.bounds, truth.run, plain(truth))
    wrong = dataclasses.replace(right, truth=lambda words: 1 - truth.run(words))
    assert not false_claims(said(How.MEASURED, 10, bound=0.01), right, 0)
    assert not false_claims(said(How.PROVEN, None, "Proven, i.e. proven"), right, 0)
    assert "fresh words are wrong" in false_claims(said(How.MEASURED, 10, bound=0.01), wrong, 0)[0]
    assert "are wrong" in false_claims(said(How.PROVEN, None), wrong, 0)[0]
    assert "says proven" in false_claims(said(How.MEASURED, 10, "proven", 0.01), right, 0)[0]
    assert "all words" in false_claims(said(How.MEASURED, 10, "at every length", 0.01), right, 0)[0]
    assert "unseen" in false_claims(said(How.MEASURED, 10, "5 unseen words", 0.01), right, 0)[0]
    assert "refuted" in false_claims(said(How.REFUTED, 10), right, 0)[0]
    never = dataclasses.replace(right, never="it is constant")
    assert false_claims(said(How.MEASURED, 10, bound=0.01), never, 0) == [
        "solved, but it is constant"
    ]


def test_sample_of_cases():
    rows = [run_one(key, seed=0) for key in SAMPLE]
    assert not {row.name: row.false for row in rows if row.false}
    missed = [r for r in rows if CATEGORIES[r.category].right and not r.solved]
    assert not {row.name: row.reason for row in missed}
    assert not [row.reason for row in rows if row.outcome == "crashed"]


@pytest.mark.slow
def test_all_cases():
    rows = [run_one(key, seed=0) for key in chosen(None, None, seed=0)]
    assert not {row.name: row.false for row in rows if row.false}
    right = [row for row in rows if CATEGORIES[row.category].right]
    assert sum(row.solved for row in right) >= 294
