"""A file as a task (`task=file task.path=...`): example sequences in one of many forms, or a
machine.

docs/data.md shows the forms. Nothing in a file is ever executed: no pickles, whatever they are
called.
"""

from __future__ import annotations

import pathlib

from mips_jax.archives import refuse_large
from mips_jax.errors import RequestError
from mips_jax.symbols import Symbols
from mips_jax.tasks.examples import example_task
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.layouts import arranged
from mips_jax.tasks.files.readers import READERS, endings, reader_of
from mips_jax.tasks.files.table import Arrays, Reading, Table
from mips_jax.tasks.task import Task
from mips_jax.validation import Limits, number_problems

__all__ = ["READERS", "load_file_task", "task_of"]

MEMORY_GIB = Reading.memory_gib


def load_file_task(
    path: str | pathlib.Path | None,
    on_contradiction: str = "warn",
    memory_gib: float = MEMORY_GIB,
    reading: Reading | None = None,
) -> Task:
    """Reads a file and checks what is in it.

    Args:
        path: of a file in one of the forms of docs/data.md, packed or not.
        on_contradiction: "warn" or "error"; see `example_task`.
        memory_gib: a file whose content takes more memory is refused before it is read.
        reading: which columns are what, and what stands for no label; None: found out.

    Raises:
        RequestError: names everything that is wrong with the file.
    """
    path = _existing_file(path)
    wrong = number_problems("task.memory_gib", memory_gib, Limits(0, above=True), integer=False)
    if wrong:
        raise RequestError(*wrong)
    refuse_large(path, memory_gib, "task.memory_gib")
    content = Content.of(path, memory_gib)
    if not content.raw:
        raise RequestError(f"{path} (task.path) is empty")
    reading = reading or Reading()
    found = reader_of(content)(content, reading)
    return task_of(found, path.name, reading, on_contradiction)


def task_of(
    found: Table | Arrays | Task, name: str, reading: Reading, on_contradiction: str = "warn"
) -> Task:
    """What a reader found, as a task."""
    if isinstance(found, Task):
        return found
    if isinstance(found, Table):
        found = arranged(found, reading)
    inputs, outputs = found.alphabets
    return example_task(
        found.inputs,
        found.outputs,
        found.mask,
        name=name,
        on_contradiction=on_contradiction,
        labelled=found.labelled,
        symbols=Symbols.of(inputs, outputs),
        assumed=found.notes,
    )


def _existing_file(path) -> pathlib.Path:
    if path is None or not str(path):
        raise RequestError(
            f"task.path is missing; give a file of sequences ({', '.join(endings())})"
        )
    path = pathlib.Path(path)
    try:
        problem = _problem_with(path)
    except (OSError, ValueError) as error:  # no permission, a null character, a name too long
        problem = f"cannot be looked at: {error}"
    if problem:
        raise RequestError(f"{path} (task.path) {problem}")
    return path


def _problem_with(path: pathlib.Path) -> str:
    if not path.exists():
        alike = sorted(
            other.name for other in path.parent.glob("*") if other.suffix.lower() in endings()
        )[:5]
        return "does not exist" + (f"; beside it there are {', '.join(alike)}" if alike else "")
    if not path.is_file():
        return f"is not a file; give one of sequences ({', '.join(endings())})"
    if path.stat().st_size == 0:
        return "is empty"
    with path.open("rb"):
        return ""
