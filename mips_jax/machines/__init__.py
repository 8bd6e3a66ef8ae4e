"""Finite machines: what they are, whether two are the same, and how they are written down."""

from mips_jax.machines.as_program import machine_program
from mips_jax.machines.completed import completed
from mips_jax.machines.mealy import Mealy, minimised
from mips_jax.machines.product import (
    ProductResult,
    bisimilar,
    compare,
    equals_machine,
    first_difference,
)
from mips_jax.machines.recurrent import recurrent_part

__all__ = [
    "Mealy",
    "ProductResult",
    "bisimilar",
    "compare",
    "completed",
    "equals_machine",
    "first_difference",
    "machine_program",
    "minimised",
    "recurrent_part",
]
