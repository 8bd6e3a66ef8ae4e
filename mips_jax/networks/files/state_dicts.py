"""Which network a PyTorch state_dict describes: recurrent layers or the paper's two MLPs, head,
embedding, first state.

Names may carry any prefix (`model.rnn.weight_ih_l0`). Every key must have a meaning; what has none
is reported.

Axes: L layers, E input features, U units of a layer, G gates, H hidden (all state of all layers), R
    raw outputs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

import numpy as np

from mips_jax.networks.cells import CellLayer
from mips_jax.networks.files.layer_order import forward_orders, natural_order, without_numbers
from mips_jax.networks.heads import Layers

Arrays = dict[str, np.ndarray]

RECURRENT_KEY = re.compile(
    r"^(?P<prefix>(?:.*\.)?)(?P<role>weight|bias)_(?P<source>ih|hh|hr)(?:_l(?P<layer>\d+))?(?P<reverse>_reverse)?$"
)
EMBEDDING_KEY = re.compile(
    r"(?:^|\.)(?:\w*_)?emb(?:ed(?:ding)?s?)?(?:_\w+)?\.weight$", re.IGNORECASE
)
STATE_NAMES = {
    "h": ("h0", "h_0", "hidden0", "init_hidden", "initial_hidden"),
    "c": ("c0", "c_0", "cell0", "init_cell", "initial_cell"),
    "all": ("initial", "initial_state", "init_state"),
}
TRANSITION_NAMES, OUTPUT_NAMES = ("hmlp", "transition"), ("ymlp", "output")
GATES = {1: "elman", 3: "gru", 4: "lstm"}


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """What the keys of a file turned out to be.

    Attributes:
        cell: "mlp_rnn", "elman", "gru" or "lstm".
        transition: the paper's f (mlp_rnn only).
        layers: the recurrent layers (other cells).
        head: g, or what reads the last layer's h.
        embedding: [K, D] table of input vectors, or None.
        initial: [H] state that the file holds, or None.
    """

    cell: str
    transition: Layers
    layers: tuple[CellLayer, ...]
    head: Layers
    embedding: np.ndarray | None
    initial: np.ndarray | None

    @property
    def hidden_dim(self) -> int:
        if self.cell == "mlp_rnn":
            return self.transition[-1][0].shape[0]
        return sum(layer.units for layer in self.layers) * (2 if self.cell == "lstm" else 1)

    @property
    def features(self) -> int:
        """E, the width of the input vector of one step."""
        if self.cell == "mlp_rnn":
            return self.transition[0][0].shape[1] - self.hidden_dim
        return self.layers[0].weight_ih.shape[1]

    @property
    def raw_outputs(self) -> int:
        return self.head[-1][0].shape[0]


def read_parts(
    arrays: Arrays, missing_bias_is_zero: bool, origin: dict[str, str]
) -> tuple[str, Parts | None, list[str]]:
    """Gives every key its meaning.

    Args:
        arrays: by PyTorch name.
        missing_bias_is_zero: whether a layer without a bias is read as one with a bias of zero.
        origin: for names that were translated, what the file calls them (for the messages).

    Returns:
        The kind of cell ("" when even that is unclear), the parts (None when something is wrong
        with them), and every problem found.
    """
    return _Reader(dict(arrays), missing_bias_is_zero, origin).read()


class _Reader:
    """Takes keys out of `left` as they find their meaning, and notes what is wrong with them."""

    def __init__(self, arrays: Arrays, missing_bias_is_zero: bool, origin: dict[str, str]):
        self.left, self.missing_bias_is_zero, self.origin = arrays, missing_bias_is_zero, origin
        self.problems: list[str] = []

    def read(self) -> tuple[str, Parts | None, list[str]]:
        states = self._take_states()
        embedding = self._take_embedding()
        transition: Layers = ()
        layers: tuple[CellLayer, ...] = ()
        if any(RECURRENT_KEY.match(name) for name in self.left):
            cell, layers = self._take_recurrent_layers()
            head = self._take_affine_layers(
                "the head", lambda name: True, layers[-1].units if layers else None
            )
        else:
            cell, transition, head = self._take_mlp_rnn()
        self._report_unknown_keys()
        if self.problems or not head or not (transition or layers):
            return cell, None, self.problems
        parts = Parts(cell, transition, layers, head, embedding, None)
        parts = dataclasses.replace(parts, initial=self._initial(states, parts))
        return cell, (None if self.problems else parts), self.problems

    def _name(self, key: str) -> str:
        return self.origin.get(key, key)

    def _take_states(self) -> Arrays:
        """Initial states by "h", "c" or "all"."""
        states = {}
        for key in list(self.left):
            for kind, names in STATE_NAMES.items():
                if key.split(".")[-1] in names:
                    states[kind] = self.left.pop(key)
        return states

    def _take_embedding(self) -> np.ndarray | None:
        keys = [key for key in self.left if EMBEDDING_KEY.search(key)]
        if len(keys) > 1:
            self.problems.append(
                f"there are {len(keys)} embeddings ({_listed(map(self._name, keys))}); one is read"
            )
        tables = [self.left.pop(key) for key in keys]
        if tables and tables[0].ndim != 2:
            self.problems.append(
                f"{self._name(keys[0])} has shape {tables[0].shape}; an embedding is (values, "
                "features)"
            )
        return tables[0] if tables else None

    def _take_recurrent_layers(self) -> tuple[str, tuple[CellLayer, ...]]:
        """The stack of PyTorch recurrent layers, of one module or of numbered ones (rnn1, rnn2 or
        cells.0, cells.1).
        """
        found: dict[
            tuple[str, str], Arrays
        ] = {}  # by (prefix, "_l0" as nn.GRU spells it or "" as nn.GRUCell)
        for key in list(self.left):
            if not (match := RECURRENT_KEY.match(key)):
                continue
            array = self.left.pop(key)
            if match["reverse"]:
                self.problems.append(
                    f"{key} belongs to a bidirectional layer, which reads the future; train one "
                    "with bidirectional=False"
                )
            elif match["source"] == "hr":
                self.problems.append(
                    f"{key} belongs to an LSTM with projections, which is not read; train one with "
                    "proj_size=0"
                )
            else:
                place = (match["prefix"], "" if match["layer"] is None else f"_l{match['layer']}")
                found.setdefault(place, {})[f"{match['role']}_{match['source']}"] = array
        modules = {without_numbers(prefix) for prefix, _ in found}
        if len(modules) > 1:
            self.problems.append(
                f"there are {len(modules)} recurrent modules ({_listed(sorted(modules))}) and the "
                "file does not say how they are connected; one is read (of any number of layers)"
            )
            return "", ()
        for prefix in {prefix for prefix, suffix in found if suffix}:
            numbers = [int(suffix[2:]) for p, suffix in found if p == prefix and suffix]
            absent = [n for n in range(max(numbers)) if n not in numbers]
            self.problems += [_missing(self._name(f"{prefix}weight_ih_l{n}")) for n in absent]
        kinds, layers, features = set(), [], None
        for place in sorted(
            found, key=lambda place: (natural_order(place[0]), natural_order(place[1]))
        ):
            layer, kind = self._layer(*place, found[place], features)
            if layer is not None:
                layers.append(layer)
                kinds.add(kind)
                features = layer.units
        if len(kinds) > 1:
            self.problems.append(
                f"the layers are of different kinds ({_listed(sorted(kinds))}); one kind is read"
            )
        return (kinds.pop() if len(kinds) == 1 else ""), tuple(layers)

    def _layer(
        self, prefix: str, suffix: str, arrays: Arrays, features: int | None
    ) -> tuple[CellLayer | None, str]:
        key = lambda name: self._name(f"{prefix}{name}{suffix}")
        missing = [name for name in ("weight_ih", "weight_hh") if name not in arrays]
        missing += [
            name
            for name in ("bias_ih", "bias_hh")
            if name not in arrays and not self.missing_bias_is_zero
        ]
        self.problems += [_missing(key(name)) for name in missing]
        weight_hh = arrays.get("weight_hh")
        if weight_hh is None:
            return None, ""
        if weight_hh.ndim != 2 or weight_hh.shape[0] not in (g * weight_hh.shape[1] for g in GATES):
            self.problems.append(
                f"{key('weight_hh')} has shape {weight_hh.shape}; allowed: (U, U) for nn.RNN, (3 "
                "U, U) for nn.GRU, (4 U, U) for nn.LSTM"
            )
            return None, ""
        rows, units = weight_hh.shape
        expected = {"weight_ih": (rows, features), "bias_ih": (rows,), "bias_hh": (rows,)}
        wrong = False
        for name, shape in expected.items():
            array = arrays.get(name)
            if array is not None and (
                len(array.shape) != len(shape)
                or any(s not in (None, a) for s, a in zip(shape, array.shape))
            ):
                wrong = True
                self.problems.append(
                    f"{key(name)} has shape {array.shape}; {key('weight_hh')} of shape "
                    f"{weight_hh.shape} asks for {_shape(shape)}"
                )
        if wrong or "weight_ih" in missing:
            return None, ""
        biases = [arrays.get("bias_ih"), arrays.get("bias_hh")]
        return CellLayer.from_arrays(arrays["weight_ih"], weight_hh, *biases), GATES[rows // units]

    def _take_mlp_rnn(self) -> tuple[str, Layers, Layers]:
        has = lambda names: lambda key: any(part in names for part in key.split("."))
        if not any(map(has(TRANSITION_NAMES + ("ymlp",)), self.left)):
            self.problems.append(
                "no recurrent layer found; allowed: PyTorch's weight_ih_l0, weight_hh_l0, "
                "bias_ih_l0, bias_hh_l0 with any prefix, a flax cell (for example "
                "GRUCell_0/ir/kernel), or the paper's hmlp.*.weight and ymlp.*.weight"
            )
            return "", (), ()
        transition = self._take_affine_layers("the transition (hmlp)", has(TRANSITION_NAMES), None)
        hidden_dim = transition[-1][0].shape[0] if transition else None
        output = self._take_affine_layers("the output (ymlp)", has(OUTPUT_NAMES), hidden_dim)
        if transition and transition[0][0].shape[1] <= hidden_dim:
            self.problems.append(
                f"the transition (hmlp) reads {transition[0][0].shape[1]} columns and returns "
                f"{hidden_dim}; it must read the hidden state and at least one input, [hidden, x]"
            )
        return "mlp_rnn", transition, output

    def _take_affine_layers(self, owner: str, belongs, features: int | None) -> Layers:
        """Affine layers in forward order; each reads what the one before it returns."""
        spell = lambda stem, role: f"{stem}.{role}" if stem else role
        split = {key: key.rpartition(".") for key in self.left if belongs(key)}
        stems = {stem for stem, _, role in split.values() if role in ("weight", "bias")}
        if not stems:
            self.problems.append(
                f"{owner} is missing: no affine layer (for example {_EXAMPLES[owner]}) is left in "
                "the file"
            )
            return ()
        weights = {stem: self.left.get(spell(stem, "weight")) for stem in stems}
        shapes = {
            stem: w.shape if w is not None and w.ndim == 2 else None for stem, w in weights.items()
        }
        orders = forward_orders(shapes, features)
        if len(orders) > 1:
            self.problems.append(
                f"neither the names nor the shapes tell the order of {owner}'s layers "
                f"({_listed(orders[0])}); number them, for example head.0.weight, head.2.weight"
            )
        layers, whole, before = [], True, "the hidden state"
        for stem in orders[0]:
            keys = {role: spell(stem, role) for role in ("weight", "bias")}
            weight, bias = (self.left.pop(key, None) for key in keys.values())
            names = {role: self._name(key) for role, key in keys.items()}
            problems = self._affine_problems(owner, names, weight, bias, features, before)
            self.problems += problems
            if weight is None or weight.ndim != 2:
                features, whole = None, False
                continue
            features, before = weight.shape[0], names["weight"]
            whole = whole and not problems
            layers.append((weight, np.zeros(features) if bias is None else bias))
        return tuple(layers) if whole else ()

    def _affine_problems(
        self, owner: str, names: dict[str, str], weight, bias, features: int | None, before: str
    ) -> list[str]:
        if weight is None:
            return [_missing(names["weight"])]
        if weight.ndim != 2:
            return [
                f"{names['weight']} has shape {weight.shape}; {owner} is made of affine layers of "
                "shape (out, in)"
            ]
        problems = []
        if features is not None and weight.shape[1] != features:
            problems.append(
                f"{names['weight']} has shape {weight.shape} but {before} has {features} values; "
                f"allowed: ({weight.shape[0]}, {features})"
            )
        if bias is None and not self.missing_bias_is_zero:
            problems.append(_missing(names["bias"]))
        if bias is not None and bias.shape != weight.shape[:1]:
            problems.append(
                f"{names['bias']} has shape {bias.shape}; {names['weight']} of shape "
                f"{weight.shape} asks for ({weight.shape[0]},)"
            )
        return problems

    def _initial(self, states: Arrays, parts: Parts) -> np.ndarray | None:
        """[H] from the file's own states, of any shape of the right size."""
        if not states:
            return None
        if "c" in states and parts.cell != "lstm":
            self.problems.append(
                f"the file holds an initial cell state (c0), which {parts.cell} does not have"
            )
            return None
        needed = ("h", "c") if parts.cell == "lstm" else ("h",)
        if "all" in states:
            needed = ("all",)
        size = parts.hidden_dim // len(needed)
        for kind in needed:
            if kind not in states:
                self.problems.append(_missing(f"the initial state {kind}0"))
            elif states[kind].size != size:
                self.problems.append(
                    f"the initial state {STATE_NAMES[kind][0]} has shape {states[kind].shape}; "
                    f"{size} numbers are needed"
                )
        if self.problems:
            return None
        return np.concatenate([states[kind].ravel() for kind in needed])

    def _report_unknown_keys(self) -> None:
        for key in sorted(self.left, key=natural_order):
            self.problems.append(
                f"unknown key {self._name(key)}, shape {self.left[key].shape}; remove it if the "
                "network does not use it, or give the network as two Python functions "
                "(mips_jax.networks.CallableNetwork)"
            )


_EXAMPLES = {
    "the head": "head.weight and head.bias",
    "the transition (hmlp)": "hmlp.mlp.0.weight and hmlp.mlp.0.bias",
    "the output (ymlp)": "ymlp.mlp.0.weight and ymlp.mlp.0.bias",
}


def _missing(key: str) -> str:
    if "bias" in key:
        return (
            f"key {key} is missing; if the layer was made with bias=False, say "
            "network.missing_bias=zeros"
        )
    return f"key {key} is missing"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _shape(shape: tuple) -> str:
    inside = ", ".join("features" if size is None else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"
