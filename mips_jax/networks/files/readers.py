"""Which reader reads which file: by its ending, or by its being a folder.

Each reader is one file of this package and one line of `READERS`. None runs code that lies in a
file, and none reads more than network.memory_gib.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import pathlib

from mips_jax.archives import refuse_large
from mips_jax.errors import RequestError, cause
from mips_jax.figures import shown
from mips_jax.networks.files.content import FileContent, Reading, UnreadableError, checked
from mips_jax.networks.files.torch_files import PYTORCH_CONVERSION
from mips_jax.registry import Registry

MEMORY_GIB = Reading.memory_gib
FOLDER = "folder"
_HERE = "mips_jax.networks.files"
READERS = Registry(
    {
        ".npz": f"{_HERE}.array_files:read_npz",
        ".safetensors": f"{_HERE}.array_files:read_safetensors",
        **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), f"{_HERE}.torch_files:read_torch"),
        **dict.fromkeys((".keras", ".h5", ".hdf5"), f"{_HERE}.keras_files:read_keras"),
        ".onnx": f"{_HERE}.onnx_files:read_onnx",
        **dict.fromkeys((".msgpack", ".flax"), f"{_HERE}.flax_files:read_msgpack"),
        FOLDER: f"{_HERE}.orbax_folders:read_folder",
    }
)
"""Ending, or `folder` -> a function from a path and a `Reading` to a `FileContent`."""

PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib")


def read_file(path: str | os.PathLike, reading: Reading) -> FileContent:
    """What is in a network file; all its arrays are finite and float64.

    Raises:
        RequestError: the file cannot be read, holds no arrays, or holds some that are not finite
            numbers (all are named).
    """
    path = pathlib.Path(path)
    try:
        kind = _kind(path)
        if kind != FOLDER:
            refuse_large(path, reading.memory_gib, "network.memory_gib")
    except RequestError:
        raise
    except (OSError, ValueError) as error:  # no permission, a null character, a name too long
        raise RequestError(
            f"{shown(str(path))} (network.path) cannot be looked at: {error}"
        ) from None
    try:
        content = READERS[kind](path, reading)
    except RequestError:
        raise
    except UnreadableError as error:
        raise RequestError(f"{path}: {error} (network.path)") from error
    except (
        Exception
    ) as error:  # a damaged file fails in dozens of ways inside zip, header and buffer parsing
        what = "checkpoint folder" if kind == FOLDER else f"{kind} file"
        raise RequestError(
            f"{path}: not a readable {what} ({type(error).__name__}: {cause(error)}); "
            "write it again (network.path)"
        ) from error
    if not (content.arrays or content.parts or content.network):
        raise RequestError(
            f"{path}: the file holds no arrays; a network's weights are needed (network.path)"
        )
    try:
        return dataclasses.replace(content, arrays=checked(content.arrays))
    except RequestError as error:
        raise RequestError(*(f"{path}: {problem}" for problem in error.problems)) from None


def _kind(path: pathlib.Path) -> str:
    """The key of READERS; raises for what is not there, or is of no kind that is read."""
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        raise RequestError(
            f"{path}: a {suffix} file is a pickle, which can run any code when it is loaded, and "
            f"is never opened; {PYTORCH_CONVERSION}"
        )
    if path.is_dir():
        return FOLDER
    if suffix not in READERS or suffix == FOLDER:
        raise RequestError(
            f"{path}: the ending is {suffix or 'missing'}; network.path names a file that ends in "
            f"{', '.join(s for s in READERS if s != FOLDER)}, or a checkpoint folder"
        )
    if not path.exists():
        siblings = (
            [p.name for p in path.parent.glob("*") if p.suffix in READERS]
            if path.parent.is_dir()
            else []
        )
        near = difflib.get_close_matches(path.name, siblings, n=3)
        raise RequestError(
            f"{path}: no such file"
            + (f"; did you mean {' or '.join(near)}?" if near else " (network.path)")
        )
    return suffix
