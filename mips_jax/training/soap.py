"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., 2024), for the small
layers of ONE member.

ReLU features whose kinks lie side by side are nearly collinear; plain Adam needs many thousand
steps to sharpen what a rotation of each layer's gradient makes easy. Each affine layer is one
matrix [out, in + 1], its bias the last column.
Axes: n parameters in one vector; layers are cut out of it by a static layout.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import optax
from jax import lax

from mips_jax.models import Affine, RecurrentModel

B1, B2, PRECONDITIONER_DECAY, EPSILON = 0.9, 0.99, 0.95, 1e-8
REFRESH_STEPS = 10  # steps between two updates of the eigenbases

Layout = tuple[
    tuple[int, int, int], ...
]  # (offset in the vector, out, in) of each affine layer: bias, then weight


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SoapState:
    """Moments and preconditioners.

    Attributes:
        momentum: [n] mean gradient.
        square: per layer [out, in + 1], mean squared gradient in the eigenbases.
        left, right: per layer, mean G G^T [out, out] and G^T G [in + 1, in + 1].
        left_basis, right_basis: their eigenvectors as columns.
        count: steps taken.
    """

    momentum: jax.Array
    square: tuple[jax.Array, ...]
    left: tuple[jax.Array, ...]
    right: tuple[jax.Array, ...]
    left_basis: tuple[jax.Array, ...]
    right_basis: tuple[jax.Array, ...]
    count: jax.Array


def layout_of(model: RecurrentModel) -> Layout:
    """Where each affine layer lies in the raveled parameter vector of a model made of affine layers
    only.
    """
    layout, offset = [], 0
    for layer in jax.tree.leaves(model, is_leaf=lambda node: isinstance(node, Affine)):
        out_dim, in_dim = layer.weight.shape
        layout.append((offset, out_dim, in_dim))
        offset += out_dim * (in_dim + 1)
    return tuple(layout)


def as_matrices(vector: jax.Array, layout: Layout) -> list[jax.Array]:
    """[n] -> one [out, in + 1] for each layer."""
    matrices = []
    for offset, rows, columns in layout:
        bias = vector[offset : offset + rows]
        weight = vector[offset + rows : offset + rows * (columns + 1)].reshape(rows, columns)
        matrices.append(jnp.concatenate([weight, bias[:, None]], axis=1))
    return matrices


def as_vector(matrices: list[jax.Array]) -> jax.Array:
    """The inverse of `as_matrices`."""
    parts = [part for matrix in matrices for part in (matrix[:, -1], matrix[:, :-1].reshape(-1))]
    return jnp.concatenate(parts)


def init(parameters: jax.Array, layout: Layout) -> SoapState:
    square = tuple(jnp.zeros((rows, columns + 1)) for _, rows, columns in layout)
    left = tuple(jnp.zeros((rows, rows)) for _, rows, _ in layout)
    right = tuple(jnp.zeros((columns + 1, columns + 1)) for _, _, columns in layout)
    left_basis = tuple(jnp.eye(rows) for _, rows, _ in layout)
    right_basis = tuple(jnp.eye(columns + 1) for _, _, columns in layout)
    zero = jnp.zeros((), jnp.int32)
    return SoapState(jnp.zeros_like(parameters), square, left, right, left_basis, right_basis, zero)


def gram_schmidt(matrix: jax.Array) -> jax.Array:
    """Orthonormal columns, one after another and twice (float32): a few launches for a whole
    population on a GPU.
    """

    def column(index, basis):
        vector = matrix[:, index]
        for _ in range(2):
            vector = vector - basis @ (basis.T @ vector)
            vector = vector / jnp.maximum(jnp.linalg.norm(vector), 1e-30)
        return basis.at[:, index].set(vector)

    return lax.fori_loop(0, matrix.shape[1], column, jnp.zeros_like(matrix))


def power_iteration(matrix: jax.Array, basis: jax.Array) -> jax.Array:
    """One orthogonal iteration toward the eigenvectors of a positive semidefinite matrix.

    LAPACK's QR on CPU; accelerators run it member by member, so there it is Gram-Schmidt, with a
    little of the identity added that keeps directions without gradient (padding) in the basis.
    """
    if jax.default_backend() == "cpu":
        return jnp.linalg.qr(matrix @ basis)[0]
    shift = 1e-6 * jnp.trace(matrix) / matrix.shape[0] + 1e-20
    return gram_schmidt(matrix @ basis + shift * basis)


def refresh(state: SoapState) -> SoapState:
    """Moves the eigenbases on by one power iteration (far cheaper than an eigendecomposition)."""
    basis = lambda matrices, bases: tuple(power_iteration(m, q) for m, q in zip(matrices, bases))
    return dataclasses.replace(
        state,
        left_basis=basis(state.left, state.left_basis),
        right_basis=basis(state.right, state.right_basis),
    )


def update(gradient: jax.Array, state: SoapState, layout: Layout) -> tuple[jax.Array, SoapState]:
    """The direction [n] of one step (to be subtracted, times the learning rate) and the next state."""
    count = state.count + 1
    momentum = B1 * state.momentum + (1.0 - B1) * gradient
    unbiased = 1.0 / (1.0 - B1 ** count.astype(jnp.float32))
    unbiased_square = 1.0 / (1.0 - B2 ** count.astype(jnp.float32))
    square, left, right, directions = [], [], [], []
    gradients, momenta = as_matrices(gradient, layout), as_matrices(momentum, layout)
    for index, (g, m) in enumerate(zip(gradients, momenta)):
        q, p = state.left_basis[index], state.right_basis[index]
        keep = PRECONDITIONER_DECAY
        left.append(keep * state.left[index] + (1.0 - keep) * g @ g.T)
        right.append(keep * state.right[index] + (1.0 - keep) * g.T @ g)
        square.append(B2 * state.square[index] + (1.0 - B2) * (q.T @ g @ p) ** 2)
        rotated = (q.T @ m @ p) * unbiased / (jnp.sqrt(square[-1] * unbiased_square) + EPSILON)
        directions.append(q @ rotated @ p.T)
    new = SoapState(
        momentum,
        tuple(square),
        tuple(left),
        tuple(right),
        state.left_basis,
        state.right_basis,
        count,
    )
    return as_vector(directions), new


def soap(layout: Layout) -> optax.GradientTransformation:
    """The optimizer as an optax transformation on the parameter vector [n]; between its steps the
    caller calls `refresh`.
    """
    return optax.GradientTransformation(
        lambda parameters: init(parameters, layout),
        lambda gradient, state, parameters=None: update(gradient, state, layout),
    )
