"""The certificate that `mips_jax.check` reads: networks, boxes and claims as plain numbers.

docs/proofs.md describes the file. Whatever is rounded here is rounded so that the independent check
decides: nothing in this module is trusted.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from mips_jax.check import BOX, TURN
from mips_jax.machines import Mealy
from mips_jax.networks import MLPRNN
from mips_jax.verification.enclosures.certificate import SLACK, Enclosure

FLOAT32_BITS, FLOAT64_BITS = 24, 53


def program_hash(source: str) -> str:
    """sha256 of a program's text."""
    return hashlib.sha256(source.encode()).hexdigest()


def certificate_of(
    network: MLPRNN, method: dict, bits: int, words: int | None, source: str
) -> dict:
    """The certificate.

    Args:
        network: what the claim is about.
        method: `by`, and what goes with it.
        bits: of the arithmetic.
        words: most steps of the words; None: any number.
        source: text of the program.
    """
    return {
        "format": "mips-jax certificate 1",
        "program": program_hash(source),
        "bits": bits,
        "words": words,
        **method,
        "network": network_record(network),
    }


def weights_hash(network: MLPRNN) -> str:
    """sha256 of all weights as little-endian float64: each layer's rows and its bias, f before g,
    and the initial state.
    """
    layers = (*network.transition, *network.output, (network.initial, np.zeros(0)))
    numbers = [array.astype("<f8").tobytes() for layer in layers for array in layer]
    return hashlib.sha256(b"".join(numbers)).hexdigest()


def network_record(network: MLPRNN) -> dict:
    """Layers [rows, bias, what follows], and the initial state."""
    return {
        "step": _layers(network.transition),
        "readout": _layers(network.output),
        "initial": network.initial.astype(float).tolist(),
        "sha256": weights_hash(network),
    }


def _layers(layers) -> list:
    last = len(layers) - 1
    return [
        [
            weight.astype(float).tolist(),
            bias.astype(float).tolist(),
            "none" if k == last else "relu",
        ]
        for k, (weight, bias) in enumerate(layers)
    ]


def graph_record(machine: Mealy, enclosure: Enclosure) -> dict:
    """Boxes and edges of an enclosure; each box with half of its slack."""
    boxes = []
    for node in range(enclosure.nodes):
        slack = 0.0 if node == 0 else SLACK / 2
        boxes.append(
            box_record(
                enclosure.origin[node],
                enclosure.frame[node],
                enclosure.low[node] - slack,
                enclosure.high[node] + slack,
            )
        )
    return {
        "by": "graph",
        "letters": machine.letters.tolist(),
        "successor": enclosure.successor.tolist(),
        "boxes": boxes,
    }


def box_record(origin: np.ndarray, frame: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict:
    """A box in the integers of the certificate, rounded outward."""
    turned = np.rint(frame * 2.0**TURN)
    inverse = np.rint(np.linalg.inv(turned / 2.0**TURN) * 2.0**TURN)
    whole = lambda numbers: [int(v) for v in numbers]
    return {
        "origin": whole(np.rint(origin * 2.0**BOX)),
        "low": [math.floor(v * 2.0**BOX) for v in low],
        "high": [math.ceil(v * 2.0**BOX) for v in high],
        "frame": [whole(row) for row in turned],
        "inverse": [whole(row) for row in inverse],
    }
