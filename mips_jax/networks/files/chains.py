"""From the layers of a file that says in which order they are applied (Keras, ONNX) to parts.

Axes: K rows of a table, D features, E input features, U units of a layer.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np

from mips_jax.networks.cells import CellLayer
from mips_jax.networks.files.content import FileContent, UnreadableError, checked
from mips_jax.networks.files.parts import Arrays, Parts
from mips_jax.networks.heads import NONLINEARITIES, Layers

DECISIONS = {"softmax": "class", "log_softmax": "class", "argmax": "class", "sigmoid": "yes_no"}


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """An embedding [K, D]; `padding` where row 0 is skipped instead of read."""

    name: str
    rows: np.ndarray
    padding: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Affine:
    """y = weight x + bias."""

    name: str
    weight: np.ndarray
    bias: np.ndarray


@dataclasses.dataclass(frozen=True)
class Activation:
    """A non-linearity of NONLINEARITIES, or a decision of DECISIONS."""

    name: str
    word: str


@dataclasses.dataclass(frozen=True, eq=False)
class Norm:
    """Layer normalisation of the last axis."""

    name: str
    gain: np.ndarray
    offset: np.ndarray
    epsilon: float


@dataclasses.dataclass(frozen=True, eq=False)
class Recurrent:
    """One recurrent layer.

    Attributes:
        name: of the layer.
        kind: "elman", "gru" or "lstm".
        layer: its weights, gates in PyTorch's order.
        nonlinearity: of an Elman layer.
        reset_after: of a GRU.
        initial: [h] or [h, c], each [U]; None where it is zeros.
    """

    name: str
    kind: str
    layer: CellLayer
    nonlinearity: str | None = None
    reset_after: bool | None = None
    initial: tuple[np.ndarray, ...] | None = None


Block = Table | Affine | Activation | Norm | Recurrent


def in_order(blocks: Sequence[Block], metadata: dict[str, str]) -> FileContent:
    """The network whose layers are applied in this order.

    Args:
        blocks: from the input to the output.
        metadata: what else the file says.

    Raises:
        UnreadableError: no network that is read here has such layers.
        RequestError: weights are not finite.
    """
    places = [i for i, block in enumerate(blocks) if isinstance(block, Recurrent)]
    if not places:
        raise UnreadableError("there is no recurrent layer in it (RNN, GRU or LSTM)")
    first, last = places[0], places[-1]
    layers = [block for block in blocks if isinstance(block, Recurrent)]
    said = _common(layers) | metadata
    table, inputs, word = _before(blocks[:first])
    if word is not None:
        said["input_nonlinearity"] = word
    if table is not None and table.padding:
        said |= {"input_min": "1", "input_max": str(len(table.rows) - 1)}
    norms = _norms(blocks[first : last + 1])
    rest = list(blocks[last + 1 :])
    if rest and isinstance(rest[0], Norm):
        norms[-1] = rest[0]
        del rest[0]
    head, said = _head(rest, layers[-1].layer.units, said)
    found = [norm for norm in norms if norm is not None]
    if len({norm.epsilon for norm in found}) > 1:
        raise UnreadableError("its normalisations have different epsilons; one is read")
    parts = Parts(
        layers[0].kind,
        (),
        tuple(block.layer for block in layers),
        head,
        None if table is None else table.rows,
        _initial(layers),
        inputs,
        tuple((norm.gain, norm.offset) for norm in found),
        found[0].epsilon if found else 1e-5,
        tuple(norm is not None for norm in norms) if found else None,
    )
    _check_fit(parts, blocks)
    return FileContent(metadata=said, parts=parts)


def _common(layers: list[Recurrent]) -> dict[str, str]:
    """What all recurrent layers share."""
    for what in ("kind", "nonlinearity", "reset_after"):
        values = {getattr(layer, what) for layer in layers}
        if len(values) > 1:
            raise UnreadableError(
                f"its recurrent layers differ in {what} ({', '.join(sorted(map(str, values)))}); "
                "one is read"
            )
    said = {"nonlinearity": layers[0].nonlinearity, "reset_after": layers[0].reset_after}
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in said.items() if v is not None}


def _before(blocks: Sequence[Block]) -> tuple[Table | None, Layers, str | None]:
    """The table, the layers before the recurrent ones, and what follows each of them."""
    rest = list(blocks)
    table = rest.pop(0) if rest and isinstance(rest[0], Table) else None
    layers, words = _affine_layers(rest, "before the recurrent layers")
    if not layers:
        if words:
            raise UnreadableError("a non-linearity of the input itself is not read")
        return table, (), None  # type: ignore[return-value]
    words += ["none"] * (len(layers) - len(words))
    return table, layers, _only(words, "before the recurrent layers")  # type: ignore[return-value]


def _norms(blocks: Sequence[Block]) -> list[Norm | None]:
    """For each recurrent layer what normalises its output."""
    norms: list[Norm | None] = []
    for block in blocks:
        if isinstance(block, Recurrent):
            norms.append(None)
        elif isinstance(block, Norm) and norms and norms[-1] is None:
            norms[-1] = block
        else:
            raise UnreadableError(
                f"{block.name} lies between two recurrent layers, where only layer normalisation "
                "is read"
            )
    return norms


def _head(blocks: list[Block], units: int, said: dict[str, str]) -> tuple[Layers, dict[str, str]]:
    """The head, and what the file says with the decision at its end added."""
    while blocks and isinstance(blocks[-1], Activation) and blocks[-1].word in DECISIONS:
        said = {"head": DECISIONS[blocks.pop().word]} | said  # type: ignore[union-attr]
    if blocks and isinstance(blocks[0], Activation):
        blocks.insert(0, Affine("the state", np.eye(units), np.zeros(units)))
    layers, words = _affine_layers(blocks, "in the head")
    if not layers:
        raise UnreadableError("the head is missing: no affine layer follows the recurrent ones")
    if len(words) == len(layers) and words[-1] == "none":
        words = words[:-1]
    if len(words) == len(layers):  # a non-linearity at the very end
        size = len(layers[-1][1])
        layers = (*layers, (np.eye(size), np.zeros(size)))
    words += ["none"] * (len(layers) - 1 - len(words))
    if words:
        said = said | {"head_nonlinearity": _only(words, "in the head")}
    return layers, said


def _affine_layers(blocks: Sequence[Block], where: str) -> tuple[Layers, list[str]]:
    """Affine layers, and the words of what follows each but perhaps the last."""
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    words: list[str] = []
    for block in blocks:
        if isinstance(block, Affine):
            words += ["none"] * (len(layers) - len(words))
            layers.append((block.weight, block.bias))
        elif isinstance(block, Activation) and block.word in NONLINEARITIES:
            if block.word != "none" and (not layers or len(words) == len(layers)):
                raise UnreadableError(f"{block.name} follows no affine layer {where}")
            if block.word != "none":
                words.append(block.word)
        elif isinstance(block, Activation):
            raise UnreadableError(f"{block.name} ({block.word}) {where} is not read")
        else:
            raise UnreadableError(
                f"{block.name} ({type(block).__name__.lower()}) {where} is not read"
            )
    return tuple(layers), words


def _only(words: list[str], where: str) -> str:
    if len(set(words)) > 1:
        raise UnreadableError(
            f"{where} different non-linearities follow one another ({', '.join(words)}); one is "
            "read"
        )
    return words[0]


def _initial(layers: list[Recurrent]) -> np.ndarray | None:
    """[H], the hidden states of all layers and then the cell states."""
    if all(layer.initial is None for layer in layers):
        return None
    kinds = 2 if layers[0].kind == "lstm" else 1
    zeros = lambda layer: (np.zeros(layer.layer.units),) * kinds
    states = [layer.initial or zeros(layer) for layer in layers]
    return np.concatenate([state[kind] for kind in range(kinds) for state in states])


def _check_fit(parts: Parts, blocks: Sequence[Block]) -> None:
    """Raises where weights are not finite, or one layer does not read what the one before wrote."""
    arrays: Arrays = {}
    for block in blocks:
        for field in dataclasses.fields(block):
            value = getattr(block, field.name)
            if isinstance(value, CellLayer):
                arrays |= {
                    f"{block.name} {f.name}": getattr(value, f.name)
                    for f in dataclasses.fields(value)
                }
            elif isinstance(value, np.ndarray):
                arrays[f"{block.name} {field.name}"] = value
    checked(arrays)
    width = parts.features if parts.embedding is None else parts.embedding.shape[1]
    for block in blocks:
        if isinstance(block, Recurrent | Affine):
            read = block.layer.weight_ih if isinstance(block, Recurrent) else block.weight
            if read.shape[1] != width:
                raise UnreadableError(
                    f"{block.name} reads {read.shape[1]} values but is given {width}"
                )
            width = block.layer.units if isinstance(block, Recurrent) else len(block.bias)
