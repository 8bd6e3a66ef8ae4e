"""What lies around the recurrent layers of a network: affine layers before the first, normalisation
of what a layer writes, connections past a layer.

Axes: B sequences, E input features, U units of a layer.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks.heads import NONLINEARITIES, Layers


@dataclasses.dataclass(frozen=True, eq=False)
class LayerNorm:
    """y = gain (x - mean) / sqrt(variance + epsilon) + offset, over the units of one step.

    Attributes:
        gain: [U].
        offset: [U].
        epsilon: > 0.
    """

    gain: np.ndarray
    offset: np.ndarray
    epsilon: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=1, keepdims=True)
        variance = (centred**2).mean(axis=1, keepdims=True)
        return centred / np.sqrt(variance + self.epsilon) * self.gain + self.offset


@dataclasses.dataclass(frozen=True, eq=False)
class Wiring:
    """What lies around the recurrent layers.

    Attributes:
        inputs: affine layers between the input vector and the first recurrent layer.
        input_nonlinearity: what follows each of them, a key of NONLINEARITIES.
        norms: for each recurrent layer what normalises its output for whoever reads it, or None;
            empty where there is none.
        residual: whether each layer from the second on adds what it reads to what it writes.
    """

    inputs: Layers = ()
    input_nonlinearity: str = "none"
    norms: tuple[LayerNorm | None, ...] = ()
    residual: bool = False

    def before(self, x: np.ndarray) -> np.ndarray:
        """The input vector [B, E] -> what the first recurrent layer reads."""
        for weight, bias in self.inputs:
            x = NONLINEARITIES[self.input_nonlinearity](x @ weight.T + bias)
        return x

    def after(self, index: int, h: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Output h [B, U] of layer `index`, and what it has read -> what its reader gets."""
        if self.residual and index:
            h = h + x
        norm = self.norms[index] if self.norms else None
        return h if norm is None else norm(h)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """All its weights."""
        of_norms = (array for norm in self.norms if norm for array in (norm.gain, norm.offset))
        return (*(array for layer in self.inputs for array in layer), *of_norms)

    def astype(self, dtype: type) -> Wiring:
        """The same with weights of another type."""
        layers: Layers = tuple((w.astype(dtype), b.astype(dtype)) for w, b in self.inputs)
        norms = tuple(
            norm
            and dataclasses.replace(
                norm, gain=norm.gain.astype(dtype), offset=norm.offset.astype(dtype)
            )
            for norm in self.norms
        )
        return dataclasses.replace(self, inputs=layers, norms=norms)

    def __str__(self) -> str:
        parts = (
            f", {len(self.inputs)} affine before" if self.inputs else "",
            ", normalised" if any(self.norms) else "",
            ", residual" if self.residual else "",
        )
        return "".join(parts)


PLAIN = Wiring()
