"""What changes with the steps of ONE member: its learning rate, and the steps of its sequences that
count.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mips_jax.training.member.state import Hyper


def counted_steps(hyper: Hyper, step: jax.Array, length: int) -> jax.Array:
    """How many time steps of a sequence matter at a training step: later ones are noise until the
    first ones are learned.
    """
    grown = jnp.where(hyper.ramp > 0, step / jnp.maximum(hyper.ramp, 1.0), 1.0)
    return 2.0 + jnp.maximum(length - 2.0, 0.0) * jnp.minimum(grown, 1.0)


def learning_rate_at(hyper: Hyper, step: jax.Array) -> jax.Array:
    """Short warm-up, slow decay, and a cosine from `start` on (for members whose horizon is
    finite).
    """
    elapsed = jnp.maximum(step - hyper.start, 0).astype(jnp.float32)
    fraction = jnp.clip(elapsed / jnp.maximum(hyper.horizon, 1.0), 0.0, 1.0)
    cosine = hyper.floor + (1.0 - hyper.floor) * 0.5 * (1.0 + jnp.cos(jnp.pi * fraction))
    warm_up = jnp.minimum(1.0, (step + 1.0) / 50.0)
    return hyper.learning_rate * warm_up * cosine / (1.0 + step / hyper.halving_steps)
