"""Optimizers as optax transformations of ONE member's parameter vector, by name.

An entry is a function `layout -> optax.GradientTransformationExtraArgs`; the layout says which
stretches of the vector are affine layers. `update` gets `refresh`: a scalar flag, the same for all
members side by side, that is true every `REFRESH_STEPS` steps, for what is too costly for each.
"""

from mips_jax.registry import Registry

REFRESH_STEPS = 10  # steps between two refreshes, such as those of SOAP's eigenbases

OPTIMIZERS = Registry(
    {
        "soap": "mips_jax.training.optimizers.soap:scale_by_soap",
        "adam": "mips_jax.training.optimizers.adam:scale_by_adam",
    }
)
