"""The paper's recurrent network, its transition a ReLU MLP.

Features lead, trailing (batch) axes are carried along. Axes: I inputs, H hidden units, O outputs.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mips_jax.models.architecture import Architecture
from mips_jax.models.mlp import MLP, Affine
from mips_jax.models.recurrent import RecurrentModel


class MLPRNN(RecurrentModel):
    """The paper's network: f and g are ReLU MLPs; f reads [h_(t-1), x_t] concatenated."""

    embeds_smaller = True
    network = "mips_jax.networks.network:trained_mlp_rnn"

    def __init__(
        self, architecture: Architecture, input_dim: int, output_dim: int, *, key: jax.Array
    ):
        a = architecture
        transition_key, output_key = jax.random.split(key)
        self.transition = MLP(
            a.hidden_dim + input_dim,
            a.hidden_dim,
            a.transition_width,
            a.transition_depth,
            key=transition_key,
        )
        self.output = MLP(a.hidden_dim, output_dim, a.output_width, a.output_depth, key=output_key)

    @property
    def state_dim(self) -> int:
        return self.transition.layers[-1].bias.shape[0]

    @property
    def recurrent_layers(self) -> dict[str, list[Affine]]:
        return {"transition": list(self.transition.layers)}

    def step(self, hidden: jax.Array, inputs: jax.Array) -> jax.Array:
        return self.transition(jnp.concatenate([hidden, inputs]))

    def readout(self, hidden: jax.Array) -> jax.Array:
        return self.output(hidden)
