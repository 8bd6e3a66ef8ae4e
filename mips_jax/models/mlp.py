"""ReLU MLPs as NNX modules that hold only Params (plain pytrees), written for ONE example.

The feature axis leads and any axes after it are carried along, so that a batch, as the last and contiguous axis,
needs no transposes (`weight @ x` is one matrix product); `jax.vmap` works as well.
Axes: `in` and `out` are a layer's input and output units.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx


WIDE = 64  # layers at least this wide on both sides repay the conversion of their operands to bfloat16


@jax.custom_vjp
def relu(x: jax.Array) -> jax.Array:
    """max(x, 0); the derivative is read off the result, so that nothing else is kept for it."""
    return jnp.maximum(x, 0.0)


relu.defvjp(lambda x: (jnp.maximum(x, 0.0),) * 2, lambda y, gradient: (jnp.where(y > 0, gradient, 0.0),))


@jax.custom_vjp
def product(weight: jax.Array, x: jax.Array) -> jax.Array:
    """weight [out, in] @ x [in, B] in float32, whose gradients are products of bfloat16 operands, summed in float32.

    The rounding of the operands (relative error at most 2^-9 each) is far below the noise of a batch.
    """
    return weight @ x


def _product_forward(weight, x):
    return weight @ x, (weight.T.astype(jnp.bfloat16), x)


def _product_backward(kept, gradient):
    transposed, x = kept
    gradient = gradient.astype(jnp.bfloat16)
    multiply = functools.partial(jax.lax.dot_general, preferred_element_type=jnp.float32)
    over_batch, over_units = (((1,), (1,)), ((), ())), (((1,), (0,)), ((), ()))
    return multiply(gradient, x.astype(jnp.bfloat16), over_batch), multiply(transposed, gradient, over_units)


product.defvjp(_product_forward, _product_backward)


class Affine(nnx.Module):
    """x [in, ...] -> weight @ x + bias [out, ...]; weight [out, in], bias [out].

    Attributes:
        bfloat16_gradients: whether the gradients of a wide layer are computed by bfloat16 products (see `product`).
    """

    def __init__(self, in_dim: int, out_dim: int, *, key: jax.Array):
        scale = (1.0 / max(in_dim, 1)) ** 0.5
        self.weight = nnx.Param(scale * jax.random.normal(key, (out_dim, in_dim)))
        self.bias = nnx.Param(jnp.zeros((out_dim,)))
        self.bfloat16_gradients = False

    def __call__(self, x: jax.Array) -> jax.Array:
        weight, bias = self.weight[...], self.bias[...]
        if self.bfloat16_gradients and min(weight.shape) >= WIDE and x.ndim == 2:
            return product(weight, x) + bias[:, None]
        return jnp.tensordot(weight, x, 1) + bias.reshape(bias.shape + (1,) * (x.ndim - 1))


class MLP(nnx.Module):
    """`depth` affine layers with ReLU between them and none after the last; depth 1 is an affine map."""

    def __init__(self, in_dim: int, out_dim: int, width: int, depth: int, *, key: jax.Array):
        sizes = [in_dim] + [width] * (depth - 1) + [out_dim]
        keys = jax.random.split(key, depth)
        self.layers = nnx.List([Affine(a, b, key=k) for a, b, k in zip(sizes[:-1], sizes[1:], keys)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers[:-1]:
            x = relu(layer(x))
        return self.layers[-1](x)
