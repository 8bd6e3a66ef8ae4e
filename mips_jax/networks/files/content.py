"""What a reader finds in a file: named arrays, or a network whose layers are in order already."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.files.parts import Arrays, Parts
from mips_jax.networks.network import Network


@dataclasses.dataclass(frozen=True, eq=False)
class FileContent:
    """One network file as it was read.

    Attributes:
        arrays: by the name that the file gives them; empty where `parts` or `network` say all.
        metadata: answers that the file gives to the questions of `NetworkOptions`, as texts.
        parts: where the file tells which layer follows which (Keras, ONNX).
        network: where the file is one of ours and leaves nothing open.
        assumed: what the reader took for granted, one phrase each.
    """

    arrays: Arrays = dataclasses.field(default_factory=dict)
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: Parts | None = None
    network: Network | None = None
    assumed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a file is to be read.

    Attributes:
        memory_gib: most memory that its content may take.
        state_dict: name of the one to read where a checkpoint has several.
    """

    memory_gib: float = 1.0
    state_dict: str | None = None


class UnreadableError(Exception):
    """Raised by a reader: the file is whole, but holds what cannot be read; the text says what, and
    what can be done.
    """


def checked(arrays: Arrays) -> Arrays:
    """Every array as float64.

    Raises:
        RequestError: some are not finite numbers (all are named).
    """
    arrays = {name: _as_float64(array) for name, array in arrays.items()}
    problems = [p for name, array in arrays.items() for p in _array_problems(name, array)]
    if problems:
        raise RequestError(*problems)
    return arrays


def _as_float64(array: np.ndarray) -> np.ndarray:
    """What is beyond float64 (of a longdouble) becomes infinite, and is reported as such."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float64)


def _array_problems(name: str, array: np.ndarray) -> list[str]:
    if array.dtype.kind not in "fiub":
        return [f"{name} holds {array.dtype} values; weights are real numbers"]
    if not array.size:
        return [f"{name} is empty, shape {array.shape}"]
    bad = np.count_nonzero(~np.isfinite(array))
    if not bad:
        return []
    return [
        f"{name} holds {bad} values of {array.size} that are NaN or infinite; save the network of "
        "a run that converged"
    ]


def bfloat16(content: bytes) -> np.ndarray:
    """Little-endian bfloat16 numbers, which are the upper halves of float32."""
    upper_halves = np.frombuffer(content, "<u2").astype(np.uint32)
    return (upper_halves << 16).view(np.float32)
