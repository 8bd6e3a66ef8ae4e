"""The affine layers of a file: which come before the recurrent layers, which make up the head, and
in which order.

A layer is told by its shape: those before must end in the width that the first recurrent layer
reads, those of the head begin with the width of the last one's state. Where both fit, names decide,
and where they do not, the user is asked.
"""

from __future__ import annotations

import itertools
import re

import numpy as np

from mips_jax.networks.files.layer_order import (
    MOST_UNNUMBERED,
    forward_orders,
    natural_order,
    without_numbers,
)
from mips_jax.networks.files.parts import Ledger, missing
from mips_jax.networks.heads import Layers

BEFORE = "the layers before the recurrent ones"
HEAD, TRANSITION, OUTPUT = "the head", "the transition (hmlp)", "the output (ymlp)"
_EXAMPLES = {
    HEAD: "head.weight and head.bias",
    TRANSITION: "hmlp.mlp.0.weight and hmlp.mlp.0.bias",
    OUTPUT: "ymlp.mlp.0.weight and ymlp.mlp.0.bias",
}
INPUT_NAME = re.compile(r"(^|[._])(in|inp|inputs?|pre|proj_in|emb\w*|encoder|fc_in)($|[._])", re.I)
HEAD_NAME = re.compile(
    r"(^|[._])(head|fc\d*|out|output|decoder|classifier|readout|logits|lm_head|pred|final)($|[._])",
    re.I,
)
Shapes = dict[str, tuple[int, int] | None]


def affine_shapes(ledger: Ledger, belongs=lambda key: True) -> Shapes:
    """(out, in) of each affine layer that is left, by the stem of its keys; None where damaged."""
    split = {key: key.rpartition(".") for key in ledger.left if belongs(key)}
    stems = {stem for stem, _, role in split.values() if role in ("weight", "bias")}
    weights = {stem: ledger.left.get(_key(stem, "weight")) for stem in stems}
    return {s: w.shape if w is not None and w.ndim == 2 else None for s, w in weights.items()}


def take_around(
    ledger: Ledger, units: int | None, features: int | None, table: np.ndarray | None
) -> tuple[Layers, Layers]:
    """The layers before the recurrent ones, and the head.

    Args:
        ledger: what is left.
        units: that the head reads, None where the recurrent layers are damaged.
        features: that the first recurrent layer reads, likewise.
        table: the embedding, or None.
    """
    shapes = affine_shapes(ledger)
    before: tuple[str, ...] = ()
    if units is not None and features is not None:
        before = _before(ledger, shapes, units, features, table)
    head = {stem: shape for stem, shape in shapes.items() if stem not in before}
    inputs: Layers = ()
    if before:
        inputs = take_chain(ledger, BEFORE, {stem: shapes[stem] for stem in before}, None)
    return inputs, take_chain(ledger, HEAD, head, units)


def _before(
    ledger: Ledger, shapes: Shapes, units: int, features: int, table: np.ndarray | None
) -> tuple[str, ...]:
    """Which layers come before the recurrent ones."""
    said = tuple(stem for stem in shapes if re.match(r"input(\.\d+)?$", stem))
    whole = {stem: shape for stem, shape in shapes.items() if shape is not None}
    if said or not shapes or len(whole) < len(shapes) or len(shapes) > MOST_UNNUMBERED:
        return said
    divisions = [
        some
        for count in range(1, len(whole))
        for some in itertools.combinations(sorted(whole, key=natural_order), count)
        if _divides(whole, some, units, features, table)
    ]
    if features == 1:  # nobody projects on a single number
        divisions = []
    by_name = [some for some in divisions if all(map(INPUT_NAME.search, some))]
    if len(by_name) == 1:
        return by_name[0]
    as_head = _order(whole, tuple(whole), units, None)
    if as_head:
        divisions = [some for some in divisions if not any(map(HEAD_NAME.search, some))]
    if not divisions:
        return ()
    if len(divisions) == 1:
        after = [stem for stem in whole if stem not in divisions[0]]
        # a layer that only its shape lets follow one that is named as the head
        odd = as_head and as_head[-1] in divisions[0] and all(map(HEAD_NAME.search, after))
        if not as_head or odd:
            return divisions[0]
    first = divisions[0][0]
    ledger.problems.append(
        f"the file does not say whether {' and '.join(ledger.name(s) for s in divisions[0])} comes "
        f"before the recurrent layers or belongs to the head; give network.names, which calls what "
        f"comes before input.0 and so on: network.names=['input.0={first}'] or ['head.0={first}']"
    )
    return ()


def _divides(
    shapes: dict, before: tuple[str, ...], units: int, features: int, table: np.ndarray | None
) -> bool:
    """Whether some layers can come before, all others in the head; a numbered family is cut in two
    at most, its lower numbers before.
    """
    after = tuple(stem for stem in shapes if stem not in before)
    for low, high in itertools.product(after, before):
        if without_numbers(low) == without_numbers(high):
            if natural_order(low) < natural_order(high):
                return False
    if table is not None:
        widths = {shapes[stem][1] for stem in before}
        if not any(width % table.shape[1] == 0 for width in widths):
            return False
    return bool(_order(shapes, before, None, features) and _order(shapes, after, units, None))


def _order(
    shapes: dict, stems: tuple[str, ...], first: int | None, last: int | None
) -> tuple[str, ...]:
    """An order in which layers lead from the width `first` to the width `last`; () for none."""
    chosen = {stem: shapes[stem] for stem in stems}
    for order in forward_orders(chosen, first):
        ends = first in (None, shapes[order[0]][1]) and last in (None, shapes[order[-1]][0])
        if ends and all(shapes[b][1] == shapes[a][0] for a, b in itertools.pairwise(order)):
            return order
    return ()


def take_chain(ledger: Ledger, owner: str, shapes: Shapes, features: int | None) -> Layers:
    """Affine layers in forward order; each reads what the one before it returns."""
    if not shapes:
        ledger.problems.append(
            f"{owner} is missing: no affine layer (for example {_EXAMPLES[owner]}) is left in "
            "the file"
        )
        return ()
    orders = forward_orders(shapes, features)
    if len(orders) > 1:
        ledger.problems.append(
            f"neither the names nor the shapes tell the order of {owner}'s layers "
            f"({', '.join(orders[0])}); number them, for example head.0.weight, head.2.weight"
        )
    layers, whole, before = [], True, "the hidden state"
    for stem in orders[0]:
        keys = {role: _key(stem, role) for role in ("weight", "bias")}
        weight, bias = (ledger.left.pop(key, None) for key in keys.values())
        names = {role: ledger.name(key) for role, key in keys.items()}
        problems = _problems(ledger, owner, names, weight, bias, features, before)
        ledger.problems += problems
        if weight is None or weight.ndim != 2:
            features, whole = None, False
            continue
        features, before = weight.shape[0], names["weight"]
        whole = whole and not problems
        layers.append((weight, np.zeros(features) if bias is None else bias))
    return tuple(layers) if whole else ()


def _problems(
    ledger: Ledger, owner: str, names: dict, weight, bias, features: int | None, before: str
) -> list[str]:
    if weight is None:
        return [missing(names["weight"])]
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
    if bias is None and owner in (TRANSITION, OUTPUT) and not ledger.missing_bias_is_zero:
        problems.append(missing(names["bias"]))
    elif bias is None:
        ledger.biasless.append(names["weight"].removesuffix(".weight"))
    if bias is not None and bias.shape != weight.shape[:1]:
        problems.append(
            f"{names['bias']} has shape {bias.shape}; {names['weight']} of shape "
            f"{weight.shape} asks for ({weight.shape[0]},)"
        )
    return problems


def _key(stem: str, role: str) -> str:
    return f"{stem}.{role}" if stem else role
