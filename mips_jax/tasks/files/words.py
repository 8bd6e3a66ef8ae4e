"""Whole words in one cell: a text whose characters, or whose parts between blanks or commas, are
the steps; a list of steps.

Axes: N words, M steps of all words in a row, K values a step.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mips_jax.figures import shown
from mips_jax.tasks.files.cells import Kind, as_list, is_nothing, kind_of
from mips_jax.tasks.files.text_records import LineProblems

# A column of so many texts of which no more than this share are different holds tokens, each a
# step.
_FEW, _TOKENS_REPEAT = 50, 0.1
_EMPTY = {"ε", "λ", "<eps>", "<epsilon>"}  # how people write the word without letters
_MARKS = ("->", "-", ">", "|", "/", "_", ":", ".")  # that may stand between letters
_BRACKETED = re.compile(r"[\[(].*[\])]", re.DOTALL)


@dataclasses.dataclass(frozen=True, eq=False)
class Words:
    """Words as columns of steps.

    Attributes:
        columns: K columns of M values.
        lengths: [N] steps of each word.
        note: how texts were taken apart, "" for lists.
    """

    columns: list[list]
    lengths: np.ndarray
    note: str = ""


def are_words(cells: Sequence[Any], called_words: bool) -> bool:
    """Whether a cell is a whole word: a list of steps, or a text of several.

    Texts of digits are words where one begins with 0, others where they do not repeat like tokens.

    Args:
        cells: of a column.
        called_words: whether it is called word, text, string, ...
    """
    if any(as_list(cell) is not None for cell in cells):
        return True
    texts = [c.strip() for c in cells if isinstance(c, str) and not is_nothing(c)]
    longer = [text for text in texts if len(text) > 1]
    if not longer or called_words:
        return bool(longer)
    kinds = {text: kind_of(text)[0] for text in set(longer)}
    if all(kind is not Kind.SYMBOL for kind in kinds.values()):
        return any(text.isdecimal() and (text[0] == "0" or len(text) > 10) for text in longer)
    return len(texts) < _FEW or len(set(texts)) > _TOKENS_REPEAT * len(texts)


def taken_apart(
    cells: Sequence[Any], role: str, places: Sequence[int], problems: LineProblems
) -> Words | None:
    """Words as steps; a missing cell and an empty text are words without steps.

    Args:
        cells: N cells.
        role: of the column, for messages.
        places: [N] where they stand.
        problems: gets what is wrong; None is returned then.
    """
    note = ""
    cells = ["" if isinstance(cell, str) and cell.strip() in _EMPTY else cell for cell in cells]
    lists = [as_list(cell) for cell in cells]
    if any(
        steps is None and isinstance(cell, str) and cell.strip()
        for steps, cell in zip(lists, cells)
    ):
        split, note = _splitter([cell for cell in cells if isinstance(cell, str)])
        lists = [
            split(cell) if steps is None and isinstance(cell, str) else steps
            for steps, cell in zip(lists, cells)
        ]
    rows: list[list] = []
    for steps, cell, place in zip(lists, cells, places):
        if steps is None and not is_nothing(cell):
            problems.add(
                f"{role}: every word must be a list of steps or a text",
                place,
                shown(cell),
                "write digits as a text, with its leading zeros (in pandas: dtype=str)",
            )
        rows.append(_without_padding(steps or []))
    return None if problems else _columns(rows, role, places, problems, note)


def _without_padding(steps: list) -> list:
    """Steps without those at the end that are nothing (None, NaN)."""
    end = len(steps)
    while end and (steps[end - 1] is None or _is_nan(steps[end - 1])):
        end -= 1
    return steps[:end]


def _is_nan(step: Any) -> bool:
    values = as_list(step) or [step]
    return all(value is None or (isinstance(value, float) and value != value) for value in values)


def _columns(
    rows: list[list], role: str, places: Sequence[int], problems: LineProblems, note: str
) -> Words | None:
    """K columns of all steps; the first step says how many values each has."""
    lengths = np.array([len(row) for row in rows], np.int64)
    first = next((row[0] for row in rows if row), None)
    values = as_list(first)
    if values is None:
        return Words([[step for row in rows for step in row]], lengths, note)
    if not values:
        line = next(p for p, row in zip(places, rows) if row)
        problems.add(f"{role}: a step is an empty list", line, shown(first))
        return None
    width = len(values)
    columns: list[list] = [[] for _ in values]
    for row, place in zip(rows, places):
        for step in row:
            values = as_list(step)
            if values is None or len(values) != width:
                problems.add(
                    f"{role}: every step must be a list of {width} values, like the first",
                    place,
                    shown(step),
                )
                continue
            for column, value in zip(columns, values):
                column.append(value)
    return None if problems else Words(columns, lengths, note)


def _splitter(texts: list[str]) -> tuple[Callable[[str], list], str]:
    """How texts are taken apart, the same way for all of them, and that in words."""
    texts = [text.strip() for text in texts if text.strip()]
    if any(re.search(r"\w", text) for text in texts) and all(
        _BRACKETED.fullmatch(text) and _as_json(text) is not None for text in texts
    ):
        return lambda text: _as_json(text) or [], "texts such as [0, 1] are lists of steps"
    for mark, name in ((",", "commas"), (";", "semicolons")):
        if any(mark in text for text in texts):
            split = lambda text, mark=mark: [p.strip() for p in text.split(mark) if p.strip()]
            return split, f"words are taken apart at {name}"
    if any(re.search(r"\s", text) for text in texts):
        return str.split, "words are taken apart at blanks"
    for mark in _MARKS:
        if _always_between(mark, texts):
            split = lambda text, mark=mark: text.strip().split(mark)
            return split, f"words are taken apart at {mark}"
    return lambda text: list(text.strip()), "each character of a word is a step"


def _always_between(mark: str, texts: list[str]) -> bool:
    """Whether a mark stands between the parts of every longer text, and never anywhere else."""
    longer = [text.split(mark) for text in texts if len(text) > 1]
    return len(longer) > 1 and all(len(parts) > 1 and all(parts) for parts in longer)


def _as_json(text: str) -> list | None:
    """`[0, 1]`, and as Python and numpy print lists: `(0, 1)`, `[0 1]`, `['a', 'b']`."""
    inner = text.strip()
    if not (inner.startswith(("[", "(")) and inner.endswith(("]", ")"))):
        return None
    for attempt in (inner, f"[{inner[1:-1].rstrip().rstrip(',')}]".replace("'", '"')):
        try:
            return as_list(json.loads(attempt))
        except (ValueError, RecursionError):
            continue
    parts = inner[1:-1].replace("'", " ").replace("[", " ").replace("]", " ").split()
    return parts if parts and all(re.fullmatch(r"[+-]?\d+\.?\d*", p) for p in parts) else None
