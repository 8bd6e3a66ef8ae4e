"""Small networks with known behaviour, of every kind of cell that proofs follow.

`*_parity` hold two units, "one at least" and "both" of the parity so far and the letter, so that
their difference is the new parity.
"""

import numpy as np

from mips_jax.networks import ElmanNetwork, GRUNetwork, LSTMNetwork

SHARP = 6.0
_OR_AND = np.array([[1.0, -1.0], [1.0, -1.0]]) / 2
_LEVELS = np.array([-0.5, -1.5])


def elman_parity(sharp=SHARP, nonlinearity="tanh", layers=1):
    """h = tanh or sigmoid of sharp (parity + x - 1/2), sharp (parity + x - 3/2)."""
    centered = nonlinearity == "tanh"
    scale = sharp if centered else 2 * sharp
    recurrent = scale * (_OR_AND if centered else 2 * _OR_AND)
    first = (recurrent, np.full((2, 1), scale), scale * _LEVELS)
    low = -1.0 if centered else 0.0
    head = [([[0.5, -0.5]] if centered else [[1.0, -1.0]], [0.0])]
    stacked = [(first[1], first[0], first[2], None)]
    initial = np.array([low, low])
    for _ in range(layers - 1):  # a copy of the layer below
        copy = np.eye(2) * scale, np.zeros((2, 2)), np.zeros(2) if centered else np.full(2, -sharp)
        stacked.append((copy[0], copy[1], copy[2], None))
        initial = np.concatenate([initial, [low, low]])
    return ElmanNetwork.from_arrays(stacked, head, initial, nonlinearity=nonlinearity)


def gru_parity(reset_after=True, sharp=SHARP):
    """A GRU whose gates are open: the new state alone counts."""
    shut, wide = np.zeros((4, 2)), np.zeros((4, 1))
    recurrent = np.concatenate([shut, sharp * _OR_AND])
    read = np.concatenate([wide, np.full((2, 1), sharp)])
    bias = np.concatenate([np.full(2, 12.0), np.full(2, -12.0), sharp * _LEVELS])
    return GRUNetwork.from_arrays(
        [(read, recurrent, bias, None)],
        [([[0.5, -0.5]], [0.0])],
        np.array([-1.0, -1.0]),
        reset_after=reset_after,
    )


def lstm_parity(sharp=SHARP):
    """An LSTM that forgets and admits everything: c = g, h = tanh(c)."""
    recurrent, read, bias = np.zeros((8, 2)), np.zeros((8, 1)), np.full(8, 12.0)
    bias[2:4] = -12.0
    recurrent[4:6], read[4:6], bias[4:6] = sharp / np.tanh(1) * _OR_AND, sharp, sharp * _LEVELS
    return LSTMNetwork.from_arrays(
        [(read, recurrent, bias, None)],
        [([[0.5 / np.tanh(1), -0.5 / np.tanh(1)]], [0.0])],
        np.concatenate([-np.tanh([1.0, 1.0]), [-1.0, -1.0]]),
    )


PARITIES = {
    "elman tanh": elman_parity,
    "elman sigmoid": lambda: elman_parity(nonlinearity="sigmoid"),
    "two layers": lambda: elman_parity(layers=2),
    "gru": gru_parity,
    "gru, reset before": lambda: gru_parity(reset_after=False),
    "lstm": lstm_parity,
}


def random_cell(rng, kind, hidden=2, size=1.5, layers=1):
    """A network of one number in and one out with random weights."""
    gates, cell = {
        "elman": (1, ElmanNetwork),
        "gru": (3, GRUNetwork),
        "lstm": (4, LSTMNetwork),
    }[kind]
    draw = lambda *shape: size * rng.normal(size=shape)
    stacked = [
        (
            draw(gates * hidden, hidden if k else 1),
            draw(gates * hidden, hidden),
            *draw(2, gates * hidden),
        )
        for k in range(layers)
    ]
    settings = {"reset_after": bool(rng.integers(2))} if kind == "gru" else {}
    return cell.from_arrays(stacked, [(draw(1, hidden), draw(1))], **settings)
