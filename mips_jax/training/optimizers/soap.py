"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., 2024), for the small
layers of ONE member.

ReLU features whose kinks lie side by side are nearly collinear; plain Adam needs many thousand
steps to sharpen what a rotation of each layer's gradient makes easy. Each affine layer is one
matrix [out, in + 1], its bias the last column; all other leaves pass through Adam.
Axes: n parameters in one vector; layers are cut out of it by a static layout.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import optax
from jax import lax

from mips_jax.training.optimizers import REFRESH_STEPS
from mips_jax.training.optimizers.layout import Layout, parts_of, vector_of

B1, B2, PRECONDITIONER_DECAY, EPSILON = 0.9, 0.99, 0.95, 1e-8


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SoapState:
    """Moments and preconditioners.

    Attributes:
        momentum: [n] mean gradient.
        square: for each slot of the layout, mean squared gradient: [out, in + 1] in the eigenbases
            of an affine layer, [size] of another leaf.
        left, right: per affine layer, mean G G^T [out, out] and G^T G [in + 1, in + 1].
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


def init(parameters: jax.Array, layout: Layout) -> SoapState:
    """No gradient seen yet; the eigenbases are the axes."""
    f32 = jnp.float32
    layers = [(slot.rows, slot.columns + 1) for slot in layout if slot.columns is not None]
    shapes = [
        (slot.rows,) if slot.columns is None else (slot.rows, slot.columns + 1) for slot in layout
    ]
    return SoapState(
        momentum=jnp.zeros_like(parameters),
        square=tuple(jnp.zeros(shape, f32) for shape in shapes),
        left=tuple(jnp.zeros((rows, rows), f32) for rows, _ in layers),
        right=tuple(jnp.zeros((columns, columns), f32) for _, columns in layers),
        left_basis=tuple(jnp.eye(rows, dtype=f32) for rows, _ in layers),
        right_basis=tuple(jnp.eye(columns, dtype=f32) for _, columns in layers),
        count=jnp.zeros((), jnp.int32),
    )


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


def refreshed(state: SoapState) -> SoapState:
    """Moves the eigenbases on by one power iteration (far cheaper than an eigendecomposition)."""
    basis = lambda matrices, bases: tuple(power_iteration(m, q) for m, q in zip(matrices, bases))
    return dataclasses.replace(
        state,
        left_basis=basis(state.left, state.left_basis),
        right_basis=basis(state.right, state.right_basis),
    )


def update(gradient: jax.Array, state: SoapState, layout: Layout) -> tuple[jax.Array, SoapState]:
    """The direction [n] of one step (times the learning rate, subtracted) and the next state."""
    count = state.count + 1
    momentum = B1 * state.momentum + (1.0 - B1) * gradient
    unbiased = 1.0 / (1.0 - B1 ** count.astype(jnp.float32))
    unbiased_square = 1.0 / (1.0 - B2 ** count.astype(jnp.float32))
    square: list[jax.Array] = []
    left: list[jax.Array] = []
    right: list[jax.Array] = []
    directions = []
    scaled = lambda m, s: m * unbiased / (jnp.sqrt(s * unbiased_square) + EPSILON)
    for g, m, old in zip(parts_of(gradient, layout), parts_of(momentum, layout), state.square):
        if g.ndim == 1:
            square.append(B2 * old + (1.0 - B2) * g**2)
            directions.append(scaled(m, square[-1]))
            continue
        index, keep = len(left), PRECONDITIONER_DECAY
        q, p = state.left_basis[index], state.right_basis[index]
        left.append(keep * state.left[index] + (1.0 - keep) * g @ g.T)
        right.append(keep * state.right[index] + (1.0 - keep) * g.T @ g)
        square.append(B2 * old + (1.0 - B2) * (q.T @ g @ p) ** 2)
        directions.append(q @ scaled(q.T @ m @ p, square[-1]) @ p.T)
    new = dataclasses.replace(
        state,
        momentum=momentum,
        square=tuple(square),
        left=tuple(left),
        right=tuple(right),
        count=count,
    )
    return vector_of(directions), new


def scale_by_soap(layout: Layout) -> optax.GradientTransformationExtraArgs:
    """SOAP as an optax transformation of the parameter vector [n].

    `update` takes `refresh`, a scalar flag: whether the eigenbases move on before this step;
    without it they do every `REFRESH_STEPS` steps. A flag that all members side by side share
    spares them the work in between (a condition that differs between members runs both of its
    branches).
    """

    def step(gradient, state, parameters=None, *, refresh=None, **_):
        due = state.count % REFRESH_STEPS == 0 if refresh is None else refresh
        return update(gradient, lax.cond(due, refreshed, lambda s: s, state), layout)

    return optax.GradientTransformationExtraArgs(lambda parameters: init(parameters, layout), step)
