"""Runs as rows of a table with typed columns: what was asked for, as far as it differs between
them, the seed, what came out, and the folder.

Every folder that a run has claimed is a row, also where the run has not ended; what varies is read
off the whole requests, so that runs of several sweeps can stand in one table.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mips_jax.errors import RequestError
from mips_jax.reporting.claimed_folder import RESULT, STATE

if TYPE_CHECKING:
    import pandas

Value = str | int | float | bool | None
# Said by columns of their own (task, seed), or twice (training.model is model).
_TOLD = re.compile(r"task\.name|training\.seed|training\.model\..*")
_NUMBERS = {
    **dict.fromkeys(("seed", "program_lines", "hidden_dim"), "Int64"),
    **dict.fromkeys(("accuracy", "accuracy_long", "fidelity"), "Float64"),
}
MISSING_PANDAS = "load_runs needs pandas; install it with: pip install 'mips_jax[pandas]'"


def load_runs(folder: str | Path) -> pandas.DataFrame:
    """All runs in a folder and below, one row each, in the order of their folders.

    Columns: `task`, `seed` (the base seed), every key of the request that differs between the runs
    (such as `model.cell`), `finished`, `solved`, `outcome`, `accuracy` (share of whole sequences
    that are right), `accuracy_long` (at ten times the length), `fidelity` (agreement with the
    network), `proven` (equal to the network at every length), `method`, `program_lines`,
    `hidden_dim`, `start` (random, or identified: affine networks that started from a
    fit of the training data), `reason`, `seconds_train`,
    `seconds_extract`, `seconds_verify`, `seconds_total`, `folder`. What a run does not have is
    missing (NA).

    Raises:
        RequestError: there is no such folder, or no run in it.
        ImportError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(MISSING_PANDAS) from error
    records = run_records(folder)
    if not records:
        raise RequestError(f"{folder} holds no runs; give a run folder, a sweep's, or one above")
    columns = {key: [record[key] for record in records] for key in records[0]}
    return pandas.DataFrame(
        {key: pandas.array(values, _dtype(key, values)) for key, values in columns.items()}
    )


def _dtype(key: str, values: Sequence[Value]) -> str:
    """pandas' type of a column, which does not hang on what happens to be missing."""
    if key in _NUMBERS or key.startswith("seconds_"):
        return _NUMBERS.get(key, "Float64")
    kinds = {type(value) for value in values if value is not None}
    for dtype, of in (("boolean", {bool}), ("Int64", {int}), ("Float64", {int, float})):
        if kinds and kinds <= of:
            return dtype
    return "string"


def run_records(folder: str | Path) -> list[dict[str, Value]]:
    """The rows of `load_runs`, as dictionaries with the same keys.

    Raises:
        RequestError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RequestError(f"there is no folder {folder}; give one that holds runs")
    found = [(path, *_request_and_result(path)) for path in _run_folders(folder)]
    runs = [run for run in found if "sweep" not in run[1]]
    requests = [flat(request.get("request") or {}) for _, request, _ in runs]
    varying = _varying(requests)
    return [
        {
            "task": _task(asked, result, path),
            "seed": asked.get("training.seed"),
            **{key: asked.get(key) for key in varying},
            **outcome_row(path, result),
            "folder": str(path),
        }
        for (path, _, result), asked in zip(runs, requests)
    ]


def varying_cells(records: Sequence[Mapping[str, Value]]) -> list[dict[str, Value]]:
    """Of each record the keys of the request that vary, which have a dot, the seed, and the name of
    the folder.
    """
    return [
        {
            **{key: value for key, value in record.items() if "." in key},
            "seed": record["seed"],
            "folder": Path(str(record["folder"])).name,
        }
        for record in records
    ]


def csv_table(records: Sequence[Mapping[str, Value]]) -> str:
    """The rows for other programs: numbers are plain, `true` and `false` are truth values, and what
    is not known is empty.
    """
    plain = lambda value: str(value).lower() if isinstance(value, bool) else value
    out = io.StringIO()
    if records:
        writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: plain(v) for key, v in record.items()} for record in records)
    return out.getvalue()


def _run_folders(folder: Path) -> list[Path]:
    """In the order of their paths, numbers in them by size."""
    states = (path.parent for path in folder.rglob(STATE) if (path / "request.json").is_file())
    results = (path.parent for path in folder.rglob(RESULT) if STATE not in path.parts)
    numbers = lambda path: [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split(r"(\d+)", str(path.relative_to(folder)))
    ]
    return sorted({*states, *results}, key=numbers)


def _request_and_result(path: Path) -> tuple[dict, dict | None]:
    return _json(path / STATE / "request.json") or {}, _json(path / RESULT)


def _json(path: Path) -> Any:
    """What a file holds; None where there is none, or where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def flat(tree: Mapping, prefix: str = "") -> dict[str, Value]:
    """Nested keys by path; lists as text."""
    found: dict[str, Value] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = json.dumps(value) if isinstance(value, list) else value
    return found


def _varying(requests: Sequence[Mapping[str, Value]]) -> list[str]:
    keys = dict.fromkeys(key for request in requests for key in request)
    differs = lambda key: len({repr(request.get(key)) for request in requests}) > 1
    return [key for key in keys if differs(key) and "." in key and not _TOLD.fullmatch(key)]


def _task(asked: Mapping[str, Value], result: Mapping | None, path: Path) -> Value:
    if result is not None:
        return result["task"]
    return asked.get("task.name") or re.sub(r"^\d+_", "", path.name)


def outcome_row(path: Path, result: Mapping | None) -> dict[str, Value]:
    """What came out; nothing of a run that has not ended, but how it stands."""
    ended = result or {}
    accuracy, seconds = ended.get("accuracy") or {}, ended.get("seconds") or {}
    verification, network = ended.get("verification") or {}, ended.get("network") or {}
    crashed = (path / "traceback.txt").is_file()
    state = "crashed" if crashed else "unfinished"
    return {
        "finished": result is not None,
        "solved": bool(ended.get("solved")),
        "outcome": ended.get("outcome") if result is not None else state,
        "accuracy": accuracy.get("test"),
        "accuracy_long": accuracy.get("long"),
        "fidelity": ended.get("fidelity"),
        "proven": bool(verification.get("network_equals_machine")),
        "method": ended.get("method"),
        "program_lines": ended.get("program_lines"),
        "hidden_dim": network.get("hidden_dim"),
        "start": network.get("start"),
        "reason": ended.get("reason"),
        **{
            f"seconds_{stage}": seconds.get(stage)
            for stage in ("train", "extract", "verify", "total")
        },
    }
