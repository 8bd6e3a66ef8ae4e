"""The configuration of a job: its schema, and how `key=value` arguments compose. With cli.py, all
that knows Hydra.
"""

from mips_jax.config.composition import Composer, Request
from mips_jax.config.schema import Config

__all__ = ["Composer", "Config", "Request"]
