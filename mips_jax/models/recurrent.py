"""Trainable recurrent networks, one step of ONE sequence; features lead, trailing (batch) axes are
carried along.

Axes: I inputs a step, H hidden state (2 H for an LSTM: [hidden, cell]), O outputs a step.
"""

from __future__ import annotations

import abc

import jax
import jax.numpy as jnp
from flax import nnx

from mips_jax.models.architecture import Architecture
from mips_jax.models.mlp import MLP, WIDE, Affine


class RecurrentModel(nnx.Module):
    """h_t = step(h_(t-1), x_t), y_t = readout(h_t), h_0 = 0."""

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


class MLPRNN(RecurrentModel):
    """The paper's network: f and g are ReLU MLPs; f reads [h_(t-1), x_t] concatenated."""

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

    def step(self, hidden, inputs):
        return self.transition(jnp.concatenate([hidden, inputs]))

    def readout(self, hidden):
        return self.output(hidden)


class Elman(RecurrentModel):
    """h_t = tanh(W [h_(t-1), x_t] + b)."""

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

    def step(self, hidden, inputs):
        return jnp.tanh(self.cell(jnp.concatenate([hidden, inputs])))

    def readout(self, hidden):
        return self.output(hidden)


class GRU(RecurrentModel):
    """Gated recurrent unit; `gates` stacks reset and update gate ([2 H, H + I]), `candidate` reads
    [r * h, x].
    """

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

    def step(self, hidden, inputs):
        reset, update = jnp.split(jax.nn.sigmoid(self.gates(jnp.concatenate([hidden, inputs]))), 2)
        candidate = jnp.tanh(self.candidate(jnp.concatenate([reset * hidden, inputs])))
        return update * hidden + (1.0 - update) * candidate

    def readout(self, hidden):
        return self.output(hidden)


class LSTM(RecurrentModel):
    """Long short-term memory; `gates` stacks input, forget, cell and output gate [4 H, H + I]; the
    state is [h, c].
    """

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

    def step(self, hidden, inputs):
        short, long = jnp.split(hidden, 2)
        write, forget, content, show = jnp.split(self.gates(jnp.concatenate([short, inputs])), 4)
        long = jax.nn.sigmoid(forget) * long + jax.nn.sigmoid(write) * jnp.tanh(content)
        return jnp.concatenate([jax.nn.sigmoid(show) * jnp.tanh(long), long])

    def readout(self, hidden):
        return self.output(jnp.split(hidden, 2)[0])


MODELS = {"mlp_rnn": MLPRNN, "elman": Elman, "gru": GRU, "lstm": LSTM}


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
    model = MODELS[architecture.cell](architecture, input_dim, output_dim, key=key)
    between_wide_layers = any(min(layer.weight.shape) >= WIDE for layer in model.output.layers)
    for path, module in nnx.iter_modules(model):
        if isinstance(module, Affine):
            module.bfloat16_gradients = bfloat16_gradients and (
                path[0] != "output" or between_wide_layers
            )
    return model
