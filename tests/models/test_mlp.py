"""Layers: derivatives of ReLU, and gradients of wide layers by bfloat16 products against
float64.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mips_jax.models import Architecture, build_model
from mips_jax.models.mlp import WIDE, from_half, half_layer, relu, to_half


def test_relu_and_its_derivative():
    x = jnp.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(relu(x), [0.0, 0.0, 3.0])
    np.testing.assert_array_equal(jax.grad(lambda v: relu(v).sum())(x), [0.0, 0.0, 1.0])


def test_halves_are_the_nearest_bfloat16():
    rng = np.random.default_rng(0)
    x = jnp.asarray(
        rng.standard_normal(10_000) * 10.0 ** rng.integers(-30, 30, 10_000), jnp.float32
    )
    np.testing.assert_array_equal(from_half(to_half(x)), x.astype(jnp.bfloat16))
    special = jnp.array([0.0, -0.0, jnp.inf, -jnp.inf])
    np.testing.assert_array_equal(from_half(to_half(special)).astype(jnp.float32), special)


@pytest.mark.parametrize("rectified", [True, False])
def test_half_layer_is_float32_and_its_gradients_are_right_to_bfloat16(rectified):
    rng = np.random.default_rng(0)
    weight, bias, x = (
        rng.standard_normal((80, 70)),
        rng.standard_normal(80),
        rng.standard_normal((70, 300)),
    )
    seen = rng.standard_normal((80, 300))  # derivative of the loss by the layer's result
    small = [jnp.asarray(a, jnp.float32) for a in (weight, bias, x)]
    value = weight @ x + bias[:, None]
    behind = seen * (value > 0) if rectified else seen
    y, y_half = half_layer(rectified, *small, to_half(small[2]))
    np.testing.assert_allclose(y, np.maximum(value, 0) if rectified else value, atol=1e-4)
    np.testing.assert_array_equal(y_half, to_half(y))
    loss = lambda w, b, v: jnp.sum(half_layer(rectified, w, b, v, to_half(v))[0] * seen)
    found = jax.grad(loss, argnums=(0, 1, 2))(*small)
    for gradient, exact in zip(found, (behind @ x.T, behind.sum(1), weight.T @ behind)):
        assert gradient.dtype == jnp.float32
        error = np.abs(gradient - exact).max() / np.abs(exact).max()
        assert 1e-6 < error < 1e-2  # bfloat16 operands: neither float32 nor wrong


@pytest.mark.parametrize("depth", [2, 3])
def test_only_wide_layers_use_bfloat16_gradients(depth):
    def gradient(width: int, bfloat16: bool) -> jax.Array:
        model = build_model(Architecture(2, width, depth, 4, 2), 1, 1, jax.random.key(0), bfloat16)
        hidden, inputs = jax.random.normal(jax.random.key(1), (2, 9)), jnp.ones((1, 9))
        grad = jax.grad(lambda m: jnp.sum(m.readout(m.step(hidden, inputs)) ** 2))(model)
        return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(grad)])

    narrow = WIDE - 1
    np.testing.assert_array_equal(gradient(narrow, True), gradient(narrow, False))
    wide, exact = gradient(WIDE, True), gradient(WIDE, False)
    assert not np.array_equal(wide, exact)
    np.testing.assert_allclose(wide, exact, atol=2e-2 * float(jnp.abs(exact).max()))


def test_the_output_uses_them_only_between_two_wide_layers():
    flags = lambda depth: {
        part: {layer.bfloat16_gradients for layer in getattr(model, part).layers}
        for model in [
            build_model(Architecture(2, WIDE, 2, WIDE, depth), 1, 1, jax.random.key(0), True)
        ]
        for part in ("transition", "output")
    }
    assert flags(2) == {"transition": {True}, "output": {False}}
    assert flags(3) == {"transition": {True}, "output": {True}}
