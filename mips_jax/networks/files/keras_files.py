"""Keras models: .keras (Keras 3) and .h5 with a model in it. The configuration says what the layers
are and in which order; it is read as data, and no layer of it is built. Needs h5py.
"""

from __future__ import annotations

import io
import json
import math
import pathlib
import re
import zipfile
from typing import Any

import numpy as np

from mips_jax.archives import GIB
from mips_jax.networks.files.chains import in_order
from mips_jax.networks.files.content import FileContent, Reading, UnreadableError
from mips_jax.networks.files.keras_layers import blocks_of

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LOSSES = {  # what the raw outputs are where the last layer has no activation of its own
    "mse": "number",
    "mean_squared_error": "number",
    "MeanSquaredError": "number",
    "mae": "number",
    "mean_absolute_error": "number",
    "MeanAbsoluteError": "number",
    "BinaryCrossentropy": "yes_no",
    "binary_crossentropy": "yes_no",
    "SparseCategoricalCrossentropy": "class",
    "CategoricalCrossentropy": "class",
}


def read_keras(path: pathlib.Path, reading: Reading) -> FileContent:
    """See `readers.READERS`."""
    try:
        import h5py
    except ImportError:
        raise UnreadableError(
            f"a {path.suffix} file needs h5py: pip install 'mips_jax[keras]', or give .npz"
        ) from None
    if zipfile.is_zipfile(path):
        return _of_archive(path, reading, h5py)
    with h5py.File(path) as file:
        config = file.attrs.get("model_config")
        if config is None:
            raise UnreadableError(
                "it holds weights without the model's configuration; save the whole model: "
                "model.save('net.keras')"
            )
        _check_size(file, reading)
        said = json.loads(_text(file.attrs.get("training_config", "{}")))
        groups = file["model_weights"]
        arrays = {
            layer: [np.asarray(groups[layer][_text(name)]) for name in _names(groups[layer])]
            for layer in groups
        }
        return _content(json.loads(_text(config)), said, arrays)


def _of_archive(path: pathlib.Path, reading: Reading, h5py: Any) -> FileContent:
    with zipfile.ZipFile(path) as archive:
        if CONFIG not in archive.namelist() or WEIGHTS not in archive.namelist():
            raise UnreadableError(f"there is no {CONFIG} and {WEIGHTS} in it; Keras 3 writes both")
        config = json.loads(archive.read(CONFIG))
        content = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(content) as file:
        _check_size(file, reading)
        arrays = {layer: _below(file, name) for layer, name in _stored_names(config).items()}
    return _content(config, config.get("compile_config") or {}, arrays)


def _content(config: dict, said: dict, arrays: dict[str, list[np.ndarray]]) -> FileContent:
    loss = said.get("loss")
    name = loss.get("class_name", "") if isinstance(loss, dict) else loss
    if name == "LossFunctionWrapper":
        name = ""
    blocks = blocks_of(config, arrays)
    content = in_order(blocks, {"initial": "zeros"})
    head = LOSSES.get(name) if isinstance(name, str) else None
    assert content.parts is not None
    if "head" not in content.metadata and head is not None:
        if head != "class" or content.parts.raw_outputs > 1:
            content.metadata["head"] = head
    return content


def _stored_names(config: dict) -> dict[str, str]:
    """Layer name -> where Keras 3 keeps its weights: counted by class, in the layers' order."""
    counts: dict[str, int] = {}
    names = {}
    for layer in config.get("config", {}).get("layers", ()):
        kind = re.sub(r"\W+", "", layer["class_name"])
        kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind))
        kind = kind.lower()
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        names[layer["config"]["name"]] = f"{kind}_{number}" if number else kind
    return names


def _below(file: Any, name: str) -> list[np.ndarray]:
    """All arrays of a layer, in the order in which Keras made them."""
    group = file.get(f"layers/{name}")
    if group is None:
        return []
    found: list[tuple[list, Any]] = []
    order = lambda place: [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split(r"[/_]", place.replace("vars", ""))
    ]
    group.visititems(
        lambda place, item: found.append((order(place), item)) if hasattr(item, "shape") else None
    )
    return [np.asarray(item) for _, item in sorted(found, key=lambda pair: pair[0])]


def _check_size(file: Any, reading: Reading) -> None:
    """Raises where the arrays would take more than allowed once they are unpacked."""
    sizes: list[int] = []
    chunk = lambda item: math.prod(getattr(item, "chunks", None) or (0,))  # is unpacked whole
    file.visititems(lambda _, item: sizes.append(max(getattr(item, "size", 0) or 0, chunk(item))))
    if 8 * sum(sizes) > reading.memory_gib * GIB:
        raise UnreadableError("its arrays take more memory than network.memory_gib allows")


def _names(group: Any) -> list:
    return list(group.attrs.get("weight_names", ()))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
