"""The schema of one job: plain dataclasses, for the most part the library's own settings.

Field comments say what a key means and what is allowed; choices are made in conf/*.yaml and on the
command line.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import II, MISSING, DictConfig, OmegaConf

from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.networks.files.readers import MEMORY_GIB as NETWORK_MEMORY_GIB
from mips_jax.pipeline import PipelineSettings
from mips_jax.tasks.files.load import MEMORY_GIB as TASK_MEMORY_GIB
from mips_jax.tasks.files.table import Columns
from mips_jax.tracking.tracker import TrackingSettings
from mips_jax.training.settings import ModelSettings, TrainingSettings
from mips_jax.validation import group
from mips_jax.verification import VerificationSettings


@dataclasses.dataclass
class TaskChoice:
    """Where sequences and their truth come from; one subclass for each door."""


@dataclasses.dataclass
class NamedTask(TaskChoice):
    """a name of `mips-jax tasks`, as in task=Binary_Addition"""

    name: str = MISSING  # in any case
    length: int | None = None  # training length, >= 1; null = the task's own


@dataclasses.dataclass
class FileTask(TaskChoice):
    """example sequences or a machine, as in task=file task.path=data.csv"""

    path: str = MISSING  # tables, JSON, arrays, parquet, Abbadingo, DOT; forms: docs/data.md
    columns: Columns = dataclasses.field(default_factory=Columns)  # names; null = found out
    symbols: bool | None = None  # values are symbols (true) or numbers (false); null = found out
    # a value, or a list of values, that stands for no label; null = empty, NaN, null, ?, and -100
    # where it is the only negative one
    missing: Any = None
    on_contradiction: str = "warn"  # labels that contradict each other: warn, or stop with an error
    memory_gib: float = TASK_MEMORY_GIB  # content that takes more memory is refused, > 0


@dataclasses.dataclass
class FunctionTask(TaskChoice):
    """a Python function, as in task=function task.target=package.module:function task.input_min=0
    task.input_max=9
    """

    target: str = MISSING  # package.module:function; forms: mips_jax/tasks/from_function.py
    input_min: Any = None  # smallest input, an integer; or a list of one for each of several inputs
    input_max: Any = None  # largest input, likewise
    length: int = 10  # training length, >= 1


@dataclasses.dataclass
class NetworkChoice:
    """a trained network, as in network=file network.path=net.npz network.input_min=0 \
network.input_max=99"""

    path: str = MISSING  # a file or folder of a kind in mips_jax/networks/files/readers.py
    memory_gib: float = NETWORK_MEMORY_GIB  # content that takes more memory is refused, > 0
    start: Any = None  # the symbol that every word begins with, and that occurs nowhere else
    end: Any = None  # the symbol that every word ends with, likewise
    inputs: Any = None  # a file of example words: what the network is asked about is like them
    # The fields of mips_jax.networks.NetworkOptions, which checks them; Any, for OmegaConf would
    # turn numbers into texts, and knows no union of a number and a list.
    nonlinearity: Any = None
    head_nonlinearity: Any = None
    initial: Any = None
    encoding: Any = None
    head: Any = None
    class_values: Any = None
    input_dim: Any = None
    input_min: Any = None
    input_max: Any = None
    reset_after: Any = None
    trained_length: Any = None
    missing_bias: Any = None
    input_nonlinearity: Any = None
    layer_norm: Any = None
    norm_epsilon: Any = None
    residual: Any = None
    names: Any = None
    state_dict: Any = None
    # Those of mips_jax.networks.CausalOptions that a folder of a language model has besides.
    vocabulary: Any = None
    begin: Any = None
    entries: Any = None
    threshold: Any = None
    longest: Any = None
    only_allowed: Any = None


@dataclasses.dataclass
class PythonNetwork:
    """a model in Python that reads whole words, as in network=python \
network.target=package.module:function network.input_max=9"""

    target: str = MISSING  # package.module:function; forms: mips_jax/doors/targets.py
    # The fields of mips_jax.networks.CausalOptions, which checks them.
    input_min: Any = None
    input_max: Any = None
    vocabulary: Any = None
    begin: Any = None
    head: Any = None
    entries: Any = None
    class_values: Any = None
    threshold: Any = None
    longest: Any = None
    trained_length: Any = None
    every_step: Any = None
    only_allowed: Any = None


@dataclasses.dataclass
class TrainingChoice(TrainingSettings):
    """The library's training settings; the architectures to search are a group of their own,
    `model`.
    """

    model: ModelSettings = dataclasses.field(default=II("model"), metadata=group("model"))


@dataclasses.dataclass
class Config:
    """One job: what to distil, and the fields of `mips_jax.pipeline.PipelineSettings`.

    A network that is given with a task is not trained: the task is the truth that judges it.
    """

    task: TaskChoice | None = None
    network: Any = None  # NetworkChoice or PythonNetwork
    model: ModelSettings = dataclasses.field(default_factory=ModelSettings)
    training: TrainingChoice = dataclasses.field(default_factory=TrainingChoice)
    extraction: ExtractionSettings = dataclasses.field(default_factory=ExtractionSettings)
    verification: VerificationSettings = dataclasses.field(default_factory=VerificationSettings)
    tracking: TrackingSettings = dataclasses.field(default_factory=TrackingSettings)
    # drawn for training (a file gives what it has), >= 1
    training_sequences: int = PipelineSettings.training_sequences
    # that a network must get right to count as perfect, >= 1
    test_sequences: int = PipelineSettings.test_sequences
    # searches for a network, each anew, until a program is exact, >= 1
    attempts: int = PipelineSettings.attempts
    # a run folder that holds another result: remove what that run has left (true), or refuse
    overwrite: bool = False
    # whether report.html (5 MB) is written beside the result; large sweeps may do without
    report: bool = True

    def pipeline_settings(self) -> PipelineSettings:
        """The settings as the library takes them."""
        names = {field.name for field in dataclasses.fields(PipelineSettings)}
        return PipelineSettings(**{name: getattr(self, name) for name in names})


DOORS = {"named": NamedTask, "file": FileTask, "function": FunctionTask}


def register() -> None:
    """Makes the schema and the resolver `run_name` known to Hydra."""
    store = ConfigStore.instance()
    store.store(name="_config", node=Config)
    for door, schema in DOORS.items():
        store.store(group="task", name=f"_{door}", node=schema)
    store.store(group="network", name="_file", node=NetworkChoice)
    store.store(group="network", name="_python", node=PythonNetwork)
    OmegaConf.register_new_resolver("run_name", lambda *, _root_: run_name(_root_), replace=True)


def run_name(config: DictConfig) -> str:
    """What the run folder is named after: the task, or the file or function that was given."""
    for choice, keys in (
        (config.get("task"), ("name", "target", "path")),
        (config.get("network"), ("path", "target")),
    ):
        for key in keys:
            if choice is not None and key in choice and not OmegaConf.is_missing(choice, key):
                name = (
                    Path(choice[key]).stem if key == "path" else str(choice[key]).rpartition(":")[2]
                )
                return re.sub(r"[^\w.-]+", "_", name) or "unnamed"
    return "unnamed"
