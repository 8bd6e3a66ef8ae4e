"""The nodes of an ONNX graph that are read: what each adds to the chain of layers, and which of its
inputs carries the sequence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mips_jax.networks.cells import CellLayer
from mips_jax.networks.files.chains import Activation, Affine, Block, Norm, Recurrent, Table
from mips_jax.networks.files.content import UnreadableError

GATES = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 2, 3, 1)}  # ours -> ONNX'
KINDS = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}
GATED = {"GRU": ["sigmoid", "tanh"], "LSTM": ["sigmoid", "tanh", "tanh"]}
RECURRENT_INPUTS = 5  # before the initial states: x, w, r, b, lengths
PEEPHOLES = 7
MOST_BACK = 100  # nodes between a state and the constant that it is made of


@dataclasses.dataclass(frozen=True, eq=False)
class Bias:
    """A constant that is added; part of the affine layer before it."""

    name: str
    vector: np.ndarray


class Graph:
    """A graph's constants, and which node makes which value.

    Attributes:
        inputs: names of what is given from outside.
        producer: of each value, its node.
        zero_start: whether every initial state met so far is known to be zero.
        recurrent: whether a recurrent node has been met on the way back from the output.
    """

    def __init__(self, graph: Any, to_array: Callable, attribute: Callable):
        self._to_array, self._attribute = to_array, attribute
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = {i.name for i in graph.input} - set(self.constants)
        self.producer = {name: node for node in graph.node for name in node.output if name}
        self.zero_start, self.recurrent = True, False

    def attributes(self, node: Any) -> dict[str, Any]:
        """The attributes of a node, texts as str."""
        plain = lambda v: v.decode() if isinstance(v, bytes) else v
        found = {a.name: self._attribute(a) for a in node.attribute}
        return {
            k: [plain(x) for x in v] if isinstance(v, list) else plain(v) for k, v in found.items()
        }

    def constant(self, name: str, level: int = 0) -> np.ndarray | None:
        """The value of a constant, or of what a few simple nodes make of constants."""
        if name in self.constants:
            return self._to_array(self.constants[name])
        node = self.producer.get(name)
        if node is None or level > MOST_BACK:
            return None
        if node.op_type == "Constant":
            value = self.attributes(node).get("value")
            return None if value is None else self._to_array(value)
        if node.op_type not in ("Identity", "Transpose", "Squeeze", "Unsqueeze", "Cast"):
            return None
        array = self.constant(node.input[0], level + 1)
        if array is None:
            return None
        if node.op_type == "Transpose":
            return array.transpose(self.attributes(node).get("perm"))
        if node.op_type == "Squeeze":
            return array.squeeze()
        return array

    def weight(self, node: Any, position: int) -> np.ndarray:
        """The constant that a node has as one of its inputs."""
        name = node.input[position] if position < len(node.input) else ""
        array = self.constant(name)
        if array is None:
            raise UnreadableError(
                f"the node {_named(node)} ({node.op_type}) has an input {name!r} that is no "
                "constant: it joins two paths, or its weights are computed; only chains are read"
            )
        return np.asarray(array)


def _named(node: Any) -> str:
    return node.name or node.output[0]


def merged(blocks: Sequence[Block | Bias]) -> list[Block]:
    """Blocks with each bias in the affine layer before it."""
    found: list[Block] = []
    for block in blocks:
        if not isinstance(block, Bias):
            found.append(block)
            continue
        last = found[-1] if found else None
        if not isinstance(last, Affine) or last.bias.any() or block.vector.size != last.bias.size:
            raise UnreadableError(f"the node {block.name} adds a constant to no affine layer")
        found[-1] = dataclasses.replace(last, bias=block.vector.ravel())
    return found


Result = tuple[list, str]


def _passing(graph: Graph, node: Any) -> Result:
    """A node that moves values, or of whose steps one is chosen."""
    return [], node.input[0]


def _gather(graph: Graph, node: Any) -> Result:
    table = graph.constant(node.input[0])
    if table is None:
        return _chosen_steps(graph, node)
    if table.ndim != 2 or graph.attributes(node).get("axis", 0) != 0:
        raise UnreadableError(f"the node {_named(node)} looks up no row of a table")
    return [Table(_named(node), table)], node.input[1]


def _chosen_steps(graph: Graph, node: Any) -> Result:
    """Some steps of what the recurrent layers wrote; their inputs must stay as they are."""
    if graph.recurrent:
        raise UnreadableError(
            f"the node {_named(node)} ({node.op_type}) takes inputs out of their order; not read"
        )
    return [], node.input[0]


def _matmul(graph: Graph, node: Any) -> Result:
    matrix = graph.weight(node, 1)
    if matrix.ndim != 2:
        raise UnreadableError(f"the node {_named(node)} multiplies by {matrix.ndim} axes, not 2")
    return [Affine(_named(node), matrix.T, np.zeros(matrix.shape[1]))], node.input[0]


def _gemm(graph: Graph, node: Any) -> Result:
    said = graph.attributes(node)
    if said.get("transA") or said.get("alpha", 1.0) != 1.0 or said.get("beta", 1.0) != 1.0:
        raise UnreadableError(f"the node {_named(node)} scales or turns its input")
    matrix = graph.weight(node, 1)
    matrix = matrix if said.get("transB") else matrix.T
    bias = graph.weight(node, 2).ravel() if len(node.input) > 2 else np.zeros(len(matrix))
    if bias.size != len(matrix):
        bias = np.broadcast_to(bias, len(matrix))
    return [Affine(_named(node), matrix, bias)], node.input[0]


def _add(graph: Graph, node: Any) -> Result:
    position = 0 if graph.constant(node.input[0]) is not None else 1
    return [Bias(_named(node), graph.weight(node, position))], node.input[1 - position]


def _activation(word: str) -> Callable[[Graph, Any], Result]:
    return lambda graph, node: ([Activation(_named(node), word)], node.input[0])


def _norm(graph: Graph, node: Any) -> Result:
    said = graph.attributes(node)
    gain = graph.weight(node, 1)
    offset = graph.weight(node, 2) if len(node.input) > 2 else np.zeros(gain.shape)
    if gain.ndim != 1:
        raise UnreadableError(f"the node {_named(node)} normalises several axes; one is read")
    return [Norm(_named(node), gain, offset, said.get("epsilon", 1e-5))], node.input[0]


def _recurrent(graph: Graph, node: Any) -> Result:
    kind, said, name = node.op_type, graph.attributes(node), _named(node)
    graph.recurrent = True
    if said.get("direction", "forward") != "forward":
        raise UnreadableError(
            f"the node {name} is {said['direction']} and reads the future; train one that is not"
        )
    peepholes = len(node.input) > PEEPHOLES and node.input[PEEPHOLES]
    if "clip" in said or said.get("input_forget") or peepholes:
        raise UnreadableError(f"the node {name} has peepholes, a clip or coupled gates; not read")
    words = [word.lower() for word in said.get("activations", GATED.get(kind, ["tanh"]))]
    if kind != "RNN" and words != GATED[kind]:
        raise UnreadableError(f"the node {name} has the activations {', '.join(words)}; not read")
    if kind == "RNN" and words[0] not in ("tanh", "relu", "sigmoid"):
        raise UnreadableError(f"the node {name} has the activation {words[0]}; not read")
    w, r = graph.weight(node, 1)[0], graph.weight(node, 2)[0]
    given = len(node.input) > 3 and node.input[3]
    bias = graph.weight(node, 3)[0] if given else np.zeros(2 * len(w))
    ours = lambda array: np.concatenate(
        [np.split(array, len(GATES[kind]))[gate] for gate in GATES[kind]]
    )
    layer = CellLayer.from_arrays(*map(ours, (w, r, bias[: len(w)], bias[len(w) :])))
    block = Recurrent(
        name,
        KINDS[kind],
        layer,
        words[0] if kind == "RNN" else None,
        bool(said.get("linear_before_reset", 0)) if kind == "GRU" else None,
        _initial(graph, node, layer.units),
    )
    return [block], node.input[0]


def _initial(graph: Graph, node: Any, units: int) -> tuple[np.ndarray, ...] | None:
    """The first states that lie in the graph; None where they are zeros, or given from outside."""
    count = 2 if node.op_type == "LSTM" else 1
    names = list(node.input[RECURRENT_INPUTS : RECURRENT_INPUTS + count])
    states = []
    for name in names + [""] * (count - len(names)):
        state = np.zeros(units) if not name else _state(graph, name, units)
        graph.zero_start = graph.zero_start and state is not None
        states.append(np.zeros(units) if state is None else state)
    return tuple(states) if any(state.any() for state in states) else None


def _state(graph: Graph, name: str, units: int) -> np.ndarray | None:
    """One first state [U]; None where it is given from outside."""
    for _ in range(MOST_BACK):
        if name in graph.inputs:
            return None
        array = graph.constant(name)
        if array is not None:
            rows = np.asarray(array).reshape(-1, units)
            if (rows == rows[0]).all():
                return rows[0]
            break
        node = graph.producer.get(name)
        if node is None:
            break
        if node.op_type == "ConstantOfShape":
            value = graph.attributes(node).get("value")
            if value is None or not np.any(graph._to_array(value)):
                return np.zeros(units)
            break
        if node.op_type not in ("Slice", "Expand", "Unsqueeze", "Squeeze", "Identity", "Tile"):
            break
        name = node.input[0]
    raise UnreadableError(
        f"the first state {name} is computed, or differs from sequence to sequence; not read"
    )


NODES: dict[str, Callable[[Graph, Any], Result]] = {
    **dict.fromkeys(GATES, _recurrent),
    "Gather": _gather,
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Add": _add,
    "Relu": _activation("relu"),
    "Tanh": _activation("tanh"),
    "Sigmoid": _activation("sigmoid"),
    "Softmax": _activation("softmax"),
    "LogSoftmax": _activation("log_softmax"),
    "ArgMax": _activation("argmax"),
    "LayerNormalization": _norm,
    "Slice": _chosen_steps,
    **dict.fromkeys(
        (
            "Identity",
            "Cast",
            "Dropout",
            "Transpose",
            "Reshape",
            "Squeeze",
            "Unsqueeze",
            "Flatten",
            "OneHot",
        ),
        _passing,
    ),
}
