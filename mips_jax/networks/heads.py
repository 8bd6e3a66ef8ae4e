"""Feed-forward heads as plain affine layers with one non-linearity between them.

Axes: B sequences, H hidden units.
"""

from __future__ import annotations

import numpy as np

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]
"""Affine layers: (weight [out, in], bias [out]) each, float64."""

NONLINEARITIES = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
}


def as_layers(layers) -> Layers:
    """Any nested sequences of (weight [out, in], bias [out]) as float64 arrays."""
    return tuple(
        (np.asarray(weight, np.float64), np.asarray(bias, np.float64)) for weight, bias in layers
    )


def mlp(layers: Layers, nonlinearity: str, x: np.ndarray) -> np.ndarray:
    """Affine layers with `nonlinearity` (a key of NONLINEARITIES) between them, none after the
    last.

    Args:
        layers: first `in` is the width of x.
        nonlinearity: "relu" or "tanh".
        x: [B, in].

    Returns:
        [B, out] of the last layer.
    """
    for weight, bias in layers[:-1]:
        x = NONLINEARITIES[nonlinearity](x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias
