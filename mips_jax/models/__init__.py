"""Trainable networks (flax NNX modules that are plain pytrees), written for one example."""

import importlib
from typing import TYPE_CHECKING

from mips_jax.models.architecture import Architecture
from mips_jax.models.cells import CELLS

if TYPE_CHECKING:  # for editors and type checkers; `__getattr__` does the same at run time
    from mips_jax.models.cells.elman import Elman
    from mips_jax.models.cells.gru import GRU
    from mips_jax.models.cells.lstm import LSTM
    from mips_jax.models.cells.mlp_rnn import MLPRNN
    from mips_jax.models.mlp import MLP, Affine
    from mips_jax.models.recurrent import RecurrentModel, build_model

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

_HOMES = {
    "Affine": "mlp",
    "Elman": "cells.elman",
    "GRU": "cells.gru",
    "LSTM": "cells.lstm",
    "MLP": "mlp",
    "MLPRNN": "cells.mlp_rnn",
    "RecurrentModel": "recurrent",
    "build_model": "recurrent",
}


def __getattr__(name: str):
    """Imports on first use, so that shapes and names can be checked without loading jax."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"mips_jax.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'mips_jax.models' has no attribute {name!r}")
