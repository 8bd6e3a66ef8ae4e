"""The plainest `.csv`, read fast by numpy: integers alone, one row a step, columns sequence, x (or
x0, x1, ...) and y (or y0, y1, ...).

Axes: N sequences, T time, I inputs a step, O outputs a step, M rows.
"""

from __future__ import annotations

import csv
import io
import re
import warnings

import numpy as np

from mips_jax.figures import WIDEST
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.table import Arrays
from mips_jax.tasks.files.text_records import mask_of, padded

_ROWS_AT_ONCE = 500_000
_PLAIN = re.compile(r"sequence|[xy]\d*")


def read_plain(content: Content) -> Arrays | None:
    """The sequences, or None where anything is unusual: then it is read cell by cell.

    No plain file holds the label -100, which may stand for none.
    """
    columns = _columns(content)
    if columns is None:
        return None
    try:
        table = _read_fast(content, len(columns))
    except (ValueError, OverflowError, DeprecationWarning):
        return None
    by_name = {name: table[:, place] for place, name in enumerate(columns)}
    y = [by_name[name] for name in sorted(columns) if name[0] == "y"]
    if not len(table) or any((column == -100).any() for column in y):
        return None
    rows, lengths = _group(by_name["sequence"])
    if _one_label_repeated(y, rows, lengths):
        return None
    inputs, outputs = (
        padded(
            np.stack(
                [by_name[name][rows] for name in sorted(columns) if name[0] == letter], axis=1
            ),
            lengths,
        )
        for letter in "xy"
    )
    return Arrays(inputs, outputs, mask_of(lengths))


def _one_label_repeated(y: list[np.ndarray], rows: np.ndarray, lengths: np.ndarray) -> bool:
    """Whether no label changes within a sequence: it may be the label of the whole word."""
    within = np.ones(max(0, len(rows) - 1), bool)
    within[np.cumsum(lengths)[:-1] - 1] = False
    return bool(within.any()) and all((np.diff(column[rows])[within] == 0).all() for column in y)


def _columns(content: Content) -> list[str] | None:
    """Names of the columns, x and y called x0 and y0; None where they are not all plain."""
    end = content.text.find("\n")
    header = next(csv.reader([content.text[: end if end > 0 else None].lstrip("\ufeff")]), [])
    names = [name.strip().lower() for name in header]
    if not names or not all(_PLAIN.fullmatch(name) for name in names):
        return None
    columns = [name + "0" if name in ("x", "y") else name for name in names]
    count = lambda letter: sum(name[0] == letter for name in columns)
    expected = {"sequence"} | {f"{letter}{k}" for letter in "xy" for k in range(count(letter))}
    if set(columns) != expected or len(columns) != len(expected) or not count("x") * count("y"):
        return None
    return [
        f"{name[0]}{int(name[1:]):05}" if name != "sequence" else name for name in columns
    ]  # x10 sorts after x9


def _read_fast(content: Content, columns: int) -> np.ndarray:
    """[M, columns] integers; raises ValueError or DeprecationWarning on anything but plain
    integers.
    """
    pieces = []
    file = io.StringIO(content.text, newline=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # an integer written as 1.5
        warnings.filterwarnings("ignore", "loadtxt: input contained no data", UserWarning)
        file.readline()
        while True:
            piece = np.loadtxt(
                file, np.int64, comments=None, delimiter=",", max_rows=_ROWS_AT_ONCE, ndmin=2
            )
            if piece.size == 0:
                break
            if piece.shape[1] != columns or piece.max() > WIDEST or piece.min() < -WIDEST:
                raise ValueError("to be read cell by cell")
            pieces.append(piece.astype(np.int32))
    return np.concatenate(pieces) if pieces else np.empty((0, columns), np.int32)


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
