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
from mips_jax.networks.files.affine_layers import (
    OUTPUT,
    TRANSITION,
    affine_shapes,
    take_around,
    take_chain,
)
from mips_jax.networks.files.layer_order import natural_order, without_numbers
from mips_jax.networks.files.parts import Arrays, Ledger, Parts, missing
from mips_jax.networks.files.unreadable import possible_refusal, refusal
from mips_jax.networks.heads import Layers

RECURRENT_KEY = re.compile(
    r"^(?P<prefix>(?:.*\.)?)(?P<role>weight|bias)_(?P<source>ih|hh)(?:_l(?P<layer>\d+))?$"
)
EMBEDDING_KEY = re.compile(
    r"(?:^|\.)(?:\w*_)?emb(?:ed(?:ding)?s?)?(?:_\w+)?\.weight$", re.IGNORECASE
)
TABLE_KEY = re.compile(r"(?:^|\.)(?:encoder|wte|lookup(?:_table)?|vocab|tokens?)\.weight$", re.I)
STATE_NAMES = {
    "h": ("h0", "h_0", "hidden0", "init_hidden", "initial_hidden"),
    "c": ("c0", "c_0", "cell0", "init_cell", "initial_cell"),
    "all": ("initial", "initial_state", "init_state"),
}
TRANSITION_NAMES, OUTPUT_NAMES = ("hmlp", "transition"), ("ymlp", "output")
GATES = {1: "elman", 3: "gru", 4: "lstm"}


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
    reason = refusal(arrays)
    if reason is not None:
        return "", None, [reason]
    cell, parts, problems = _Reader(Ledger(arrays, missing_bias_is_zero, origin)).read()
    reason = possible_refusal(arrays) if problems else None
    return ("", None, [reason]) if reason else (cell, parts, problems)


class _Reader:
    """Takes keys out of the ledger as they find their meaning, and notes what is wrong."""

    def __init__(self, ledger: Ledger):
        self.ledger, self.problems = ledger, ledger.problems

    @property
    def left(self) -> Arrays:
        return self.ledger.left

    def read(self) -> tuple[str, Parts | None, list[str]]:
        states = self._take_states()
        transition: Layers = ()
        layers: tuple[CellLayer, ...] = ()
        inputs: Layers = ()
        recurrent = any(RECURRENT_KEY.match(name) for name in self.left)
        if recurrent:
            cell, layers = self._take_recurrent_layers()
        embedding = self._take_embedding(layers[0].weight_ih.shape[1] if layers else None)
        norms = self._take_norms()
        if recurrent:
            units = layers[-1].units if layers else None
            features = layers[0].weight_ih.shape[1] if layers else None
            inputs, head = take_around(self.ledger, units, features, embedding)
        else:
            cell, transition, head = self._take_mlp_rnn()
        self._report_unknown_keys()
        if self.problems or not head or not (transition or layers):
            return cell, None, self.problems
        parts = Parts(cell, transition, layers, head, embedding, None, inputs, norms)
        parts = dataclasses.replace(
            parts, initial=self._initial(states, parts), biasless=tuple(self.ledger.biasless)
        )
        return cell, (None if self.problems else parts), self.problems

    def _name(self, key: str) -> str:
        return self.ledger.name(key)

    def _take_states(self) -> Arrays:
        """Initial states by "h", "c" or "all"."""
        states = {}
        for key in list(self.left):
            for kind, names in STATE_NAMES.items():
                if key.split(".")[-1] in names:
                    states[kind] = self.left.pop(key)
        return states

    def _take_embedding(self, features: int | None) -> np.ndarray | None:
        """The table: by its name, or by being a matrix without a bias that ends in what the first
        layer reads, under a name that only a table has.
        """
        linear = lambda key: key.removesuffix("weight") + "bias" in self.left
        keys = [key for key in self.left if EMBEDDING_KEY.search(key) and not linear(key)]
        if not keys:
            ends = lambda key: self.left[key].ndim == 2 and self.left[key].shape[1] == features
            keys = [k for k in self.left if TABLE_KEY.search(k) and not linear(k) and ends(k)]
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
            return None
        return tables[0] if tables else None

    def _take_norms(self) -> Layers:
        """Pairs of vectors of one length: (gain, offset) of layer normalisations."""
        norms = []
        for key in sorted(self.left, key=natural_order):
            stem, _, role = key.rpartition(".")
            weight, bias = self.left[key], self.left.get(f"{stem}.bias" if stem else "bias")
            if role == "weight" and weight.ndim == 1:
                if bias is not None and bias.shape == weight.shape:
                    norms.append((weight, bias))
                    self.ledger.norm_keys += [key, key.removesuffix("weight") + "bias"]
        for key in self.ledger.norm_keys:
            del self.left[key]
        return tuple(norms)

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
            self.problems += [missing(self._name(f"{prefix}weight_ih_l{n}")) for n in absent]
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
        absent = [name for name in ("weight_ih", "weight_hh") if name not in arrays]
        no_bias = [name for name in ("bias_ih", "bias_hh") if name not in arrays]
        only = f"{prefix}bias_ih{suffix}" in self.ledger.origin  # the user has named one bias
        if len(no_bias) == 2 or (only and no_bias == ["bias_hh"]):
            self.ledger.biasless.append(
                f"{prefix.removesuffix('.') or 'the recurrent layer'}{suffix}"
            )
        elif not self.ledger.missing_bias_is_zero:
            absent += no_bias
        self.problems += [missing(key(name)) for name in absent]
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
        if wrong or "weight_ih" in absent:
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
        shapes = affine_shapes(self.ledger, has(TRANSITION_NAMES))
        transition = take_chain(self.ledger, TRANSITION, shapes, None)
        hidden_dim = transition[-1][0].shape[0] if transition else None
        shapes = affine_shapes(self.ledger, has(OUTPUT_NAMES))
        output = take_chain(self.ledger, OUTPUT, shapes, hidden_dim)
        if transition and transition[0][0].shape[1] <= hidden_dim:
            self.problems.append(
                f"the transition (hmlp) reads {transition[0][0].shape[1]} columns and returns "
                f"{hidden_dim}; it must read the hidden state and at least one input, [hidden, x]"
            )
        return "mlp_rnn", transition, output

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
                self.problems.append(missing(f"the initial state {kind}0"))
            elif states[kind].size != size:
                self.problems.append(
                    f"the initial state {STATE_NAMES[kind][0]} has shape {states[kind].shape}; "
                    f"{size} numbers are needed"
                )
        if self.problems:
            return None
        return np.concatenate([states[kind].ravel() for kind in needed])

    def _report_unknown_keys(self) -> None:
        unknown = [
            f"{self._name(key)}, shape {self.left[key].shape}"
            for key in sorted(self.left, key=natural_order)
        ]
        if unknown:
            more = f" (and {_listed(unknown[1:])})" if len(unknown) > 1 else ""
            self.problems.append(
                f"unknown key {unknown[0]}{more}; remove it if the network does not use it, or "
                "give the network as two Python functions (mips_jax.networks.CallableNetwork)"
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _shape(shape: tuple) -> str:
    inside = ", ".join("features" if size is None else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"
