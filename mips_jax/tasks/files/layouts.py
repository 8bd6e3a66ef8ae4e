"""Tables as sequences: a row is a step, a word, or a word with its steps side by side.

Whatever the layout, a table becomes columns of single values, step after step, and the number of
steps of each sequence; labels may be missing at any step.

Axes: N sequences, T time, M steps of all sequences in a row, R rows of a table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import shown
from mips_jax.tasks.files.cells import as_list, as_plain, is_nothing, kind_of
from mips_jax.tasks.files.codes import Codes, coded
from mips_jax.tasks.files.roles import Roles, roles_of
from mips_jax.tasks.files.table import Arrays, Reading, Table
from mips_jax.tasks.files.text_records import LineProblems, mask_of, padded
from mips_jax.tasks.files.word_rows import by_word
from mips_jax.tasks.files.words import are_words

_WORD_NAMES = ("word", "words", "text", "string", "strings", "str", "sequence", "sentence", "seq")
_LAST_STEP = "one label a word: it belongs to the last step"


@dataclasses.dataclass(frozen=True, eq=False)
class Steps:
    """Sequences step after step.

    Attributes:
        x: columns of M values, one for each input.
        y: columns of M values, one for each output; None where there is no label.
        lengths: [N] steps of each sequence, at least 1.
        places: [M] where each step stands.
        counts: [M] values of a mask, or None.
        notes: what was taken for granted.
    """

    x: list[list]
    y: list[list]
    lengths: np.ndarray
    places: np.ndarray
    counts: list | None = None
    notes: tuple[str, ...] = ()


def arranged(table: Table, reading: Reading) -> Arrays:
    """A table as arrays of integers.

    Raises:
        RequestError: names everything that keeps it from being read, and what can be done.
    """
    try:
        found = _arranged(table, reading)
    except RequestError as error:
        raise RequestError(*table.problems, *error.problems) from error
    if table.problems:
        raise RequestError(*table.problems)
    return found


def _arranged(table: Table, reading: Reading) -> Arrays:
    if not table.columns or not table.rows:
        raise RequestError(
            f"{table.name}: there are no rows below the header; give a sequence, or a step, in each"
        )
    roles = roles_of(table, reading.columns)
    problems = LineProblems(table.name, table.place)
    layout = _layout(table, roles)
    steps = layout(table, roles, problems)
    problems.raise_if_any()
    return _as_arrays(table, roles, steps, reading, problems)


def _layout(table: Table, roles: Roles):
    """The function that takes the table apart."""
    x = table.columns[roles.x[0]]
    ids = None if roles.sequence is None else [str(i) for i in table.columns[roles.sequence]]
    apart = ids is not None and len(set(ids)) == len(ids)
    called = str(roles.x[0]).strip().lower() in _WORD_NAMES or not table.named
    if (ids is None or apart) and (are_words(x, called) or (called and _numbers(x))):
        return _words
    if ids is not None and roles.time is None and _lists_alike(table, roles):
        return _words  # whatever repeats in that column, it tells no steps together
    if ids is None and roles.time is None and len(roles.x) > 1 and _wide(roles):
        return _wide_rows
    return _rows_of_steps


def _numbers(cells: list) -> bool:
    """Whether words have become numbers, as digits do where nobody says that they are texts."""
    return not any(isinstance(cell, str) for cell in cells)


def _lists_alike(table: Table, roles: Roles) -> bool:
    """Whether all inputs and outputs are lists, and as long as each other in every row."""
    columns = [map(as_list, table.columns[name]) for name in (*roles.x, *roles.y)]
    return all(
        all(cell is not None for cell in row) and len({len(cell) for cell in row}) == 1
        for row in zip(*columns)
    )


def _wide(roles: Roles) -> bool:
    return len(roles.y) in (1, len(roles.x))


def _words(table: Table, roles: Roles, problems: LineProblems) -> Steps:
    found = by_word(table, roles, problems)
    problems.raise_if_any()
    assert found is not None
    places = np.repeat([table.place_of(row) for row in found.rows], found.lengths)
    notes = found.notes + ((_LAST_STEP,) if found.last_only else ())
    return Steps(found.x, found.y, found.lengths, places, found.counts, notes)


def _wide_rows(table: Table, roles: Roles, problems: LineProblems) -> Steps:
    """x0, x1, ... are the steps of one input; y0, y1, ... those of one output, or y its label."""
    steps = len(roles.x)
    x = [list(row) for row in zip(*(table.columns[name] for name in roles.x))]
    y = [list(row) for row in zip(*(table.columns[name] for name in roles.y))]
    lengths = np.array([_real_steps(row) for row in x])
    rows = [row for row in range(len(x)) if lengths[row]]
    last = len(roles.y) == 1
    label = lambda row: [None] * (lengths[row] - 1) + y[row] if last else y[row][: lengths[row]]
    notes: tuple[str, ...] = (
        f"no column tells sequences apart: each row is one, with the steps {roles.x[0]} to "
        f"{roles.x[-1]}",
    )
    notes += ((_LAST_STEP,) if last and steps > 1 else ()) + _left_out(len(x) - len(rows))
    return Steps(
        [[cell for row in rows for cell in x[row][: lengths[row]]]],
        [[cell for row in rows for cell in label(row)]],
        lengths[rows],
        np.repeat([table.place_of(row) for row in rows], lengths[rows]),
        None,
        notes,
    )


def _real_steps(row: list) -> int:
    """Steps before those at the end that are nothing."""
    return max((place + 1 for place, cell in enumerate(row) if not is_nothing(cell)), default=0)


def _rows_of_steps(table: Table, roles: Roles, problems: LineProblems) -> Steps:
    ids = _identifiers(table, roles, problems)
    times = None if roles.time is None else _times(table, roles, problems)
    problems.raise_if_any()
    order = np.argsort(ids, kind="stable") if times is None else np.lexsort((times, ids))
    lengths = np.bincount(ids)
    places = np.array([table.place_of(row) for row in range(table.rows)])[order]
    take = lambda name: [table.columns[name][row] for row in order]
    notes: tuple[str, ...] = ()
    if times is not None:
        _refuse_equal_times(ids[order], times[order], roles, places, problems)
        notes = (f"{roles.time} orders the steps of a sequence",)
    x = [part for name in roles.x for part in _parts(take(name))]
    y = [part for name in roles.y for part in _parts(take(name))]
    if roles.mask is None and _repeated_label(x, y, lengths):
        last = np.cumsum(lengths) - 1
        y = [_only_at(column, last.tolist()) for column in y]
        notes += (f"the label is the same at all steps of a word, so {_LAST_STEP}",)
    return Steps(x, y, lengths, places, None if roles.mask is None else take(roles.mask), notes)


def _parts(column: list) -> list[list]:
    """A column of vectors as one column for each of their values; any other as it is."""
    width = len(as_list(column[0]) or ())
    vectors = [as_list(cell) for cell in column]
    if not width or any(vector is None or len(vector) != width for vector in vectors):
        return [column]
    return [list(part) for part in zip(*vectors)]


def _identifiers(table: Table, roles: Roles, problems: LineProblems) -> np.ndarray:
    """[R] number of each row's sequence, in the order in which they begin."""
    if roles.sequence is None:
        return _by_restarts(table, roles)
    cells = table.columns[roles.sequence]
    known: dict[Any, int] = {}
    for row, cell in enumerate(cells):
        if is_nothing(cell) or as_list(cell) is not None:
            what = f"the column {roles.sequence} does not say which sequence a step belongs to"
            problems.add(what, table.place_of(row), shown(cell), "give each row an identifier")
            continue
        known.setdefault(_key(cell), len(known))
    if problems:
        return np.zeros(len(cells), np.int64)
    return np.array([known[_key(cell)] for cell in cells], np.int64)


def _key(cell: Any) -> Any:
    """1, 1.0 and "1" are one identifier, s1 another."""
    cell = as_plain(cell)
    kind, value = kind_of(cell)
    return value if value is not None and kind.name == "WHOLE" else str(cell)


def _by_restarts(table: Table, roles: Roles) -> np.ndarray:
    """A sequence begins wherever time does not go on."""
    if roles.time is not None:
        times = [kind_of(cell)[1] for cell in table.columns[roles.time]]
        if all(isinstance(time, int | float) for time in times):
            return np.cumsum(np.diff(np.array(times, float), prepend=-np.inf) <= 0)
    raise RequestError(
        f"{table.name}: no column tells sequences apart; add one (sequence), name it "
        "(task.columns.sequence=...), or give a whole word in each row, in a column called word. "
        "One long sequence cannot be divided for you: what a piece's first steps should give would "
        "depend on what was cut off"
    )


def _times(table: Table, roles: Roles, problems: LineProblems) -> np.ndarray:
    """[R] numbers in the order of time."""
    cells = [as_plain(cell) for cell in table.columns[roles.time or ""]]
    for row, cell in enumerate(cells):
        if is_nothing(cell):
            what = f"the column {roles.time} is empty"
            problems.add(what, table.place_of(row), "", "fill it, or leave the column out")
    numbers = [kind_of(cell)[1] for cell in cells]
    if all(isinstance(number, int | float) for number in numbers):
        return np.array(numbers, float)
    return np.unique([str(cell) for cell in cells], return_inverse=True)[1].ravel()


def _refuse_equal_times(ids, times, roles: Roles, places, problems: LineProblems) -> None:
    same = np.flatnonzero((np.diff(ids) == 0) & (np.diff(times) == 0))
    for row in same[:1]:
        fix = "number the steps, or say which column does: task.columns.time=..."
        what = f"two steps of a sequence have the same {roles.time}"
        problems.add(what, places[row + 1], str(times[row + 1]), fix, len(same))
    problems.raise_if_any()


def _repeated_label(x: list[list], y: list[list], lengths: np.ndarray) -> bool:
    """Whether a word's label is written beside all its steps: the same at all of them, while equal
    first steps have different ones, so that it cannot be each step's own.
    """
    if lengths.max(initial=0) < 2:
        return False
    rows = [tuple(str(as_plain(cell)) for cell in row) for row in zip(*y)]
    starts = np.cumsum(lengths) - lengths
    if any(len(set(rows[start : start + count])) > 1 for start, count in zip(starts, lengths)):
        return False
    first: dict[str, tuple] = {}
    letters = [str(cell) for cell in zip(*(column for column in x))]
    return any(
        first.setdefault(letters[s], rows[s]) != rows[s]
        for s, count in zip(starts, lengths)
        if count > 1
    )


def _only_at(column: list, places: Sequence[int]) -> list:
    kept: list = [None] * len(column)
    for place in places:
        kept[place] = column[place]
    return kept


def _left_out(count: int) -> tuple[str, ...]:
    return (f"{count:,} words without a step are left out",) * bool(count)


def _as_arrays(
    table: Table, roles: Roles, steps: Steps, reading: Reading, problems: LineProblems
) -> Arrays:
    if not len(steps.lengths):
        raise RequestError(f"{table.name}: no sequence has a step")
    missing = None if reading.missing is None else as_list(reading.missing) or [reading.missing]
    named = lambda role, columns: [
        role if len(columns) == 1 else f"{role}{place}" for place in range(len(columns))
    ]
    x = [
        coded(column, role, steps.places, problems, reading.symbols)
        for role, column in zip(named("x", steps.x), steps.x)
    ]
    y = [
        coded(column, role, steps.places, problems, reading.symbols, True, missing)
        for role, column in zip(named("y", steps.y), steps.y)
    ]
    counts = None
    if steps.counts is not None:
        counts = coded(steps.counts, str(roles.mask or "mask"), steps.places, problems)
    problems.raise_if_any()
    known = np.all([column.known for column in y], axis=0)
    known &= True if counts is None else counts.values != 0
    notes = table.notes + roles.notes + steps.notes
    notes += tuple(note for column in (*x, *y) for note in column.notes)
    notes += _unlabelled(known, steps, counts is not None)
    stacked = lambda columns: padded(_stacked(columns), steps.lengths)
    return Arrays(
        stacked(x),
        stacked(y),
        mask_of(steps.lengths),
        None if known.all() else padded(known[:, None], steps.lengths)[:, :, 0],
        (tuple(c.alphabet for c in x), tuple(c.alphabet for c in y)),
        notes,
    )


def _stacked(columns: list[Codes]) -> np.ndarray:
    return np.stack([column.values for column in columns], axis=1).astype(np.int32)


def _unlabelled(known: np.ndarray, steps: Steps, masked: bool) -> tuple[str, ...]:
    """How many steps have no label, where that is no matter of layout."""
    by_layout = any(_LAST_STEP in note for note in steps.notes)
    expected = len(steps.lengths) if by_layout else len(known)
    count = expected - int(known.sum())
    if count <= 0:
        return ()
    what = "words" if by_layout else "steps"
    why = "are masked or have" if masked else "have"
    return (f"{count:,} of {expected:,} {what} {why} no label",)
