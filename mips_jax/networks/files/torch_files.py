"""State dicts in .pt, .pth, .ckpt and .bin files, as `torch.save` writes them since PyTorch 1.6: a
zip with a pickle (see torch_pickles) and one file for each storage. PyTorch is not needed.

A checkpoint may hold the state dict beside an optimizer's state, an epoch and the like, a whole
module may have been saved, or a TorchScript module.
"""

from __future__ import annotations

import math
import pathlib
import zipfile

import numpy as np

from mips_jax.archives import GIB
from mips_jax.networks.files.content import FileContent, Reading, UnreadableError, bfloat16
from mips_jax.networks.files.torch_pickles import Inert, Stored, unpickled

PYTORCH_CONVERSION = """convert it once, in PyTorch (the state_dict of the model, not the model):
    from safetensors.torch import save_file
    save_file(torch.load("net.pt", weights_only=True), "net.safetensors")"""
NOT_WEIGHTS = ("opt", "lr_sched", "sched", "scaler", "callbacks", "loops", "hyper", "rng", "amp")
MOST_LEVELS = 12  # of modules in modules
MOST_PICKLE_BYTES = 64 * 2**20
MODES = {"RNN_TANH": "tanh", "RNN_RELU": "relu"}
Tensors = dict[str, Stored]


def read_torch(path: pathlib.Path, reading: Reading) -> FileContent:
    """The one state dict of a file; see `readers.READERS`."""
    if not zipfile.is_zipfile(path):
        raise UnreadableError(
            f"a {path.suffix} file is a pickle, which can run any code when it is loaded, and is "
            f"never opened unless PyTorch 1.6 or later has written it; {PYTORCH_CONVERSION}"
        )
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.split("/")[-1] == "data.pkl"]
        if not pickles:
            raise UnreadableError("there is no data.pkl in it, so PyTorch has not written it")
        root = pickles[0].removesuffix("data.pkl")
        if archive.getinfo(pickles[0]).file_size > MOST_PICKLE_BYTES:
            raise UnreadableError("its data.pkl is too large for one of a network's weights")
        order = archive.read(f"{root}byteorder") if f"{root}byteorder" in names else b"little"
        content = unpickled(archive.read(pickles[0]))
        name, tensors = _chosen(state_dicts(content), reading.state_dict)
        metadata = _said_by_modules(content)
        if sum(8 * math.prod(t.size) for t in tensors.values()) > reading.memory_gib * GIB:
            raise UnreadableError("its tensors take more memory than network.memory_gib allows")
        swap = order.strip() == b"big"
        arrays = {key: _numbers(archive, root, key, t, swap) for key, t in tensors.items()}
    chosen = (f"the state dict {name} of the checkpoint (network.state_dict)",) if name else ()
    return FileContent(arrays, metadata, assumed=chosen)


def _numbers(archive: zipfile.ZipFile, root: str, name: str, t: Stored, swap: bool) -> np.ndarray:
    if t.dtype is None:
        raise UnreadableError(f"{name} is complex, quantized or of another rare number format")
    content = archive.read(f"{root}data/{t.key}")
    if t.dtype == "bfloat16":
        flat = bfloat16(_swapped(content, 2) if swap else content)
    else:
        dtype = np.dtype(t.dtype)
        flat = np.frombuffer(content, dtype.newbyteorder(">") if swap else dtype)
    if len(flat) < t.numel:
        raise ValueError(f"the storage of {name} is shorter than it says")
    steps = tuple(step * flat.itemsize for step in t.stride)
    return np.lib.stride_tricks.as_strided(flat[t.offset :], t.size, steps).copy()


def _swapped(content: bytes, width: int) -> bytes:
    return np.frombuffer(content, f">u{width}").astype(f"<u{width}").tobytes()


def state_dicts(content, level: int = 0, seen: set[int] | None = None) -> dict[str, Tensors]:
    """Every state dict in what was unpickled, by its key ("" for the content itself)."""
    seen = set() if seen is None else seen
    if level > MOST_LEVELS or id(content) in seen:
        return {}
    seen.add(id(content))
    if isinstance(content, Inert):
        tensors = _of_module(content, 0, set())
        return {"": tensors} if tensors else {}
    if not isinstance(content, dict) or "param_groups" in content:
        return {}
    found = {}
    for key, value in content.items():
        if not str(key).lower().startswith(NOT_WEIGHTS):
            for below, tensors in state_dicts(value, level + 1, seen).items():
                found[".".join(filter(None, (str(key), below)))] = tensors
    own = {str(key): value for key, value in content.items() if isinstance(value, Stored)}
    return found or ({"": own} if own else {})


def _of_module(module: Inert, level: int, seen: set[int]) -> Tensors:
    """The tensors of a module, named as `Module.state_dict` names them."""
    if level > MOST_LEVELS or id(module) in seen:
        return {}
    seen.add(id(module))
    found: Tensors = {}
    for key, value in module.state.items():
        grouped = key in ("_parameters", "_buffers", "_modules") and isinstance(value, dict)
        for name, item in (value if grouped else {key: value}).items():
            if isinstance(item, Stored):
                found[str(name)] = item
            elif isinstance(item, Inert):
                below = _of_module(item, level + 1, seen)
                found |= {f"{name}.{rest}": tensor for rest, tensor in below.items()}
    return found


def _chosen(found: dict[str, Tensors], said: str | None) -> tuple[str, Tensors]:
    """The state dict that was asked for, or the only one; its name where nobody said it."""
    if said is not None:
        if said not in found:
            allowed = ", ".join(found) or "none, the file holds no state dict"
            raise UnreadableError(f"network.state_dict is {said!r}; allowed: {allowed}")
        return "", found[said]
    if not found:
        raise UnreadableError(
            "there is no state dict in it: no tensors that have names; save model.state_dict()"
        )
    if len(found) > 1:
        raise UnreadableError(
            f"there are {len(found)} state dicts in it; give network.state_dict: "
            f"{' or '.join(found)}"
        )
    ((name, tensors),) = found.items()
    return name, tensors


def _said_by_modules(content) -> dict[str, str]:
    """What a whole module tells of its recurrent layers."""
    modes = {str(m.state.get("mode")) for m in _modules(content, 0, set())}
    words = [word for mode, word in MODES.items() if mode in modes]
    return {"nonlinearity": words[0]} if len(words) == 1 else {}


def _modules(content, level: int, seen: set[int]) -> list[Inert]:
    if not isinstance(content, Inert) or level > MOST_LEVELS or id(content) in seen:
        return []
    seen.add(id(content))
    inside = content.state.get("_modules")
    below = inside.values() if isinstance(inside, dict) else ()
    return [content, *(m for item in below for m in _modules(item, level + 1, seen))]
