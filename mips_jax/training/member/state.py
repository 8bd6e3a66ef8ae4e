"""What training one member changes, what may differ between members, and the units they train in.

Axes: n parameters in one vector, I inputs, O outputs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax

Leaf = Any  # jax.Array on the devices, np.ndarray on the host


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
        margin: weight of the mean excess of the errors beyond `objective.MARGIN`, over those that
            exceed it: it makes a nearly perfect member attend to the few inputs on which it is not.
        weight_decay, hidden_noise, quantization_step: see `PressureSettings`.
        penalties: {name in PENALTIES: weight}; what is absent is not computed.
        trainable: [n], 1 where a parameter belongs to the member's architecture, 0 where it is
            padding.
    """

    learning_rate: Leaf
    halving_steps: Leaf
    floor: Leaf
    start: Leaf
    horizon: Leaf
    clip_norm: Leaf
    ramp: Leaf
    margin: Leaf
    weight_decay: Leaf
    hidden_noise: Leaf
    quantization_step: Leaf
    penalties: dict[str, Leaf]
    trainable: Leaf


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class MemberState:
    """What training changes.

    Attributes:
        parameters: [n] all weights in one vector.
        average: [n] their exponential moving average, which is what is evaluated and kept: it is
            far less noisy, so that the learning rate need not fall before a member can be judged.
        optimizer: the optimizer's own state, such as moments and preconditioners.
        step: steps taken.
        seed: the member's own seed; batches and noise follow from (seed, step).
        loss: mean data loss over the last chunk; within a chunk, the sum so far.
    """

    parameters: Leaf
    average: Leaf
    optimizer: Any
    step: Leaf
    seed: Leaf
    loss: Leaf


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Scaling:
    """Affine changes of units in which networks are trained: x = input_scale * x' + input_shift,
    likewise y.

    Attributes: input_scale, input_shift: [I]; output_scale, output_shift: [O].
    """

    input_scale: Leaf
    input_shift: Leaf
    output_scale: Leaf
    output_shift: Leaf


def initial_state(
    parameters: jax.Array, seed: jax.Array, optimizer: optax.GradientTransformation
) -> MemberState:
    """A member before its first step."""
    zero = jnp.zeros((), jnp.int32)
    state = optimizer.init(parameters)
    return MemberState(parameters, parameters, state, zero, seed, jnp.zeros((), jnp.float32))
