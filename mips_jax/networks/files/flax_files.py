"""Parameters in .msgpack files, as `flax.serialization.to_bytes` writes them."""

from __future__ import annotations

import math
import pathlib

import numpy as np

from mips_jax.archives import GIB
from mips_jax.networks.files.content import FileContent, Reading, UnreadableError, bfloat16
from mips_jax.networks.files.trees import arrays_of

NDARRAY, SCALAR = 1, 3  # flax's numbers for what msgpack itself does not have
CHUNKED = "__msgpack_chunked_array__"


def read_msgpack(path: pathlib.Path, reading: Reading) -> FileContent:
    """See `readers.READERS`."""
    import msgpack

    content = path.read_bytes()
    try:
        tree = msgpack.unpackb(content, ext_hook=_extension, raw=False, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise UnreadableError(
            f"it is not what flax.serialization.to_bytes writes ({type(error).__name__})"
        ) from error
    arrays = arrays_of(_whole(tree))
    if sum(8 * array.size for array in arrays.values()) > reading.memory_gib * GIB:
        raise UnreadableError("its arrays take more memory than network.memory_gib allows")
    return FileContent(arrays)


def _extension(code: int, data: bytes):
    if code not in (NDARRAY, SCALAR):
        raise ValueError(f"an object of the unknown kind {code}")
    import msgpack

    shape, name, numbers = msgpack.unpackb(data, raw=True)
    name = name.decode()
    if name == "bfloat16":
        return bfloat16(numbers).reshape(shape)
    dtype = np.dtype(name)
    if dtype.kind not in "fiubc" or math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError(f"an array of {name} that is not as long as it says")
    return np.frombuffer(numbers, dtype).reshape(shape)


def _whole(tree, level: int = 0):
    """The tree with large arrays, which flax cuts into pieces, put together again."""
    if not isinstance(tree, dict) or level > 30:
        return tree
    if CHUNKED in tree:
        shape = [tree["shape"][key] for key in sorted(tree["shape"], key=int)]
        pieces = [tree["chunks"][key] for key in sorted(tree["chunks"], key=int)]
        return np.concatenate(pieces).reshape(shape)
    return {key: _whole(value, level + 1) for key, value in tree.items()}
