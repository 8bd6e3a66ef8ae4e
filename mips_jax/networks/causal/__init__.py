"""Models that read whole words as networks: functions, PyTorch and flax modules, GPT-2 folders."""

from mips_jax.networks.causal.flax_modules import from_flax
from mips_jax.networks.causal.functions import from_callable
from mips_jax.networks.causal.network import CausalNetwork
from mips_jax.networks.causal.options import CausalOptions
from mips_jax.networks.causal.torch_modules import from_torch

__all__ = ["CausalNetwork", "CausalOptions", "from_callable", "from_flax", "from_torch"]
