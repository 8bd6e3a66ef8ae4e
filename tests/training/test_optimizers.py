"""The contract of OPTIMIZERS, a toy registered from here, and SOAP's own parts."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.flatten_util import ravel_pytree

from mips_jax.models import Affine, Architecture, build_model
from mips_jax.training import train
from mips_jax.training.optimizers import OPTIMIZERS, REFRESH_STEPS, soap
from mips_jax.training.optimizers.layout import layout_of, parts_of, vector_of
from tests.training.tiny import SETTINGS, running_sum

KEY = jax.random.key(0)


class Mixed(nnx.Module):
    """An affine layer between leaves of other kinds."""

    def __init__(self):
        self.embedding = nnx.Param(jnp.ones((3, 2)))
        self.layer = Affine(2, 4, key=KEY)
        self.scale = nnx.Param(jnp.ones(4))


def toy(layout):
    """The sign of the gradient."""
    step = lambda gradient, state, parameters=None, **_: (jnp.sign(gradient), state)
    return optax.GradientTransformationExtraArgs(lambda parameters: (), step)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, "toy", toy)


def descended(optimizer, vector, loss, steps=400, rate=0.05):
    """The vector after some steps down the loss."""

    @jax.jit
    def descend(vector):
        def one(index, carry):
            vector, state = carry
            due = index % REFRESH_STEPS == 0
            direction, state = optimizer.update(jax.grad(loss)(vector), state, vector, refresh=due)
            return vector - rate * direction / (1 + index / 100), state

        return jax.lax.fori_loop(0, steps, one, (vector, optimizer.init(vector)))[0]

    return descend(vector)


@pytest.mark.parametrize("name", [*OPTIMIZERS, "toy"])
def test_every_optimizer_descends_on_leaves_of_any_kind(name, registered):
    model = Mixed()
    vector, _ = ravel_pytree(model)
    target = jnp.linspace(-1.0, 1.0, vector.size)
    loss = lambda v: jnp.mean((v - target) ** 2)
    found = descended(OPTIMIZERS[name](layout_of(model)), vector, loss)
    assert float(loss(found)) < 1e-2 * float(loss(vector))


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_every_optimizer_is_a_plain_link_of_an_optax_chain(name):
    model = Mixed()
    vector, _ = ravel_pytree(model)
    chain = optax.chain(
        optax.clip_by_global_norm(1.0), OPTIMIZERS[name](layout_of(model)), optax.scale(-0.1)
    )
    change, _ = chain.update(jnp.ones_like(vector), chain.init(vector), vector)
    assert change.shape == vector.shape and np.isfinite(change).all()


def test_an_optimizer_registered_here_trains(registered):
    settings = dataclasses.replace(SETTINGS, max_steps=50, optimizer="toy")
    assert train(running_sum(256, 0), running_sum(256, 1), settings).best is not None


def test_a_layout_has_no_gaps_and_its_parts_make_up_the_vector():
    for model in (Mixed(), build_model(Architecture(2, 5, 2, 4, 2), 1, 1, KEY)):
        vector, layout = ravel_pytree(model)[0], layout_of(model)
        ends = [slot.offset + slot.size for slot in layout]
        assert [0, *ends[:-1]] == [slot.offset for slot in layout] and ends[-1] == vector.size
        np.testing.assert_array_equal(vector_of(parts_of(vector, layout)), vector)


def test_soap_solves_an_ill_conditioned_problem():
    model = build_model(Architecture(1), 3, 1, KEY)
    start, unravel = ravel_pytree(model)
    scales = jnp.array([[1.0], [1.0], [1.0], [0.02]])
    features = jax.random.normal(jax.random.key(1), (4, 256)) * scales
    target = jnp.ones(4) @ features
    loss = lambda v: jnp.mean((unravel(v).transition(features)[0] - target) ** 2)
    found = descended(soap.scale_by_soap(layout_of(model)), start, loss, steps=600)
    assert float(loss(found)) < 1e-3 < float(loss(start))


def test_without_a_flag_soap_refreshes_by_its_count():
    model = build_model(Architecture(2, 5, 2, 4, 2), 1, 1, KEY)
    vector, _ = ravel_pytree(model)
    optimizer = soap.scale_by_soap(layout_of(model))
    left = right = optimizer.init(vector)
    for step in range(2 * REFRESH_STEPS + 1):
        gradient = jnp.cos(vector * (step + 1))
        one, left = optimizer.update(gradient, left, vector)
        two, right = optimizer.update(gradient, right, vector, refresh=step % REFRESH_STEPS == 0)
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_gram_schmidt_gives_an_orthonormal_basis_also_of_a_singular_matrix():
    rng = np.random.default_rng(0)
    matrix = np.zeros((12, 12), np.float32)
    matrix[:8, :8] = (lambda a: a @ a.T)(rng.standard_normal((8, 5)))
    basis = soap.gram_schmidt(jnp.asarray(matrix) + 1e-6 * jnp.eye(12))
    np.testing.assert_allclose(basis.T @ basis, np.eye(12), atol=1e-4)
