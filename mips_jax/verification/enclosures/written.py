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
    letters = np.array(method["letters"]) if method["by"] == "graph" else None
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
    inputs = None
    if rules.encode is not None and letters is not None:
        inputs = rules.vectors(letters).tolist()
    record = {
        "step": [_plain(one) for one in rules.step],
        "readout": [_plain(one) for one in rules.readout],
        "initial": rules.initial.astype(float).tolist(),
        "inputs": inputs,
        "classes": None if rules.classes is None else list(rules.classes),
    }
    text = json.dumps([record[key] for key in NETWORK])
    return {**record, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _plain(instruction: tuple) -> list:
    numbers = lambda v: v.astype(float).tolist() if isinstance(v, np.ndarray) else v
    return [numbers(value) for value in instruction]


def graph_record(machine: Mealy, enclosure: Enclosure) -> dict:
    """Boxes and edges of an enclosure; each box with half of its slack, none for the start."""
    boxes: list[dict | None] = [None]
    for node in range(1, enclosure.nodes):
        low, high = enclosure.low[node] - SLACK / 2, enclosure.high[node] + SLACK / 2
        frame = enclosure.frame[node]
        center = enclosure.origin[node] + frame @ (low + high) / 2
        boxes.append(box_record(center, frame * (high - low) / 2))
    successor = _one_by_one(enclosure, len(machine.letters))
    return {
        "by": "graph",
        "letters": machine.letters.tolist(),
        "successor": successor,
        "boxes": boxes + [None] * (len(successor) - len(boxes)),
    }


def _one_by_one(enclosure: Enclosure, letters: int) -> list[list[int]]:
    """Successors letter by letter: nodes without a box stand between one box and the next."""
    stride = enclosure.choices.shape[1]
    if stride == 1:
        return enclosure.successor.tolist()
    rows: list[list[int]] = [[] for _ in range(enclosure.nodes)]
    for node, targets in enumerate(enclosure.successor.tolist()):
        layer = [node]
        for depth in range(stride):
            below = [len(rows) + k for k in range(len(layer) * letters)]
            below = targets if depth == stride - 1 else below
            for k, parent in enumerate(layer):
                rows[parent] = below[k * letters : (k + 1) * letters]
            rows += [[] for _ in below] if depth < stride - 1 else []
            layer = below
    return rows


def sums_record(ends: list, steps: int, box: dict | None = None) -> dict:
    """A chain of steps with all letters at once.

    Args:
        ends: lowest and highest value of each input.
        steps: of the chain.
        box: that is entered after so many steps, and again after as many more; None: there are no
            more.
    """
    last = 2 * steps if box else steps
    chain = [[step + 1] for step in range(last)]
    if box:
        chain[-1] = [steps]
    boxes = [box if step == steps else None for step in range(last + (not box))]
    return {"by": "affine", "letters": [ends], "successor": chain, "boxes": boxes}


def box_record(center: np.ndarray, generators: np.ndarray) -> dict:
    """The set {center + generators s: |s| <= 1} in the integers of the certificate.

    Args:
        center: [H].
        generators: [H, M], of full rank: each coordinate has a share in some direction.
    """
    whole = lambda numbers: [int(v) for v in np.rint(numbers)]
    inverse = np.linalg.pinv(generators)
    reach = np.abs(generators).sum(axis=1).max() * np.abs(inverse).sum(axis=1).max()
    left = 2.0**-45 * max(1.0, float(reach)) * float(np.abs(generators).sum(axis=1).max())
    error = [math.ceil(left * 2.0**BOX) + 1] * len(center)
    columns = [whole(center * 2.0**BOX), error, *(whole(g * 2.0**BOX) for g in generators.T)]
    return {"set": columns, "inverse": [whole(row * 2.0**TURN) for row in inverse]}
