"""Elman's recurrent network.

Features lead, trailing (batch) axes are carried along. Axes: I inputs, H hidden units, O outputs.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mips_jax.models.architecture import Architecture
from mips_jax.models.mlp import MLP, Affine
from mips_jax.models.recurrent import RecurrentModel


class Elman(RecurrentModel):
    """h_t = tanh(W [h_(t-1), x_t] + b)."""

    network = "mips_jax.networks.cells:trained_elman"

    def __init__(
        self, architecture: Architecture, input_dim: int, output_dim: int, *, key: jax.Array
    ):
        a = architecture
        cell_key, output_key = jax.random.split(key)
        self.cell = Affine(a.hidden_dim + input_dim, a.hidden_dim, key=cell_key)
        self.output = MLP(a.hidden_dim, output_dim, a.output_width, a.output_depth, key=output_key)

    @property
    def state_dim(self) -> int:
        return self.cell.bias.shape[0]

    @property
    def recurrent_layers(self) -> dict[str, list[Affine]]:
        return {"cell": [self.cell]}

    def step(self, hidden: jax.Array, inputs: jax.Array) -> jax.Array:
        return jnp.tanh(self.cell(jnp.concatenate([hidden, inputs])))

    def readout(self, hidden: jax.Array) -> jax.Array:
        return self.output(hidden)
