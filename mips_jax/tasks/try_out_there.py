"""The other side of `try_out`: `python -m mips_jax.tasks.try_out_there REQUEST ANSWER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mips_jax.errors import RequestError
from mips_jax.tasks.from_function import FunctionTask, import_function


def _answer(asked: Path, answer: Path) -> None:
    request = json.loads(asked.read_text(encoding="utf-8"))
    sys.path[:] = request["path"]
    problems: tuple[str, ...] = ()
    try:
        input_range = tuple((low, high) for low, high in request["range"])
        FunctionTask(import_function(request["target"]), input_range, request["length"])
    except RequestError as error:
        problems = error.problems
    answer.write_text(json.dumps(problems), encoding="utf-8")


if __name__ == "__main__":
    _answer(Path(sys.argv[1]), Path(sys.argv[2]))
