"""Tables in which a row is a whole word: its steps in one cell, its label or labels in another.

Axes: N words, M steps of all words in a row, R rows of a table.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.figures import shown
from mips_jax.tasks.files.cells import Kind, as_list, is_nothing, kind_of
from mips_jax.tasks.files.roles import Roles
from mips_jax.tasks.files.table import Table
from mips_jax.tasks.files.text_records import LineProblems
from mips_jax.tasks.files.words import Words, taken_apart


@dataclasses.dataclass(frozen=True, eq=False)
class WordRows:
    """Words step after step.

    Attributes:
        x, y: columns of M values; None in y where there is no label.
        lengths: [N] steps of each word, at least 1.
        rows: [N] rows of the table that they come from.
        counts: [M] values of a mask, or None.
        last_only: whether a word has one label, after its last step.
        notes: what was taken for granted.
    """

    x: list[list]
    y: list[list]
    lengths: np.ndarray
    rows: list[int]
    counts: list | None
    last_only: bool
    notes: tuple[str, ...]


def by_word(table: Table, roles: Roles, problems: LineProblems) -> WordRows | None:
    """Takes the words of a table apart; None where `problems` says why it cannot be done."""
    places = [table.place_of(row) for row in range(table.rows)]
    parts = [taken_apart(table.columns[name], name, places, problems) for name in roles.x]
    words = _side_by_side(parts, roles.x, places, problems)
    if words is None:
        return None
    real = _real_steps(table, roles, words, places, problems)
    if real is None:
        return None
    labels = [_labels(table.columns[name], name, words, places, problems) for name in roles.y]
    counts = None
    if roles.mask is not None:
        counts = _labels(table.columns[roles.mask], roles.mask, words, places, problems)
    if problems:
        return None
    steps = np.flatnonzero(real)
    owner = np.repeat(np.arange(table.rows), words.lengths)[steps]
    lengths = np.bincount(owner, minlength=table.rows)
    rows = np.flatnonzero(lengths)
    chosen = lambda column: [column[step] for step in steps]
    last_only = all(not per_step for _, per_step in labels)
    last = np.cumsum(lengths[rows]) - 1
    y = []
    for columns, per_step in labels:
        for column in columns:
            if per_step:
                y.append(chosen(column))
            else:
                y.append(_at_last([column[row] for row in rows], last))
    return WordRows(
        [chosen(column) for column in words.columns],
        y,
        lengths[rows],
        rows.tolist(),
        None if counts is None else _mask_column(counts, chosen, rows, lengths[rows]),
        last_only and bool(lengths.max(initial=0) > 1),
        _notes(words, lengths),
    )


def _notes(words: Words, lengths: np.ndarray) -> tuple[str, ...]:
    """How texts were taken apart, and which words are left out."""
    notes: tuple[str, ...] = (words.note,) if words.note else ()
    empty = int((lengths == 0).sum())
    if empty:
        notes += (f"{empty:,} empty words are left out (a program answers after each letter)",)
    return notes


def _side_by_side(parts, names, places, problems: LineProblems) -> Words | None:
    """Several columns of words as one word of several inputs."""
    if any(part is None for part in parts):
        return None
    first = parts[0]
    for name, part in zip(names[1:], parts[1:]):
        wrong = np.flatnonzero(part.lengths != first.lengths)
        if len(wrong):
            row = wrong[0]
            what = f"{names[0]} and {name} must have as many steps as each other"
            detail = f"{first.lengths[row]} and {part.lengths[row]}"
            problems.add(what, places[row], detail, times=len(wrong))
    if problems:
        return None
    columns = [column for part in parts for column in part.columns]
    return Words(columns, first.lengths, first.note)


def _real_steps(table, roles: Roles, words: Words, places, problems) -> np.ndarray | None:
    """[M] bool, False for padding, by an attention mask or by lengths."""
    ends = np.cumsum(words.lengths)
    within = np.arange(int(words.lengths.sum())) - np.repeat(ends - words.lengths, words.lengths)
    real = np.ones(len(within), bool)
    if roles.length is not None:
        steps = np.zeros(table.rows, np.int64)
        for row, cell in enumerate(table.columns[roles.length]):
            kind, value = kind_of(cell)
            if kind is not Kind.WHOLE or not 0 <= value <= words.lengths[row]:
                what = f"{roles.length} must be the number of steps, 0 to {words.lengths[row]}"
                problems.add(what, places[row], shown(cell), "correct it, or drop the column")
                continue
            steps[row] = value
        real &= within < np.repeat(steps, words.lengths)
    if roles.attention is not None:
        name = roles.attention
        marks = taken_apart(table.columns[name], name, places, problems)
        if marks is None:
            return None
        wrong = np.flatnonzero(marks.lengths != words.lengths)
        for row in wrong[:1]:
            what = f"{name} must have as many steps as {roles.x[0]}"
            detail = f"{marks.lengths[row]} and {words.lengths[row]}"
            problems.add(what, places[row], detail, times=len(wrong))
        if problems:
            return None
        real &= np.array([kind_of(cell)[1] not in (0, None) for cell in marks.columns[0]], bool)
    return None if problems else real


def _labels(cells, name, words: Words, places, problems) -> tuple[list[list], bool]:
    """Columns of labels, and whether there is one for each step (else one for each word)."""
    lists = [as_list(cell) for cell in cells]
    if any(steps is not None for steps in lists):
        return _lists_of_labels(cells, lists, name, words, places, problems)
    texts = [cell for cell in cells if isinstance(cell, str) and not is_nothing(cell)]
    if any(len(text.strip()) > 1 for text in texts) and words.lengths.max(initial=0) > 1:
        quiet = LineProblems("")
        apart = taken_apart(cells, name, places, quiet)
        there = np.array([not is_nothing(cell) for cell in cells])
        if apart is not None and not quiet:
            if (apart.lengths[there] == words.lengths[there]).all():
                return _expanded(apart, there, words), True
    return [list(cells)], False


def _lists_of_labels(cells, lists, name, words: Words, places, problems):
    for row, cell in enumerate(cells):
        if lists[row] is None and not is_nothing(cell):
            what = f"{name}: every label must be a list of steps, like others"
            problems.add(what, places[row], shown(cell), "give one form only")
    lists = [_without_padding(s, n) for s, n in zip(lists, words.lengths)]
    lengths = np.array([-1 if steps is None else len(steps) for steps in lists])
    there = lengths >= 0
    one_each = (lengths[there] == 1).all() and words.lengths.max(initial=0) > 1
    if one_each and not (words.lengths[there] == 1).all():
        return [[None if steps is None else steps[0] for steps in lists]], False
    wrong = np.flatnonzero(there & (lengths != words.lengths))
    for row in wrong[:1]:
        what = f"the inputs and {name} must have as many steps as each other"
        detail = f"{words.lengths[row]} steps, {lengths[row]} labels"
        fix = "a list of one label a step, null where there is none; or one label a word"
        problems.add(what, places[row], detail, fix, len(wrong))
    if problems:
        return [[]], True
    whole = [
        [None] * int(words.lengths[row]) if steps is None else steps
        for row, steps in enumerate(lists)
    ]
    return _label_columns([step for steps in whole for step in steps], name, problems), True


def _without_padding(steps: list | None, length: int) -> list | None:
    """Labels without those beyond the last step that are none."""
    while steps and len(steps) > length and (is_nothing(steps[-1]) or steps[-1] == -100):
        steps = steps[:-1]
    return steps


def _label_columns(steps: list, name: str, problems: LineProblems) -> list[list]:
    """One column, or one for each value of a step."""
    width = next((len(as_list(s) or []) for s in steps if as_list(s) is not None), None)
    if width is None:
        return [steps]
    columns: list[list] = [[] for _ in range(width)]
    for step in steps:
        values = as_list(step)
        if values is None and is_nothing(step):
            values = [None] * width
        if values is None or len(values) != width:
            what = f"{name}: every step must be a list of {width} values, like the first"
            problems.add(what, 0, shown(step))
            break
        for column, value in zip(columns, values):
            column.append(value)
    return columns


def _expanded(apart: Words, there: np.ndarray, words: Words) -> list[list]:
    """Labels of each step, None for words that have none."""
    column, found, place = apart.columns[0], [], 0
    for row, length in enumerate(words.lengths):
        if there[row]:
            found += column[place : place + length]
            place += length
        else:
            found += [None] * int(length)
    return [found]


def _at_last(labels: list, last: np.ndarray) -> list:
    """[M] labels at the last step of each word, None elsewhere."""
    found: list = [None] * (int(last[-1]) + 1 if len(last) else 0)
    for step, label in zip(last, labels):
        found[step] = label
    return found


def _mask_column(counts, chosen, rows, lengths) -> list:
    """[M] values of a mask that stands at each step, or beside each word."""
    columns, per_step = counts
    if per_step:
        return chosen(columns[0])
    return [columns[0][row] for row, steps in zip(rows, lengths) for _ in range(steps)]
