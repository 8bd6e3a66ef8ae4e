"""The contract of CELLS, a toy registered from here: shapes, a batch as trailing axis equals one
example at a time, plain pytrees.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from mips_jax.models import CELLS, MLP, Affine, Architecture, RecurrentModel, build_model
from mips_jax.training.optimizers import OPTIMIZERS
from mips_jax.training.population import Shape, compiled_programs, population_mesh


class Leaky(RecurrentModel):
    """h' = decay * h + tanh(W x + b), with one decay for each unit: a leaf that is no layer."""

    def __init__(self, architecture, input_dim, output_dim, *, key):
        self.decay = nnx.Param(0.5 * jnp.ones(architecture.hidden_dim))
        self.read = Affine(input_dim, architecture.hidden_dim, key=key)
        self.output = MLP(architecture.hidden_dim, output_dim, 4, 2, key=key)

    @property
    def state_dim(self):
        return self.decay.shape[0]

    @property
    def recurrent_layers(self):
        return {"cell": [self.read]}

    def step(self, hidden, inputs):
        decay = self.decay[...].reshape((-1,) + (1,) * (hidden.ndim - 1))
        return decay * hidden + jnp.tanh(self.read(inputs))

    def readout(self, hidden):
        return self.output(hidden)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(CELLS, "leaky", Leaky)


def architecture(cell: str) -> Architecture:
    return Architecture(3, 8, 2, 5, 2) if cell == "mlp_rnn" else Architecture(3, 0, 1, 5, 2, cell)


@pytest.mark.parametrize("cell", [*CELLS, "leaky"])
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


@pytest.mark.parametrize("cell", [*CELLS, "leaky"])
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


def test_a_registered_cell_is_trained_by_every_optimizer():
    """By name, without its export to a plain network."""
    for optimizer in OPTIMIZERS:
        shape = Shape(Architecture(3, cell="leaky"), 1, 1, 16, "map", False, optimizer)
        programs = compiled_programs(shape, population_mesh())
        assert programs.template.state_dim == 3
        assert programs.blank_states(2).parameters.shape == (2, 3 + 6 + 16 + 5)
