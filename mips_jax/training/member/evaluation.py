"""How often ONE member is right.

Axes: T time, C channels, N sequences, n parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from mips_jax.models import RecurrentModel
from mips_jax.training.member.objective import raw_outputs, split_channels
from mips_jax.training.member.state import Leaf, Scaling


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

    wrong_sequences: Leaf
    wrong_steps: Leaf
    largest_error: Leaf


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
