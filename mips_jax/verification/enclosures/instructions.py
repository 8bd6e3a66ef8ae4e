"""A network as a list of instructions, each of which makes a vector of those before it: what the
independent check reads, and what the search for a proof follows.

An instruction is (name, vectors that it reads, weight [out, in], bias [out]): the vectors side by
side, an affine map of them, and the nonlinearity "none", "relu", "tanh" or "sigmoid"; or ("times",
two vectors). Vectors are counted from 0; a step starts with the hidden state and the input vector,
a readout with the hidden state. A cell's input vector ends in a 1, by which its second biases are
multiplied, so that a machine may add both in any order.

Axes: A letters, I integers of a letter, E features, H hidden units, U units of a layer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.networks import MLPRNN, Network
from mips_jax.networks.cells import (
    CellLayer,
    CellNetwork,
    ElmanNetwork,
    GRUNetwork,
    LSTMNetwork,
)
from mips_jax.networks.encodings import ClassHead, InterpretedNetwork, Rounded, Threshold
from mips_jax.networks.heads import Layers

Instruction = tuple  # name and what it is given


@dataclasses.dataclass(frozen=True, eq=False)
class Instructions:
    """One network.

    Attributes:
        step: of hidden state and input vector.
        readout: of the hidden state.
        initial: [H].
        classes: the integer that each raw output stands for, of which the largest wins (the first
            of equals); None where each is rounded to the nearest integer.
        encode: letters [A, I] -> input vectors [A, E]; None where the letters are the vectors.
    """

    step: tuple[Instruction, ...]
    readout: tuple[Instruction, ...]
    initial: np.ndarray
    classes: tuple[int, ...] | None = None
    encode: Callable[[np.ndarray], np.ndarray] | None = None

    def vectors(self, letters: np.ndarray) -> np.ndarray:
        """Letters [A, I] -> what the step reads [A, E]."""
        return letters.astype(float) if self.encode is None else self.encode(letters)

    @property
    def maps(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weight and bias of every affine instruction, in order."""
        return [one[2:] for one in self.step + self.readout if one[0] != "times"]

    @property
    def width(self) -> int:
        """Of the widest vector."""
        return max(max(weight.shape) for weight, _ in self.maps)

    @property
    def weights(self) -> int:
        return sum(weight.size for weight, _ in self.maps)


def instructions_of(network: Network) -> Instructions | str:
    """The instructions, or why there are none."""
    if isinstance(network, InterpretedNetwork):
        return _interpreted(network)
    if type(network) is MLPRNN:  # a subclass may step, read out or decode in its own way
        step = _Lines(2)
        step.layers(network.transition, "relu", [0, 1])
        readout = _Lines(1)
        readout.layers(network.output, "relu", [0])
        return Instructions(step.made, readout.made, network.initial)
    if isinstance(network, CellNetwork) and type(network) in _CELLS:
        return _cells(network)
    return f"sets are not carried through {type(network).__name__}"


def _interpreted(network: InterpretedNetwork) -> Instructions | str:
    core = instructions_of(network.core)
    if isinstance(core, str):
        return core
    inner, encode = core.encode, network.encoding.encode
    core = dataclasses.replace(
        core, encode=(lambda x: inner(encode(x))) if inner else lambda x: encode(x).astype(float)
    )
    decoding = network.decoding
    if isinstance(decoding, Rounded):
        return core
    if isinstance(decoding, ClassHead):
        return dataclasses.replace(core, classes=tuple(int(v) for v in decoding.values))
    if isinstance(decoding, Threshold) and network.core.output_dim == 1:
        level = np.array([decoding.level, 0.0])  # the first of equals wins: 0 at the level
        last = ("none", [len(core.readout)], np.array([[0.0], [1.0]]), level)
        return dataclasses.replace(core, readout=(*core.readout, last), classes=(0, 1))
    return f"outputs that are {decoding} are not followed"


class _Lines:
    """A list of instructions that grows."""

    def __init__(self, given: int):
        self.made: tuple[Instruction, ...] = ()
        self.given = given

    def add(self, name: str, read: list[int], *maps: np.ndarray) -> int:
        """Appends an instruction; the number of its result."""
        self.made += ((name, read, *maps),)
        return self.given + len(self.made) - 1

    def layers(self, layers: Layers, nonlinearity: str, read: list[int]) -> int:
        """Affine layers with a nonlinearity between them."""
        for weight, bias in layers[:-1]:
            read = [self.add(nonlinearity, read, weight, bias)]
        return self.add("none", read, *layers[-1])


@dataclasses.dataclass(frozen=True)
class _Place:
    """One recurrent layer among the others.

    Attributes:
        layer: its weights.
        own: [U, H] picks its h of the hidden state.
        memory: [U, H] picks its c, where it has one.
        read: vectors that it reads beside the hidden state.
        inputs: [E, *] makes its input of those.
        one: [1, *] picks a 1 of those.
    """

    layer: CellLayer
    own: np.ndarray
    memory: np.ndarray
    read: list[int]
    inputs: np.ndarray
    one: np.ndarray

    def rows(self, gate: int, second: bool = True) -> np.ndarray:
        """One gate's weights over the hidden state and what is read.

        Args:
            gate: its number.
            second: whether with the bias of the hidden state's part.
        """
        span = self.span(gate)
        left = self.layer.weight_hh[span] @ self.own
        right = self.layer.weight_ih[span] @ self.inputs
        return np.concatenate([left, right + second * self.layer.bias_hh[span, None] * self.one], 1)

    def span(self, gate: int) -> slice:
        return slice(gate * self.layer.units, (gate + 1) * self.layer.units)

    def gate(self, lines: _Lines, name: str, gate: int) -> int:
        bias = self.layer.bias_ih[self.span(gate)]
        return lines.add(name, [0, *self.read], self.rows(gate), bias)


def _cells(network: CellNetwork) -> Instructions | str:
    """Recurrent layers and what lies around them."""
    wiring, units = network.wiring, [layer.units for layer in network.layers]
    if any(wiring.norms):
        return "layer normalisation is not followed"
    ends, features, hidden = (
        np.cumsum([0, *units]).tolist(),
        network.input_dim,
        np.eye(len(network.initial)),
    )
    step, read = _Lines(2), [1]
    inputs, one = np.eye(features, features + 1), np.eye(1, features + 1, features)
    if wiring.inputs:
        (weight, bias), *more = wiring.inputs
        x = step.add(wiring.input_nonlinearity, [1], np.pad(weight, ((0, 0), (0, 1))), bias)
        for weight, bias in more:
            x = step.add(wiring.input_nonlinearity, [x], weight, bias)
        read, inputs = [x, 1], np.eye(len(bias), len(bias) + features + 1)
        one = np.pad(one, ((0, 0), (len(bias), 0)))
    written: list[list[int]] = []
    for index, layer in enumerate(network.layers):
        own, memory = (
            hidden[kind * ends[-1] + ends[index] : kind * ends[-1] + ends[index + 1]]
            for kind in (0, network.states_per_layer - 1)
        )
        place = _Place(layer, own, memory, read, inputs, one)
        written.append(_CELLS[type(network)](step, network, place))
        new = np.eye(layer.units)
        if wiring.residual and index:  # what is read on is the sum of what was written so far
            inputs = np.concatenate([new, inputs], axis=1)
            read = [written[-1][0], *read]
        else:
            read = [written[-1][0], 1]
            inputs = np.pad(new, ((0, 0), (0, features + 1)))
        one = np.eye(1, inputs.shape[1], inputs.shape[1] - 1)
    last = [after[kind] for kind in range(network.states_per_layer) for after in written]
    if len(last) > 1:
        step.add("none", last, np.eye(len(hidden)), np.zeros(len(hidden)))
    (weight, bias), *more = network.head
    first = 0 if wiring.residual else len(units) - 1
    picked = sum(hidden[ends[index] : ends[index + 1]] for index in range(first, len(units)))
    readout = _Lines(1)
    readout.layers(((weight @ picked, bias), *more), network.head_nonlinearity, [0])
    encode = lambda letters: np.concatenate([letters, np.ones((len(letters), 1))], axis=1)
    return Instructions(step.made, readout.made, network.initial, encode=encode)


def _elman(lines: _Lines, network, place: _Place) -> list[int]:
    return [place.gate(lines, network.nonlinearity, 0)]


def _gru(lines: _Lines, network, place: _Place) -> list[int]:
    """h' = n + z (h - n); the noise of its last sum also covers (1 - z) n + z h."""
    layer, units = place.layer, place.layer.units
    one, zero, rows = np.eye(units), np.zeros(units), place.span(2)
    reset, update = place.gate(lines, "sigmoid", 0), place.gate(lines, "sigmoid", 1)
    if network.reset_after:
        left = layer.weight_hh[rows] @ place.own
        gated = lines.add("none", [0], left, layer.bias_hh[rows])
        weight, second = one, False
    else:
        gated = lines.add("none", [0], place.own, zero)
        weight, second = layer.weight_hh[rows], True
    gated = lines.add("times", [reset, gated])
    right = place.rows(2, second=second)[:, place.own.shape[1] :]
    both = np.concatenate([weight, right], axis=1)
    new = lines.add("tanh", [gated, *place.read], both, layer.bias_ih[rows])
    apart = lines.add("none", [0, new], np.concatenate([place.own, -one], axis=1), zero)
    moved = lines.add("times", [update, apart])
    return [lines.add("none", [new, moved], np.concatenate([one, one], axis=1), zero)]


def _lstm(lines: _Lines, network, place: _Place) -> list[int]:
    one, zero = np.eye(place.layer.units), np.zeros(place.layer.units)
    names = ("sigmoid", "sigmoid", "tanh", "sigmoid")
    admit, forget, candidate, expose = (place.gate(lines, n, k) for k, n in enumerate(names))
    kept = lines.add("times", [forget, lines.add("none", [0], place.memory, zero)])
    added = lines.add("times", [admit, candidate])
    memory = lines.add("none", [kept, added], np.concatenate([one, one], axis=1), zero)
    bent = lines.add("tanh", [memory], one, zero)
    return [lines.add("times", [expose, bent]), memory]


_CELLS = {ElmanNetwork: _elman, GRUNetwork: _gru, LSTMNetwork: _lstm}
