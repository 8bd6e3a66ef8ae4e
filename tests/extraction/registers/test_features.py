"""Features: declared updates against measured values, readings of the network, what the hidden
state holds.
"""

import dataclasses

import numpy as np
import pytest

from mips_jax.budget import Share
from mips_jax.extraction.registers.features import (
    distinct,
    history_features,
    network_features,
    with_holding,
)
from mips_jax.extraction.registers.joint import joint_features, on_words
from mips_jax.extraction.traces import probe, record
from mips_jax.extraction.tuning import JointSettings
from mips_jax.inputs import alphabet, input_names, narrow_words, random_words
from mips_jax.programs import Program, Register, Var, expression_text
from tests.extraction.perfect_networks import BIT, DIGIT, Embedded, IntegerState, parity

RANGES = {
    "bits": BIT,
    "digits": DIGIT,
    "signed": ((-3, 2),),
    "two": ((0, 1), (-2, 4)),
    "three": ((0, 1),) * 3,
    "one value": ((4, 4),),
}


def _silent(inputs: int) -> IntegerState:
    return IntegerState([0], lambda s, *x: s, input_dim=inputs)


@pytest.mark.parametrize("name", RANGES)
def test_every_declared_update_gives_the_measured_values(name):
    input_range = RANGES[name]
    words = random_words(input_range, 60, 9, np.random.default_rng(0))
    traces = record(_silent(len(input_range)), words)
    features = {f.name: f for f in history_features(traces, input_range)}
    assert len(features) > 20
    for feature in features.values():
        assert (
            feature.update is not None
            and feature.values.shape == (60, 10)
            and feature.initial == feature.values[0, 0]
        )
        needed = _with_needs(feature, features)
        registers = tuple(Register(f.name, f.initial, f.update) for f in needed)
        _, history = Program(
            input_names(len(input_range)), registers, (Var(feature.name, updated=True),)
        ).trace(words)
        np.testing.assert_array_equal(
            history[feature.name].astype(np.int64), feature.values[:, 1:], err_msg=feature.name
        )


def _with_needs(feature, features) -> list:
    found, todo = [], [feature]
    while todo:
        found.append(todo.pop())
        todo += [features[n] for n in found[-1].needs if features[n] not in found]
    return found


def test_readings_are_what_the_network_says_next():
    network = Embedded(IntegerState([0], lambda s, x: (s + x) % 3), seed=1)
    traces = record(network, random_words(((0, 2),), 30, 6, np.random.default_rng(1)))
    found = {f.name: f for f in network_features(network, traces, ((0, 2),), depth=3)}
    total = np.concatenate([np.zeros((30, 1), int), traces.words[:, :, 0].cumsum(1) % 3], axis=1)
    np.testing.assert_array_equal(found["output"].values, total)
    np.testing.assert_array_equal(found["after_1_1"].values, (total + 1) % 3)
    np.testing.assert_array_equal(found["after_2_2"].values, (total + 4) % 3)
    np.testing.assert_array_equal(found["margin"].values, np.full_like(total, 3))
    assert found["output"].initial is None and found["after_1_1"].lookahead == 1
    assert np.unique(found["rank_1"].values).tolist() == [0, 1, 2]


def test_changes_of_the_output_are_kept_where_they_are_simpler_than_the_output():
    """A position and a velocity of -1, 0 or 1: what an input would change shows the velocity."""
    moving = IntegerState([0, 0], lambda p, v, x: (p + v, x - 1))
    traces = record(moving, random_words(((0, 2),), 60, 8, np.random.default_rng(3)))
    found = {f.name: f for f in network_features(moving, traces, ((0, 2),), depth=1)}
    np.testing.assert_array_equal(found["change_2"].values, traces.hidden[:, :, 1])
    assert found["change_2"].initial is None, "before the first input there is no output to change"
    parity = IntegerState([0], lambda s, x: (s + x) % 2)
    traces = record(parity, random_words(BIT, 60, 8, np.random.default_rng(3)))
    assert not [
        f for f in network_features(parity, traces, BIT, depth=1) if f.name.startswith("change")
    ]


def test_waiting_times_count_a_counter():
    counter = IntegerState([0], lambda s, x: s + 2 * x - 1, lambda s: s > 0)
    traces = record(counter, random_words(BIT, 50, 8, np.random.default_rng(2)))
    found = {f.name: f for f in network_features(counter, traces, BIT, depth=8)}
    value = np.concatenate(
        [np.zeros((50, 1), int), (2 * traces.words[:, :, 0] - 1).cumsum(1)], axis=1
    )
    until = found["until_1_for_1"].values
    held = value <= 0
    np.testing.assert_array_equal(until[held & (until >= 0)], 1 - value[held & (until >= 0)])


def test_what_the_hidden_state_holds_is_told_from_what_it_does_not():
    network = Embedded(IntegerState([0], np.maximum), seed=2)
    traces = record(network, random_words(DIGIT, 300, 10, np.random.default_rng(3)))
    held = {
        f.name: f.held
        for f in with_holding(history_features(traces, DIGIT), traces, np.random.default_rng(0))
    }
    assert held["largest"] > 0.99
    assert held["phase2"] < 0.3 and held["remainder7"] < 0.3


def test_distinct_features():
    words = random_words(BIT, 40, 6, np.random.default_rng(4))
    features = history_features(record(_silent(1), words), BIT)
    kept = distinct(features)
    assert len({f.values.tobytes() for f in kept if not f.needs}) == len(
        [f for f in kept if not f.needs]
    )
    copy = dataclasses.replace(features[0], name="copy", update=None, cost=99.0)
    constant = dataclasses.replace(
        features[0], name="constant", update=None, values=np.full((40, 7), 3)
    )
    names = {f.name for f in distinct([*features, copy, constant])}
    assert "constant" not in names and {f.name for f in kept} <= names


@pytest.mark.parametrize(
    "network, input_range, update",
    [
        (
            IntegerState([0], lambda s, x: (s + x) % 5, lambda s: s == 0),
            ((0, 4),),
            "(register1 + x) % 5",
        ),
        (IntegerState([0], lambda s, x: (2 * s + x) % 3, lambda s: s == 0), BIT, None),
        (
            IntegerState([0], lambda s, x: np.abs(s - x), lambda s: s == 1),
            ((0, 3),),
            "abs(register1 - x)",
        ),
    ],
)
def test_joint_search_finds_registers_that_determine_the_output(network, input_range, update):
    traces = record(network, narrow_words(input_range, 100, 10, 6, np.random.default_rng(5)))
    found = joint_features(traces, input_range, Share(), JointSettings(bank=3000, words=40))
    assert found
    if update:
        assert update in [expression_text(f.update).replace(f.name, "register1") for f in found]
    for feature in found:
        again = on_words(feature, traces.words, input_names(1))
        np.testing.assert_array_equal(again.values, feature.values)
        seen: dict = {}
        pairs = zip(
            feature.values[:, 1:-1].ravel(),
            traces.outputs[:, :-1, 0].ravel(),
            traces.words[:, 1:, 0].ravel(),
            traces.outputs[:, 1:, 0].ravel(),
        )
        conflicts = [
            seen.setdefault((int(s), int(last), int(x)), int(y)) != y for s, last, x, y in pairs
        ]
        assert not any(conflicts[: 40 * 9]), expression_text(feature.update)


def test_words_and_probes():
    rng = np.random.default_rng(6)
    words = random_words(((-2, 3), (7, 7)), 500, 4, rng)
    assert (
        np.unique(words[:, :, 0]).tolist() == [-2, -1, 0, 1, 2, 3] and (words[:, :, 1] == 7).all()
    )
    narrow = narrow_words(((-50, 99), (0, 2)), 500, 4, 6, rng)
    assert {-50, 99, 0} <= set(narrow[:, :, 0].ravel().tolist()) and len(
        np.unique(narrow[:, :, 0])
    ) <= 6
    assert np.unique(narrow[:, :, 1]).tolist() == [0, 1, 2]
    assert (
        alphabet(((0, 1), (5, 6)), 4).tolist() == [[0, 5], [0, 6], [1, 5], [1, 6]]
        and alphabet(((0, 1), (5, 6)), 3) is None
    )
    assert probe(parity(), np.array([[0.0], [1.0]]), np.array([[1], [1]]))[:, :, 0].tolist() == [
        [1, 0],
        [0, 1],
    ]
