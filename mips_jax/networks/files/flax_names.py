"""Flattened flax parameter trees (linen and NNX) renamed and laid out as PyTorch's state_dict.

flax stores a kernel as [in, out] and, in linen's GRU and LSTM cells, one dense layer a gate;
PyTorch stores [out, in] and all gates stacked. The formulas of the cells are the same.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks.files.layer_order import natural_order, without_numbers

NORM_EPSILON = 1e-6  # of flax's LayerNorm


@dataclasses.dataclass(frozen=True)
class CellNames:
    """Where a flax cell keeps its gates, in PyTorch's gate order.

    Attributes:
        inputs: names of the dense layers that read the input.
        states: names of the dense layers that read the state.
        needs_bias: those among them that flax always gives a bias.
    """

    inputs: tuple[str, ...]
    states: tuple[str, ...]
    needs_bias: tuple[str, ...]


CELLS = (
    CellNames(("ir", "iz", "in"), ("hr", "hz", "hn"), ("ir", "iz", "in", "hn")),  # linen GRUCell
    CellNames(
        ("ii", "if", "ig", "io"), ("hi", "hf", "hg", "ho"), ("hi", "hf", "hg", "ho")
    ),  # linen, NNX LSTMCell
    CellNames(("i",), ("h",), ("i",)),  # linen SimpleCell
    CellNames(
        ("dense_i",), ("dense_h",), ()
    ),  # NNX SimpleCell, GRUCell, OptimizedLSTMCell: gates stacked already
)


def is_flax(arrays: dict[str, np.ndarray]) -> bool:
    """Whether the names are those of a flattened flax tree."""
    return any(_parts(name)[-1] == "kernel" for name in arrays)


def to_pytorch(
    arrays: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], dict[str, str], list[str]]:
    """Renames a flattened flax tree.

    Args:
        arrays: by flattened name, parts joined by "/" or ".", for example
            "params/GRUCell_0/ir/kernel".

    Returns:
        The arrays under PyTorch's names and in its layout; for each new name the flax names that it
        was made of; and the problems.
    """
    leaves = {_parts(name): (name, array) for name, array in arrays.items()}
    renamed: dict[str, np.ndarray] = {}
    origin: dict[str, str] = {}
    problems: list[str] = []
    cells = sorted(
        {
            (parts[:-2], names)
            for parts in leaves
            if len(parts) > 1
            for names in CELLS
            if parts[-2] in names.inputs + names.states and _has_cell(leaves, parts[:-2], names)
        },
        key=lambda cell: natural_order("/".join(cell[0])),
    )
    owners = {without_numbers("/".join(parent)) for parent, _ in cells}
    if len(owners) > 1:
        problems.append(
            f"there are {len(owners)} kinds of recurrent cells ({', '.join(sorted(owners))}) and "
            "the file does not say how they are connected; one is read (of any number of layers)"
        )
    for index, (parent, names) in enumerate(cells):
        _stack_cell(leaves, parent, names, f"_l{index}", renamed, origin, problems)
    for parts, (name, array) in leaves.items():
        stem = ".".join(parts[:-1])
        if parts[-1] == "kernel" and array.ndim == 2:
            renamed[f"{stem}.weight"], origin[f"{stem}.weight"] = array.T, name
        elif parts[-1] == "scale" and array.ndim == 1:
            renamed[f"{stem}.weight"], origin[f"{stem}.weight"] = array, name
        elif parts[-1] == "embedding":
            renamed[f"{stem}.embedding.weight"], origin[f"{stem}.embedding.weight"] = array, name
        else:
            renamed[".".join(parts)], origin[".".join(parts)] = array, name
    return renamed, origin, problems


def _parts(name: str) -> tuple[str, ...]:
    """The path in the tree, without flax's collection name and NNX's wrapper of a value."""
    parts = tuple(name.replace(".", "/").split("/"))
    parts = parts[1:] if parts[0] == "params" and len(parts) > 1 else parts
    parts = parts[:-1] if parts[-1] in ("value", "raw_value") and len(parts) > 1 else parts
    return tuple("if" if part == "if_" else part for part in parts)


def _has_cell(leaves: dict, parent: tuple[str, ...], names: CellNames) -> bool:
    """Whether more than half of the cell's kernels lie under this parent: a whole cell, or a
    damaged one to report.
    """
    kernels = [(*parent, dense, "kernel") in leaves for dense in names.inputs + names.states]
    return 2 * sum(kernels) > len(kernels)


def _stack_cell(
    leaves: dict,
    parent: tuple[str, ...],
    names: CellNames,
    suffix: str,
    renamed: dict,
    origin: dict,
    problems: list[str],
) -> None:
    """Moves one cell's dense layers out of `leaves` into stacked weights in `renamed`."""
    for denses, source in ((names.inputs, "ih"), (names.states, "hh")):
        kernels, biases, used = [], [], []
        for dense in denses:
            name, kernel = leaves.pop((*parent, dense, "kernel"), (None, None))
            _, bias = leaves.pop((*parent, dense, "bias"), (None, None))
            path = "/".join((*parent, dense))
            if kernel is None:
                problems.append(f"{path}/kernel is missing")
                continue
            if bias is None and dense in names.needs_bias:
                problems.append(f"{path}/bias is missing")
            if kernel.ndim != 2 or (bias is not None and bias.shape != kernel.shape[1:]):
                got = kernel.shape if bias is None else (kernel.shape, bias.shape)
                problems.append(
                    f"{path} has kernel and bias of shapes {got}; allowed: (in, out) and (out,)"
                )
                continue
            kernels.append(kernel.T)
            biases.append(np.zeros(kernel.shape[1]) if bias is None else bias)
            used.append(name)
        if len({kernel.shape for kernel in kernels}) > 1:
            shapes = ", ".join(
                f"{dense} {kernel.T.shape}" for dense, kernel in zip(denses, kernels)
            )
            problems.append(f"{'/'.join(parent)}: the gates' kernels differ in shape ({shapes})")
        elif len(kernels) == len(denses):
            renamed[f"weight_{source}{suffix}"], origin[f"weight_{source}{suffix}"] = (
                np.concatenate(kernels),
                " + ".join(used),
            )
            renamed[f"bias_{source}{suffix}"], origin[f"bias_{source}{suffix}"] = (
                np.concatenate(biases),
                " + ".join(used),
            )
