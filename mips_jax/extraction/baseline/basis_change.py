"""Affine changes of the hidden basis, which leave what an MLP network computes unchanged (paper,
section 3.2).

A change maps every hidden state h to `matrix @ h + shift`. The first layers of transition and
output undo it, the last layer of the transition does it.

Axes: H hidden units, I inputs a step, W words, T time.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.traces import Traces
from mips_jax.networks import MLPRNN


@dataclasses.dataclass(frozen=True, eq=False)
class BasisChange:
    """h -> matrix @ h + shift.

    Attributes:
        matrix: [H, H] float64, invertible.
        shift: [H] float64.
    """

    matrix: np.ndarray
    shift: np.ndarray

    @classmethod
    def linear(cls, matrix: np.ndarray) -> "BasisChange":
        return cls(matrix, np.zeros(matrix.shape[0]))

    @classmethod
    def translation(cls, shift: np.ndarray) -> "BasisChange":
        return cls(np.eye(shift.shape[0]), shift)

    @property
    def condition(self) -> float:
        """Ratio of largest to smallest stretch; rounding errors grow by this factor."""
        return float(np.linalg.cond(self.matrix))

    def hidden(self, hidden: np.ndarray) -> np.ndarray:
        """[..., H] hidden states in the new basis."""
        return hidden @ self.matrix.T + self.shift

    def traces(self, traces: Traces) -> Traces:
        """The same words and outputs with hidden states in the new basis."""
        return dataclasses.replace(traces, hidden=self.hidden(traces.hidden))

    def network(self, network: MLPRNN) -> MLPRNN:
        """The network that computes the same outputs with hidden states in the new basis."""
        hidden_dim = network.hidden_dim
        inverse = np.linalg.inv(self.matrix)
        weight, bias = network.transition[0]
        recurrent = weight[:, :hidden_dim] @ inverse
        undone = (
            np.concatenate([recurrent, weight[:, hidden_dim:]], axis=1),
            bias - recurrent @ self.shift,
        )
        transition = (undone, *network.transition[1:])
        weight, bias = transition[-1]
        transition = (*transition[:-1], (self.matrix @ weight, self.matrix @ bias + self.shift))
        weight, bias = network.output[0]
        output = ((weight @ inverse, bias - weight @ inverse @ self.shift), *network.output[1:])
        return dataclasses.replace(
            network, transition=transition, output=output, initial=self.hidden(network.initial)
        )


@dataclasses.dataclass(frozen=True, eq=False)
class AffineTransition:
    """h_t = recurrent @ h_(t-1) + inputs @ x_t + bias: the transition, or its best affine fit along
    words.

    Attributes:
        recurrent: [H, H].
        inputs: [H, I].
        bias: [H].
        exact: True where the transition is a single affine layer.
    """

    recurrent: np.ndarray
    inputs: np.ndarray
    bias: np.ndarray
    exact: bool


def affine_transition(network: MLPRNN, traces: Traces) -> AffineTransition:
    """The linear part of the transition: its only layer, or a least-squares fit where there are
    several.
    """
    hidden_dim = network.hidden_dim
    if len(network.transition) == 1:
        weight, bias = network.transition[0]
        return AffineTransition(weight[:, :hidden_dim], weight[:, hidden_dim:], bias, True)
    before = traces.hidden[:, :-1].reshape(-1, hidden_dim)
    after = traces.hidden[:, 1:].reshape(-1, hidden_dim)
    letters = traces.words.reshape(-1, network.input_dim)
    design = np.concatenate([before, letters, np.ones((before.shape[0], 1))], axis=1)
    solution = np.linalg.lstsq(design, after, rcond=1e-9)[0].T
    return AffineTransition(
        solution[:, :hidden_dim], solution[:, hidden_dim:-1], solution[:, -1], False
    )
