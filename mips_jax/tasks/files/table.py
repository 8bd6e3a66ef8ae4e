"""What readers return: a table of named columns, arrays, or a task; and how it is to be read.

Axes: N sequences, T time, I inputs a step, O outputs a step, R rows of a table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass
class Columns:
    """Which column of a table (or array of an archive) is what, by name; null: found out.

    Attributes:
        sequence: tells sequences apart, where a row is a step.
        time: orders the steps of a sequence.
        x: the inputs, a name or a list of names.
        y: the outputs, likewise.
        mask: 1 at the steps whose output counts.
        length: steps of a sequence, where it is padded.
    """

    sequence: Any = None
    time: Any = None
    x: Any = None
    y: Any = None
    mask: Any = None
    length: Any = None


@dataclasses.dataclass
class Reading:
    """How data are to be read.

    Attributes:
        columns: which column is what.
        symbols: whether values are symbols (true) or numbers (false); None: where they are no
            numbers they are symbols.
        missing: values that stand for no label; None: what is empty, NaN, null, `?`, and -100
            where it is the only negative label.
        memory_gib: a file whose content takes more is refused.
    """

    columns: Columns = dataclasses.field(default_factory=Columns)
    symbols: bool | None = None
    missing: Any = None
    memory_gib: float = 2.0


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Named columns; a row is a step or a whole sequence.

    Attributes:
        name: of the file, for messages.
        columns: name -> R cells: numbers, texts, None, or lists of these.
        places: [R] where each row stands, for messages; None: its number, from 0 on.
        place: what `places` are, "line" or "row".
        named: whether the columns have names of their own.
        notes: what was taken for granted so far, one phrase each.
        problems: what is wrong with rows that are left out; said with all else.
    """

    name: str
    columns: Mapping[str, list]
    places: list[int] | None = None
    place: str = "row"
    named: bool = True
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def place_of(self, row: int) -> int:
        """What messages call a row."""
        return row if self.places is None else self.places[row]


@dataclasses.dataclass(frozen=True, eq=False)
class Arrays:
    """Example sequences as arrays of numbers, as `tasks.example_task` takes them.

    Attributes:
        inputs: [N, T, I] or [N, T].
        outputs: [N, T, O] or [N, T].
        mask: [N, T] bool, False beyond the end of a sequence; None: all are equally long.
        labelled: [N, T] bool, True where outputs are known; None: everywhere.
        alphabets: of each input, then of each output: the symbol of 0, 1, ...; None: integers.
        notes: what was taken for granted, one phrase each.
    """

    inputs: np.ndarray
    outputs: np.ndarray
    mask: np.ndarray | None = None
    labelled: np.ndarray | None = None
    alphabets: tuple[tuple[tuple | None, ...], tuple[tuple | None, ...]] = ((), ())
    notes: tuple[str, ...] = ()
