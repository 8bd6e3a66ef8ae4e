"""Penalties beside the data loss, by name: what presses networks to be simple and discrete.

A penalty is a function of one `Visit`, a scalar to be multiplied by its weight. A new one is one
entry; its weight is the field of that name in `PressureSettings`.
Axes: n parameters, T time, I inputs, B batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from mips_jax.models import RecurrentModel

# standard deviation of the perturbations of h that the contraction penalty samples
CONTRACTION_PROBE = 0.05
CONTRACTION_SHARE = 4  # every 4th sequence of a batch is perturbed


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Visit:
    """What a penalty may look at after one batch has been run.

    Attributes:
        parameters: [n].
        model: the same as a model.
        hiddens: [T, state_dim, B] states after each of the inputs; the first state before is 0.
        inputs: [T, I, B] in training units.
        key: for what is drawn at random.
        quantization_step: see `PressureSettings`.
    """

    parameters: jax.Array
    model: RecurrentModel
    hiddens: jax.Array
    inputs: jax.Array
    key: jax.Array
    quantization_step: jax.Array


@dataclasses.dataclass(frozen=True)
class Penalty:
    """One term.

    Attributes:
        value: Visit -> scalar.
        costly: whether members whose weight is 0 should be spared the computation.
    """

    value: Callable[[Visit], jax.Array]
    costly: bool = False


def batch_last(steps: jax.Array) -> jax.Array:
    """[T, *, B] -> [*, T B], one long batch."""
    steps = jnp.moveaxis(steps, 0, -2)
    return steps.reshape(*steps.shape[:-2], -1)


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
    """Mean squared distance of the weights to multiples of `step`, in units of `step`."""
    ratio = parameters / step
    return jnp.mean((ratio - lax.stop_gradient(jnp.round(ratio))) ** 2)


@jax.checkpoint
def contraction(
    model: RecurrentModel, hiddens: jax.Array, inputs: jax.Array, key: jax.Array
) -> jax.Array:
    """Mean and 4-norm (a smooth maximum: it heeds the few largest) of the stretch over the visited
    states; arguments as in `Visit`.
    """
    some = slice(None, None, CONTRACTION_SHARE)
    before = jnp.concatenate([jnp.zeros_like(hiddens[:1]), hiddens[:-1]])
    factors = stretch(model, batch_last(before[..., some]), batch_last(inputs[..., some]), key)
    return jnp.mean(factors) + jnp.mean(factors**4 + 1e-12) ** 0.25


PENALTIES = {
    "l1": Penalty(lambda visit: jnp.mean(jnp.abs(visit.parameters))),
    "quantization": Penalty(
        lambda visit: quantization_distance(visit.parameters, visit.quantization_step)
    ),
    "contraction": Penalty(
        lambda visit: contraction(visit.model, visit.hiddens, visit.inputs, visit.key), costly=True
    ),
}


def penalised(loss: jax.Array, weights: dict[str, jax.Array], visit: Visit) -> jax.Array:
    """The loss with all penalties added that have a weight, in the order of the registry."""
    for name, penalty in PENALTIES.items():
        if name not in weights:
            continue
        weight = weights[name]
        if penalty.costly:
            value = lax.cond(weight > 0, penalty.value, lambda _: jnp.float32(0.0), visit)
        else:
            value = penalty.value(visit)
        loss += weight * value
    return loss
