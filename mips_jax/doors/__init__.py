"""Models of other frameworks as networks: PyTorch and flax modules, and what a Python target names.

The only place that knows these frameworks beside training; none is imported before it is asked for.
"""

from mips_jax.doors.flax_modules import from_flax
from mips_jax.doors.targets import network_from_target
from mips_jax.doors.torch_modules import from_torch
from mips_jax.networks.causal import from_callable

__all__ = ["from_callable", "from_flax", "from_torch", "network_from_target"]
