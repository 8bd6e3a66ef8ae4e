"""Long short-term memory.

Features lead, trailing (batch) axes are carried along. Axes: I inputs, H hidden units, O outputs.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mips_jax.models.architecture import Architecture
from mips_jax.models.mlp import MLP, Affine
from mips_jax.models.recurrent import RecurrentModel


class LSTM(RecurrentModel):
    """Long short-term memory; `gates` stacks input, forget, cell and output gate [4 H, H + I]; the
    state is [h, c].
    """

    network = "mips_jax.networks.cells:trained_lstm"

    def __init__(
        self, architecture: Architecture, input_dim: int, output_dim: int, *, key: jax.Array
    ):
        a = architecture
        gate_key, output_key = jax.random.split(key)
        self.gates = Affine(a.hidden_dim + input_dim, 4 * a.hidden_dim, key=gate_key)
        self.output = MLP(a.hidden_dim, output_dim, a.output_width, a.output_depth, key=output_key)

    @property
    def state_dim(self) -> int:
        return self.gates.bias.shape[0] // 2

    @property
    def recurrent_layers(self) -> dict[str, list[Affine]]:
        return {"cell": [self.gates]}

    def step(self, hidden: jax.Array, inputs: jax.Array) -> jax.Array:
        short, long = jnp.split(hidden, 2)
        write, forget, content, show = jnp.split(self.gates(jnp.concatenate([short, inputs])), 4)
        long = jax.nn.sigmoid(forget) * long + jax.nn.sigmoid(write) * jnp.tanh(content)
        return jnp.concatenate([jax.nn.sigmoid(show) * jnp.tanh(long), long])

    def readout(self, hidden: jax.Array) -> jax.Array:
        return self.output(jnp.split(hidden, 2)[0])
