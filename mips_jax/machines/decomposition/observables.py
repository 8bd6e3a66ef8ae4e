"""What a machine would write after a word, as a function of its state: a closed set of such
functions is a set of registers.

If f is what is written after a word, then f before a letter is what is written after the letter and
the word: every letter maps such functions to such functions. A set that is closed so, and holds the
outputs, determines the machine; where it is small its members are cells, delays, or the places of a
tuple that letters permute.

Axes: S states, A letters, O outputs a step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from mips_jax.machines.mealy import Mealy

_MOST = 14  # functions of a closed set that is still worth reading
_DIGITS = 4  # binary digits of an output


def observables(machine: Mealy) -> list[list[np.ndarray]]:
    """Closed sets of functions [S] of the state, each without functions that are simply others:
    of the outputs themselves, and of their binary digits.
    """
    found = []
    for view in (_itself, _digits):
        start = view(machine.output)
        closed = _closure(machine, start) if start is not None else None
        if closed:
            found.append(_independent(closed))
    return found


def _itself(output: np.ndarray) -> np.ndarray | None:
    """[S, A, O] as they are."""
    return output


def _digits(output: np.ndarray) -> np.ndarray | None:
    """[S, A, O * digits] the binary digits, the lowest first; None where there is but one."""
    low, high = int(output.min()), int(output.max())
    count = high.bit_length()
    if low < 0 or not 2 <= count <= _DIGITS or high + 1 != 1 << count:
        return None
    parts = [(output >> place) & 1 for place in range(count)]
    return np.concatenate(parts, axis=2)


def _closure(machine: Mealy, start: np.ndarray) -> list[np.ndarray] | None:
    """Every function that is not constant, in the order in which they are met, or None where they
    are too many.
    """
    columns = start.transpose(2, 1, 0).reshape(-1, machine.states)
    known: dict[bytes, np.ndarray] = {}
    todo = list(columns)
    while todo:
        column = todo.pop(0)
        if (column == column[0]).all() or column.tobytes() in known:
            continue
        known[column.tobytes()] = column
        if len(known) > 4 * _MOST:
            return None
        todo += [column[machine.transition[:, a]] for a in range(len(machine.letters))]
    return list(known.values())


def _independent(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Without those that are simply others: shifted, mirrored, turned around a circle, or the
    exclusive or of two or three bits.
    """
    kept: list[np.ndarray] = []
    for column in columns:
        if not any(_follows(column, other) for other in kept) and not _is_xor(column, kept):
            kept.append(column)
    return kept if len(kept) <= _MOST else []


def _follows(column: np.ndarray, other: np.ndarray) -> bool:
    modulus = int(other.max()) + 1
    around: list[Callable[[np.ndarray], np.ndarray]] = [lambda v: v, lambda v: -v]
    if other.min() == 0 and column.min() == 0 and column.max() == other.max():
        around.append(lambda v: v % modulus)
    return any(
        (f(column - other) == f(column - other)[0]).all()
        or (f(column + other) == f(column + other)[0]).all()
        for f in around
    )


def _is_xor(column: np.ndarray, kept: list[np.ndarray]) -> bool:
    bits = [c for c in kept if c.min() >= 0 and c.max() <= 1]
    if column.min() < 0 or column.max() > 1:
        return False
    chosen = [c for count in (2, 3) for c in itertools.combinations(bits, count)]
    return any(len(np.unique(np.bitwise_xor.reduce([column, *some]))) == 1 for some in chosen)
