"""From a task to a verified program: `stages` is the list of stages, each has a file of its own."""

from mips_jax.pipeline.distillation import Distillation, Seconds
from mips_jax.pipeline.settings import PipelineSettings
from mips_jax.pipeline.sources import task_from
from mips_jax.pipeline.stages import distil, distil_given, distil_network, distil_task
from mips_jax.progress import Progress, Silent

__all__ = [
    "Distillation",
    "PipelineSettings",
    "Progress",
    "Seconds",
    "Silent",
    "distil",
    "distil_given",
    "distil_network",
    "distil_task",
    "task_from",
]
