"""The objective of ONE member: its loss on a batch, the batch as the last, contiguous axis.

Axes: T time, C = I + O + 1 channels (inputs, outputs, mask), B batch, n parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from mips_jax.models import RecurrentModel
from mips_jax.training.member.penalties import Visit, batch_last, penalised
from mips_jax.training.member.state import Hyper, Scaling

MARGIN = 0.25  # errors beyond this (half of what rounding forgives) count as excess


def unroll(model: RecurrentModel, inputs: jax.Array, noise: jax.Array | None = None) -> jax.Array:
    """inputs [T, I, B] in training units -> hidden states [T, state_dim, B], each after its input.

    Args:
        noise: [T, state_dim, B] added to the hidden states, or None.
    """

    def step(hidden, xs):
        hidden = model.step(hidden, xs[0])
        hidden = hidden if len(xs) == 1 else hidden + xs[1]
        return hidden, hidden

    start = jnp.zeros((model.state_dim, inputs.shape[-1]))
    return lax.scan(step, start, (inputs,) if noise is None else (inputs, noise))[1]


def raw_outputs(readout: jax.Array, scaling: Scaling) -> jax.Array:
    """Outputs [O, B] in training units -> raw units."""
    return scaling.output_scale[:, None] * readout + scaling.output_shift[:, None]


def split_channels(batch: jax.Array, scaling: Scaling) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Packed batch [T, C, B] -> inputs [T, I, B] in training units, raw outputs [T, O, B], mask [T,
    B].
    """
    input_dim = scaling.input_scale.shape[0]
    batch = batch.astype(jnp.float32)
    inputs = (batch[:, :input_dim] - scaling.input_shift[:, None]) / scaling.input_scale[:, None]
    return inputs, batch[:, input_dim:-1], batch[:, -1]


def data_loss(
    readout: jax.Array, targets: jax.Array, mask: jax.Array, scaling: Scaling, margin: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """(loss with the margin's part, mean of 0.5 log(1 + error^2)) of outputs [O, B] in training
    units.

    Both are computed inside of branches, so that the derivative by `readout` is a result of its
    own: XLA on CPU otherwise computes it anew for each of the readout's hidden units, half of the
    time of a small network. `checkpoint` saves the branches from writing residuals, of which the
    backward pass needs none.
    """

    @jax.checkpoint
    def plain(readout: jax.Array) -> tuple[jax.Array, jax.Array]:
        errors = raw_outputs(readout, scaling) - targets
        used = jnp.maximum(jnp.sum(mask), 1.0)  # a batch may hold no label among what counts
        loss = jnp.sum(0.5 * jnp.log1p(errors**2) * mask) / (used * errors.shape[0])
        return loss, loss

    @jax.checkpoint
    def with_margin(readout: jax.Array) -> tuple[jax.Array, jax.Array]:
        errors = raw_outputs(readout, scaling) - targets
        excess = jax.nn.relu(jnp.abs(errors) - MARGIN) * mask
        loss, _ = plain(readout)
        return loss + margin * jnp.sum(excess) / (1.0 + jnp.sum(excess > 0)), loss

    return lax.cond(margin > 0, with_margin, plain, readout)


def objective(
    parameters: jax.Array,
    unravel: Callable[[jax.Array], RecurrentModel],
    hyper: Hyper,
    scaling: Scaling,
    batch: jax.Array,
    counted: jax.Array,
    key: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Penalised loss and plain data loss of one batch [T, C, B], of which the first `counted` steps
    matter.
    """
    model = unravel(parameters)
    inputs, targets, mask = split_channels(batch, scaling)
    mask *= jnp.clip(counted - jnp.arange(mask.shape[0]), 0.0, 1.0)[:, None]
    noise_key, probe_key = jax.random.split(key)
    shape = (inputs.shape[0], model.state_dim, inputs.shape[-1])
    noise = lax.cond(
        hyper.hidden_noise > 0,
        lambda: hyper.hidden_noise * jax.random.normal(noise_key, shape),
        lambda: jnp.zeros(shape),
    )
    hiddens = unroll(model, inputs, noise)
    outputs = model.readout(batch_last(hiddens))
    loss, plain_loss = data_loss(
        outputs, batch_last(targets), batch_last(mask), scaling, hyper.margin
    )
    visit = Visit(parameters, model, hiddens, inputs, probe_key, hyper.quantization_step)
    return penalised(loss, hyper.penalties, visit), plain_loss
