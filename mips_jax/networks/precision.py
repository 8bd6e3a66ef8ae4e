"""Networks in single precision: what most of them were trained and are deployed in.

Everything else in this package evaluates a network in float64.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks.cells import CellLayer, CellNetwork
from mips_jax.networks.encodings import InterpretedNetwork
from mips_jax.networks.heads import Layers
from mips_jax.networks.network import MLPRNN, Network


def in_float32(network: Network) -> Network | None:
    """The same network with weights, states, inputs and products in float32.

    Returns:
        None where it cannot be had: a network of a kind that is not ours, or one whose weights are
        no float32 numbers, so that it was never one of single precision.
    """
    if isinstance(network, InterpretedNetwork):
        core = in_float32(network.core)
        return None if core is None else dataclasses.replace(network, core=core)
    if type(network) is MLPRNN:
        parts = (network.transition, network.output)
        if not _single(network.initial, *(a for part in parts for layer in part for a in layer)):
            return None
        return dataclasses.replace(
            network,
            transition=_layers(network.transition),
            output=_layers(network.output),
            initial=network.initial.astype(np.float32),
        )
    if isinstance(network, CellNetwork):
        arrays = [array for layer in network.layers for array in dataclasses.astuple(layer)]
        arrays += [*network.wiring.arrays, *(a for layer in network.head for a in layer)]
        if not _single(network.initial, *arrays):
            return None
        return dataclasses.replace(
            network,
            layers=tuple(_cell_layer(layer) for layer in network.layers),
            head=_layers(network.head),
            initial=network.initial.astype(np.float32),
            wiring=network.wiring.astype(np.float32),
        )
    return None


def _single(*arrays: np.ndarray) -> bool:
    """Whether every number is one of float32."""
    with np.errstate(over="ignore"):
        return all(np.array_equal(array.astype(np.float32), array) for array in arrays)


def _layers(layers: Layers) -> Layers:
    return tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers)


def _cell_layer(layer: CellLayer) -> CellLayer:
    return CellLayer(*(array.astype(np.float32) for array in dataclasses.astuple(layer)))
