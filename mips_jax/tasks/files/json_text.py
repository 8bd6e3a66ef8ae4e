"""Example sequences from `.json` and `.jsonl`: records, pairs of a word and its label, or columns.

{"x": [3, 1, 4], "y": [3, 4, 8]}            one record a line, or a list of them
{"text": "0110", "label": 1}                a word with one label
[["a", "b"], true]                          a pair of them
{"x": [[3, 1], [2]], "y": [[3, 4], [2]]}    columns, as pandas and numpy people write them
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from mips_jax.errors import RequestError
from mips_jax.figures import shown
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.records import from_columns, from_records
from mips_jax.tasks.files.table import Reading, Table
from mips_jax.tasks.files.text_records import LineProblems
from mips_jax.tasks.task import Task

_LINES = (".jsonl", ".ndjson")
_PARTS = (
    "data",
    "rows",
    "examples",
    "train",
    "training",
    "validation",
    "valid",
    "val",
    "dev",
    "test",
)
_FORM = 'not every line is of the form {"x": [...], "y": [...]}'


def is_json(content: Content) -> bool:
    """By its ending, or by its first character and that its first line or all of it is JSON."""
    if content.suffix in (".json", *_LINES):
        return True
    text = content.text.lstrip() if content.is_text else ""
    if not text.startswith(("{", "[")):
        return False
    return any(_is_json(candidate) for candidate in (text.splitlines()[0], text))


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list))
    except (ValueError, RecursionError):
        return False


def read_json(content: Content, reading: Reading) -> Table | Task:
    """A document, or one record a line."""
    text = content.text
    if content.suffix not in _LINES:
        found = _parsed(text, content.name)
        if found is not None:
            return _document(found, content)
    return _lines(text, content.name)


def _parsed(text: str, name: str) -> Any:
    """The document; None where each line is one."""
    try:
        return json.loads(text, object_pairs_hook=_once_each)
    except _Repeated as error:
        raise RequestError(f"{name}: a key occurs twice ({error}); name each once") from error
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not _is_json(lines[0]):
            raise RequestError(
                f"{name}: this is no JSON ({_first_line(error)}); write it again, or one record a "
                "line"
            ) from error
    return None


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], (dict, list))


def _document(found: Any, content: Content) -> Table | Task:
    if isinstance(found, list):
        return from_records(content.name, found)
    if isinstance(found, dict):
        if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
            rows = [dict(zip(found["columns"], row)) for row in found["data"]]  # pandas, "split"
            return from_records(content.name, rows)
        parts = [k for k, v in found.items() if k in _PARTS and _are_records(v)]
        if parts:
            pooled = from_records(content.name, [record for k in parts for record in found[k]])
            note = (f"{', '.join(parts)} are taken together",) * (len(parts) > 1)
            return dataclasses.replace(pooled, notes=pooled.notes + note)
        return from_columns(content.name, found)
    raise RequestError(
        f"{content.name}: a single {type(found).__name__} ({shown(found)}); give a list of "
        'records such as {"x": [0, 1], "y": [0, 1]}'
    )


def _lines(text: str, name: str) -> Table:
    problems, records, places = LineProblems(name), [], []
    for line, part in enumerate(text.split("\n"), start=1):
        if not part.strip():
            continue
        try:
            record = json.loads(part, object_pairs_hook=_once_each)
        except _Repeated as error:
            problems.add("a key occurs twice on one line", line, str(error), "name each key once")
            continue
        except (ValueError, RecursionError) as error:
            problems.add(
                "not every line is JSON", line, _first_line(error), "write one record each"
            )
            continue
        if not isinstance(record, dict) and not _is_pair(record):
            problems.add(_FORM, line, shown(record), "one record a line, or a pair [word, label]")
            continue
        records.append(record)
        places.append(line)
    problems.raise_if_any()
    if not records:
        raise RequestError(f"{name}: there are no sequences; write one a line")
    return from_records(name, records, places, "line")


def _is_pair(record: Any) -> bool:
    if isinstance(record, list) and record and all(isinstance(step, list) for step in record):
        return True  # a trace of (input, output)
    return isinstance(record, list) and len(record) == 2 and isinstance(record[0], (list, str))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


class _Repeated(ValueError):
    """A key that occurs twice in one JSON object."""


def _once_each(pairs: list[tuple[str, object]]) -> dict:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Repeated(next(key for key in keys if keys.count(key) > 1))
    return record
