"""Elman, GRU and LSTM networks with PyTorch's formulas and gate order, one or several layers, one
head.

Axes: B sequences, L layers, E input features of a layer, U units of a layer, G gates, H hidden (all
    state of all
layers). The hidden vector is [h of layer 1, ..., h of layer L] and, for an LSTM, [c of layer 1,
..., c of layer L] after it.
"""

from __future__ import annotations

import abc
import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from mips_jax.networks.heads import NONLINEARITIES, Layers, as_layers, mlp, sigmoid
from mips_jax.networks.network import InputRange, Network, work_of_weights
from mips_jax.networks.wiring import PLAIN, Wiring


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CellLayer:
    """The weights of one recurrent layer as PyTorch stores them; the gates are stacked along the
    first axis.

    Attributes:
        weight_ih: [G*U, E] (G = 1 Elman; 3 GRU: reset, update, new; 4 LSTM: input, forget, cell,
            output).
        weight_hh: [G*U, U].
        bias_ih: [G*U].
        bias_hh: [G*U]; only a GRU's new gate distinguishes it from `bias_ih`.
    """

    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_ih: np.ndarray
    bias_hh: np.ndarray

    @classmethod
    def from_arrays(cls, weight_ih, weight_hh, bias_ih=None, bias_hh=None) -> CellLayer:
        """Any arrays as float64; an absent bias is zero."""
        weight_ih, weight_hh = np.asarray(weight_ih, np.float64), np.asarray(weight_hh, np.float64)
        zeros = np.zeros(weight_hh.shape[0])
        as_bias = lambda bias: zeros if bias is None else np.asarray(bias, np.float64)
        return cls(weight_ih, weight_hh, as_bias(bias_ih), as_bias(bias_hh))

    @classmethod
    def from_joint(cls, weight, bias, units: int) -> CellLayer:
        """From one matrix over [h, x], weight [G*U, U + E] and bias [G*U], as cells are often
        written by hand.
        """
        weight = np.asarray(weight, np.float64)
        return cls.from_arrays(weight[:, units:], weight[:, :units], bias)

    @property
    def units(self) -> int:
        return self.weight_hh.shape[1]

    def gates(self, h: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """h [B, U], x [B, E] -> what each gate receives from the input and from the state, both [B,
        G*U].
        """
        return x @ self.weight_ih.T + self.bias_ih, h @ self.weight_hh.T + self.bias_hh


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CellNetwork(Network):
    """A stack of recurrent layers, each reading the h of the one below, and a head on the last
    layer's h.

    Attributes:
        layers: L layers, the first reads the inputs.
        head: affine layers (weight [out, in], bias [out]); the first `in` is the last layer's U,
            the last `out` is O.
        initial: [H] state before the first input.
        trained_length: sequence length in training, or None where it is not known.
        head_nonlinearity: "relu", "tanh", "sigmoid" or "none", between the head's layers.
        input_range: the integers that it was made for, or None where nobody said.
        wiring: what lies before and between the layers; nothing unless given.
        assumed: what its file did not say and was taken for granted, one phrase each.
    """

    layers: tuple[CellLayer, ...]
    head: Layers
    initial: np.ndarray
    trained_length: int | None = None
    head_nonlinearity: str = "relu"
    input_range: InputRange | None = None
    wiring: Wiring = PLAIN
    assumed: tuple[str, ...] = ()

    states_per_layer = 1  # 2 where a layer carries a cell state beside its output

    @classmethod
    def from_arrays(cls, layers, head, initial=None, **settings) -> CellNetwork:
        """Builds the network from nested sequences of arrays; the state starts at zero unless
        given.

        Args:
            layers: for each layer (weight_ih, weight_hh, bias_ih, bias_hh) in PyTorch's layout; a
                bias may be None.
            head: (weight [out, in], bias [out]) pairs.
            initial: [H] or None.
            **settings: the remaining attributes.
        """
        layers = tuple(CellLayer.from_arrays(*arrays) for arrays in layers)
        hidden_dim = cls.states_per_layer * sum(layer.units for layer in layers)
        initial = np.zeros(hidden_dim) if initial is None else np.asarray(initial, np.float64)
        return cls(layers, as_layers(head), initial, **settings)

    @property
    def input_dim(self) -> int:
        first = self.wiring.inputs[0][0] if self.wiring.inputs else self.layers[0].weight_ih
        return first.shape[1]

    @property
    def output_dim(self) -> int:
        return self.head[-1][1].shape[0]

    @property
    def step_work(self) -> float:
        return work_of_weights(
            sum(layer.weight_ih.size + layer.weight_hh.size for layer in self.layers)
        )

    @property
    def details(self) -> str:
        return f"{len(self.layers)} layer{'s' * (len(self.layers) > 1)}{self.wiring}"

    @abc.abstractmethod
    def layer_step(
        self, layer: CellLayer, states: tuple[np.ndarray, ...], x: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """States of one layer, each [B, U], and its input [B, E] -> the next states, the output h
        first.
        """

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        pieces = columns(hidden, [layer.units for layer in self.layers] * self.states_per_layer)
        x, stepped = self.wiring.before(np.asarray(inputs, hidden.dtype)), []
        for index, layer in enumerate(self.layers):
            stepped.append(self.layer_step(layer, tuple(pieces[index :: len(self.layers)]), x))
            x = self.wiring.after(index, stepped[-1][0], x)
        return np.concatenate(
            [states[kind] for kind in range(self.states_per_layer) for states in stepped], axis=1
        )

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        ends = np.cumsum([0, *(layer.units for layer in self.layers)])
        first = 0 if self.wiring.residual else len(self.layers) - 1
        x = hidden[:, :0]  # what the first layer reads is added to nothing
        for index in range(first, len(self.layers)):
            x = self.wiring.after(index, hidden[:, ends[index] : ends[index + 1]], x)
        return mlp(self.head, self.head_nonlinearity, x)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ElmanNetwork(CellNetwork):
    """h' = a(W_ih x + b_ih + W_hh h + b_hh), PyTorch's nn.RNN.

    Attributes:
        nonlinearity: a, "tanh", "relu", "sigmoid" or "none".
    """

    nonlinearity: str = "tanh"

    @property
    def details(self) -> str:
        return f"{super().details}, {self.nonlinearity}"

    def layer_step(
        self, layer: CellLayer, states: tuple[np.ndarray, ...], x: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        from_input, from_state = layer.gates(states[0], x)
        return (NONLINEARITIES[self.nonlinearity](from_input + from_state),)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GRUNetwork(CellNetwork):
    """r = s(..), z = s(..), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h, as
    PyTorch's nn.GRU.

    Attributes:
        reset_after: False for the older form n = tanh(W_in x + b_in + W_hn (r h) + b_hn).
    """

    reset_after: bool = True

    @property
    def details(self) -> str:
        return super().details + (", reset before the product" if not self.reset_after else "")

    def layer_step(
        self, layer: CellLayer, states: tuple[np.ndarray, ...], x: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        h, units = states[0], layer.units
        from_input, from_state = layer.gates(h, x)
        both = sigmoid(from_input[:, : 2 * units] + from_state[:, : 2 * units])
        reset, update = columns(both, [units] * 2)
        if self.reset_after:
            state_new = reset * from_state[:, 2 * units :]
        else:
            state_new = (reset * h) @ layer.weight_hh[2 * units :].T + layer.bias_hh[2 * units :]
        new = np.tanh(from_input[:, 2 * units :] + state_new)
        return ((1.0 - update) * new + update * h,)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LSTMNetwork(CellNetwork):
    """i, f, o = s(..), g = tanh(..), c' = f c + i g, h' = o tanh(c'), PyTorch's nn.LSTM (no
    projection).
    """

    states_per_layer = 2

    def layer_step(
        self, layer: CellLayer, states: tuple[np.ndarray, ...], x: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        from_input, from_state = layer.gates(states[0], x)
        admit, forget, candidate, expose = columns(from_input + from_state, [layer.units] * 4)
        memory = sigmoid(forget) * states[1] + sigmoid(admit) * np.tanh(candidate)
        return sigmoid(expose) * np.tanh(memory), memory


def trained_elman(layers: dict[str, Layers], trained_length: int | None) -> ElmanNetwork:
    """From the layers of `mips_jax.models.cells.elman`: the "cell" reads [h, x]."""
    cell, head, initial = _joint(layers, gates=1)
    return ElmanNetwork((cell,), head, initial, trained_length)


def trained_gru(layers: dict[str, Layers], trained_length: int | None) -> GRUNetwork:
    """From the layers of `mips_jax.models.cells.gru`: gates (reset, update) and candidate read
    [h, x], the reset before the product.
    """
    cell, head, initial = _joint(layers, gates=3)
    return GRUNetwork((cell,), head, initial, trained_length, reset_after=False)


def trained_lstm(layers: dict[str, Layers], trained_length: int | None) -> LSTMNetwork:
    """From the layers of `mips_jax.models.cells.lstm`: the gates read [h, x]."""
    cell, head, initial = _joint(layers, gates=4)
    return LSTMNetwork((cell,), head, np.tile(initial, 2), trained_length)


def _joint(layers: dict[str, Layers], gates: int) -> tuple[CellLayer, Layers, np.ndarray]:
    """One layer from matrices over [h, x] (weight [G*U, U + I]), the head, zeros [U]."""
    weight, bias = (np.concatenate(arrays) for arrays in zip(*as_layers(layers["cell"])))
    units = weight.shape[0] // gates
    head = as_layers(layers["output"])
    return CellLayer.from_joint(weight, bias, units), head, np.zeros(units)


def columns(array: np.ndarray, widths: Sequence[int]) -> list[np.ndarray]:
    """The columns of an array [B, N] side by side, as views; np.split takes longer than a step."""
    ends = list(itertools.accumulate(widths))
    return [array[:, end - width : end] for end, width in zip(ends, widths)]
