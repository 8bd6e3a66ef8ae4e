"""Files of a run folder, each written whole or not at all."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mips_jax.version import version

PACKAGES = ("jax", "flax", "optax", "orbax-checkpoint", "numpy", "sympy", "scipy", "hydra-core")


def write_text(path: Path, text: str) -> Path:
    """See `write_bytes`."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> Path:
    """Writes a temporary file beside `path` and renames it: no reader ever sees half of it."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_json(path: Path, content: Mapping) -> Path:
    """Writes plain JSON: numpy numbers and arrays become numbers and lists; what is not finite
    becomes null.
    """
    return write_text(path, json.dumps(plain(content), indent=2, allow_nan=False) + "\n")


def plain(value):
    """`value` with nothing in it but dict, list, str, int, float, bool and None.

    >>> plain({"accuracy": np.float64(0.5), "seeds": np.arange(2), "loss": float("nan")})
    {'accuracy': 0.5, 'seeds': [0, 1], 'loss': None}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def versions() -> dict[str, str]:
    """Versions of Python, of this package (with its commit in a checkout) and of what a result
    depends on.
    """
    found = {"python": platform.python_version(), "mips_jax": version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
