"""Columns of values as integers: numbers as they are, symbols by an alphabet that is built here.

Axes: M steps of all sequences in a row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown
from mips_jax.tasks.files.cells import Kind, as_plain, kind_of
from mips_jax.tasks.files.text_records import LineProblems

MOST_SYMBOLS = 4_096  # of more, a network learns nothing that a program could say
# Values that are no numbers among numbers are symbols where each of them occurs so often and all
# together are such a share; fewer are slips of the pen.
_OFTEN, _SHARE = 10, 0.05
_NO = {"no", "n", "false", "f", "-", "reject", "rejected", "negative", "neg", "invalid", "off"}
_NO |= {"incorrect", "wrong", "bad", "fail", "inactive"}
_TRUTH = {"false": 0, "true": 1}
_IGNORED = -100  # what PyTorch's losses leave out
_SYMBOLS = "if they are symbols, say so: task.symbols=true"
_WRONG_NUMBERS = {  # what is said of them, and what can be done
    Kind.FRACTION: (
        "not every value is a whole number",
        "give integers (rounded, or numbers of bins)",
    ),
    Kind.INFINITE: (
        "not every value is finite",
        "give numbers, and nothing where no label is known",
    ),
    Kind.TOO_LARGE: (
        f"not every value is within ±{WIDEST}",
        "subtract what all have in common, or give differences",
    ),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Codes:
    """One column as integers.

    Attributes:
        values: [M] int64, 0 where nothing is known.
        known: [M] bool, False where there is no value.
        alphabet: the symbol of 0, of 1, ...; None: the integers are the values.
        notes: what was taken for granted.
    """

    values: np.ndarray
    known: np.ndarray
    alphabet: tuple | None = None
    notes: tuple[str, ...] = ()


def coded(
    cells: Sequence[Any],
    role: str,
    places: Sequence[int] | np.ndarray,
    problems: LineProblems,
    symbols: bool | None = None,
    may_miss: bool = False,
    missing: Sequence[Any] | None = None,
) -> Codes:
    """Turns a column into integers.

    Args:
        cells: M values.
        role: what they are, for messages: x, y, x1, ...
        places: [M] where each of them stands.
        problems: gets what is wrong.
        symbols: see `Reading.symbols`.
        may_miss: whether a value may be missing.
        missing: see `Reading.missing`.

    Raises:
        RequestError: there are too many different symbols.
    """
    index, distinct = _distinct(cells)
    kinds = [kind_of(value) for value in distinct]
    if missing is not None:
        gone = {str(as_plain(value)) for value in missing}
        gone |= {str(kind_of(value)[1]) for value in missing}
        kinds = [(Kind.NOTHING, None) if str(v) in gone else (k, v) for k, v in kinds]
    counts = np.bincount(index, minlength=len(distinct))
    as_symbols = symbols if symbols is not None else _are_symbols(kinds, counts)
    if as_symbols:
        codes, alphabet = _by_alphabet(distinct, kinds, role, symbols is True)
    else:
        codes, alphabet = _as_numbers(kinds), None
    for number, (kind, _) in enumerate(kinds):
        if codes[number] is None and not (kind is Kind.NOTHING and may_miss):
            where = np.flatnonzero(index == number)
            _report(kind, distinct[number], where, role, places, problems)
    table = np.array([0 if code is None else code for code in codes], np.int64)
    known = np.array([kind is not Kind.NOTHING for kind, _ in kinds], bool)
    notes: tuple[str, ...] = ()
    negative = [code for code, there in zip(codes, known) if there and code is not None]
    if may_miss and missing is None and alphabet is None and _only_ignored(negative):
        known &= table != _IGNORED
        notes = (f"{_IGNORED} in {role} is no label",)
    if alphabet is not None:
        notes += (f"{role} is over {len(alphabet)} symbols: {_listed(alphabet)}",)
    if not len(table):
        return Codes(np.zeros(0, np.int64), np.zeros(0, bool))
    return Codes(np.where(known, table, 0)[index], known[index], alphabet, notes)


def _distinct(cells: Sequence[Any]) -> tuple[np.ndarray, list]:
    """Number of each cell among the different ones, and these."""
    numbers: dict[Any, int] = {}
    index = np.empty(len(cells), np.int64)
    for place, cell in enumerate(cells):
        cell = as_plain(cell)
        try:
            # 1, 1.0 and True are the same number; nan is not itself
            key = cell if cell == cell else "nan"
            index[place] = numbers.setdefault(key, len(numbers))
        except (TypeError, ValueError):  # a list
            index[place] = numbers.setdefault(_Unhashable(cell), len(numbers))
    return index, [k.value if isinstance(k, _Unhashable) else k for k in numbers]


@dataclasses.dataclass(frozen=True, eq=False)
class _Unhashable:
    value: Any


def _are_symbols(kinds: list, counts: np.ndarray) -> bool:
    """Whether a column is one of symbols; of numbers with slips of the pen it is none."""
    symbol = np.array([kind is Kind.SYMBOL for kind, _ in kinds], bool)
    other = np.array([kind not in (Kind.SYMBOL, Kind.NOTHING) for kind, _ in kinds], bool)
    if not symbol.any() or _is_truth(kinds):
        return False
    if not other.any():
        return True
    share = counts[symbol].sum() / max(1, counts[symbol | other].sum())
    return bool(counts[symbol].min() >= _OFTEN and share >= _SHARE)


def _is_truth(kinds: list) -> bool:
    said = {value.lower() for kind, value in kinds if kind is Kind.SYMBOL}
    return bool(said) and said <= set(_TRUTH)


def _as_numbers(kinds: list) -> list[int | None]:
    truth = _is_truth(kinds)
    return [
        value
        if kind is Kind.WHOLE
        else _TRUTH[value.lower()]
        if kind is Kind.SYMBOL and truth
        else None
        for kind, value in kinds
    ]


def _by_alphabet(
    distinct: list, kinds: list, role: str, asked: bool
) -> tuple[list[int | None], tuple]:
    """Codes of the different values, and the alphabet: what says no first, numbers in their order,
    then the order of texts.
    """
    wrong = (Kind.NOTHING, Kind.WRONG)
    if all(kind in (Kind.NOTHING, Kind.WHOLE) for kind, _ in kinds):
        distinct = [value for _, value in kinds]  # numbers that are symbols: as numbers
    named = [
        None if kind in wrong else value.strip() if isinstance(value, str) else value
        for value, (kind, _) in zip(distinct, kinds)
    ]
    rank = lambda s: (
        isinstance(s, str),
        (str(s).lower() not in _NO) if isinstance(s, str) else s,
        str(s).zfill(12) if str(s).isdecimal() else str(s),
    )
    alphabet = sorted({symbol for symbol in named if symbol is not None}, key=rank)
    if len(alphabet) > MOST_SYMBOLS:
        fix = "give fewer" if asked else "name other columns (task.columns.x, task.columns.y)"
        raise RequestError(
            f"{role} has {len(alphabet):,} different symbols, such as {_listed(alphabet[:3])}; "
            f"at most {MOST_SYMBOLS:,} are read: {fix}"
        )
    place = {symbol: code for code, symbol in enumerate(alphabet)}
    codes = [None if symbol is None else place[symbol] for symbol in named]
    return codes, tuple(alphabet)


def _report(
    kind: Kind, value: Any, where: np.ndarray, role: str, places, problems: LineProblems
) -> None:
    """Adds what is wrong with a value that stands at some places of a column."""
    first, times, detail = places[int(where[0])], len(where), shown(value)
    if kind is Kind.SYMBOL:
        problems.add(f"{role}: not every value is a number", first, detail, _SYMBOLS, times)
    elif kind is Kind.WRONG:
        what = f"{role}: every step must be one value"
        problems.add(what, first, detail, "see the forms of docs/data.md", times)
    elif kind is Kind.NOTHING:
        problems.add(f"{role}: a value is missing", first, "", "fill it, or leave out", times)
    else:
        what, fix = _WRONG_NUMBERS[kind]
        problems.add(f"{role}: {what}", first, detail, fix, times)


def _only_ignored(values: list[int]) -> bool:
    """Whether -100 occurs, and no other negative number."""
    return _IGNORED in values and all(v >= 0 or v == _IGNORED for v in values)


def _listed(alphabet: Sequence[Any], most: int = 12) -> str:
    more = f" and {len(alphabet) - most} more" if len(alphabet) > most else ""
    return " ".join(str(symbol) for symbol in alphabet[:most]) + more
