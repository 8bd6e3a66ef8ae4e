"""The gated recurrent unit.

Features lead, trailing (batch) axes are carried along. Axes: I inputs, H hidden units, O outputs.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mips_jax.models.architecture import Architecture
from mips_jax.models.mlp import MLP, Affine
from mips_jax.models.recurrent import RecurrentModel


class GRU(RecurrentModel):
    """Gated recurrent unit; `gates` stacks reset and update gate ([2 H, H + I]), `candidate` reads
    [r * h, x].
    """

    network = "mips_jax.networks.cells:trained_gru"

    def __init__(
        self, architecture: Architecture, input_dim: int, output_dim: int, *, key: jax.Array
    ):
        a = architecture
        gate_key, candidate_key, output_key = jax.random.split(key, 3)
        self.gates = Affine(a.hidden_dim + input_dim, 2 * a.hidden_dim, key=gate_key)
        self.candidate = Affine(a.hidden_dim + input_dim, a.hidden_dim, key=candidate_key)
        self.output = MLP(a.hidden_dim, output_dim, a.output_width, a.output_depth, key=output_key)

    @property
    def state_dim(self) -> int:
        return self.candidate.bias.shape[0]

    @property
    def recurrent_layers(self) -> dict[str, list[Affine]]:
        return {"cell": [self.gates, self.candidate]}

    def step(self, hidden: jax.Array, inputs: jax.Array) -> jax.Array:
        reset, update = jnp.split(jax.nn.sigmoid(self.gates(jnp.concatenate([hidden, inputs]))), 2)
        candidate = jnp.tanh(self.candidate(jnp.concatenate([reset * hidden, inputs])))
        return update * hidden + (1.0 - update) * candidate

    def readout(self, hidden: jax.Array) -> jax.Array:
        return self.output(hidden)
