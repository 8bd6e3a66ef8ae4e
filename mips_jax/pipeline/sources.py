"""Whatever describes a task -> the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mips_jax.errors import RequestError
from mips_jax.inputs import InputRange
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task, get_task
from mips_jax.tasks.examples import example_task
from mips_jax.tasks.files.load import load_file_task
from mips_jax.tasks.files.readers import endings
from mips_jax.tasks.from_function import FunctionTask
from mips_jax.tasks.in_memory import reading_of, task_from_data

Source = Task | Sequences | Callable | str | Path | Any
_PACKED = (".gz", ".bz2", ".xz")


def task_from(
    source: Source,
    input_range: InputRange | None = None,
    length: int = 10,
    columns: Mapping[str, Any] | None = None,
) -> Task:
    """The task that a source describes.

    Args:
        source: a task, the name of one, example sequences (`Sequences`, a data frame, arrays
            (X, Y), pairs of a word and its label, records, a mapping of columns, a dataset, or the
            path of a file), a machine, or a Python function.
        input_range: for a function: inclusive (low, high) of each input.
        length: for a function: the training length.
        columns: which column of the data is what: {"x": ..., "y": ..., "sequence": ...,
            "time": ..., "mask": ..., "length": ...}; what is left out is found out.

    Raises:
        RequestError: the source cannot be read.
    """
    if isinstance(source, Task):
        return source
    if isinstance(source, Sequences):
        return example_task(source.inputs, source.outputs, source.mask, labelled=source.labelled)
    reading = reading_of(columns)
    if isinstance(source, Path) or (isinstance(source, str) and _is_path(source)):
        return load_file_task(source, reading=reading)
    if isinstance(source, str):
        return get_task(source)
    if callable(source) and not hasattr(source, "__getitem__"):
        if input_range is None:
            raise RequestError(
                "a function needs the range of its inputs; give input_range=((low, high), ...), "
                "one pair for each input"
            )
        return FunctionTask(source, input_range, length)
    task = task_from_data(source, reading)
    if task is not None:
        return task
    raise RequestError(
        f"cannot distil a {type(source).__name__}; give a task, its name, a function, a file, or "
        "data: a data frame, arrays (X, Y), or a list of pairs of a word and its label"
    )


def _is_path(text: str) -> bool:
    """Whether a text names a file: by its ending, or because it is there."""
    if Path(text).suffix.lower() in (*endings(), *_PACKED):
        return True
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False
