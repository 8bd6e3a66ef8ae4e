"""Cells by name: one file each, a subclass of `RecurrentModel`. Names can be listed without loading
jax.
"""

from mips_jax.registry import Registry

CELLS = Registry(
    {
        "mlp_rnn": "mips_jax.models.cells.mlp_rnn:MLPRNN",
        "elman": "mips_jax.models.cells.elman:Elman",
        "gru": "mips_jax.models.cells.gru:GRU",
        "lstm": "mips_jax.models.cells.lstm:LSTM",
    }
)
