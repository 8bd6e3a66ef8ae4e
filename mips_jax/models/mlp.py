"""ReLU MLPs as NNX modules that hold only Params (plain pytrees), written for ONE example.

The feature axis leads and any axes after it are carried along, so that a batch, as the last and
contiguous axis, needs no transposes (`weight @ x` is one matrix product); `jax.vmap` works as well.
Axes: `in` and `out` are a layer's input and output units.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

# layers with this many units on one side repay the rounding of their operands to bfloat16
WIDE = 64


@jax.custom_vjp
def relu(x: jax.Array) -> jax.Array:
    """max(x, 0); the derivative is read off the result, so that nothing else is kept for it."""
    return jnp.maximum(x, 0.0)


relu.defvjp(
    lambda x: (jnp.maximum(x, 0.0),) * 2, lambda y, gradient: (jnp.where(y > 0, gradient, 0.0),)
)


def to_half(x: jax.Array) -> jax.Array:
    """float32 -> the bits of the nearest bfloat16, as uint16.

    Bits, since XLA on CPU turns a loop's stack of bfloat16 values into float32 and back at each
    step; by integer arithmetic, since its own conversion takes several times as long.
    """
    bits = lax.bitcast_convert_type(x, jnp.uint32)
    return ((bits + jnp.uint32(0x8000)) >> 16).astype(jnp.uint16)


def from_half(half: jax.Array) -> jax.Array:
    return lax.bitcast_convert_type(half, jnp.bfloat16)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def half_layer(
    rectified: bool, weight: jax.Array, bias: jax.Array, x: jax.Array, x_half: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """One layer in float32, whose gradients are products of bfloat16 operands, summed in float32.

    The rounding of the operands (relative error at most 2^-8 each) is far below the noise of a
    batch. For the backward pass only the rounded activations are kept, half of the memory.

    Args:
        rectified: whether ReLU follows.
        weight, bias: [out, in], [out].
        x, x_half: [in, B] and its rounding.

    Returns:
        y [out, B] and its rounding, which is for the next layer's `x_half`; no gradient flows
        through roundings.
    """
    y = weight @ x + bias[:, None]
    y = jnp.maximum(y, 0.0) if rectified else y
    return y, to_half(y)


def _half_layer_forward(rectified, weight, bias, x, x_half):
    y, y_half = half_layer(rectified, weight, bias, x, x_half)
    return (y, y_half), (weight.T.astype(jnp.bfloat16), x_half, y_half if rectified else None)


def _half_layer_backward(rectified, kept, gradients):
    transposed, x_half, y_half = kept
    gradient, _ = gradients
    if rectified:
        positive = lax.bitcast_convert_type(y_half, jnp.int16) > 0
        gradient = jnp.where(positive, gradient, 0.0)
    gradient = from_half(to_half(gradient))
    multiply = functools.partial(lax.dot_general, preferred_element_type=jnp.float32)
    over_batch, over_units = (((1,), (1,)), ((), ())), (((1,), (0,)), ((), ()))
    by_weight = multiply(gradient, from_half(x_half), over_batch)
    by_bias = jnp.sum(gradient.astype(jnp.float32), 1)
    return by_weight, by_bias, multiply(transposed, gradient, over_units), None


half_layer.defvjp(_half_layer_forward, _half_layer_backward)


def worth_rounding(weight: jax.Array, x: jax.Array) -> bool:
    """Whether a layer's gradients may be products of bfloat16 operands: a wide layer, on a batch of
    float32. XLA on CPU refuses products of bfloat16 with a vector into float32.
    """
    single = weight.dtype == x.dtype == jnp.float32
    matrices = x.ndim == 2 and x.shape[1] > 1 and min(weight.shape) > 1
    return single and matrices and max(weight.shape) >= WIDE


class Affine(nnx.Module):
    """x [in, ...] -> weight @ x + bias [out, ...]; weight [out, in], bias [out].

    Attributes:
        bfloat16_gradients: whether the gradients of a wide layer are computed by bfloat16 products
            (see `half_layer`).
    """

    def __init__(self, in_dim: int, out_dim: int, *, key: jax.Array):
        scale = (1.0 / max(in_dim, 1)) ** 0.5
        self.weight = nnx.Param(scale * jax.random.normal(key, (out_dim, in_dim)))
        self.bias = nnx.Param(jnp.zeros((out_dim,)))
        self.bfloat16_gradients = False

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.with_half(x, None, rectified=False)[0]

    def with_half(
        self, x: jax.Array, x_half: jax.Array | None, rectified: bool
    ) -> tuple[jax.Array, jax.Array | None]:
        """The layer, with ReLU behind it if `rectified`; also takes and hands on roundings for
        bfloat16 gradients.

        Args:
            x_half: `to_half(x)`, or None: not at hand.
        """
        weight, bias = self.weight[...], self.bias[...]
        if self.bfloat16_gradients and worth_rounding(weight, x):
            return half_layer(rectified, weight, bias, x, to_half(x) if x_half is None else x_half)
        y = jnp.tensordot(weight, x, 1) + bias.reshape(bias.shape + (1,) * (x.ndim - 1))
        return relu(y) if rectified else y, None


class MLP(nnx.Module):
    """`depth` affine layers with ReLU between them and none after the last; depth 1 is an affine
    map.
    """

    def __init__(self, in_dim: int, out_dim: int, width: int, depth: int, *, key: jax.Array):
        sizes = [in_dim] + [width] * (depth - 1) + [out_dim]
        keys = jax.random.split(key, depth)
        self.layers = nnx.List(
            [Affine(a, b, key=k) for a, b, k in zip(sizes[:-1], sizes[1:], keys)]
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        half = None
        for layer in self.layers[:-1]:
            x, half = layer.with_half(x, half, rectified=True)
        return self.layers[-1].with_half(x, half, rectified=False)[0]
