"""Optimizer steps of ONE member; `population.py` adds the member and device axes, in one place.

Data come packed with the batch as the last, contiguous axis.
Axes: T time, C channels, N training sequences, B batch, n parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import lax

from mips_jax.models import RecurrentModel
from mips_jax.training.member.objective import objective
from mips_jax.training.member.schedule import counted_steps, learning_rate_at
from mips_jax.training.member.state import Hyper, Leaf, MemberState, Scaling
from mips_jax.training.optimizers import REFRESH_STEPS

AVERAGING = 0.99  # decay of the moving average of the weights, a step
PRNG = "threefry2x32"  # named, so that no setting of jax's default changes a result

Gradient = Callable[..., tuple[jax.Array, jax.Array]]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Stretch:
    """Part of a chunk; a chunk taken in several stretches ends in the same bits as in one.

    Attributes:
        first: steps of the chunk that have been taken before.
        steps: how many are taken now (traced: any number shares one compiled program).
        chunk: steps of the whole chunk.
    """

    first: Leaf
    steps: Leaf
    chunk: Leaf


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is fixed when a member's program is compiled.

    Attributes:
        unravel: parameters [n] -> model.
        optimizer: see `OPTIMIZERS`.
        batch_size: B.
        micro_batch: divides B; gradients are accumulated over parts of this size, which stay in a
            CPU's cache.
    """

    unravel: Callable[[jax.Array], RecurrentModel]
    optimizer: optax.GradientTransformationExtraArgs
    batch_size: int
    micro_batch: int


def gradient_of_batch(recipe: Recipe, hyper: Hyper, scaling: Scaling, data: jax.Array) -> Gradient:
    """(parameters, step, start of the batch in the data, key) -> (gradient [n], data loss)."""
    parts = recipe.batch_size // recipe.micro_batch

    def gradient(parameters, step, start, loss_key):
        counted = counted_steps(hyper, step, data.shape[0])

        def part_of_batch(index, sums):
            first = start + index * recipe.micro_batch
            part = lax.dynamic_slice_in_dim(data, first, recipe.micro_batch, axis=2)
            key = jax.random.fold_in(loss_key, index)
            change, loss = jax.grad(objective, has_aux=True)(
                parameters, recipe.unravel, hyper, scaling, part, counted, key
            )
            return sums[0] + change / parts, sums[1] + loss / parts

        if parts == 1:
            return part_of_batch(0, (0.0, 0.0))
        zero = (jnp.zeros_like(parameters), jnp.zeros(()))
        return lax.fori_loop(0, parts, part_of_batch, zero)

    return gradient


def train_chunk(
    state: MemberState,
    hyper: Hyper,
    scaling: Scaling,
    data: jax.Array,
    stretch: Stretch,
    recipe: Recipe,
    window: tuple[jax.Array | int, jax.Array | int] | None = None,
) -> MemberState:
    """Takes the optimizer steps of one stretch.

    Args:
        data: [T, C, N] packed and shuffled; a batch is a window of B neighbours at a random place.
        window: (first, count) of the sequences that belong to this member, where `data` holds
            several tasks; None: all.
    """
    begin, available = (0, data.shape[-1]) if window is None else window
    member_key = jax.random.key(state.seed, impl=PRNG)
    gradient_at = gradient_of_batch(recipe, hyper, scaling, data)

    def one_step(index, carry):
        parameters, average, moments, step, total = carry
        window_key, loss_key = jax.random.split(jax.random.fold_in(member_key, step))
        last = available - recipe.batch_size + 1
        start = begin + jax.random.randint(window_key, (), 0, last)
        gradient, loss = gradient_at(parameters, step, start, loss_key)
        gradient = gradient * hyper.trainable
        gradient *= jnp.minimum(1.0, hyper.clip_norm / (optax.tree.norm(gradient) + 1e-12))
        due = (stretch.first + index) % REFRESH_STEPS == 0
        direction, moments = recipe.optimizer.update(gradient, moments, parameters, refresh=due)
        rate = learning_rate_at(hyper, step)
        change = -rate * (direction + hyper.weight_decay * parameters) * hyper.trainable
        parameters = optax.apply_updates(parameters, change)
        decay = jnp.minimum(AVERAGING, (1.0 + step) / (10.0 + step))
        average = optax.incremental_update(parameters, average, 1.0 - decay)
        return parameters, average, moments, step + 1, total + loss

    total = jnp.where(stretch.first > 0, state.loss, 0.0)
    carry = (state.parameters, state.average, state.optimizer, state.step, total)
    parameters, average, moments, step, total = lax.fori_loop(0, stretch.steps, one_step, carry)
    complete = stretch.first + stretch.steps >= stretch.chunk
    loss = jnp.where(complete, total / jnp.maximum(stretch.chunk, 1), total)
    return MemberState(parameters, average, moments, step, state.seed, loss)
