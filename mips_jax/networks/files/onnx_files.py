"""ONNX models with recurrent nodes: the path from the output back to the input, one block a node.
Needs the onnx package, which reads the file; nothing is run.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

from mips_jax.archives import GIB
from mips_jax.networks.files.chains import Block, in_order
from mips_jax.networks.files.content import FileContent, Reading, UnreadableError
from mips_jax.networks.files.onnx_nodes import NODES, Bias, Graph, merged

MOST_NODES = 10_000


def read_onnx(path: pathlib.Path, reading: Reading) -> FileContent:
    """See `readers.READERS`."""
    try:
        import onnx
    except ImportError:
        raise UnreadableError(
            "an .onnx file needs the onnx package: pip install 'mips_jax[onnx]', or give .npz"
        ) from None
    model = onnx.load(path, load_external_data=False)
    if len(model.graph.node) > MOST_NODES:
        raise UnreadableError(f"its graph has more than {MOST_NODES} nodes")
    _load_external(model, path, reading, onnx)
    graph = Graph(model.graph, onnx.numpy_helper.to_array, onnx.helper.get_attribute_value)
    metadata: dict[str, str] = {}
    blocks = _path(graph, model.graph.output[0].name, metadata)
    content = in_order(blocks, metadata)
    assert content.parts is not None
    if graph.zero_start and content.parts.initial is None:
        content.metadata["initial"] = "zeros"
    return content


def _load_external(model: Any, path: pathlib.Path, reading: Reading, onnx: Any) -> None:
    """Reads the weights that lie in files beside the model."""
    places = {
        entry.value
        for tensor in model.graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    beside = [path.parent / place for place in places]
    if any(place.parent != path.parent for place in beside):
        raise UnreadableError("its weights lie in another folder, from which none are read")
    gone = [place.name for place in beside if not place.is_file()]
    if gone:
        raise UnreadableError(f"its weights lie in {', '.join(gone)}, which is not beside it")
    if sum(os.path.getsize(place) for place in beside) > reading.memory_gib * GIB:
        raise UnreadableError("its weights take more memory than network.memory_gib allows")
    if beside:
        onnx.load_external_data_for_model(model, str(path.parent))


def _path(graph: Graph, value: str, metadata: dict[str, str]) -> list[Block]:
    """The blocks from the graph's input to a value."""
    found: list[Block | Bias] = []
    seen: set[str] = set()
    while value not in graph.inputs:
        node = graph.producer.get(value)
        if node is None or value in seen:
            raise UnreadableError(f"its output does not depend on an input ({value} is a constant)")
        seen.add(value)
        if node.op_type not in NODES or node.domain not in ("", "ai.onnx"):
            raise UnreadableError(
                f"the node {node.name or value} is of the kind {node.op_type}, which is not read; "
                f"read are {', '.join(NODES)}"
            )
        before, value = NODES[node.op_type](graph, node)
        found += before
        if node.op_type == "OneHot":
            metadata["encoding"] = "one_hot"
    return merged(found[::-1])
