"""Plain Adam (Kingma & Ba, 2015), blind to the layout: the reference to measure others by."""

from __future__ import annotations

import optax

from mips_jax.training.optimizers.layout import Layout

B1, B2, EPSILON = 0.9, 0.99, 1e-8


def scale_by_adam(layout: Layout) -> optax.GradientTransformationExtraArgs:
    """Adam on the whole vector [n]."""
    return optax.with_extra_args_support(optax.scale_by_adam(B1, B2, EPSILON))
