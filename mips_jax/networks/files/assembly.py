"""From the parts of a file and the answers of its user to a network, or every reason why they do
not fit together.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks.cells import CellNetwork, ElmanNetwork, GRUNetwork, LSTMNetwork
from mips_jax.networks.encodings import (
    Bits,
    ClassHead,
    Decoding,
    Embedding,
    Encoding,
    InterpretedNetwork,
    Numbers,
    OneHot,
    Rounded,
    Threshold,
)
from mips_jax.networks.files.input_ranges import bounds_of, lows_of
from mips_jax.networks.files.options import NetworkOptions, plain
from mips_jax.networks.files.parts import Parts
from mips_jax.networks.network import MLPRNN, InputRange, Network
from mips_jax.networks.wiring import LayerNorm, Wiring


def assemble(
    parts: Parts, answers: NetworkOptions, assumed: tuple[str, ...]
) -> tuple[Network | None, list[str]]:
    """The network, or every reason why the answers do not fit the weights.

    Args:
        parts: the weights.
        answers: all questions that they leave open are answered.
        assumed: what was taken for granted, for the network to say.
    """
    problems: list[str] = []
    encoding = _encoding(parts, answers, problems)
    decoding = _decoding(parts, answers, problems)
    initial = _initial(parts, answers, problems)
    made_for = None
    if answers.input_min is not None and answers.input_max is not None:
        made_for = bounds_of(answers, encoding.input_dim, problems) or None
    problems += _misplaced(parts, answers)
    wiring = _wiring(parts, answers, problems)
    if problems:
        return None, problems
    core = _core(parts, answers, initial, made_for)
    if isinstance(core, CellNetwork):
        core = dataclasses.replace(core, wiring=wiring, assumed=assumed)
    if isinstance(encoding, Numbers) and isinstance(decoding, Rounded):
        return core, []
    return InterpretedNetwork(core, encoding, decoding), []


def _misplaced(parts: Parts, answers: NetworkOptions) -> list[str]:
    """Options that belong to another kind of network."""
    problems = []
    words = (answers.nonlinearity, answers.head_nonlinearity)
    if parts.cell == "mlp_rnn" and any(word not in (None, "relu") for word in words):
        word = next(word for word in words if word not in (None, "relu"))
        problems.append(
            f"network.nonlinearity is {word!r} but an MLP network (hmlp, ymlp) is read with relu; "
            "give it as two Python functions instead (mips_jax.networks.CallableNetwork)"
        )
    for name, cell in (("nonlinearity", "elman"), ("reset_after", "gru")):
        if getattr(answers, name) is not None and parts.cell not in (cell, "mlp_rnn"):
            problems.append(
                f"network.{name} is {getattr(answers, name)!r} but the file holds a network of "
                f"kind {parts.cell}; it belongs to {cell} only"
            )
    for name, there in (
        ("input_nonlinearity", parts.inputs),
        ("layer_norm", parts.norms),
        ("norm_epsilon", parts.norms),
        ("residual", len(parts.layers) > 1),
    ):
        if getattr(answers, name) and not there:
            needed = {
                "input_nonlinearity": "no layer before the recurrent ones",
                "residual": "no second recurrent layer",
            }.get(name, "no layer normalisation")
            problems.append(
                f"network.{name} is {getattr(answers, name)!r} but the file holds {needed}; drop "
                "the option"
            )
    return problems


def _wiring(parts: Parts, answers: NetworkOptions, problems: list[str]) -> Wiring:
    """What lies around the recurrent layers."""
    count = len(parts.layers)
    places = parts.norm_places or {
        None: (False,) * count,
        "output": (False,) * (count - 1) + (True,),
        "between": (True,) * (count - 1) + (False,),
        "each": (True,) * count,
    }.get(answers.layer_norm, ())
    units = [layer.units for layer, normed in zip(parts.layers, places) if normed]
    sizes = [gain.size for gain, _ in parts.norms]
    if units != sizes:
        problems.append(
            f"the file holds normalisations of {sizes or 'no'} values, but network.layer_norm = "
            f"{answers.layer_norm} asks for {units}; others cannot be read"
        )
        return Wiring()
    if answers.residual and len({layer.units for layer in parts.layers}) > 1:
        problems.append("network.residual is True but the recurrent layers differ in width")
    epsilon = parts.norm_epsilon if answers.norm_epsilon is None else answers.norm_epsilon
    left = iter(parts.norms)
    norms = tuple(LayerNorm(*next(left), epsilon) if normed else None for normed in places)
    return Wiring(
        parts.inputs,
        answers.input_nonlinearity or "none",
        norms if parts.norms else (),
        bool(answers.residual),
    )


def _core(
    parts: Parts, answers: NetworkOptions, initial: np.ndarray, made_for: InputRange | None
) -> Network:
    """The network proper, of parts and answers that fit together."""
    length = answers.trained_length
    if parts.cell == "mlp_rnn":
        return MLPRNN(parts.transition, parts.head, initial, length, made_for)
    between = answers.head_nonlinearity or "relu"
    shared = (parts.layers, parts.head, initial, length, between, made_for)
    if parts.cell == "gru":
        return GRUNetwork(*shared, reset_after=answers.reset_after is not False)
    if parts.cell == "lstm":
        return LSTMNetwork(*shared)
    assert answers.nonlinearity is not None  # settled before parts are put together
    return ElmanNetwork(*shared, nonlinearity=answers.nonlinearity)


def _initial(parts: Parts, answers: NetworkOptions, problems: list[str]) -> np.ndarray:
    said = answers.initial
    if parts.initial is not None:
        if said is not None and (said == "zeros" or list(said) != parts.initial.tolist()):
            problems.append(
                "network.initial is given but the file holds an initial state of its own; drop the "
                "option, or remove the key from the file"
            )
        return parts.initial
    if said is None or isinstance(said, str):
        return np.zeros(parts.hidden_dim)
    if len(said) != parts.hidden_dim:
        problems.append(
            f"network.initial has {len(said)} numbers; the state has {parts.hidden_dim}"
        )
    return np.asarray(said, np.float64)


def _decoding(parts: Parts, answers: NetworkOptions, problems: list[str]) -> Decoding:
    count, values = parts.raw_outputs, answers.class_values
    if values is not None and answers.head != "class":
        problems.append(
            f"network.class_values is given but network.head is {answers.head or 'number'!r}; it "
            "belongs to class"
        )
    if answers.head == "yes_no":
        return Threshold()
    if answers.head != "class":
        return Rounded()
    if count < 2:
        problems.append(
            "network.head is 'class' but the network has one raw output; allowed: number or yes_no"
        )
    if values is not None and len(values) != count:
        problems.append(
            f"network.class_values has {len(values)} values; the network has {count} classes"
        )
    return ClassHead(tuple(int(v) for v in values) if values is not None else tuple(range(count)))


def _encoding(parts: Parts, answers: NetworkOptions, problems: list[str]) -> Encoding:
    """The encoding that was asked for, with its sizes from the width of the input vector and the
    range.
    """
    table = parts.embedding
    kind = answers.encoding or ("embedding" if table is not None else "number")
    if (kind == "embedding") != (table is not None):
        problems.append(
            f"network.encoding is {kind!r} but the file holds "
            f"{'an' if table is not None else 'no'} embedding"
        )
        return Numbers()
    if kind == "number":
        if answers.input_dim not in (None, parts.features):
            problems.append(
                f"network.input_dim is {answers.input_dim} but the network reads {parts.features} "
                "numbers a step"
            )
            return Numbers()
        return Numbers(parts.features)
    dim = answers.input_dim or max(
        len(v) if isinstance(v := plain(b), list) else 1
        for b in (answers.input_min, answers.input_max)
    )
    if table is not None:
        return _embedding(table, parts, answers, dim, problems)
    return _symbols(kind, parts, answers, dim, problems)


def _symbols(
    kind: str, parts: Parts, answers: NetworkOptions, dim: int, problems: list[str]
) -> Encoding:
    """One-hot vectors or bits: from the range where it is given, else equal parts of the width from
    input_min on.
    """
    needed = (
        (lambda count: count)
        if kind == "one_hot"
        else (lambda count: max(1, (count - 1).bit_length()))
    )
    word = "one-hot values" if kind == "one_hot" else "bits"
    if answers.input_max is not None:
        bounds = bounds_of(
            dataclasses.replace(
                answers, input_min=answers.input_min if answers.input_min is not None else 0
            ),
            dim,
            problems,
        )
        sizes = tuple(needed(high - low + 1) for low, high in bounds)
        lows = tuple(low for low, _ in bounds)
        if bounds and sum(sizes) != parts.features:
            ranges = " and ".join(f"{low}..{high}" for low, high in bounds)
            problems.append(
                f"the network reads {parts.features} values a step but the range {ranges} "
                f"(network.input_min, network.input_max) takes {sum(sizes)} {word}; they must be "
                f"equal (network.input_dim is {dim})"
            )
    else:
        lows = lows_of(answers, dim, problems)
        sizes = (parts.features // dim,) * dim
        if parts.features % dim:
            problems.append(
                f"the network reads {parts.features} values a step, which {dim} inputs "
                "(network.input_dim) cannot share equally; give network.input_min and "
                "network.input_max for each input"
            )
    if kind == "one_hot":
        return OneHot(lows, sizes)
    return Bits(lows, sizes, most_significant_first=kind == "bits_msb")


def _embedding(
    table: np.ndarray, parts: Parts, answers: NetworkOptions, dim: int, problems: list[str]
) -> Encoding:
    rows, columns = table.shape
    if columns * dim != parts.features:
        problems.append(
            f"the embedding has {columns} features for each of {dim} inputs (network.input_dim), "
            f"but the network reads {parts.features} values a step"
        )
    if answers.input_max is None:
        return Embedding(table, lows_of(answers, dim, problems)[0], dim)
    low = 0 if answers.input_min is None else answers.input_min
    bounds = bounds_of(dataclasses.replace(answers, input_min=low), dim, problems)
    if all(last - first + 1 == rows for first, last in bounds):
        return Embedding(table, bounds[0][0] if bounds else 0, dim)
    for first, last in bounds:  # rows that no input meets, such as a row for padding
        if first < 0 or last >= rows:
            problems.append(
                f"the embedding has {rows} rows but the range {first}..{last} has "
                f"{last - first + 1} values; a smaller range must lie within 0..{rows - 1}"
            )
    return Embedding(table, 0, dim)
