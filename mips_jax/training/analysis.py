"""What the training sequences alone say about the networks that can fit them: is the task affine,
and of what order?

If every output is an affine function of the inputs so far, with coefficients that depend on the
delay only, the task is
a linear recurrence: least squares gives its Markov parameters (impulse response), and the rank of
    their Hankel matrix
(Ho & Kalman, 1966) is the smallest hidden size of an affine network.
Axes: N sequences, T time, I inputs, O outputs.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.sequences import Sequences

ROWS = 4_096  # sequences looked at
TOLERANCE = 1e-6  # relative to the largest output


@dataclasses.dataclass(frozen=True, eq=False)
class AffineResponse:
    """Least squares says: y_t = constants_t + sum over delays k of markov_k x_(t-k), exactly.

    Attributes:
        markov: [T, O, I] impulse response by delay.
        constants: [T, O] outputs when all inputs are zero.
        order: rank of the Hankel matrix: no affine network with a smaller hidden size can do it.
    """

    markov: np.ndarray
    constants: np.ndarray
    order: int

    def in_units(self, scaling) -> "AffineResponse":
        """The same response between scaled inputs and outputs (scales only, no shifts)."""
        markov = self.markov * scaling.input_scale[None, None] / scaling.output_scale[None, :, None]
        return AffineResponse(markov, self.constants / scaling.output_scale, self.order)


def affine_response(sequences: Sequences) -> AffineResponse | None:
    """None when the data are not exactly affine with coefficients that depend on the delay only."""
    rows = slice(0, ROWS)
    judged = sequences.judged
    full = np.ones(len(sequences), bool) if judged is None else judged.all(axis=1)
    inputs = sequences.inputs[full][rows].astype(np.float64)
    outputs = sequences.outputs[full][rows].astype(np.float64)
    count, length, input_dim = inputs.shape
    if count <= 2 * length * input_dim:
        return None
    scale = max(1.0, np.abs(outputs).max())
    design = np.concatenate([np.ones((count, 1)), inputs.reshape(count, -1)], axis=1)
    solution, _, rank, _ = np.linalg.lstsq(design, outputs.reshape(count, -1), rcond=None)
    if (
        rank < design.shape[1]
        or np.abs(design @ solution - outputs.reshape(count, -1)).max() > TOLERANCE * scale
    ):
        return None
    constants = solution[0].reshape(length, -1)
    response = solution[1:].reshape(
        length, input_dim, length, -1
    )  # [input time, I, output time, O]
    markov = response[0].transpose(1, 2, 0)
    for start in range(length):
        future = response[start, :, :start]
        shifted = response[start, :, start:].transpose(1, 2, 0) - markov[: length - start]
        if max(np.abs(future).max(initial=0.0), np.abs(shifted).max()) > TOLERANCE * scale:
            return None
    hankel, _ = hankel_matrices(markov, constants)
    order = int(np.linalg.matrix_rank(hankel, tol=1e-4 * max(1.0, np.abs(hankel).max())))
    return AffineResponse(markov, constants, max(1, order))


def hankel_matrices(markov: np.ndarray, constants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hankel matrix and the one that is a step later, both [rows * O, columns].

    The constants' increments C A^k b are the response to one more input that is always 1; the
    first, C b, cannot be told from the output's bias and is left out.
    """
    length = markov.shape[0]
    rows = max(1, length // 2)
    columns = max(1, length - rows)
    drift = np.diff(constants, axis=0)[..., None]  # [T - 1, O, 1], from C A b on
    drift_columns = max(0, length - 1 - rows)

    def stack(offset: int) -> np.ndarray:
        last = length - 1
        block = lambda i, j: [
            markov[min(i + j + offset, last)]
            if i + j + offset <= last
            else np.zeros_like(markov[0])
        ]
        rows_of_blocks = []
        for i in range(rows):
            blocks = [part for j in range(columns) for part in block(i, j)]
            blocks += [drift[i + j + offset] for j in range(drift_columns)]
            rows_of_blocks.append(np.concatenate(blocks, axis=1))
        return np.concatenate(rows_of_blocks, axis=0)

    return stack(0), stack(1)


def realization(
    response: AffineResponse, order: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A recurrence h_t = A h_(t-1) + B x_t + b, y_t = C h_t + d with that response (Ho & Kalman;
    balanced).

    Returns:
        A [H, H], B [H, I], b [H], C [O, H], d [O] with H = `order`.
    """
    outputs, inputs = response.markov.shape[1:]
    hankel, later = hankel_matrices(response.markov, response.constants)
    left, singular, right = np.linalg.svd(hankel, full_matrices=False)
    keep = min(order, len(singular))
    root = np.sqrt(np.maximum(singular[:keep], 1e-12))
    observe, control = left[:, :keep] * root, root[:, None] * right[:keep]
    transition = np.linalg.pinv(observe) @ later @ np.linalg.pinv(control)
    read_in, read_out = control[:, :inputs], observe[:outputs]
    powers = [read_out]
    for _ in range(response.markov.shape[0] - 1):
        powers.append(powers[-1] @ transition)
    increments = np.diff(response.constants, axis=0).reshape(-1)
    drift = np.zeros(keep)
    if len(powers) > 1:
        drift = np.linalg.lstsq(np.concatenate(powers[1:], axis=0), increments, rcond=1e-6)[0]
    offset = response.constants[0] - read_out @ drift
    grown = lambda array, shape: np.pad(
        array, [(0, full - size) for size, full in zip(array.shape, shape)]
    )
    return (
        grown(transition, (order, order)),
        grown(read_in, (order, inputs)),
        grown(drift, (order,)),
        grown(read_out, (outputs, order)),
        offset,
    )
