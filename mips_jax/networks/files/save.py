"""Writes a network as a file that answers every question about itself."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.cells import CellNetwork
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
from mips_jax.networks.files.array_files import write_arrays
from mips_jax.networks.files.input_ranges import range_options
from mips_jax.networks.heads import Layers
from mips_jax.networks.network import MLPRNN, Network
from mips_jax.networks.wiring import Wiring


def save_network(path: str | os.PathLike, network: Network) -> None:
    """Writes a network so that `load_network(path)` needs no options: PyTorch's names, and the
    answers as metadata.

    Args:
        path: .npz or .safetensors.
        network: an MLPRNN, ElmanNetwork, GRUNetwork, LSTMNetwork, or an InterpretedNetwork around
            one.

    Raises:
        RequestError: the network is a pair of functions, or the path has another ending.
    """
    core: Network = network
    encoding: Encoding = Numbers(network.input_dim)
    decoding: Decoding = Rounded()
    if isinstance(network, InterpretedNetwork):
        core, encoding, decoding = network.core, network.encoding, network.decoding
    arrays = {"initial": core.initial}
    answers = {
        "trained_length": core.trained_length,
        **range_options(network.input_range),
        **_describe(encoding, decoding),
    }
    if isinstance(core, MLPRNN):
        arrays |= _layer_arrays("hmlp.mlp", core.transition) | _layer_arrays(
            "ymlp.mlp", core.output
        )
    elif isinstance(core, CellNetwork):
        for index, layer in enumerate(core.layers):
            arrays |= {
                f"rnn.{field.name}_l{index}": getattr(layer, field.name)
                for field in dataclasses.fields(layer)
            }
        arrays |= _layer_arrays("head", core.head) | _around(core.wiring, answers)
        answers["head_nonlinearity"] = core.head_nonlinearity
        answers["nonlinearity"] = getattr(core, "nonlinearity", None)
        answers["reset_after"] = getattr(core, "reset_after", None)
    else:
        allowed = "an MLPRNN, ElmanNetwork, GRUNetwork or LSTMNetwork"
        raise RequestError(f"a {type(core).__name__} cannot be saved; allowed: {allowed}")
    if isinstance(encoding, Embedding):
        arrays["embedding.weight"] = encoding.table
    said = {key: value for key, value in answers.items() if value is not None}
    write_arrays(
        path, arrays, {key: v if isinstance(v, str) else json.dumps(v) for key, v in said.items()}
    )


def _around(wiring: Wiring, answers: dict) -> dict[str, np.ndarray]:
    """The arrays around the recurrent layers; adds to the answers what they do not say."""
    arrays = _layer_arrays("input", wiring.inputs)
    if wiring.inputs:
        answers["input_nonlinearity"] = wiring.input_nonlinearity
    answers["residual"] = wiring.residual or None
    places = tuple(norm is not None for norm in wiring.norms)
    if not any(places):
        return arrays
    known = {
        (False,) * (len(places) - 1) + (True,): "output",
        (True,) * (len(places) - 1) + (False,): "between",
        (True,) * len(places): "each",
    }
    norms = [norm for norm in wiring.norms if norm is not None]
    if places not in known or len({norm.epsilon for norm in norms}) > 1:
        raise RequestError(
            "a network with normalisation after some of its layers only, or with several epsilons, "
            "cannot be saved"
        )
    answers["layer_norm"], answers["norm_epsilon"] = known[places], norms[0].epsilon
    return arrays | _layer_arrays("norm", tuple((norm.gain, norm.offset) for norm in norms))


def _layer_arrays(prefix: str, layers: Layers) -> dict[str, np.ndarray]:
    weights = {f"{prefix}.{i}.weight": weight for i, (weight, _) in enumerate(layers)}
    return weights | {f"{prefix}.{i}.bias": bias for i, (_, bias) in enumerate(layers)}


def _describe(encoding: Encoding, decoding: Decoding) -> dict:
    kinds = {Numbers: "number", OneHot: "one_hot", Bits: "bits", Embedding: "embedding"}
    heads = {Rounded: "number", ClassHead: "class", Threshold: "yes_no"}
    kind = (
        "bits_msb"
        if isinstance(encoding, Bits) and encoding.most_significant_first
        else kinds[type(encoding)]
    )
    return {
        "encoding": kind,
        "head": heads[type(decoding)],
        "input_dim": encoding.input_dim,
        "class_values": list(decoding.values) if isinstance(decoding, ClassHead) else None,
    }
