"""Any pair of Python functions (step, readout) as a network: PyTorch, JAX, or something written by
hand.

Axes: B sequences, I inputs a step, H hidden units, R raw outputs, O outputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.encodings import Decoding, Rounded
from mips_jax.networks.network import InputRange, Network


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CallableNetwork(Network):
    """A network whose two functions are given.

    The functions may return anything that numpy can turn into an array (a JAX array, a detached CPU
    tensor, a list).

    >>> parity = CallableNetwork(lambda h, x: (h + x) % 2, lambda h: h, initial=[0])
    >>> parity.run(np.array([[[1], [0], [1]]]))[1].ravel().tolist()
    [1, 1, 0]

    Attributes:
        step_function: hidden [B, H], inputs [B, I] integers -> next hidden [B, H]; without
            `batched`, [H] and [I] -> [H].
        readout_function: hidden [B, H] -> raw outputs [B, R]; without `batched`, [H] -> [R].
        initial: [H] state before the first input.
        input_dim: I.
        batched: False where the functions handle one example at a time.
        decoding: raw outputs -> integers; rounds by default (`ClassHead` for logits).
        trained_length: sequence length in training, or None where it is not known.
        input_range: the integers that it was made for, or None.
    """

    step_function: Callable
    readout_function: Callable
    initial: np.ndarray
    input_dim: int = 1
    batched: bool = True
    decoding: Decoding = dataclasses.field(default_factory=Rounded)
    trained_length: int | None = None
    input_range: InputRange | None = None

    def __post_init__(self):
        object.__setattr__(self, "initial", np.atleast_1d(np.asarray(self.initial, np.float64)))
        if self.initial.ndim != 1 or not np.isfinite(self.initial).all():
            raise RequestError(
                f"the initial state has shape {self.initial.shape}; it must be one vector of "
                "finite numbers"
            )

    @property
    def output_dim(self) -> int:
        return self.decoding.output_dim(self.readout(self.initial[None]).shape[1])

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        stepped = self._apply(self.step_function, hidden, np.asarray(inputs))
        if stepped.shape != hidden.shape:
            raise RequestError(
                f"the step function turned hidden states {hidden.shape} into {stepped.shape}; "
                f"the shape must stay the same ({self._convention})"
            )
        return stepped

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        raw = self._apply(self.readout_function, hidden)
        if raw.ndim != 2 or raw.shape[0] != hidden.shape[0]:
            raise RequestError(
                f"the readout function turned hidden states {hidden.shape} into {raw.shape}; "
                f"one row of raw outputs for each row is needed ({self._convention})"
            )
        return raw

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return self.decoding.decode(raw)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        return self.decoding.distance(raw)

    @property
    def _convention(self) -> str:
        return (
            "with batched=True it sees all rows at once"
            if self.batched
            else "with batched=False it sees one row"
        )

    def _apply(self, function: Callable, *arrays: np.ndarray) -> np.ndarray:
        if self.batched:
            return np.asarray(function(*arrays), np.float64)
        return np.stack([np.asarray(function(*rows), np.float64) for rows in zip(*arrays)])
