"""Where the layers of a model lie in its parameter vector.

Axes: n parameters in one vector.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx

from mips_jax.models.mlp import Affine


@dataclasses.dataclass(frozen=True)
class Slot:
    """One stretch of the vector.

    Attributes:
        offset: where it begins.
        rows, columns: of an affine layer, `rows` biases and then the weight [rows, columns] lie
            there; with columns None it is any other leaf of `rows` numbers.
    """

    offset: int
    rows: int
    columns: int | None

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self.rows if self.columns is None else self.rows * (self.columns + 1)


Layout = tuple[Slot, ...]


def layout_of(model: nnx.Module) -> Layout:
    """The slots of a model's raveled parameters, without gaps: affine layers whole, any other leaf
    (a vector, a norm's scale, an embedding) for itself.
    """
    layout, offset = [], 0
    for node in jax.tree.leaves(model, is_leaf=lambda node: isinstance(node, Affine)):
        if isinstance(node, Affine):
            slot = Slot(offset, *node.weight.shape)
        else:
            slot = Slot(offset, node.size, None)
        layout.append(slot)
        offset += slot.size
    return tuple(layout)


def parts_of(vector: jax.Array, layout: Layout) -> list[jax.Array]:
    """[n] -> one array for each slot: [out, in + 1] of an affine layer, its bias the last column,
    or a vector.
    """
    parts = []
    for slot in layout:
        bias = vector[slot.offset : slot.offset + slot.rows]
        if slot.columns is None:
            parts.append(bias)
            continue
        weight = vector[slot.offset + slot.rows : slot.offset + slot.size]
        weight = weight.reshape(slot.rows, slot.columns)
        parts.append(jnp.concatenate([weight, bias[:, None]], axis=1))
    return parts


def vector_of(parts: list[jax.Array]) -> jax.Array:
    """The inverse of `parts_of`."""
    pieces: list[jax.Array] = []
    for part in parts:
        pieces += [part] if part.ndim == 1 else [part[:, -1], part[:, :-1].reshape(-1)]
    return jnp.concatenate(pieces)
