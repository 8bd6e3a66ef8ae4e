"""Training: populations of small recurrent networks; the search for the smallest perfect one."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers; `__getattr__` does the same at run time
    from mips_jax.training.checkpoint import load_member, save_member
    from mips_jax.training.result import (
        Condition,
        Curves,
        MemberRecord,
        ProgressCallback,
        SearchOutcome,
        TrainedMember,
        TrainingProgress,
        TrainingResult,
    )
    from mips_jax.training.search.run import train
    from mips_jax.training.search.tuning import SearchTuning
    from mips_jax.training.settings import (
        DeviceSettings,
        ModelSettings,
        PressureSettings,
        TrainingSettings,
        validate,
    )

__all__ = [
    "Condition",
    "Curves",
    "DeviceSettings",
    "MemberRecord",
    "ModelSettings",
    "PressureSettings",
    "ProgressCallback",
    "SearchOutcome",
    "SearchTuning",
    "TrainedMember",
    "TrainingProgress",
    "TrainingResult",
    "TrainingSettings",
    "load_member",
    "save_member",
    "train",
    "validate",
]

_HOMES = {
    "checkpoint": ("load_member", "save_member"),
    "result": (
        "Condition",
        "Curves",
        "MemberRecord",
        "ProgressCallback",
        "SearchOutcome",
        "TrainedMember",
        "TrainingProgress",
        "TrainingResult",
    ),
    "search.run": ("train",),
    "search.tuning": ("SearchTuning",),
    "settings": (
        "DeviceSettings",
        "ModelSettings",
        "PressureSettings",
        "TrainingSettings",
        "validate",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str):
    """Imports on first use, so that settings can be checked without loading jax."""
    if name in _HOME:
        return getattr(importlib.import_module(f"mips_jax.training.{_HOME[name]}"), name)
    raise AttributeError(f"module 'mips_jax.training' has no attribute {name!r}")
