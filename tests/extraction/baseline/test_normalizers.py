"""Each normalizer leaves what the network computes unchanged, does what its name says, or is
refused with a reason.
"""

import dataclasses

import numpy as np
import pytest

from mips_jax.extraction.baseline.basis_change import BasisChange, affine_transition
from mips_jax.extraction.baseline.jordan_form import jordan_form
from mips_jax.extraction.baseline.normalizers import (
    NORMALIZERS,
    blocks_of,
    debias,
    normalize,
    quantize,
    to_jordan,
    toeplitz,
    whiten,
)
from mips_jax.extraction.traces import record
from mips_jax.inputs import random_words
from tests.extraction.baseline import hand_built

SMALL, WIDE = ((0, 1),), ((-10, 10),)
NETWORKS = {  # network, input range
    "random 1": (hand_built.random_network(1, 1, seed=0), ((0, 9),)),
    "random 4": (hand_built.random_network(4, 2, seed=1), ((0, 3), (-2, 2))),
    "random 7": (hand_built.random_network(7, 1, seed=2), SMALL),
    "parity": (hand_built.hidden_behind(hand_built.parity(), seed=3, noise=1e-3), SMALL),
    "binary addition": (
        hand_built.hidden_behind(hand_built.binary_addition(), seed=4, noise=1e-3),
        SMALL * 2,
    ),
    "prev3": (hand_built.hidden_behind(hand_built.previous(3), seed=5, noise=1e-5), ((0, 99),)),
    "gravity": (hand_built.hidden_behind(hand_built.gravity(), seed=6, noise=1e-5), WIDE),
    "spring": (hand_built.hidden_behind(hand_built.spring(), seed=7, noise=1e-5), WIDE),
    "equals previous": (
        hand_built.hidden_behind(hand_built.equals_previous(), seed=8, noise=1e-4),
        ((0, 7),),
    ),
}


def _traces(network, input_range, count=200, seed=0):
    return record(network, random_words(input_range, count, 10, np.random.default_rng(seed)))


def _raw(network, traces):
    return network.readout(
        record(network, traces.words).hidden[:, 1:].reshape(-1, network.hidden_dim)
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_every_change_of_basis_leaves_the_outputs_unchanged(name):
    network, input_range = NETWORKS[name]
    traces, fresh = _traces(network, input_range), _traces(network, input_range, seed=1)
    for normalizer in (whiten, to_jordan, toeplitz, debias):
        step = normalizer(network, traces)
        scale = max(1.0, np.abs(_raw(network, fresh)).max())
        assert np.abs(_raw(step.network, fresh) - _raw(network, fresh)).max() < 1e-8 * scale, step
        assert step.status in ("applied", "refused") and step.note
        if step.change is not None:
            moved = record(step.network, traces.words).hidden
            np.testing.assert_allclose(
                moved, step.change.hidden(traces.hidden), atol=1e-7 * np.abs(moved).max()
            )


@pytest.mark.parametrize("name", NETWORKS)
def test_all_five_together_leave_the_integer_outputs_unchanged(name):
    network, input_range = NETWORKS[name]
    normal, steps = normalize(network, _traces(network, input_range))
    assert [step.name for step in steps] == list(NORMALIZERS)
    fresh = _traces(network, input_range, count=500, seed=1)
    np.testing.assert_array_equal(record(normal, fresh.words).outputs, fresh.outputs)


def test_whitening_gives_mean_0_and_covariance_1():
    network, input_range = NETWORKS["random 4"]
    traces = _traces(network, input_range)
    hidden = whiten(network, traces).change.hidden(traces.hidden).reshape(-1, 4)
    np.testing.assert_allclose(hidden.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(hidden.T), np.eye(4), atol=1e-9)


def test_whitening_leaves_flat_directions_alone():
    network = hand_built.affine(
        [[1, 0], [0, 0.5]], [1, 0], [0, 0], [1, 0]
    )  # the second unit never moves
    step = whiten(network, _traces(network, WIDE))
    assert step.status == "applied" and "1 flat" in step.note


def test_whitening_of_a_constant_state_is_refused():
    network = hand_built.affine([[0.5]], [0], [0], [1])
    assert whiten(network, _traces(network, WIDE)).status == "refused"


def test_jordan_toeplitz_and_debias_recover_a_shift_register():
    network = hand_built.hidden_behind(hand_built.previous(3), seed=9, noise=1e-6)
    normal, _ = normalize(network, _traces(network, ((0, 99),)))
    weight, bias = normal.transition[0]
    np.testing.assert_array_equal(np.abs(weight), np.eye(4, 5, k=1))
    np.testing.assert_array_equal(np.rint(bias), 0)


def test_debias_keeps_a_bias_that_cannot_be_removed():
    network = hand_built.hidden_behind(hand_built.gravity(), seed=10)
    normal, _ = normalize(network, _traces(network, WIDE))
    np.testing.assert_allclose(normal.transition[0][1], [0, -1], atol=1e-4)


def test_debias_removes_the_bias_where_1_minus_w_is_invertible():
    network = hand_built.affine([[0, 1], [0, 0]], [0, 1], [3.5, -2], [1, 0])
    step = debias(network, _traces(network, WIDE))
    np.testing.assert_allclose(step.network.transition[0][1], 0, atol=1e-9)


def test_toeplitz_needs_jordan_form():
    network = hand_built.affine([[1, 2], [3, 4]], [1, 1], [0, 0], [1, 0])
    step = toeplitz(network, _traces(network, SMALL))
    assert step.status == "refused" and "not in Jordan form" in step.note


def test_toeplitz_keeps_the_form_and_normalizes_the_input():
    matrix = np.array([[2.0, 1, 0], [0, 2, 1], [0, 0, 2]]) / 4 + np.eye(3, k=1) * 0.75
    network = hand_built.affine(matrix, [3, -1, 0.5], [0, 0, 0], [1, 0, 0])
    traces = _traces(network, SMALL)
    affine = affine_transition(toeplitz(network, traces).network, traces)
    np.testing.assert_allclose(affine.recurrent, matrix, atol=1e-12)
    np.testing.assert_allclose(affine.inputs[:, 0], [0, 0, 1], atol=1e-12)


def test_quantization_is_taken_back_when_an_output_changes():
    network = hand_built.affine([[1.004]], [100], [0], [1])
    step = quantize(network, _traces(network, ((50, 99),)))
    assert step.network.transition[0][0][0, 0] == 1.004 and "only the output" in step.note


def test_quantization_is_refused_when_either_part_changes_an_output():
    network = hand_built.affine([[1.004]], [100], [0], [1.009])
    step = quantize(network, _traces(network, ((50, 99),)))
    assert step.status == "refused" and "outputs change" in step.note and step.network is network


def test_quantization_rounds_within_a_hundredth_only():
    network = hand_built.affine([[0]], [1.0001], [0], [1.3])
    rounded = quantize(network, _traces(network, SMALL)).network
    assert rounded.transition[0][0][0, 1] == 1 and rounded.output[0][0][0, 0] == 1.3


def test_an_ill_conditioned_change_is_refused():
    network = hand_built.affine([[1e-9, 1], [0, 0]], [0, 1e-9], [0, 0], [1, 0])
    steps = [
        normalizer(network, _traces(network, SMALL)) for normalizer in (whiten, to_jordan, toeplitz)
    ]
    assert all(step.status == "applied" or step.note for step in steps)
    assert toeplitz(network, _traces(network, SMALL)).status == "refused"


@pytest.mark.parametrize(
    "sizes, eigenvalues",
    [
        ([3], [0.0]),
        ([2, 1], [1.0, 1.0]),
        ([2, 2], [0.5, -1.0]),
        ([1, 1, 1], [0.0, 1.0, -1.0]),
        ([4, 1], [0.0, 1.0]),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_jordan_form_of_a_known_matrix(sizes, eigenvalues, noise):
    generator = np.random.default_rng(sum(sizes))
    form = np.zeros((sum(sizes), sum(sizes)))
    start = 0
    for size, value in zip(sizes, eigenvalues):
        form[start : start + size, start : start + size] = value * np.eye(size) + np.eye(size, k=1)
        start += size
    change = np.linalg.qr(generator.normal(size=form.shape))[0]
    found = jordan_form(change @ form @ change.T + noise * generator.normal(size=form.shape))
    assert sorted((b.size, round(b.eigenvalue.real, 3)) for b in found.blocks) == sorted(
        zip(sizes, eigenvalues)
    )
    assert found.error < 1e-3
    assert [b.size for b in blocks_of(found.form)] == [b.size for b in found.blocks]


def test_jordan_form_of_a_rotation_is_real():
    angle = np.pi / 3
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    found = jordan_form(rotation)
    assert found.blocks[0].is_rotation and np.isrealobj(found.basis)
    np.testing.assert_allclose(
        np.linalg.solve(found.basis, rotation @ found.basis), found.form, atol=1e-12
    )


def test_a_change_of_basis_and_its_inverse_cancel():
    network = hand_built.random_network(3, 1, seed=11)
    change = BasisChange(np.array([[2.0, 1, 0], [0, 1, 0], [1, 0, 1]]), np.array([1.0, -2, 3]))
    inverse = np.linalg.inv(change.matrix)
    back = BasisChange(inverse, -inverse @ change.shift).network(change.network(network))
    for mine, theirs in zip(dataclasses.astuple(back)[:2], dataclasses.astuple(network)[:2]):
        for (w, b), (v, c) in zip(mine, theirs):
            np.testing.assert_allclose(w, v, atol=1e-12)
            np.testing.assert_allclose(b, c, atol=1e-12)
