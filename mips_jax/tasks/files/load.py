"""A file of example sequences as a task (`task=file task.path=...`); the extension says which
layout it has.

- `.npz`: arrays `x` (N, T, I) or (N, T) and `y` (N, T, O) or (N, T); sequences of unequal length
are padded, and
  `lengths` (N,) says where they end. Other arrays are ignored. Written by `numpy.savez(path, x=x,
  y=y)`.
- `.csv`: one row a step, the first row naming the columns: `sequence` (an integer that tells
sequences apart), `x` (or
  `x0,x1,...` for several inputs) and `y` (or `y0,y1,...`). Rows of a sequence are in order of time.
- `.jsonl`: one sequence a line, `{"x": [3, 1, 4], "y": [3, 4, 8]}`, a list in place of a number
where there are several
  a step.

Nothing in a file is ever executed: no pickles, whatever they are called.
"""

from __future__ import annotations

import pathlib

from mips_jax.archives import refuse_large
from mips_jax.errors import RequestError
from mips_jax.tasks.examples import ExampleTask, example_task
from mips_jax.tasks.files.read_csv import read_csv
from mips_jax.tasks.files.read_jsonl import read_jsonl
from mips_jax.tasks.files.read_npz import read_npz
from mips_jax.validation import Limits, number_problems

READERS = {".npz": read_npz, ".csv": read_csv, ".jsonl": read_jsonl}
"""Each takes a path and returns inputs, outputs and the mask (or None) for `example_task`."""

MEMORY_GIB = 2.0

_ADVICE = {
    ".npy": "save x and y together with numpy.savez",
    ".pkl": "pickles are never loaded; save x and y with numpy.savez",
    ".pickle": "pickles are never loaded; save x and y with numpy.savez",
    ".pt": "PyTorch files are pickles and never loaded; save x and y with numpy.savez",
    ".json": "write one sequence a line and call it .jsonl",
}


def load_file_task(
    path: str | pathlib.Path | None, on_contradiction: str = "warn", memory_gib: float = MEMORY_GIB
) -> ExampleTask:
    """Reads a file and checks what is in it.

    Args:
        path: of a .npz, .csv or .jsonl file in the layout that this module describes.
        on_contradiction: "warn" or "error"; see `example_task`.
        memory_gib: a file whose content takes more memory is refused before it is read.

    Raises:
        RequestError: names everything that is wrong with the file.
    """
    path = _existing_file(path)
    wrong = number_problems("task.memory_gib", memory_gib, Limits(0, above=True), integer=False)
    if wrong:
        raise RequestError(*wrong)
    refuse_large(path, memory_gib, "task.memory_gib")
    inputs, outputs, mask = READERS[path.suffix.lower()](path)
    return example_task(inputs, outputs, mask, name=path.name, on_contradiction=on_contradiction)


def _existing_file(path) -> pathlib.Path:
    if path is None or not str(path):
        raise RequestError(f"task.path is missing; give a file of sequences ({', '.join(READERS)})")
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
            other.name for other in path.parent.glob("*") if other.suffix.lower() in READERS
        )[:5]
        return "does not exist" + (f"; beside it there are {', '.join(alike)}" if alike else "")
    if not path.is_file():
        return f"is not a file; give one of sequences ({', '.join(READERS)})"
    if path.suffix.lower() not in READERS:
        advice = _ADVICE.get(path.suffix.lower())
        return (
            f"has the extension {path.suffix or '(none)'}, but must be one of {', '.join(READERS)}"
            + (f"; {advice}" if advice else "")
        )
    if path.stat().st_size == 0:
        return "is empty"
    with path.open("rb"):
        return ""
