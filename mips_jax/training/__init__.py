"""Training: populations of small recurrent networks, and the search for the smallest perfect one."""

import importlib

_HOMES = {
    "checkpoint": ("load_member", "save_member"),
    "result": (
        "Curves",
        "MemberRecord",
        "ProgressCallback",
        "TrainedMember",
        "TrainingProgress",
        "TrainingResult",
    ),
    "search": ("train",),
    "settings": (
        "DeviceSettings",
        "ModelSettings",
        "PressureSettings",
        "TrainingSettings",
        "validate",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    """Imports on first use, so that settings can be checked without loading jax."""
    if name in _HOME:
        return getattr(importlib.import_module(f"mips_jax.training.{_HOME[name]}"), name)
    raise AttributeError(f"module 'mips_jax.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
