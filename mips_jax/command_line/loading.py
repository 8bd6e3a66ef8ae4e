"""What is to be distilled, by the doors of a request: a task, or a network that was given."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from mips_jax.command_line.failures import tell
from mips_jax.command_line.schema import (
    FileTask,
    FunctionTask,
    NamedTask,
    NetworkChoice,
    PythonNetwork,
    TaskChoice,
)
from mips_jax.doors import network_from_target
from mips_jax.errors import RequestError
from mips_jax.inputs import Inputs
from mips_jax.inputs.observed import inputs_like, words_between
from mips_jax.networks import InputRange, Network, load_network, resolve_input_range
from mips_jax.networks.files.words import load_words
from mips_jax.pipeline import PipelineSettings, distil_given, distil_network
from mips_jax.pipeline.distillation import Distillation
from mips_jax.progress import Progress
from mips_jax.tasks import Task, from_function, get_task
from mips_jax.tasks.files.load import load_file_task
from mips_jax.tasks.files.table import Reading

OF_WORDS = ("start", "end", "inputs")  # choices that say which words count


@dataclasses.dataclass(frozen=True)
class GivenNetwork:
    """A network to distil.

    Attributes:
        name: of its file.
        network: what was read from it.
        input_range: on which it is distilled, and what is known of its words.
        task: the truth that judges, where one is given.
    """

    name: str
    network: Network
    input_range: Inputs | InputRange
    task: Task | None = None

    def distilled(self, settings: PipelineSettings, progress: Progress) -> Distillation:
        """Judged by the truth where there is one, else by agreement with the network."""
        if self.task is not None:
            return distil_given(self.network, self.task, settings, progress)
        return distil_network(self.network, self.input_range, self.name, settings, progress)


def load_task(choice: TaskChoice) -> Task:
    """The task that one of the doors leads to."""
    match choice:
        case NamedTask():
            task = get_task(choice.name)
            if choice.length is None:
                return task
            _check_length(choice.length)
            if not dataclasses.is_dataclass(task):
                raise RequestError(f"{task.name} has one length only; drop task.length")
            return dataclasses.replace(task, length=choice.length)
        case FileTask():
            reading = Reading(choice.columns, choice.symbols, choice.missing, choice.memory_gib)
            return load_file_task(choice.path, choice.on_contradiction, choice.memory_gib, reading)
        case FunctionTask():
            _check_length(choice.length)
            return from_function.load_function_task(
                choice.target, choice.input_min, choice.input_max, choice.length
            )
    raise RequestError(f"task is {type(choice).__name__}, but must be a name, file or function")


def _check_length(length: int) -> None:
    if not 1 <= length <= 1000:
        raise RequestError(f"task.length is {length}; allowed: 1 to 1000")


def code_or_weights(choice: NetworkChoice | PythonNetwork | None) -> Any:
    """The file or folder in which a given network lies, or None where there is none."""
    if isinstance(choice, PythonNetwork):
        module = sys.modules.get(str(choice.target).partition(":")[0])
        return getattr(module, "__file__", None)
    return getattr(choice, "path", None)


def load_network_choice(
    choice: NetworkChoice | PythonNetwork, task: Task | None = None
) -> GivenNetwork:
    """The given network and the range of inputs on which it is distilled: the task's, where there
    is one.
    """
    if isinstance(choice, PythonNetwork):
        return _python_network(choice, task)
    options = {
        field.name: getattr(choice, field.name)
        for field in dataclasses.fields(choice)
        if field.name not in ("path", *OF_WORDS)
    }
    path = Path(choice.path)
    if task is None:
        network = load_network(path, ask_range=True, **options)
        input_range = resolve_input_range(network, choice.input_min, choice.input_max)
        return GivenNetwork(path.stem, network, _words_of(choice, network, input_range))
    if any(getattr(choice, name) is not None for name in OF_WORDS):
        raise RequestError(
            "network.start, network.end and network.inputs say which words count; with a task, "
            "the task does: drop them"
        )
    lows, highs = map(list, zip(*task.input_range))
    network = _loaded_for(path, options, lows, highs, task)
    if network.output_dim != task.output_dim:
        raise RequestError(
            f"{path}: the network writes {network.output_dim} integers a step, the task "
            f"{task.name} has {task.output_dim} (network.head)"
        )
    return GivenNetwork(path.stem, network, resolve_input_range(network, lows, highs), task)


def _words_of(choice: NetworkChoice, network: Network, bounds: InputRange) -> Inputs | InputRange:
    """The range, with what is said of the words in it."""
    if choice.inputs is not None:
        if choice.start is not None or choice.end is not None:
            raise RequestError(
                "network.inputs shows with what words begin and end; drop network.start and "
                "network.end, or network.inputs"
            )
        words, ends = load_words(choice.inputs, network.input_dim)
        return inputs_like(bounds, words, ends)
    if choice.start is None and choice.end is None:
        return bounds
    return words_between(bounds, choice.start, choice.end)


def _python_network(choice: PythonNetwork, task: Task | None) -> GivenNetwork:
    """A model in Python, on the task's range where there is a task and nothing else is said."""
    said = {key: value for key, value in dataclasses.asdict(choice).items() if value is not None}
    target = from_function.import_target(said.pop("target"), "network.target")
    if task is not None and not said.keys() & {"input_min", "input_max", "vocabulary"}:
        lows, highs = map(list, zip(*task.input_range))
        said |= {"input_min": lows, "input_max": highs}
    name = str(choice.target).rpartition(":")[2]
    network = network_from_target(target, name, **said)
    if task is not None and (network.input_dim, network.output_dim) != (
        len(task.input_range),
        task.output_dim,
    ):
        raise RequestError(
            f"{choice.target}: the network reads {network.input_dim} and writes "
            f"{network.output_dim} integers a step, the task {task.name} {len(task.input_range)} "
            f"and {task.output_dim} (network.input_max, network.head)"
        )
    return GivenNetwork(name, network, resolve_input_range(network), task)


def _loaded_for(path: Path, options: dict, lows: list, highs: list, task: Task) -> Network:
    """The network with the task's range for what nobody said of its inputs."""
    ranged = dict(options)
    for name, bound in (("input_min", lows), ("input_max", highs)):
        if ranged[name] is None:
            ranged[name] = bound if len(bound) > 1 else bound[0]
    try:
        network = load_network(path, **ranged)
    except RequestError:
        network = load_network(path, **options)  # where it fails too, it says why
        if network.input_dim == len(lows):
            raise
    if network.input_dim != len(lows):
        raise RequestError(
            f"{path}: the network reads {network.input_dim} integers a step, the task {task.name} "
            f"has {len(lows)} (network.input_dim, network.encoding)"
        )
    return network


def tell_taken(task: Task | None) -> None:
    """One line on how the task's data were read."""
    if task is not None and task.assumed:
        tell(f"{task.name} is taken so: {'; '.join(task.assumed)}")


def tell_assumed(network: Network) -> None:
    """One line on what the network's file did not say."""
    if network.assumed:
        tell(
            f"the network's file does not say it, so this is assumed: {'; '.join(network.assumed)}"
        )
