"""From a padded parameter vector in training units to plain layers on raw integers.

Axes: n parameters, H hidden, I inputs, O outputs.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from mips_jax.models import Affine, Architecture, RecurrentModel
from mips_jax.training.member import Scaling

Layer = dict[str, np.ndarray]


def as_layer(affine: Affine) -> Layer:
    """An affine layer as float64 arrays: weight [out, in], bias [out]."""
    return {
        "weight": np.asarray(affine.weight[...], np.float64),
        "bias": np.asarray(affine.bias[...], np.float64),
    }


def crop(layers: list[Layer], sizes: list[int]) -> list[Layer]:
    """Keeps the first `sizes[i + 1]` outputs (and `sizes[i]` inputs) of layer i: the rest is
    padding.
    """
    return [
        {"weight": layer["weight"][:rows, :columns], "bias": layer["bias"][:rows]}
        for layer, columns, rows in zip(layers, sizes[:-1], sizes[1:])
    ]


def fold_inputs(layer: Layer, scaling: Scaling) -> Layer:
    """A layer that reads [h, x'] becomes one that reads [h, x], with x = input_scale * x' +
    input_shift.
    """
    weight, input_dim = layer["weight"].copy(), len(scaling.input_scale)
    weight[:, -input_dim:] /= np.asarray(scaling.input_scale, np.float64)
    bias = layer["bias"] - weight[:, -input_dim:] @ np.asarray(scaling.input_shift, np.float64)
    return {"weight": weight, "bias": bias}


def fold_outputs(layer: Layer, scaling: Scaling) -> Layer:
    """A layer that writes y' becomes one that writes y = output_scale * y' + output_shift."""
    scale, shift = (np.asarray(v, np.float64) for v in (scaling.output_scale, scaling.output_shift))
    return {"weight": scale[:, None] * layer["weight"], "bias": scale * layer["bias"] + shift}


def raw_weights(
    parameters: np.ndarray, template: RecurrentModel, architecture: Architecture, scaling: Scaling
) -> dict[str, list[Layer]]:
    """Plain layers in float64: padding cut off, units of training folded in.

    Args:
        parameters: [n] in the (padded) shape of `template`.
    """
    model: RecurrentModel = ravel_pytree(template)[1](jnp.asarray(parameters))
    a, output_dim = architecture, len(scaling.output_scale)
    output_sizes = [a.hidden_dim] + [a.output_width] * (a.output_depth - 1) + [output_dim]
    output = crop([as_layer(layer) for layer in model.output.layers], output_sizes)
    output[-1] = fold_outputs(output[-1], scaling)
    stacks = model.recurrent_layers
    if "cell" in stacks:
        cell = [fold_inputs(as_layer(layer), scaling) for layer in stacks["cell"]]
        return {"cell": cell, "output": output}
    transition = [as_layer(layer) for layer in stacks["transition"]]
    first, padded_hidden = transition[0]["weight"], template.state_dim
    transition[0]["weight"] = np.concatenate(
        [first[:, : a.hidden_dim], first[:, padded_hidden:]], axis=1
    )
    sizes = (
        [a.hidden_dim + len(scaling.input_scale)]
        + [a.transition_width] * (a.transition_depth - 1)
        + [a.hidden_dim]
    )
    transition = crop(transition, sizes)
    transition[0] = fold_inputs(transition[0], scaling)
    return {"transition": transition, "output": output}
