"""Trainable recurrent networks, one step of ONE sequence; features lead, trailing (batch) axes are
carried along.

Axes: I inputs a step, H hidden state (2 H for an LSTM: [hidden, cell]), O outputs a step.
"""

from __future__ import annotations

import abc

import jax
from flax import nnx

from mips_jax.models.architecture import Architecture
from mips_jax.models.cells import CELLS
from mips_jax.models.mlp import MLP, WIDE, Affine


class RecurrentModel(nnx.Module):
    """h_t = step(h_(t-1), x_t), y_t = readout(h_t), h_0 = 0.

    A cell is built as cell(architecture, input_dim, output_dim, key=key).

    Attributes:
        output: the readout's MLP.
        embeds_smaller: whether a smaller architecture is this one with zero weights, so that
            several sizes can share one compiled shape.
        network: what makes the network that extraction sees, (layers, trained length) -> Network,
            as "package.module:function" or as a static method; layers: those of
            `recurrent_layers`, and the "output", as (weight, bias) pairs in float64.
    """

    embeds_smaller = False
    network: str
    output: MLP

    @property
    @abc.abstractmethod
    def state_dim(self) -> int:
        """Size of the state that `step` carries."""

    @abc.abstractmethod
    def step(self, hidden: jax.Array, inputs: jax.Array) -> jax.Array:
        """hidden [state_dim], inputs [I] -> next hidden [state_dim]."""

    @abc.abstractmethod
    def readout(self, hidden: jax.Array) -> jax.Array:
        """hidden [state_dim] -> outputs [O]."""

    @property
    @abc.abstractmethod
    def recurrent_layers(self) -> dict[str, list[Affine]]:
        """The layers of the transition, first those that read [h, x] (for plain arrays): a stack
        named "transition", of which the first reads them, or a "cell" of which each does.
        """


def build_model(
    architecture: Architecture,
    input_dim: int,
    output_dim: int,
    key: jax.Array,
    bfloat16_gradients: bool = False,
) -> RecurrentModel:
    """A freshly drawn network of the given shape; wide layers may compute their gradients by
    bfloat16 products.

    In the loop over time that pays for what is kept for the backward pass; the output, which is
    computed for all steps at once, keeps little, and there only products between two wide layers
    gain.
    """
    model = CELLS[architecture.cell](architecture, input_dim, output_dim, key=key)
    between_wide_layers = any(min(layer.weight.shape) >= WIDE for layer in model.output.layers)
    for path, module in nnx.iter_modules(model):
        if isinstance(module, Affine):
            module.bfloat16_gradients = bfloat16_gradients and (
                path[0] != "output" or between_wide_layers
            )
    return model
