"""Example sequences from `.npz` and `.npy`: arrays x, y (by any usual name) and, for unequal
lengths, lengths or a mask.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import io

import numpy as np

from mips_jax.errors import RequestError, cause
from mips_jax.tasks.files.arrays import from_arrays
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.table import Arrays, Reading, Table


def is_npz(content: Content) -> bool:
    """By its ending, or as a zip archive of arrays."""
    zipped = content.raw.startswith(b"PK\x03\x04") and b".npy" in content.raw[:200]
    return content.suffix == ".npz" or zipped


def is_npy(content: Content) -> bool:
    """By its first bytes, or its ending."""
    return content.suffix == ".npy" or content.raw.startswith(b"\x93NUMPY")


def read_npz(content: Content, reading: Reading) -> Arrays | Table:
    """Reads the arrays; their values are checked by `example_task`.

    Raises:
        RequestError: not an npz archive, or arrays are missing, damaged or of a type that only a
            pickle could hold.
    """
    name = content.name
    try:
        archive = np.load(io.BytesIO(content.raw), allow_pickle=False)
    except Exception as error:  # whatever a damaged file does to numpy and zipfile
        raise RequestError(
            f"{name}: not a readable .npz file ({cause(error)}); write it again with numpy.savez"
        ) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise RequestError(
            f"{name}: a single array, not an npz archive; save x and y with numpy.savez"
        )
    with archive:
        arrays, damaged = {}, {}
        for key in archive.files:
            try:
                found = archive[key]
            except Exception as error:
                damaged[key] = (
                    f"the array {key} cannot be read ({cause(error)}); pad it and save lengths, or "
                    "write .jsonl"
                )
                continue
            if isinstance(found, np.ndarray):
                arrays[key] = found
            else:
                damaged[key] = f"{key} is not an array; save it with numpy.savez"
    return from_arrays(name, arrays, reading, damaged)


def read_npy(content: Content, reading: Reading) -> Arrays | Table:
    """A structured array is a table; of any other nobody knows what is x and what is y."""
    try:
        array = np.load(io.BytesIO(content.raw), allow_pickle=False)
    except Exception as error:
        raise RequestError(
            f"{content.name}: not a readable .npy file ({cause(error)}); save x and y together "
            "with numpy.savez"
        ) from error
    if isinstance(array, np.ndarray) and array.dtype.names and array.ndim == 1:
        columns = {name: array[name].tolist() for name in array.dtype.names}
        return Table(content.name, columns)
    raise RequestError(
        f"{content.name}: a single array does not say what are inputs and what outputs; save x and "
        "y together with numpy.savez"
    )
