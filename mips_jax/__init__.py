"""Distil trained recurrent networks into short, verified Python programs.

>>> import numpy as np, mips_jax
>>> total = mips_jax.MLPRNN.from_layers(
...     [(np.ones((1, 2)), np.zeros(1))], [(np.ones((1, 1)), np.zeros(1))]
... )
>>> print(mips_jax.extract(total, ((0, 9),)).program)
total' = total + x  (total_0 = 0); y0 = total'
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers; `__getattr__` does the same at run time
    from mips_jax.doors import from_callable, from_flax, from_torch
    from mips_jax.errors import RequestError
    from mips_jax.extraction import Extraction, ExtractionSettings, extract
    from mips_jax.inputs import Inputs
    from mips_jax.inputs.observed import observed_inputs, words_between
    from mips_jax.machines import Mealy
    from mips_jax.networks import MLPRNN, Network, load_network, save_network
    from mips_jax.pipeline import (
        Distillation,
        PipelineSettings,
        distil,
        distil_given,
        distil_network,
        distil_task,
        task_from,
    )
    from mips_jax.programs import Program
    from mips_jax.reporting.runs import load_runs
    from mips_jax.sequences import Sequences
    from mips_jax.tasks import TASKS, Task, get_task, task
    from mips_jax.training import TrainingSettings
    from mips_jax.verification import (
        Claim,
        Outcome,
        Verdict,
        Verification,
        VerificationSettings,
    )
    from mips_jax.verification.verify import verify

__all__ = [
    "MLPRNN",
    "TASKS",
    "Claim",
    "Distillation",
    "Extraction",
    "ExtractionSettings",
    "Inputs",
    "Mealy",
    "Network",
    "Outcome",
    "PipelineSettings",
    "Program",
    "RequestError",
    "Sequences",
    "Task",
    "TrainingSettings",
    "Verdict",
    "Verification",
    "VerificationSettings",
    "distil",
    "distil_given",
    "distil_network",
    "distil_task",
    "extract",
    "from_callable",
    "from_flax",
    "from_torch",
    "get_task",
    "load_network",
    "load_runs",
    "observed_inputs",
    "save_network",
    "task",
    "task_from",
    "verify",
    "words_between",
]

_ROOMS = {  # the imports above once more, so that looking at a network never loads training
    "doors": ("from_callable", "from_flax", "from_torch"),
    "errors": ("RequestError",),
    "extraction": ("Extraction", "ExtractionSettings", "extract"),
    "inputs": ("Inputs",),
    "inputs.observed": ("observed_inputs", "words_between"),
    "machines": ("Mealy",),
    "networks": ("MLPRNN", "Network", "load_network", "save_network"),
    "pipeline": (
        *("Distillation", "PipelineSettings"),
        *("distil", "distil_given", "distil_network", "distil_task", "task_from"),
    ),
    "programs": ("Program",),
    "reporting.runs": ("load_runs",),
    "sequences": ("Sequences",),
    "tasks": ("TASKS", "Task", "get_task", "task"),
    "training": ("TrainingSettings",),
    "verification": (
        *("Claim", "Outcome", "Verdict"),
        *("Verification", "VerificationSettings", "verify"),
    ),
}
_ROOM = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str):
    if name in _ROOM:
        return getattr(importlib.import_module(f"mips_jax.{_ROOM[name]}"), name)
    raise AttributeError(f"module 'mips_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
