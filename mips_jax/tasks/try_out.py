"""A user's function is tried out in a process of its own first: one that ends the process, waits
for a person or never returns does it there.

The process runs `try_out_there`; both speak through two files of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from mips_jax.errors import RequestError

SECONDS = 60.0
"""A function that has not returned from some twenty short calls by then would train for days."""


def try_out(
    target: str, input_range: tuple[tuple[int, int], ...], length: int, seconds: float = SECONDS
) -> None:
    """Makes a `FunctionTask` of the target in another process.

    Args:
        target: `package.module:function`.
        input_range: one inclusive (low, high) for each input.
        length: the training length.
        seconds: the process is ended after this time.

    Raises:
        RequestError: what that process refuses; or it ended, or did not end.
    """
    with tempfile.TemporaryDirectory(prefix="mips_jax_") as folder:
        asked, answer = Path(folder) / "request.json", Path(folder) / "answer.json"
        request = {"target": target, "range": input_range, "length": length, "path": sys.path}
        asked.write_text(json.dumps(request), encoding="utf-8")
        command = [sys.executable, "-m", "mips_jax.tasks.try_out_there", str(asked), str(answer)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RequestError(
                f"{target} (task.target) has not returned within {seconds:g} seconds when it was "
                "tried out on a few short sequences; a task's function must be fast"
            ) from None
        if not answer.exists():
            raise RequestError(
                f"{target} (task.target) ended the process in which it was tried out (exit code "
                f"{done.returncode}); a task's function must return its outputs"
            )
        problems = json.loads(answer.read_text(encoding="utf-8"))
    if problems:
        raise RequestError(*problems)
