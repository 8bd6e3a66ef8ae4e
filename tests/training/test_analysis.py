"""Is a task affine, of what order, and does the identified recurrence answer as the data do?"""

import numpy as np
import pytest

from mips_jax.sequences import Sequences
from mips_jax.training.analysis import affine_response, realization


def sequences(outputs_of, count=400, length=10, input_dim=1, seed=0) -> Sequences:
    inputs = np.random.default_rng(seed).integers(-9, 10, (count, length, input_dim))
    outputs = outputs_of(inputs)
    return Sequences(inputs, outputs if outputs.ndim == 3 else outputs[..., None])


def delayed(inputs, delay):
    return np.pad(inputs[:, :, 0], ((0, 0), (delay, 0)))[:, : inputs.shape[1]]


CASES = {
    "identity": (lambda x: x[..., 0], 1),
    "sum": (lambda x: np.cumsum(x[..., 0], 1), 1),
    "two steps ago": (lambda x: delayed(x, 2), 3),
    "difference": (lambda x: x[..., 0] - delayed(x, 1), 2),
    "double sum with drift": (lambda x: np.cumsum(np.cumsum(x[..., 0] - 1, 1), 1), 2),
    "alternating constant": (lambda x: np.broadcast_to(np.arange(x.shape[1]) % 2, x.shape[:2]), 1),
    "affine": (lambda x: 3 - 2 * x[..., 0], 1),
}


@pytest.mark.parametrize("name", CASES)
def test_order_and_realization_reproduce_the_outputs(name):
    outputs_of, order = CASES[name]
    data = sequences(outputs_of)
    response = affine_response(data)
    assert response is not None and response.order == order
    transition, read_in, drift, read_out, offset = realization(response, order)
    hidden = np.zeros((len(data), order))
    for t in range(data.length):
        hidden = hidden @ transition.T + data.inputs[:, t] @ read_in.T + drift
        np.testing.assert_allclose(hidden @ read_out.T + offset, data.outputs[:, t], atol=1e-6)


@pytest.mark.parametrize(
    "outputs_of",
    [
        lambda x: np.abs(x[..., 0]),
        lambda x: np.cumsum(x[..., 0], 1) % 3,
        lambda x: x[..., 0] * np.arange(x.shape[1]),
    ],
    ids=["absolute value", "sum modulo 3", "depends on time"],
)
def test_other_tasks_are_not_affine(outputs_of):
    assert affine_response(sequences(outputs_of)) is None
