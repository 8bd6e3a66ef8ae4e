"""Trainable networks: shapes, a batch as trailing axis equals one example at a time, plain
pytrees.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mips_jax.models import CELLS, Architecture, build_model


def architecture(cell: str) -> Architecture:
    return Architecture(3, 8, 2, 5, 2) if cell == "mlp_rnn" else Architecture(3, 0, 1, 5, 2, cell)


@pytest.mark.parametrize("cell", CELLS)
def test_trailing_batch_axis_equals_vmap_over_examples(cell):
    model = build_model(architecture(cell), 2, 1, jax.random.key(0))
    hidden = jax.random.normal(jax.random.key(1), (model.state_dim, 7))
    inputs = jax.random.normal(jax.random.key(2), (2, 7))
    batched = model.step(hidden, inputs)
    single = jnp.stack([model.step(hidden[:, i], inputs[:, i]) for i in range(7)], axis=-1)
    np.testing.assert_allclose(batched, single, atol=1e-5)
    np.testing.assert_allclose(
        model.readout(batched), jax.vmap(model.readout, in_axes=-1, out_axes=-1)(batched), atol=1e-5
    )
    assert model.readout(batched).shape == (1, 7)


@pytest.mark.parametrize("cell", CELLS)
def test_model_is_a_plain_pytree_of_arrays(cell):
    model = build_model(architecture(cell), 2, 1, jax.random.key(0))
    leaves, structure = jax.tree.flatten(model)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    again = jax.tree.unflatten(structure, leaves)
    start = jnp.zeros(model.state_dim)
    np.testing.assert_array_equal(again.step(start, jnp.ones(2)), model.step(start, jnp.ones(2)))


def test_depth_one_is_affine():
    model = build_model(Architecture(2), 1, 1, jax.random.key(0))
    step = lambda h: model.step(h, jnp.ones(1))
    a, b = jnp.array([1.0, -2.0]), jnp.array([0.5, 3.0])
    np.testing.assert_allclose(step(a) + step(b) - step(a + b), step(jnp.zeros(2)), atol=1e-6)


def test_size_orders_hidden_then_depth_then_width():
    shapes = [Architecture(1, 128, 3, 64, 3), Architecture(2)]
    shapes += [Architecture(2, 32, 2, 16, 2), Architecture(2, 64, 2, 32, 2)]
    assert sorted(reversed(shapes), key=lambda a: a.size) == shapes
    assert Architecture(4, 64, 2, 32, 2).covers(Architecture(2, 64, 2, 32, 2))
    assert not Architecture(4, 64, 2, 32, 2).covers(Architecture(2, 64, 3, 32, 2))
