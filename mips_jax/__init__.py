"""Distil trained recurrent networks into short, verified Python programs.

>>> import numpy as np, mips_jax
>>> total = mips_jax.MLPRNN.from_layers([(np.ones((1, 2)), np.zeros(1))], [(np.ones((1, 1)), np.zeros(1))])
>>> print(mips_jax.extract(total, ((0, 9),)).program)
total' = total + x  (total_0 = 0); y0 = total'
"""

import importlib

_HOMES = {
    "errors": ("RequestError",),
    "sequences": ("Sequences",),
    "networks": ("MLPRNN", "Network", "load_network"),
    "extraction": ("Extraction", "ExtractionSettings", "extract"),
    "programs": ("Program",),
    "tasks": ("TASKS", "Task", "get_task"),
    "pipeline": ("Distillation", "PipelineSettings", "distil", "distil_network", "distil_task"),
    "verification": ("Verification", "VerificationSettings"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    """Imports on first use, so that looking at a network never loads what training needs."""
    if name in _HOME:
        return getattr(importlib.import_module(f"mips_jax.{_HOME[name]}"), name)
    raise AttributeError(f"module 'mips_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
