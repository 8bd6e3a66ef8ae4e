"""Models that read whole words as networks: functions of words, and GPT-2 folders."""

from mips_jax.networks.causal.functions import from_callable
from mips_jax.networks.causal.network import CausalNetwork
from mips_jax.networks.causal.options import CausalOptions

__all__ = ["CausalNetwork", "CausalOptions", "from_callable"]
