"""One member: masks, units, penalties, padding."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from mips_jax.models import Architecture, build_model
from mips_jax.networks import MLPRNN
from mips_jax.sequences import Sequences
from mips_jax.training.initialization import initial_parameters
from mips_jax.training.member import Hyper, Scaling, evaluate
from mips_jax.training.member.objective import objective
from mips_jax.training.member.penalties import PENALTIES, stretch
from mips_jax.training.member.schedule import counted_steps
from mips_jax.training.packing import pack
from mips_jax.training.result import network_of
from mips_jax.training.weights import raw_weights

SMALL = Architecture(2, 5, 2, 4, 2)


def parts(architecture=SMALL, inputs=1, outputs=1):
    template = build_model(architecture, inputs, outputs, jax.random.key(0))
    flat, unravel = ravel_pytree(template)
    return template, flat, unravel


def units(inputs=1, outputs=1) -> Scaling:
    return Scaling(
        2.0 * np.ones(inputs),
        0.5 * np.ones(inputs),
        3.0 * np.ones(outputs),
        -1.0 * np.ones(outputs),
    )


def hyper(n: int, **changes) -> Hyper:
    values = {field.name: 0.0 for field in dataclasses.fields(Hyper)}
    values |= {"quantization_step": 0.125, "clip_norm": 1.0, "trainable": np.ones(n)}
    penalties = {name: changes.pop(name, 0.0) for name in PENALTIES}
    values |= changes | {"penalties": penalties}
    return Hyper(**jax.tree.map(jnp.asarray, values))


def batch(count=6, length=4, seed=0):
    rng = np.random.default_rng(seed)
    return Sequences(rng.integers(0, 9, (count, length, 1)), rng.integers(0, 9, (count, length, 1)))


def test_raw_weights_answer_as_the_member_in_training_units():
    template, flat, unravel = parts()
    weights = raw_weights(np.asarray(flat), template, SMALL, units())
    as_pairs = lambda layers: [(layer["weight"], layer["bias"]) for layer in layers]
    network = MLPRNN.from_layers(as_pairs(weights["transition"]), as_pairs(weights["output"]))
    data, model = batch(), unravel(flat)
    hidden_plain, hidden = np.zeros((6, 2)), jnp.zeros((2, 6))
    for t in range(4):
        hidden_plain = network.step(hidden_plain, data.inputs[:, t])
        hidden = model.step(hidden, (data.inputs[:, t].T - 0.5) / 2.0)
        np.testing.assert_allclose(hidden_plain.T, hidden, atol=1e-4)
        np.testing.assert_allclose(
            network.readout(hidden_plain).T, 3.0 * model.readout(hidden) - 1.0, atol=1e-4
        )


def test_padding_changes_nothing():
    samples, jitter = np.random.default_rng(0).standard_normal((50, 1)), np.full(1, 0.1)
    evaluations = []
    for padded in (SMALL, Architecture(4, 8, 2, 6, 2)):
        template, _, unravel = parts(padded)
        flat, trainable = initial_parameters(SMALL, template, samples, jitter, 1, 3, 0.5, None)
        assert trainable.sum() == parts(SMALL)[1].size and not flat[trainable == 0].any()
        block = jnp.asarray(pack(batch()))
        arguments = (
            unravel,
            hyper(flat.size, trainable=trainable),
            units(),
            block,
            4.0,
            jax.random.key(0),
        )
        evaluations.append(float(objective(jnp.asarray(flat), *arguments)[1]))
        gradient = jax.grad(objective, has_aux=True)(jnp.asarray(flat), *arguments)[0]
        assert np.isfinite(gradient).all()
    assert evaluations[0] == pytest.approx(evaluations[1], rel=1e-5)


def test_masked_steps_do_not_count():
    _, flat, unravel = parts()
    data = batch()
    mask = np.ones((6, 4), bool)
    mask[2, 1:] = False
    masked = Sequences(data.inputs, data.outputs.copy(), mask)
    masked.outputs[2, 1:] = 10**6
    arguments = lambda s: (
        unravel,
        hyper(flat.size),
        units(),
        jnp.asarray(pack(s)),
        4.0,
        jax.random.key(0),
    )
    assert float(objective(flat, *arguments(masked))[1]) < 10
    wrong = evaluate(flat, units(), jnp.asarray(pack(masked)), unravel=unravel)
    assert int(wrong.wrong_steps) <= int(mask.sum())


def test_sequences_that_have_not_grown_yet_count_in_part():
    """Wrong targets from the third step on matter only as far as the counted steps reach."""
    _, flat, unravel = parts()
    data = batch()
    wrong = Sequences(data.inputs, data.outputs.copy())
    wrong.outputs[:, 2:] = 10**6
    loss = lambda s, counted: float(
        objective(
            flat,
            unravel,
            hyper(flat.size),
            units(),
            jnp.asarray(pack(s)),
            counted,
            jax.random.key(0),
        )[1]
    )
    assert loss(data, 2.0) == loss(wrong, 2.0) < loss(wrong, 2.1) < loss(wrong, 3.0)
    counted = [float(counted_steps(hyper(1, ramp=100.0), step, 10)) for step in (0, 50, 100, 9999)]
    assert counted == [2.0, 6.0, 10.0, 10.0]
    assert (
        float(counted_steps(hyper(1), 0, 10)) == 10.0
        and float(counted_steps(hyper(1), 0, 1)) >= 1.0
    )


def test_nan_counts_as_wrong():
    _, flat, unravel = parts()
    result = evaluate(flat * np.nan, units(), jnp.asarray(pack(batch())), unravel=unravel)
    assert int(result.wrong_sequences) == 6


@pytest.mark.parametrize("name", [*PENALTIES, "margin"])
def test_each_pressure_raises_the_loss_and_zero_leaves_it(name):
    _, flat, unravel = parts()
    arguments = lambda h: (
        unravel,
        h,
        units(),
        jnp.asarray(pack(batch(16))),
        4.0,
        jax.random.key(0),
    )
    plain, data_loss = objective(flat, *arguments(hyper(flat.size)))
    assert float(plain) == pytest.approx(float(data_loss))
    assert float(objective(flat, *arguments(hyper(flat.size, **{name: 1.0})))[0]) > float(plain)


def test_stretch_of_a_linear_map_is_its_squared_gain():
    model = build_model(Architecture(2), 1, 1, jax.random.key(0))
    weight = model.transition.layers[0].weight
    weight[...] = jnp.array([[0.5, 0.0, 1.0], [0.0, 0.5, 1.0]])
    value = stretch(model, jnp.zeros((2, 64)), jnp.ones((1, 64)), jax.random.key(1))
    np.testing.assert_allclose(value, np.full(64, 0.25), rtol=1e-3)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_other_cells_give_the_same_outputs_as_plain_networks(cell):
    architecture = Architecture(3, 0, 1, 5, 2, cell)
    template, flat, unravel = parts(architecture, inputs=2)
    weights = raw_weights(np.asarray(flat), template, architecture, units(2))
    network = network_of(architecture, weights, trained_length=4)
    model, inputs = unravel(flat), np.random.default_rng(0).integers(0, 9, (6, 4, 2))
    hidden_plain = np.broadcast_to(network.initial, (6, network.hidden_dim))
    hidden = jnp.zeros((model.state_dim, 6))
    for t in range(4):
        hidden_plain = network.step(hidden_plain, inputs[:, t])
        hidden = model.step(hidden, (inputs[:, t].T - 0.5) / 2.0)
        np.testing.assert_allclose(
            network.readout(hidden_plain).T, 3.0 * model.readout(hidden) - 1.0, atol=1e-4
        )
