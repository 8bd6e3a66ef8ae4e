"""Named arrays and their metadata in .npz and .safetensors files; nothing is ever unpickled.

In an .npz the metadata is one text array named `metadata` holding a JSON object; a .safetensors
file has its own place for it.
"""

from __future__ import annotations

import json
import os
import pathlib
import zipfile

import numpy as np
import safetensors

from mips_jax.errors import RequestError
from mips_jax.networks.files.content import FileContent, Reading, bfloat16

METADATA_KEY = "metadata"


def write_arrays(
    path: str | os.PathLike, arrays: dict[str, np.ndarray], metadata: dict[str, str]
) -> None:
    """Writes a file that `read_arrays` reads; the file appears complete or not at all."""
    path = pathlib.Path(path)
    if path.suffix.lower() not in (".npz", ".safetensors"):
        raise RequestError(
            f"{path}: a network is saved as .npz or .safetensors, not as "
            f"{path.suffix or 'a name without ending'}"
        )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        if path.suffix.lower() == ".npz":
            _write_npz(unfinished, {**arrays, METADATA_KEY: np.array(json.dumps(metadata))})
        else:
            from safetensors.numpy import save_file

            save_file(
                {name: np.ascontiguousarray(array) for name, array in arrays.items()},
                unfinished,
                metadata=metadata,
            )
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_npz(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def read_npz(path: pathlib.Path, _: Reading) -> FileContent:
    """See `readers.READERS`."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    text = arrays.pop(METADATA_KEY, None)
    return FileContent(arrays, {} if text is None else _as_texts(json.loads(text.item())))


def read_safetensors(path: pathlib.Path, _: Reading) -> FileContent:
    """See `readers.READERS`."""
    content = path.read_bytes()
    arrays = {name: _as_array(name, tensor) for name, tensor in safetensors.deserialize(content)}
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return FileContent(arrays, _as_texts(header.get("__metadata__", {})))


def _as_texts(metadata) -> dict[str, str]:
    if not isinstance(metadata, dict):
        raise ValueError("the metadata is not a JSON object")
    return {
        str(key): value if isinstance(value, str) else json.dumps(value)
        for key, value in metadata.items()
    }


SAFETENSORS_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "BOOL": "?",
}


def _as_array(name: str, tensor: dict) -> np.ndarray:
    """One deserialized tensor as a numpy array."""
    if tensor["dtype"] == "BF16":
        return bfloat16(tensor["data"]).reshape(tensor["shape"])
    if tensor["dtype"] not in SAFETENSORS_DTYPES:
        raise ValueError(
            f"{name} has the number format {tensor['dtype']}, allowed: BF16, "
            f"{', '.join(SAFETENSORS_DTYPES)}"
        )
    return np.frombuffer(tensor["data"], SAFETENSORS_DTYPES[tensor["dtype"]]).reshape(
        tensor["shape"]
    )
