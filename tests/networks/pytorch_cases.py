"""The state_dicts made by make_pytorch_fixtures.py, and the options that each of them leaves
open.
"""

import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parents[1] / "data" / "networks"
EXPECTED = np.load(FOLDER / "expected.npz")

OPTIONS = {
    "rnn_tanh": dict(nonlinearity="tanh", initial="zeros", head="number"),
    "rnn_relu": dict(nonlinearity="relu", initial="zeros", head="number", encoding="number"),
    "gru": dict(initial="zeros", head="number", encoding="number"),
    "gru_two_layers": dict(
        initial="zeros", head="number", encoding="number", head_nonlinearity="tanh"
    ),
    "gru_no_bias": dict(initial="zeros", head="number", missing_bias="zeros"),
    "gru_cell": dict(head="number"),
    "lstm": dict(initial="zeros", head="number"),
    "lstm_two_layers": dict(
        initial="zeros", head="number", encoding="number", head_nonlinearity="relu"
    ),
}


def expected(case: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """features [B, T, E] integers, hidden [B, T, H] and raw outputs [B, T, R] as PyTorch computed
    them.
    """
    return tuple(EXPECTED[f"{case}.{name}"] for name in ("features", "hidden", "raw"))


def arrays_of(case: str) -> dict[str, np.ndarray]:
    """The state_dict of a case, to be damaged."""
    with np.load(FOLDER / f"{case}.npz") as file:
        return {name: file[name] for name in file.files}
