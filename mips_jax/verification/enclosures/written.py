"""The certificate that `mips_jax.check` reads: networks, boxes and claims as plain numbers.

docs/proofs.md describes the file. Whatever is rounded here is rounded so that the independent check
decides: nothing in this module is trusted.
"""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np

from mips_jax.check import BOX, NETWORK, TURN
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.verification.enclosures.certificate import SLACK, Enclosure
from mips_jax.verification.enclosures.instructions import Instructions, instructions_of

FLOAT32_BITS, FLOAT64_BITS = 24, 53


def program_hash(source: str) -> str:
    """sha256 of a program's text."""
    return hashlib.sha256(source.encode()).hexdigest()


def certificate_of(
    network: Network, method: dict, bits: int, words: int | None, source: str
) -> dict:
    """The certificate.

    Args:
        network: what the claim is about.
        method: `by`, and what goes with it.
        bits: of the arithmetic.
        words: most steps of the words; None: any number.
        source: text of the program.
    """
    letters = np.array(method["letters"]) if "letters" in method else None
    return {
        "format": "mips-jax certificate 2",
        "program": program_hash(source),
        "bits": bits,
        "words": words,
        **method,
        "network": network_record(network, letters),
    }


def network_record(network: Network, letters: np.ndarray | None = None) -> dict:
    """A network's instructions as plain numbers, and their hash.

    Args:
        network: with instructions.
        letters: [A, I] of which the input vectors are to be written down, where they are not the
            letters themselves.
    """
    rules = instructions_of(network)
    assert isinstance(rules, Instructions), rules
    written = rules.encode is not None and letters is not None
    record = {
        "step": [_plain(one) for one in rules.step],
        "readout": [_plain(one) for one in rules.readout],
        "initial": rules.initial.astype(float).tolist(),
        "inputs": rules.vectors(letters).tolist() if written else None,
        "classes": None if rules.classes is None else list(rules.classes),
    }
    text = json.dumps([record[key] for key in NETWORK])
    return {**record, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _plain(instruction: tuple) -> list:
    numbers = lambda v: v.astype(float).tolist() if isinstance(v, np.ndarray) else v
    return [numbers(value) for value in instruction]


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
