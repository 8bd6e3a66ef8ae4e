"""A network as a list of instructions, each of which makes a vector of those before it: what the
independent check reads, and what the search for a proof follows.

Names: "join" of vectors, "part" of one from a coordinate to another, "affine" with a weight [out,
in] and a bias [out], "relu", "tanh", "sigmoid" of each coordinate, "times", "plus", "minus" of two
vectors. Vectors are counted from 0; a step starts with the hidden state and the input vector, a
readout with the hidden state. A cell's input vector ends in a 1, by which its second biases are
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
        return [(one[2], one[3]) for one in self.step + self.readout if one[0] == "affine"]

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
        step.layers(network.transition, "relu", step.add("join", 0, 1))
        readout = _Lines(1)
        readout.layers(network.output, "relu", 0)
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
        last = ("affine", len(core.readout), np.array([[0.0], [1.0]]), level)
        return dataclasses.replace(core, readout=(*core.readout, last), classes=(0, 1))
    return f"outputs that are {decoding} are not followed"


class _Lines:
    """A list of instructions that grows."""

    def __init__(self, given: int):
        self.made: tuple[Instruction, ...] = ()
        self.given = given

    def add(self, name: str, *given) -> int:
        """Appends an instruction; the number of its result."""
        self.made += ((name, *given),)
        return self.given + len(self.made) - 1

    def affine(self, value: int, weight: np.ndarray, bias: np.ndarray) -> int:
        return self.add("affine", value, weight, bias)

    def curve(self, name: str, value: int) -> int:
        return value if name == "none" else self.add(name, value)

    def layers(self, layers: Layers, nonlinearity: str, value: int) -> int:
        """Affine layers with a nonlinearity between them."""
        for weight, bias in layers[:-1]:
            value = self.curve(nonlinearity, self.affine(value, weight, bias))
        return self.affine(value, *layers[-1])


def _cells(network: CellNetwork) -> Instructions | str:
    """Recurrent layers and what lies around them."""
    wiring, units = network.wiring, [layer.units for layer in network.layers]
    if any(wiring.norms):
        return "layer normalisation is not followed"
    ends, features = np.cumsum([0, *units]).tolist(), network.input_dim
    step = _Lines(2)
    one = step.add("part", 1, features, features + 1)
    x = step.add("part", 1, 0, features)
    for weight, bias in wiring.inputs:
        x = step.curve(wiring.input_nonlinearity, step.affine(x, weight, bias))
    written: list[list[int]] = []
    for index, layer in enumerate(network.layers):
        states = [
            step.add("part", 0, kind * ends[-1] + ends[index], kind * ends[-1] + ends[index + 1])
            for kind in range(network.states_per_layer)
        ]
        written.append(_CELLS[type(network)](step, network, layer, states, x, one))
        x = _after(step, network, index, written[-1][0], x)
    step.add(
        "join", *(after[kind] for kind in range(network.states_per_layer) for after in written)
    )
    readout = _Lines(1)
    first, h = (0 if wiring.residual else len(units) - 1), -1
    for index in range(first, len(units)):
        part = readout.add("part", 0, ends[index], ends[index + 1])
        h = part if index == first else _after(readout, network, index, part, h)
    readout.layers(network.head, network.head_nonlinearity, h)
    encode = lambda letters: np.concatenate([letters, np.ones((len(letters), 1))], axis=1)
    return Instructions(step.made, readout.made, network.initial, encode=encode)


def _after(lines: _Lines, network: CellNetwork, index: int, h: int, x: int) -> int:
    """What the reader of a layer gets; see `Wiring.after`."""
    return lines.add("plus", h, x) if network.wiring.residual and index else h


def _gate(lines: _Lines, layer: CellLayer, number: int, joined: int) -> int:
    """One gate, of [h, x, 1]."""
    rows = slice(number * layer.units, (number + 1) * layer.units)
    blocks = [layer.weight_hh[rows], layer.weight_ih[rows], layer.bias_hh[rows, None]]
    return lines.affine(joined, np.concatenate(blocks, axis=1), layer.bias_ih[rows])


def _elman(lines: _Lines, network, layer: CellLayer, states: list[int], x: int, one: int):
    joined = lines.add("join", states[0], x, one)
    return [lines.curve(network.nonlinearity, _gate(lines, layer, 0, joined))]


def _gru(lines: _Lines, network, layer: CellLayer, states: list[int], x: int, one: int):
    """h' = n + z (h - n); the noise of its last sum also covers (1 - z) n + z h."""
    units, h = layer.units, states[0]
    joined = lines.add("join", h, x, one)
    reset = lines.add("sigmoid", _gate(lines, layer, 0, joined))
    update = lines.add("sigmoid", _gate(lines, layer, 1, joined))
    rows = slice(2 * units, 3 * units)
    recurrent, second = layer.weight_hh[rows], layer.bias_hh[rows]
    if network.reset_after:
        gated = lines.add("times", reset, lines.affine(h, recurrent, second))
        blocks = [np.eye(units), layer.weight_ih[rows]]
        read = lines.add("join", gated, x)
    else:
        blocks = [recurrent, layer.weight_ih[rows], second[:, None]]
        read = lines.add("join", lines.add("times", reset, h), x, one)
    new = lines.affine(read, np.concatenate(blocks, axis=1), layer.bias_ih[rows])
    new = lines.add("tanh", new)
    return [lines.add("plus", new, lines.add("times", update, lines.add("minus", h, new)))]


def _lstm(lines: _Lines, network, layer: CellLayer, states: list[int], x: int, one: int):
    joined = lines.add("join", states[0], x, one)
    gates = [_gate(lines, layer, number, joined) for number in range(4)]
    names = ("sigmoid", "sigmoid", "tanh", "sigmoid")
    admit, forget, candidate, expose = (lines.add(*pair) for pair in zip(names, gates))
    kept = lines.add("times", forget, states[1])
    memory = lines.add("plus", kept, lines.add("times", admit, candidate))
    return [lines.add("times", expose, lines.add("tanh", memory)), memory]


_CELLS = {ElmanNetwork: _elman, GRUNetwork: _gru, LSTMNetwork: _lstm}
