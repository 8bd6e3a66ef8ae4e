"""The layers of a Keras configuration, one block each; gates and axes in PyTorch's order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mips_jax.networks.cells import CellLayer
from mips_jax.networks.files.chains import Activation, Affine, Block, Norm, Recurrent, Table
from mips_jax.networks.files.content import UnreadableError

Arrays = list[np.ndarray]
WORDS = {
    "linear": "none",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
}
IDLE = ("InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout")
GATES = {"elman": (0,), "gru": (1, 0, 2), "lstm": (0, 1, 2, 3)}  # ours -> Keras'
KINDS = {"SimpleRNN": "elman", "GRU": "gru", "LSTM": "lstm", "CuDNNGRU": "", "CuDNNLSTM": ""}


def blocks_of(config: dict, arrays: dict[str, Arrays]) -> list[Block]:
    """The blocks of a model.

    Args:
        config: of the model, as Keras writes it.
        arrays: the weights of each layer, by its name.
    """
    kind = config.get("class_name")
    if kind not in ("Sequential", "Functional", "Model"):
        raise UnreadableError(
            f"it holds a model of the class {kind}, whose code is not in the file; build the same "
            "layers with keras.Sequential, or give .npz"
        )
    layers = config["config"]["layers"]
    if kind != "Sequential":
        _check_chain(layers)
    return [b for layer in layers for b in _blocks(layer, arrays.get(_name(layer), []))]


def _name(layer: dict) -> str:
    return layer["config"].get("name") or layer.get("name", "")


def _check_chain(layers: list[dict]) -> None:
    """Raises where a layer reads something else than what the one before it wrote."""
    for before, layer in itertools.pairwise(layers):
        parents = set(_parents(layer.get("inbound_nodes", [])))
        if parents != {_name(before)}:
            raise UnreadableError(
                f"the layer {_name(layer)} reads {', '.join(sorted(parents)) or 'nothing'}, not "
                f"the layer before it ({_name(before)}); only chains of layers are read"
            )


def _parents(nodes: Any, level: int = 0) -> Iterator[str]:
    """Names of layers in what Keras 2 and 3 write of the tensors that a layer reads."""
    if level > 20:
        return
    if isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            yield nodes[0]
        else:
            for node in nodes:
                yield from _parents(node, level + 1)
    elif isinstance(nodes, dict):
        for node in nodes.values():
            yield from _parents(node, level + 1)


def _blocks(layer: dict, arrays: Arrays) -> Iterator[Block]:
    kind, config, name = layer["class_name"], layer["config"], _name(layer)
    if kind in IDLE:
        return
    if kind in KINDS or kind == "RNN":
        yield from _recurrent(kind, config, name, arrays)
        return
    if kind not in LAYERS:
        raise UnreadableError(f"the layer {name} is {_what(kind)}")
    yield from LAYERS[kind](config, name, arrays)


def _what(kind: str) -> str:
    if kind == "Bidirectional":
        return "bidirectional and reads the future; train one that is not"
    if "Attention" in kind:
        return f"of the kind {kind}, which looks back at all inputs; only recurrent ones are read"
    allowed = ", ".join((*KINDS, "RNN", *LAYERS))
    return f"of the kind {kind}, which is not read; read are {allowed}"


def _embedding(config: dict, name: str, arrays: Arrays) -> Iterator[Block]:
    (rows,) = arrays
    yield Table(name, rows, bool(config.get("mask_zero")))


def _dense(config: dict, name: str, arrays: Arrays) -> Iterator[Block]:
    kernel, *biases = arrays
    if len(biases) != bool(config.get("use_bias", True)):
        raise UnreadableError(f"the layer {name} has {len(arrays)} arrays, which its bias denies")
    yield Affine(name, kernel.T, biases[0] if biases else np.zeros(kernel.shape[1]))
    yield from _activation(config, name, arrays)


def _time_distributed(config: dict, name: str, arrays: Arrays) -> Iterator[Block]:
    yield from _blocks(config["layer"], arrays)


def _activation(config: dict, name: str, _: Arrays) -> Iterator[Block]:
    yield Activation(name, _word(config.get("activation", "linear"), name))


def _word(activation: Any, name: str) -> str:
    if isinstance(activation, dict):
        activation = activation.get("config")
    if activation not in WORDS:
        raise UnreadableError(
            f"the layer {name} has the activation {activation}, which is not read; read are "
            f"{', '.join(WORDS)}"
        )
    return WORDS[activation]


def _relu(config: dict, name: str, _: Arrays) -> Iterator[Block]:
    if (
        config.get("max_value") is not None
        or config.get("threshold")
        or config.get("negative_slope")
    ):
        raise UnreadableError(f"the layer {name} is a ReLU with bounds, which is not read")
    yield Activation(name, "relu")


def _softmax(_: dict, name: str, __: Arrays) -> Iterator[Block]:
    yield Activation(name, "softmax")


def _norm(config: dict, name: str, arrays: Arrays) -> Iterator[Block]:
    if not (config.get("scale", True) and config.get("center", True)) or config.get("rms_scaling"):
        raise UnreadableError(f"the layer {name} is normalisation without scale or centre")
    gain, offset = arrays
    if gain.ndim != 1:
        raise UnreadableError(f"the layer {name} normalises several axes; one is read")
    yield Norm(name, gain, offset, float(config.get("epsilon", 1e-3)))


LAYERS: dict[str, Callable[[dict, str, Arrays], Iterator[Block]]] = {
    "Embedding": _embedding,
    "Dense": _dense,
    "TimeDistributed": _time_distributed,
    "Activation": _activation,
    "ReLU": _relu,
    "Softmax": _softmax,
    "LayerNormalization": _norm,
}


def _recurrent(kind: str, config: dict, name: str, arrays: Arrays) -> Iterator[Block]:
    """The cells of one layer of a model, each a recurrent layer of ours."""
    if config.get("go_backwards"):
        raise UnreadableError(f"the layer {name} reads its inputs backwards, which is not read")
    cells: list[dict[str, Any]] = [{"class_name": kind, "config": config}]
    if kind == "RNN":
        cell = config["cell"]
        stacked = cell["class_name"] == "StackedRNNCells"
        cells = cell["config"]["cells"] if stacked else [cell]
    for cell in cells:
        settings = cell["config"]
        count = 3 if settings.get("use_bias", True) else 2
        own, arrays = arrays[:count], arrays[count:]
        yield _cell(cell["class_name"].removesuffix("Cell"), settings, name, own)


def _cell(kind: str, config: dict, name: str, arrays: Arrays) -> Recurrent:
    ours = KINDS.get(kind, "")
    if not ours:
        raise UnreadableError(
            f"the layer {name} has cells of the kind {kind}, which are not read; read are "
            f"{', '.join(k for k, v in KINDS.items() if v)}"
        )
    word = _word(config.get("activation", "tanh"), name)
    gate = config.get("recurrent_activation", "sigmoid")
    if ours != "elman" and (word, gate) != ("tanh", "sigmoid"):
        raise UnreadableError(
            f"the layer {name} has the activations {word} and {gate}; a {kind} is read with tanh "
            "and sigmoid"
        )
    kernel, recurrent, *rest = arrays
    bias = rest[0] if rest else np.zeros(kernel.shape[1])
    bias_ih, bias_hh = bias if bias.ndim == 2 else (bias, np.zeros(len(bias)))
    in_our_order = lambda a: np.concatenate(
        [np.split(np.asarray(a), len(GATES[ours]))[gate] for gate in GATES[ours]]
    )
    if recurrent.shape[1] != len(GATES[ours]) * recurrent.shape[0]:
        raise UnreadableError(f"the layer {name} has a recurrent kernel of {recurrent.shape}")
    layer = CellLayer.from_arrays(*map(in_our_order, (kernel.T, recurrent.T, bias_ih, bias_hh)))
    return Recurrent(
        name,
        ours,
        layer,
        word if ours == "elman" else None,
        bool(config.get("reset_after", bias.ndim == 2)) if ours == "gru" else None,
    )
