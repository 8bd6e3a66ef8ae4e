"""Feed-forward heads as plain affine layers with one non-linearity between them.

Axes: B sequences, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mips_jax.errors import RequestError

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]
"""Affine layers: (weight [out, in], bias [out]) each, float64."""


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


NONLINEARITIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "none": lambda x: x,
}


def as_layers(layers, name: str = "layers") -> Layers:
    """Any nested sequences of (weight [out, in], bias [out]) as float64 arrays.

    Args:
        layers: pairs of weight and bias.
        name: what messages call them.

    Raises:
        RequestError: a weight is no number, NaN or infinite, or beyond float64.
    """
    return tuple(
        (
            finite_array(f"the weight of layer {number} of the {name}", weight),
            finite_array(f"the bias of layer {number} of the {name}", bias),
        )
        for number, (weight, bias) in enumerate(layers, 1)
    )


def finite_array(name: str, values) -> np.ndarray:
    """An array as float64.

    Raises:
        RequestError: a value is no number, NaN or infinite, or beyond float64.
    """
    try:
        with np.errstate(over="ignore"):
            array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{name} is no array of numbers: {error}") from error
    bad = np.count_nonzero(~np.isfinite(array))
    if bad:
        raise RequestError(
            f"{name} holds {bad} values of {array.size} that are NaN, infinite or beyond float64; "
            "only finite weights can be read"
        )
    return array


def check_layers(name: str, layers: Layers, read: int | None = None) -> None:
    """Raises RequestError where affine layers do not fit together.

    Args:
        name: what messages call them.
        layers: (weight [out, in], bias [out]) pairs.
        read: the first layer's `in`, where it is known.
    """
    if not layers:
        raise RequestError(f"the {name} has no layer; one (weight, bias) pair at least is needed")
    for number, (weight, bias) in enumerate(layers, 1):
        fits = weight.ndim == 2 and weight.size and bias.shape == weight.shape[:1]
        if not fits or read not in (None, weight.shape[1]):
            wanted = "in" if read is None else read
            raise RequestError(
                f"layer {number} of the {name} has a weight of shape {list(weight.shape)} and a "
                f"bias of shape {list(bias.shape)}; [out, {wanted}] and [out] are needed"
            )
        read = weight.shape[0]


def mlp(layers: Layers, nonlinearity: str, x: np.ndarray) -> np.ndarray:
    """Affine layers with `nonlinearity` (a key of NONLINEARITIES) between them, none after the
    last.

    Args:
        layers: first `in` is the width of x.
        nonlinearity: "relu", "tanh", "sigmoid" or "none".
        x: [B, in].

    Returns:
        [B, out] of the last layer.
    """
    for weight, bias in layers[:-1]:
        x = NONLINEARITIES[nonlinearity](x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias
