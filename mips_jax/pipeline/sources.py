"""Whatever describes a task -> the task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mips_jax.errors import RequestError
from mips_jax.inputs import InputRange
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task, get_task
from mips_jax.tasks.examples import example_task
from mips_jax.tasks.files.load import READERS, load_file_task
from mips_jax.tasks.from_function import FunctionTask

Source = Task | Sequences | Callable | str | Path


def task_from(source: Source, input_range: InputRange | None = None, length: int = 10) -> Task:
    """The task that a source describes.

    Args:
        source: a task, the name of one, example sequences (in memory, or the path of a file), or a
            Python function.
        input_range: for a function: inclusive (low, high) of each input.
        length: for a function: the training length.

    Raises:
        RequestError: the source cannot be read.
    """
    if isinstance(source, Task):
        return source
    if isinstance(source, Sequences):
        return example_task(source.inputs, source.outputs, source.mask)
    if isinstance(source, Path) or (
        isinstance(source, str) and Path(source).suffix.lower() in READERS
    ):
        return load_file_task(source)
    if isinstance(source, str):
        return get_task(source)
    if callable(source):
        if input_range is None:
            raise RequestError(
                "a function needs the range of its inputs; give input_range=((low, high), ...), "
                "one pair for each input"
            )
        return FunctionTask(source, input_range, length)
    raise RequestError(
        f"cannot distil a {type(source).__name__}; give a task, its name, Sequences, a file or a "
        "function"
    )
