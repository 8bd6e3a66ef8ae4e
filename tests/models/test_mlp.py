"""Layers: derivatives of ReLU, and gradients of wide layers by bfloat16 products against float64."""

import jax
import jax.numpy as jnp
import numpy as np

from mips_jax.models import Architecture, build_model
from mips_jax.models.mlp import WIDE, product, relu


def test_relu_and_its_derivative():
    x = jnp.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(relu(x), [0.0, 0.0, 3.0])
    np.testing.assert_array_equal(jax.grad(lambda v: relu(v).sum())(x), [0.0, 0.0, 1.0])


def test_product_is_float32_and_its_gradients_are_right_to_bfloat16():
    rng = np.random.default_rng(0)
    weight, x, seen = rng.standard_normal((80, 70)), rng.standard_normal((70, 300)), rng.standard_normal((80, 300))
    small = [jnp.asarray(a, jnp.float32) for a in (weight, x)]
    np.testing.assert_allclose(product(*small), weight @ x, atol=1e-4)
    found = jax.grad(lambda w, v: jnp.sum(product(w, v) * seen), argnums=(0, 1))(*small)
    for gradient, exact in zip(found, (seen @ x.T, weight.T @ seen)):
        assert gradient.dtype == jnp.float32
        error = np.abs(gradient - exact).max() / np.abs(exact).max()
        assert 1e-6 < error < 1e-2  # bfloat16 operands: neither float32 nor wrong


def test_only_wide_layers_use_bfloat16_gradients():
    def gradient(width: int, bfloat16: bool) -> jax.Array:
        model = build_model(Architecture(2, width, 3, 4, 2), 1, 1, jax.random.key(0), bfloat16)
        hidden, inputs = jax.random.normal(jax.random.key(1), (2, 9)), jnp.ones((1, 9))
        grad = jax.grad(lambda m: jnp.sum(m.readout(m.step(hidden, inputs)) ** 2))(model)
        return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(grad)])

    narrow = WIDE - 1
    np.testing.assert_array_equal(gradient(narrow, True), gradient(narrow, False))
    wide, exact = gradient(WIDE, True), gradient(WIDE, False)
    assert not np.array_equal(wide, exact)
    np.testing.assert_allclose(wide, exact, atol=2e-2 * float(jnp.abs(exact).max()))
