"""Trained recurrent networks as plain arrays, whoever trained them."""

from mips_jax.networks.callables import CallableNetwork
from mips_jax.networks.causal import CausalNetwork, CausalOptions
from mips_jax.networks.cells import CellLayer, ElmanNetwork, GRUNetwork, LSTMNetwork
from mips_jax.networks.encodings import (
    Bits,
    ClassHead,
    Embedding,
    InterpretedNetwork,
    Numbers,
    OneHot,
    Rounded,
    Threshold,
)
from mips_jax.networks.files.input_ranges import resolve_input_range
from mips_jax.networks.files.load import load_network
from mips_jax.networks.files.options import NetworkOptions
from mips_jax.networks.files.save import save_network
from mips_jax.networks.network import MLPRNN, InputRange, Network, WordTooLongError

__all__ = [
    "MLPRNN",
    "Bits",
    "CallableNetwork",
    "CausalNetwork",
    "CausalOptions",
    "CellLayer",
    "ClassHead",
    "ElmanNetwork",
    "Embedding",
    "GRUNetwork",
    "InputRange",
    "InterpretedNetwork",
    "LSTMNetwork",
    "Network",
    "NetworkOptions",
    "Numbers",
    "OneHot",
    "Rounded",
    "Threshold",
    "WordTooLongError",
    "load_network",
    "resolve_input_range",
    "save_network",
]
