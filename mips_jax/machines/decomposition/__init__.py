"""Finite machines taken apart: integers for their states, each of which follows from few others."""

from mips_jax.machines.decomposition.coordinates import Coordinates, coordinate_systems
from mips_jax.machines.decomposition.groups import group_name
from mips_jax.machines.decomposition.observables import observables
from mips_jax.machines.decomposition.partitions import factors, quotient, substitution_partitions

__all__ = [
    "Coordinates",
    "coordinate_systems",
    "factors",
    "group_name",
    "observables",
    "quotient",
    "substitution_partitions",
]
