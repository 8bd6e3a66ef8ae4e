"""Trainable networks (flax NNX modules that are plain pytrees), written for one example."""

from mips_jax.models.architecture import CELLS, Architecture
from mips_jax.models.mlp import MLP, Affine
from mips_jax.models.recurrent import GRU, LSTM, MLPRNN, Elman, RecurrentModel, build_model

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "MLP",
    "MLPRNN",
    "Affine",
    "Architecture",
    "Elman",
    "RecurrentModel",
    "build_model",
]
