"""One member of a population: its training state, its traced choices, and a chunk of training
steps.

Everything here is for ONE member; `population.py` adds the member and device axes, in one place.
Data come packed with the batch as the last, contiguous axis.
Axes: T time, C = I + O + 1 channels (inputs, outputs, mask), N training sequences, B batch, n
    parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import lax

from mips_jax.models import RecurrentModel
from mips_jax.training import soap

AVERAGING = 0.99  # decay of the moving average of the weights, a step
MARGIN = 0.25  # errors beyond this (half of what rounding forgives) count as excess
# standard deviation of the perturbations of h that the contraction penalty samples
CONTRACTION_PROBE = 0.05
CONTRACTION_SHARE = 4  # every 4th sequence of a batch is perturbed


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Hyper:
    """What may differ between members without a new compilation.

    Attributes (scalars unless marked):
        learning_rate, halving_steps: the rate falls as learning_rate / (1 + step / halving_steps)
            ...
        start, horizon, floor: ... times a cosine from 1 at step `start` to `floor` at step start +
            horizon.
        clip_norm: largest global gradient norm.
        ramp: steps over which the part of the sequences that counts grows from the first two inputs
            to all, 0: all at once.
        margin: weight of the mean excess of the errors beyond `MARGIN`, over those that exceed it:
            it makes a nearly perfect member attend to the few inputs on which it is not.
        l1, weight_decay, hidden_noise, contraction, quantization, quantization_step: see
        `PressureSettings`.
        trainable: [n], 1 where a parameter belongs to the member's architecture, 0 where it is
            padding.
    """

    learning_rate: jax.Array
    halving_steps: jax.Array
    floor: jax.Array
    start: jax.Array
    horizon: jax.Array
    clip_norm: jax.Array
    ramp: jax.Array
    margin: jax.Array
    l1: jax.Array
    weight_decay: jax.Array
    hidden_noise: jax.Array
    contraction: jax.Array
    quantization: jax.Array
    quantization_step: jax.Array
    trainable: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class MemberState:
    """What training changes.

    Attributes:
        parameters: [n] all weights in one vector.
        average: [n] their exponential moving average, which is what is evaluated and kept: it is
            far less noisy, so that the learning rate need not fall before a member can be judged.
        optimizer: moments and preconditioners.
        step: steps taken.
        seed: the member's own seed; batches and noise follow from (seed, step).
        loss: mean data loss over the last chunk.
    """

    parameters: jax.Array
    average: jax.Array
    optimizer: soap.SoapState
    step: jax.Array
    seed: jax.Array
    loss: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Scaling:
    """Affine changes of units in which networks are trained: x = input_scale * x' + input_shift,
    likewise y.

    Attributes: input_scale, input_shift: [I]; output_scale, output_shift: [O].
    """

    input_scale: jax.Array
    input_shift: jax.Array
    output_scale: jax.Array
    output_shift: jax.Array


def initial_state(parameters: jax.Array, seed: jax.Array, layout: soap.Layout) -> MemberState:
    zero = jnp.zeros((), jnp.int32)
    return MemberState(
        parameters, parameters, soap.soap(layout).init(parameters), zero, seed, jnp.zeros(())
    )


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


def batch_last(steps: jax.Array) -> jax.Array:
    """[T, *, B] -> [*, T B], one long batch."""
    steps = jnp.moveaxis(steps, 0, -2)
    return steps.reshape(*steps.shape[:-2], -1)


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


def stretch(
    model: RecurrentModel, hidden: jax.Array, inputs: jax.Array, key: jax.Array
) -> jax.Array:
    """Squared factor by which each transition stretches a small random perturbation of h, [B].

    Args:
        hidden: [state_dim, B] states before the inputs [I, B].
    """
    probe = CONTRACTION_PROBE * jax.random.normal(key, hidden.shape)
    moved = model.step(hidden + probe, inputs) - model.step(hidden, inputs)
    return jnp.sum(moved**2, 0) / (jnp.sum(probe**2, 0) + 1e-12)


def quantization_distance(parameters: jax.Array, step: jax.Array) -> jax.Array:
    """Mean squared distance of the weights to the nearest multiples of `step`, in units of `step`."""
    ratio = parameters / step
    return jnp.mean((ratio - lax.stop_gradient(jnp.round(ratio))) ** 2)


@jax.checkpoint
def contraction_penalty(
    model: RecurrentModel, hiddens: jax.Array, inputs: jax.Array, key: jax.Array
) -> jax.Array:
    """Mean and 4-norm (a smooth maximum: it heeds the few largest) of the stretch over the visited
    states.

    Args:
        hiddens: [T, state_dim, B] states after each of the inputs [T, I, B]; the first state before
            is 0.
    """
    some = slice(None, None, CONTRACTION_SHARE)
    before = jnp.concatenate([jnp.zeros_like(hiddens[:1]), hiddens[:-1]])
    factors = stretch(model, batch_last(before[..., some]), batch_last(inputs[..., some]), key)
    return jnp.mean(factors) + jnp.mean(factors**4 + 1e-12) ** 0.25


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
        loss = jnp.sum(0.5 * jnp.log1p(errors**2) * mask) / (jnp.sum(mask) * errors.shape[0])
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
    loss += hyper.l1 * jnp.mean(jnp.abs(parameters))
    loss += hyper.quantization * quantization_distance(parameters, hyper.quantization_step)
    loss += hyper.contraction * lax.cond(
        hyper.contraction > 0,
        contraction_penalty,
        lambda *_: 0.0,
        model,
        hiddens,
        inputs,
        probe_key,
    )
    return loss, plain_loss


def counted_steps(hyper: Hyper, step: jax.Array, length: int) -> jax.Array:
    """How many time steps of a sequence matter at a training step: later ones are noise until the
    first ones are learned.
    """
    grown = jnp.where(hyper.ramp > 0, step / jnp.maximum(hyper.ramp, 1.0), 1.0)
    return 2.0 + jnp.maximum(length - 2.0, 0.0) * jnp.minimum(grown, 1.0)


def learning_rate_at(hyper: Hyper, step: jax.Array) -> jax.Array:
    """Short warm-up, slow decay, and a cosine from `start` on (for members whose horizon is
    finite).
    """
    elapsed = jnp.maximum(step - hyper.start, 0).astype(jnp.float32)
    fraction = jnp.clip(elapsed / jnp.maximum(hyper.horizon, 1.0), 0.0, 1.0)
    cosine = hyper.floor + (1.0 - hyper.floor) * 0.5 * (1.0 + jnp.cos(jnp.pi * fraction))
    warm_up = jnp.minimum(1.0, (step + 1.0) / 50.0)
    return hyper.learning_rate * warm_up * cosine / (1.0 + step / hyper.halving_steps)


def train_chunk(
    state: MemberState,
    hyper: Hyper,
    scaling: Scaling,
    data: jax.Array,
    steps: jax.Array,
    *,
    unravel: Callable[[jax.Array], RecurrentModel],
    layout: soap.Layout,
    batch_size: int,
    micro_batch: int,
    window: tuple[jax.Array | int, jax.Array | int] | None = None,
) -> MemberState:
    """Takes `steps` optimizer steps.

    Args:
        data: [T, C, N] packed and shuffled; a batch is a window of B neighbours at a random place.
        steps: how many steps (traced: any number shares one compiled program).
        batch_size: B.
        micro_batch: divides B; gradients are accumulated over parts of this size, which stay in a
            CPU's cache.
        window: (first, count) of the sequences that belong to this member, where `data` holds
            several tasks; None: all.
    """
    parts = batch_size // micro_batch
    first, available = (0, data.shape[-1]) if window is None else window
    member_key = jax.random.key(state.seed)

    optimizer = soap.soap(layout)

    def one_step(_, carry):
        parameters, average, moments, step, total = carry
        window_key, loss_key = jax.random.split(jax.random.fold_in(member_key, step))
        counted = counted_steps(hyper, step, data.shape[0])
        start = first + jax.random.randint(window_key, (), 0, available - batch_size + 1)

        def part_of_batch(index, sums):
            part = lax.dynamic_slice_in_dim(data, start + index * micro_batch, micro_batch, axis=2)
            key = jax.random.fold_in(loss_key, index)
            gradient, loss = jax.grad(objective, has_aux=True)(
                parameters, unravel, hyper, scaling, part, counted, key
            )
            return sums[0] + gradient / parts, sums[1] + loss / parts

        if parts == 1:
            gradient, loss = part_of_batch(0, (0.0, 0.0))
        else:
            gradient, loss = lax.fori_loop(
                0, parts, part_of_batch, (jnp.zeros_like(parameters), jnp.zeros(()))
            )
        gradient = gradient * hyper.trainable
        gradient *= jnp.minimum(1.0, hyper.clip_norm / (optax.tree.norm(gradient) + 1e-12))
        direction, moments = optimizer.update(gradient, moments)
        rate = learning_rate_at(hyper, step)
        change = -rate * (direction + hyper.weight_decay * parameters) * hyper.trainable
        parameters = optax.apply_updates(parameters, change)
        decay = jnp.minimum(AVERAGING, (1.0 + step) / (10.0 + step))
        average = optax.incremental_update(parameters, average, 1.0 - decay)
        return parameters, average, moments, step + 1, total + loss

    def block_of_steps(index, carry):
        parameters, average, moments, step, total = carry
        count = jnp.minimum(soap.REFRESH_STEPS, steps - index * soap.REFRESH_STEPS)
        return lax.fori_loop(
            0, count, one_step, (parameters, average, soap.refresh(moments), step, total)
        )

    blocks = -(-steps // soap.REFRESH_STEPS)
    carry = (state.parameters, state.average, state.optimizer, state.step, jnp.zeros(()))
    parameters, average, moments, step, total = lax.fori_loop(0, blocks, block_of_steps, carry)
    return MemberState(
        parameters, average, moments, step, state.seed, total / jnp.maximum(steps, 1)
    )


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How good a member is on a block of sequences (rows whose mask is all 0 are padding and never
    wrong).

    Attributes:
        wrong_sequences: sequences with at least one wrong output after rounding.
        wrong_steps: steps with at least one wrong output.
        largest_error: largest |output - target| over all steps (NaN if any is NaN).
    """

    wrong_sequences: jax.Array
    wrong_steps: jax.Array
    largest_error: jax.Array


def evaluate(
    parameters: jax.Array,
    scaling: Scaling,
    data: jax.Array,
    *,
    unravel: Callable[[jax.Array], RecurrentModel],
) -> Evaluation:
    """Counts of wrong sequences and steps on packed data [T, C, N]."""
    model = unravel(parameters)
    inputs, targets, mask = split_channels(data, scaling)

    def step(hidden, xs):
        inputs_t, targets_t, mask_t = xs
        hidden = model.step(hidden, inputs_t)
        return hidden, jnp.where(
            mask_t > 0, raw_outputs(model.readout(hidden), scaling) - targets_t, 0.0
        )

    start = jnp.zeros((model.state_dim, inputs.shape[-1]))
    errors = jnp.abs(lax.scan(step, start, (inputs, targets, mask))[1])  # [T, O, N]
    wrong = jnp.any(~(errors < 0.5), axis=1)  # [T, N]; NaN is wrong
    return Evaluation(jnp.sum(jnp.any(wrong, axis=0)), jnp.sum(wrong), jnp.max(errors))
