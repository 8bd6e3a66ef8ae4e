"""Example sequences from `.jsonl`: one a line, {"x": [3, 1, 4], "y": [3, 4, 8]}, lists in place of
several numbers.

Axes: N sequences, T time, K values a step (I inputs or O outputs), M steps of all sequences in a
    row.
"""

from __future__ import annotations

import itertools
import json
import pathlib

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown
from mips_jax.tasks.files.text_records import LineProblems, mask_of, padded

_LINES_AT_ONCE = 20_000


def read_jsonl(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Reads the sequences; blank lines and keys other than x and y are ignored.

    Returns:
        inputs: [N, T, I] integers.
        outputs: [N, T, O] integers.
        mask: [N, T] bool, or None if all sequences are equally long.

    Raises:
        RequestError: names each kind of problem with its first line.
    """
    problems = LineProblems(path.name)
    inputs, outputs = _Steps("x", problems), _Steps("y", problems)
    try:
        with path.open(encoding="utf-8-sig") as file:
            numbered = enumerate(file, start=1)
            while lines := list(itertools.islice(numbered, _LINES_AT_ONCE)):
                records = [
                    record
                    for record in (_record(text, line, problems) for line, text in lines)
                    if record
                ]
                inputs.extend(records)
                outputs.extend(records)
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{path.name}: not a text file in UTF-8 ({error.reason} at byte {error.start})"
        ) from error
    problems.raise_if_any()
    if not inputs.lengths:
        raise RequestError(f"{path.name}: there are no sequences; write one a line")
    lengths = np.concatenate(inputs.lengths)
    return padded(inputs.values(), lengths), padded(outputs.values(), lengths), mask_of(lengths)


def _record(text: str, line: int, problems: LineProblems) -> dict | None:
    """{"x": list, "y": list, "line": int} with as many steps in both, or None."""
    if not text.strip():
        return None
    try:
        record = json.loads(text, object_pairs_hook=_once_each)
    except _Repeated as error:
        problems.add("a key occurs twice on one line", line, str(error))
        return None
    except (ValueError, RecursionError) as error:
        problems.add("not every line is JSON", line, (str(error).splitlines() or [""])[0])
        return None
    if not isinstance(record, dict) or "x" not in record or "y" not in record:
        problems.add('not every line is of the form {"x": [...], "y": [...]}', line, shown(record))
        return None
    x, y = record["x"], record["y"]
    if not isinstance(x, list) or not isinstance(y, list):
        problems.add(
            "x and y must be lists of steps", line, shown(x if not isinstance(x, list) else y)
        )
        return None
    if len(x) != len(y):
        problems.add(
            "x and y must have as many steps as each other", line, f"{len(x)} in x, {len(y)} in y"
        )
        return None
    if not x:
        problems.add("a sequence has no steps", line)
        return None
    return {"x": x, "y": y, "line": line}


class _Repeated(ValueError):
    """A key that occurs twice in one JSON object."""


def _once_each(pairs: list[tuple[str, object]]) -> dict:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Repeated(next(key for key in keys if keys.count(key) > 1))
    return record


class _Steps:
    """All steps of x or of y, gathered in pieces; the first step of the file says how the others
    must look.
    """

    def __init__(self, key: str, problems: LineProblems):
        self.key = key
        self.problems = problems
        self.shape: tuple[int, ...] | None = None  # () for plain numbers, (K,) for lists of K
        self.pieces: list[np.ndarray] = []
        self.lengths: list[np.ndarray] = []

    def extend(self, records: list[dict]) -> None:
        """Adds the sequences of some records (from `_record`)."""
        if not records:
            return
        if self.shape is None:
            first = records[0][self.key][0]
            self.shape = (len(first),) if isinstance(first, list) else ()
        self.lengths.append(np.array([len(record[self.key]) for record in records]))
        piece = self._piece(
            list(itertools.chain.from_iterable(record[self.key] for record in records))
        )
        if piece is None:
            self._report(records)
        else:
            self.pieces.append(piece)

    def values(self) -> np.ndarray:
        """[M, K] int32."""
        return np.concatenate(self.pieces)

    def _piece(self, steps: list) -> np.ndarray | None:
        """[M, K] int32, or None if not every step consists of K >= 1 whole numbers."""
        try:
            array = np.array(steps)
        except ValueError:  # steps of different shapes
            return None
        if array.dtype.kind not in "bif" or array.shape[1:] != self.shape or not array.size:
            return None
        if not (abs(array.astype(np.float64)) <= WIDEST).all() or (array != np.trunc(array)).any():
            return None
        return array.astype(np.int32).reshape(len(steps), -1)

    def _report(self, records: list[dict]) -> None:
        """Adds what is wrong with these steps."""
        size = self.shape[0] if self.shape else None  # None: plain numbers
        listed = size is not None
        for record in records:
            for step in record[self.key]:
                numbers = step if isinstance(step, list) else [step]
                if not numbers:
                    self._add("a step is an empty list", record, step)
                elif isinstance(step, list) != listed or size not in (None, len(numbers)):
                    expected = f"a list of {size} numbers" if listed else "one number"
                    self._add(f"every step must be {expected}, like the first", record, step)
                else:
                    for number in numbers:
                        self._check(number, record)

    def _check(self, number, record: dict) -> None:
        if not isinstance(number, int | float):
            self._add("not every value is a number", record, number)
        elif number != number or abs(number) == float("inf"):
            self._add("not every value is finite", record, number)
        elif abs(number) > WIDEST:
            self._add(f"not every value is within ±{WIDEST}", record, number)
        elif number != int(number):
            self._add("not every value is a whole number", record, number)

    def _add(self, kind: str, record: dict, found) -> None:
        self.problems.add(f"{self.key}: {kind}", record["line"], shown(found))
