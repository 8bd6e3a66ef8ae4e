"""What the arrays of a file turned out to be, and what is left of them while that is found out."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks.cells import CellLayer
from mips_jax.networks.heads import Layers

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """A network's weights by their meaning.

    Attributes:
        cell: "mlp_rnn", "elman", "gru" or "lstm".
        transition: the paper's f (mlp_rnn only).
        layers: the recurrent layers (other cells).
        head: g, or what reads the last layer's h.
        embedding: [K, D] table of input vectors, or None.
        initial: [H] state that the file holds, or None.
        inputs: affine layers between the input vector and the first recurrent layer.
        norms: (gain [U], offset [U]) of layer normalisations, in the order of their names.
        norm_epsilon: what their framework adds to the variance unless told otherwise.
        norm_places: for each recurrent layer whether its output is normalised; None where the file
            does not tell.
        biasless: names of layers without a bias.
    """

    cell: str
    transition: Layers
    layers: tuple[CellLayer, ...]
    head: Layers
    embedding: np.ndarray | None = None
    initial: np.ndarray | None = None
    inputs: Layers = ()
    norms: Layers = ()
    norm_epsilon: float = 1e-5
    norm_places: tuple[bool, ...] | None = None
    biasless: tuple[str, ...] = ()

    @property
    def hidden_dim(self) -> int:
        if self.cell == "mlp_rnn":
            return self.transition[-1][0].shape[0]
        return sum(layer.units for layer in self.layers) * (2 if self.cell == "lstm" else 1)

    @property
    def features(self) -> int:
        """E, the width of the input vector of one step."""
        if self.cell == "mlp_rnn":
            return self.transition[0][0].shape[1] - self.hidden_dim
        first = self.inputs[0][0] if self.inputs else self.layers[0].weight_ih
        return first.shape[1]

    @property
    def raw_outputs(self) -> int:
        return self.head[-1][0].shape[0]


class Ledger:
    """The arrays that have found no meaning yet, and what is wrong with those that have.

    Attributes:
        left: by PyTorch name.
        missing_bias_is_zero: whether the user has said so.
        problems: one sentence each.
        biasless: names of layers that have no bias.
        norm_keys: keys of layer normalisations.
    """

    def __init__(self, arrays: Arrays, missing_bias_is_zero: bool, origin: dict[str, str]):
        self.left = dict(arrays)
        self.missing_bias_is_zero, self.origin = missing_bias_is_zero, origin
        self.problems: list[str] = []
        self.biasless: list[str] = []
        self.norm_keys: list[str] = []

    def name(self, key: str) -> str:
        """What the file calls it."""
        return self.origin.get(key, key)


def missing(key: str) -> str:
    """What is said of a key that is not there."""
    if "bias" in key:
        return (
            f"key {key} is missing; if the layer was made with bias=False, say "
            "network.missing_bias=zeros"
        )
    return f"key {key} is missing"
