"""Checkpoint folders: what orbax writes for a tree of parameters, the `checkpoint/` of one of our
runs, or the run folder itself.
"""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from mips_jax.archives import GIB
from mips_jax.networks.cells import trained_elman, trained_gru, trained_lstm
from mips_jax.networks.files.content import FileContent, Reading, UnreadableError
from mips_jax.networks.files.trees import arrays_of
from mips_jax.networks.network import Network, trained_mlp_rnn

TREE = "_METADATA"  # the file that an orbax folder with a tree has
OF_A_RUN = ("checkpoint", "result.json")
NAMES = ("params", "model", "state", "default", "pytree", "arrays")  # of items, the first wins
TRAINED: dict[str, Callable[..., Network]] = {
    "mlp_rnn": trained_mlp_rnn,
    "elman": trained_elman,
    "gru": trained_gru,
    "lstm": trained_lstm,
}
EMPTY = ("None", "Dict", "List", "Tuple", "string")  # leaves without an array
OWN_FORMAT = 2  # see mips_jax/training/storage.py


def read_folder(path: pathlib.Path, reading: Reading) -> FileContent:
    """See `readers.READERS`."""
    if all((path / name).exists() for name in OF_A_RUN):
        path = path / OF_A_RUN[0]
    elif (path / "result.json").exists():
        raise UnreadableError(
            "this run has left no checkpoint; it distilled a network that was given to it: give "
            "that one"
        )
    item, assumed = _item(path)
    own = _own_meta(path) if item.name == "arrays" else None
    tree = _restored(item, reading)
    if own is not None:
        return FileContent(network=_own_network(tree, own))
    return FileContent(arrays_of(tree), assumed=assumed)


def _item(path: pathlib.Path) -> tuple[pathlib.Path, tuple[str, ...]]:
    """The folder with the tree, and what was chosen to get there."""
    if (path / TREE).is_file():
        return path, ()
    items = {folder.name: folder for folder in path.iterdir() if (folder / TREE).is_file()}
    named = [items[name] for name in NAMES if name in items] or list(items.values())
    if named:
        return named[0], (() if len(items) == 1 else (f"the item {named[0].name} of {len(items)}",))
    steps = [folder for folder in path.iterdir() if folder.name.isdigit() and folder.is_dir()]
    if not steps:
        raise UnreadableError(
            "there is no orbax checkpoint in this folder; network.path names a file, a checkpoint, "
            "or a run folder of mips-jax that has one"
        )
    last = max(steps, key=lambda folder: int(folder.name))
    item, assumed = _item(last)
    return item, (() if len(steps) == 1 else (f"step {last.name}, the last one", *assumed))


def _restored(item: pathlib.Path, reading: Reading) -> dict[str, Any]:
    """The tree as nested dicts with numpy arrays as leaves; read by tensorstore, as orbax does."""
    import tensorstore

    said = json.loads((item / TREE).read_text(encoding="utf-8"))
    opened = {}
    for entry in said["tree_metadata"].values():
        path = tuple(str(key["key"]) for key in entry["key_metadata"])
        kind = entry["value_metadata"]["value_type"]
        if kind in EMPTY or "rngs" in path:
            continue
        if any("/" in key or ".." in key for key in path):
            raise UnreadableError(f"it has the odd name {'.'.join(path)}")
        opened[path] = tensorstore.open(_place(item, ".".join(path), said), open=True).result()
    claimed = (  # a chunk is unpacked whole, however little of it belongs to the array
        max(
            math.prod(array.shape),
            math.prod(n or 0 for n in array.chunk_layout.read_chunk.shape or ()),
        )
        for array in opened.values()
    )
    if 8 * sum(claimed) > reading.memory_gib * GIB:
        raise UnreadableError("its arrays take more memory than network.memory_gib allows")
    tree: dict[str, Any] = {}
    for path, array in opened.items():
        below = tree
        for key in path[:-1]:
            below = below.setdefault(key, {})
        read = np.asarray(array.read().result())
        below[path[-1]] = read.astype(np.float32) if read.dtype.name == "bfloat16" else read
    return tree


def _place(item: pathlib.Path, name: str, said: dict) -> dict:
    """Where tensorstore finds an array."""
    base = item.absolute().as_posix()
    driver = "zarr3" if said.get("use_zarr3") else "zarr"
    if said.get("use_ocdbt", True):
        store = {"driver": "ocdbt", "base": f"file://{base}/", "path": f"{name}/"}
    else:
        store = {"driver": "file", "path": f"{base}/{name}/"}
    return {"driver": driver, "kvstore": store}


def _own_meta(path: pathlib.Path) -> dict | None:
    """What one of our checkpoints says of itself; None for one of somebody else's."""
    place = path / "meta" / "metadata"
    if not place.is_file():
        return None
    meta = json.loads(place.read_text(encoding="utf-8"))
    if not isinstance(meta, dict) or meta.get("format") != OWN_FORMAT:
        return None
    if "member" not in meta:
        raise UnreadableError("it holds a search that was running, not a network")
    return meta


def _own_network(tree: Any, meta: dict) -> Network:
    """The network that a run of ours has distilled."""
    cell = meta["member"]["architecture"]["cell"]
    if cell not in TRAINED:
        raise UnreadableError(
            f"its cell is {cell}, which is not one of ours; in Python: "
            "mips_jax.training.load_member(path)[0].to_network()"
        )
    layers = {
        part: tuple(
            (
                np.asarray(stack[key]["weight"], np.float64),
                np.asarray(stack[key]["bias"], np.float64),
            )
            for key in sorted(stack, key=int)
        )
        for part, stack in tree["weights"].items()
    }
    length = ((meta.get("config") or {}).get("task") or {}).get("length")
    return TRAINED[cell](layers, length)
