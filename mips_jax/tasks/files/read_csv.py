"""Example sequences from `.csv`: one row a step, columns sequence, x (or x0, x1, ...) and y (or y0,
y1, ...).

The file is read in pieces by numpy. If that stumbles, it is read again row by row, to say what is
wrong or to accept what only looks unusual (1.0, quotes).

Axes: N sequences, T time, I inputs a step, O outputs a step, M rows.
"""

from __future__ import annotations

import csv
import pathlib
import warnings

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown
from mips_jax.tasks.files.text_records import LineProblems, mask_of, padded

_ROWS_AT_ONCE = 500_000
_LAYOUT = "sequence,x,y (x0,x1,... and y0,y1,... where there are several a step)"


def read_csv(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Reads the sequences.

    Returns:
        inputs: [N, T, I] integers.
        outputs: [N, T, O] integers.
        mask: [N, T] bool, or None if all sequences are equally long.

    Raises:
        RequestError: the columns are not those expected, or some row has not one whole number in
            each.
    """
    try:
        columns = _columns(path)
        try:
            table = _read_fast(path, len(columns))
        except (ValueError, OverflowError, DeprecationWarning):
            table = _read_by_row(path, columns)
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{path.name}: not a text file in UTF-8 ({error.reason} at byte {error.start})"
        ) from error
    except csv.Error as error:
        raise RequestError(f"{path.name}: not a readable csv file ({error})") from error
    if len(table) == 0:
        raise RequestError(
            f"{path.name}: there are no rows below the header; give one for each step"
        )
    by_name = {name: table[:, place] for place, name in enumerate(columns)}
    rows, lengths = _group(by_name["sequence"])
    inputs, outputs = (
        padded(
            np.stack(
                [by_name[name][rows] for name in sorted(columns) if name[0] == letter], axis=1
            ),
            lengths,
        )
        for letter in "xy"
    )
    return inputs, outputs, mask_of(lengths)


def _open(path: pathlib.Path):
    return path.open(encoding="utf-8-sig", newline="")


def _columns(path: pathlib.Path) -> list[str]:
    """Names of the columns, checked; x and y are called x0 and y0."""
    with _open(path) as file:
        header = next(csv.reader(file), [])
    names = [name.strip().lower() for name in header]
    problems = []
    if names and all(_is_number(name) for name in names):
        raise RequestError(
            f"{path.name}: the first line must name the columns, {_LAYOUT}, but is "
            f"{','.join(names)}"
        )
    columns = [name + "0" if name in ("x", "y") else name for name in names]
    expected = {"sequence"} | {
        f"{letter}{k}" for letter in "xy" for k in range(_count(columns, letter))
    }
    for name in sorted(expected - set(columns)):
        problems.append(f"{path.name}: there is no column {name}; the layout is {_LAYOUT}")
    for name, column in zip(names, columns):
        if column not in expected:
            problems.append(
                f"{path.name}: there is a column {shown(name)} that is not part of the layout "
                f"{_LAYOUT}"
            )
    for column in sorted(set(columns)):
        if columns.count(column) > 1:
            problems.append(
                f"{path.name}: the column {column} occurs {columns.count(column)} times"
            )
    if problems:
        raise RequestError(*problems[:12])
    return [
        f"{name[0]}{int(name[1:]):05}" if name != "sequence" else name for name in columns
    ]  # x10 sorts after x9


def _count(columns: list[str], letter: str) -> int:
    """How many inputs or outputs the header names, at least 1."""
    return max(1, len({name for name in columns if name[:1] == letter and name[1:].isdecimal()}))


def _read_fast(path: pathlib.Path, columns: int) -> np.ndarray:
    """[M, columns] integers; raises ValueError or DeprecationWarning on anything but plain
    integers.
    """
    pieces = []
    with _open(path) as file, warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # an integer written as 1.5
        warnings.filterwarnings("ignore", "loadtxt: input contained no data", UserWarning)
        next(csv.reader(file))
        while True:
            piece = np.loadtxt(
                file, np.int64, comments=None, delimiter=",", max_rows=_ROWS_AT_ONCE, ndmin=2
            )
            if piece.size == 0:
                break
            if piece.shape[1] != columns or piece.max() > WIDEST or piece.min() < -WIDEST:
                raise ValueError("to be read row by row")
            pieces.append(piece.astype(np.int32))
    return np.concatenate(pieces) if pieces else np.empty((0, columns), np.int32)


def _read_by_row(path: pathlib.Path, columns: list[str]) -> np.ndarray:
    """[M, columns] integers, with every problem reported."""
    problems = LineProblems(path.name)
    rows = []
    with _open(path) as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            if not row:
                continue
            if len(row) != len(columns):
                problems.add(
                    f"not every row has {len(columns)} values",
                    reader.line_num,
                    f"{len(row)} values",
                )
                continue
            rows.append([_whole_number(text, reader.line_num, problems) for text in row])
    problems.raise_if_any()
    return np.array(rows, np.int32).reshape(-1, len(columns))


def _whole_number(text: str, line: int, problems: LineProblems) -> int:
    try:
        if not text.isascii() or "_" in text:  # Python reads 1_0 and digits of other scripts
            raise ValueError
        value = float(text) if not text.strip().lstrip("+-").isdecimal() else int(text)
    except ValueError:
        kind = "a value is missing" if not text.strip() else "not every value is a number"
        problems.add(kind, line, shown(text) if text.strip() else "")
        return 0
    if value != value or abs(value) == float("inf"):
        problems.add("not every value is finite", line, shown(text))
    elif abs(value) > WIDEST:
        problems.add(f"not every value is within ±{WIDEST}", line, shown(text))
    elif value != int(value):
        problems.add("not every value is a whole number", line, shown(text))
    else:
        return int(value)
    return 0


def _group(identifiers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows sequence by sequence, in order of time.

    Args:
        identifiers: [M] integers.

    Returns:
        rows: [M] indices.
        lengths: [N] rows of each sequence; sequences in order of their identifiers.
    """
    rows = np.argsort(identifiers, kind="stable")
    starts = np.flatnonzero(np.diff(identifiers[rows], prepend=identifiers[rows[0]] - 1))
    return rows, np.diff(starts, append=len(rows))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
