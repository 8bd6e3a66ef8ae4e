"""Named arrays and their metadata in .npz and .safetensors files; nothing is ever unpickled.

In an .npz the metadata is one text array named `metadata` holding a JSON object; a .safetensors
file has its own place for it.
"""

from __future__ import annotations

import difflib
import json
import os
import pathlib
import zipfile

import numpy as np
import safetensors

from mips_jax.archives import refuse_large
from mips_jax.errors import RequestError, cause
from mips_jax.figures import shown

METADATA_KEY = "metadata"
MEMORY_GIB = 1.0

PYTORCH_CONVERSION = """convert it once, in PyTorch (the state_dict of the model, not the model):
    from safetensors.torch import save_file
    save_file(torch.load("net.pt", weights_only=True), "net.safetensors")"""
FLAX_CONVERSION = """\
convert it once, with numpy and flax (params: the nested dict of parameters; of an NNX
model nnx.to_pure_dict(nnx.state(model, nnx.Param))):
    from flax.traverse_util import flatten_dict
    numpy.savez("net.npz", **{"/".join(map(str, key)): leaf for key, leaf in \
flatten_dict(params).items()})"""

PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib")
FLAX_SUFFIXES = (".msgpack", ".flax", ".orbax", ".h5", ".hdf5")


def read_arrays(
    path: str | os.PathLike, memory_gib: float = MEMORY_GIB
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Reads every array of a network file as float64.

    Args:
        path: an .npz or .safetensors file.
        memory_gib: a file whose content takes more memory is refused before it is read.

    Returns:
        The arrays by name and the metadata (texts) by name.

    Raises:
        RequestError: the file cannot be read, holds no arrays, or holds some that are not finite
            numbers (all are named).
    """
    path = pathlib.Path(path)
    try:
        _refuse_other_files(path)
        refuse_large(path, memory_gib, "network.memory_gib")
    except RequestError:
        raise
    except (OSError, ValueError) as error:  # no permission, a null character, a name too long
        raise RequestError(
            f"{shown(str(path))} (network.path) cannot be looked at: {error}"
        ) from None
    try:
        arrays, metadata = (_read_npz if path.suffix.lower() == ".npz" else _read_safetensors)(path)
    except (
        Exception
    ) as error:  # a damaged file fails in dozens of ways inside zip, header and buffer parsing
        raise RequestError(
            f"{path}: not a readable {path.suffix} file ({type(error).__name__}: {cause(error)}); "
            "write it again (network.path)"
        ) from error
    if not arrays:
        raise RequestError(
            f"{path}: the file holds no arrays; a network's weights are needed (network.path)"
        )
    arrays = {name: _as_float64(array) for name, array in arrays.items()}
    problems = [
        f"{path}: {problem}"
        for name, array in arrays.items()
        for problem in _array_problems(name, array)
    ]
    if problems:
        raise RequestError(*problems)
    return arrays, metadata


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


def _refuse_other_files(path: pathlib.Path) -> None:
    """Raises for what is not there, is a folder, or is another kind of file."""
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        raise RequestError(
            f"{path}: a {suffix} file is a pickle, which can run any code when it is loaded, and "
            f"is never opened; {PYTORCH_CONVERSION}"
        )
    if suffix in FLAX_SUFFIXES or path.is_dir():
        raise RequestError(
            f"{path}: {'a folder' if path.is_dir() else f'a {suffix} file'} is not read; "
            f"network.path names one .npz or .safetensors file; {FLAX_CONVERSION}"
        )
    if suffix not in (".npz", ".safetensors"):
        raise RequestError(
            f"{path}: the ending is {suffix or 'missing'}; network.path names an .npz or a "
            ".safetensors file"
        )
    if not path.exists():
        siblings = (
            [p.name for p in path.parent.glob("*") if p.suffix in (".npz", ".safetensors")]
            if path.parent.is_dir()
            else []
        )
        near = difflib.get_close_matches(path.name, siblings, n=3)
        raise RequestError(
            f"{path}: no such file"
            + (f"; did you mean {' or '.join(near)}?" if near else " (network.path)")
        )


def _read_npz(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    text = arrays.pop(METADATA_KEY, None)
    return arrays, {} if text is None else _as_texts(json.loads(text.item()))


def _read_safetensors(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    content = path.read_bytes()
    arrays = {name: _as_array(name, tensor) for name, tensor in safetensors.deserialize(content)}
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return arrays, _as_texts(header.get("__metadata__", {}))


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
    """One deserialized tensor as a numpy array; bfloat16 is the upper half of a float32."""
    if tensor["dtype"] == "BF16":
        upper_halves = np.frombuffer(tensor["data"], "<u2").astype(np.uint32)
        return (upper_halves << 16).view(np.float32).reshape(tensor["shape"])
    if tensor["dtype"] not in SAFETENSORS_DTYPES:
        raise ValueError(
            f"{name} has the number format {tensor['dtype']}, allowed: BF16, "
            f"{', '.join(SAFETENSORS_DTYPES)}"
        )
    return np.frombuffer(tensor["data"], SAFETENSORS_DTYPES[tensor["dtype"]]).reshape(
        tensor["shape"]
    )


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
