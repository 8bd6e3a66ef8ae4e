"""Closed sets of features and the programs regressed from them."""

import dataclasses

import numpy as np
import pytest

from mips_jax.budget import Share
from mips_jax.extraction.registers.closed_sets import closed_sets
from mips_jax.extraction.registers.feature import Feature
from mips_jax.extraction.registers.features import history_features, network_features
from mips_jax.extraction.registers.regress import programs, regress_program
from mips_jax.extraction.traces import record
from mips_jax.extraction.tuning import TUNING, RegisterSettings
from mips_jax.inputs import narrow_words, random_words
from tests.extraction.perfect_networks import BIT, DIGIT, IntegerState

SETTINGS = RegisterSettings()


def _traces(network, input_range, words=300, length=10):
    rng = np.random.default_rng(0)
    return (
        record(network, narrow_words(input_range, words, length, 6, rng)),
        record(network, random_words(input_range, words, length, rng)),
    )


def _features(network, input_range, depth=1):
    narrow, wide = _traces(network, input_range)
    both = [
        history_features(t, input_range) + network_features(network, t, input_range, depth)
        for t in (narrow, wide)
    ]
    shared = {f.name for f in both[0]} & {f.name for f in both[1]}
    return (
        narrow,
        wide,
        [f for f in both[0] if f.name in shared],
        [f for f in both[1] if f.name in shared],
    )


@pytest.mark.parametrize(
    "network, input_range, wanted",
    [
        (IntegerState([0], lambda s, x: s + x, lambda s: s % 3), DIGIT, {"remainder3"}),
        (IntegerState([0], np.maximum), DIGIT, {"output"}),
        (
            IntegerState([0] * 3, lambda a, b, c, x: (x, a, b), lambda a, b, c: (a > b) & (b > c)),
            DIGIT,
            {"previous", "previous2"},
        ),
    ],
)
def test_closed_sets_determine_the_outputs_and_themselves(network, input_range, wanted):
    narrow, _, features, _ = _features(network, input_range)
    found = closed_sets(narrow, features, SETTINGS, Share())
    assert wanted in [{f.name for f in s.features} for s in found]
    for candidate in found[:6]:
        if not candidate.keys:
            continue  # the whole history, the last resort
        seen: dict = {}
        first = max(1 if f.initial is None else 0 for f in candidate.features)
        last = narrow.length - max(f.lookahead for f in candidate.features)
        for w in range(0, 300, 7):
            for t in range(first, last):
                key = (
                    *(int(f.values[w, t]) for f in candidate.features),
                    *narrow.words[w, t].tolist(),
                )
                after = tuple(
                    int(f.values[w, t + 1]) for f in candidate.features if f.update is None
                )
                assert seen.setdefault(key, (narrow.outputs[w, t].tolist(), after)) == (
                    narrow.outputs[w, t].tolist(),
                    after,
                )


def test_a_network_without_memory_needs_no_registers():
    network = IntegerState([0], lambda s, x: x * x % 7)
    narrow, wide, features, on_wide = _features(network, DIGIT)
    (found,) = closed_sets(narrow, features, SETTINGS, Share())
    assert found.features == ()
    ((program, _),) = list(programs([found], wide, DIGIT, on_wide, Share()))
    assert program.registers == () and np.array_equal(program.run(wide.words), wide.outputs)


def test_programs_of_closed_sets_are_exact_on_the_traces():
    network = IntegerState([0], lambda s, x: np.where(x == 0, 0, s + 1))
    narrow, wide, features, on_wide = _features(network, ((0, 2),))
    found = closed_sets(narrow, features, SETTINGS, Share())
    program, used = next(programs(found, wide, ((0, 2),), on_wide, Share()))
    assert used in found and np.array_equal(program.run(wide.words), wide.outputs), str(program)


def test_an_unknown_initial_value_is_found_from_the_first_step():
    """The output of the network before any input says nothing: 9 is where a running minimum must
    start.
    """
    network = IntegerState([5, 9], lambda y, s, x: (np.minimum(s, x), np.minimum(s, x)))
    _, wide, _, features = _features(network, DIGIT)
    output = next(f for f in features if f.name == "output")
    assert output.initial is None and output.values[0, 0] == 5
    program = regress_program((output,), wide, DIGIT, Share())
    assert program.registers[0].initial >= 9 and np.array_equal(
        program.run(wide.words), wide.outputs
    )


def test_a_position_and_a_heading_are_found_together():
    """Forward, left, right: two outputs and how they would change; four initial values, none of
    which the network tells.
    """

    def walk(east, north, dx, dy, x):
        forward, left = x == 0, x == 1
        turned = (np.where(left, -dy, dy), np.where(left, dx, -dx))
        return (
            np.where(forward, east + dx, east),
            np.where(forward, north + dy, north),
            np.where(forward, dx, turned[0]),
            np.where(forward, dy, turned[1]),
        )

    network = IntegerState([0, 0, 1, 0], walk, lambda east, north, dx, dy: (east, north))
    narrow, wide, few, many = _features(network, ((0, 2),))
    wanted = {"output0", "output1", "change_0", "change_0_1"}
    sets = closed_sets(narrow, [f for f in few if f.name in wanted], SETTINGS, Share())
    assert {f.name for f in sets[0].features} == wanted
    program = regress_program(tuple(f for f in many if f.name in wanted), wide, ((0, 2),), Share())
    words = random_words(((0, 2),), 100, 50, np.random.default_rng(5))
    np.testing.assert_array_equal(program.run(words), network.run(words)[1])


def test_features_that_do_not_explain_give_no_program():
    network = IntegerState([0, 0], lambda s, p, x: ((3 * s + x + p * p) % 101, x))
    _, wide, _, features = _features(network, DIGIT)
    largest = next(f for f in features if f.name == "largest")
    assert (
        regress_program(
            (largest,),
            wide,
            DIGIT,
            Share(3e7),
        )
        is None
    )


def test_rows_on_which_a_network_errs_are_tolerated_and_counted():
    class Erring(IntegerState):
        def readout(self, hidden):
            return hidden[:, :1] + (hidden[:, 1:] == 777)

    network = Erring([0, 0], lambda s, clock, x: ((s + x) % 2, (131 * clock + 17 * x + 29) % 1000))
    rng = np.random.default_rng(1)
    traces = record(network, random_words(BIT, 400, 10, rng))
    truth = traces.words[:, :, 0].cumsum(1) % 2
    wrong = traces.outputs[:, :, 0] != truth
    assert 0 < wrong.mean() < 0.02
    parity = Feature(
        "parity", np.concatenate([np.zeros((400, 1), np.int64), truth], axis=1), "", initial=0
    )
    tolerant = RegisterSettings(tolerance=0.02)
    program = regress_program(
        (parity,), traces, BIT, Share(), dataclasses.replace(TUNING, registers=tolerant)
    )
    np.testing.assert_array_equal(program.run(traces.words)[:, :, 0], truth)


def test_words_too_short_for_any_step_give_no_sets():
    network = IntegerState([0], lambda s, x: s + x)
    traces = record(network, random_words(BIT, 50, 1, np.random.default_rng(0)))
    assert closed_sets(
        traces, history_features(traces, BIT), SETTINGS, Share()
    )  # the output is the input
    looking = Feature("ahead", np.zeros((50, 1), np.int64), "", lookahead=1)
    assert closed_sets(traces, [looking], SETTINGS, Share()) is not None
