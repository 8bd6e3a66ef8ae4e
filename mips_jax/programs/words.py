"""What a program is given to read, checked and as one array of integers.

Axes: N sequences, T time, I inputs a step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.programs.evaluation import narrowed


def as_words(given: np.ndarray | Sequence, names: tuple[str, ...]) -> np.ndarray:
    """Sequences as an array [N, T, I]: int64, or objects holding Python ints where need be.

    Args:
        given: [N, T, I] integers, as an array or nested sequences; [N, T] where I is 1. Floats are
            taken where they are whole numbers.
        names: of the I inputs.

    Raises:
        RequestError: another shape, or something that is no integer.
    """
    words = integers(given)
    if words.size == 0 and words.ndim < 3:
        return np.zeros((len(words), 0, len(names)), np.int64)
    if words.ndim == 2 and len(names) == 1:
        words = words[:, :, None]
    if words.ndim != 3 or words.shape[2] != len(names):
        wanted = f"[sequences, steps, {len(names)}]" + " or [sequences, steps]" * (len(names) == 1)
        raise RequestError(
            f"the inputs have shape {list(words.shape)}; a program that reads "
            f"{', '.join(names)} needs integers {wanted} (one sequence alone: program(sequence))"
        )
    return words


def integers(given: np.ndarray | Sequence) -> np.ndarray:
    """Any nested numbers as int64, or as objects holding Python ints where one does not fit.

    Raises:
        RequestError: they are ragged, or one of them is no integer.
    """
    if isinstance(given, np.ndarray) and given.dtype.kind in "bi":
        return given.astype(np.int64, copy=False)
    try:
        cells = np.array(given, dtype=object)  # numpy would turn large ints into floats
    except ValueError:
        cells = np.array([*given, None], dtype=object)[:-1]
    whole = [_whole(cell) for cell in cells.ravel().tolist()]
    if None in whole:
        wrong = cells.ravel()[whole.index(None)]
        raise RequestError(
            "the sequences have different lengths: run them one at a time"
            if isinstance(wrong, (list, tuple, np.ndarray))
            else f"the inputs hold {wrong!r}, which is no integer; only integers can be read"
        )
    exact = np.empty(len(whole), object)
    exact[:] = whole
    return narrowed(exact.reshape(cells.shape))


def _whole(cell: object) -> int | None:
    """A number as a Python int, or None where it is none."""
    if isinstance(cell, (bool, int, np.integer, np.bool_)):
        return int(cell)
    if isinstance(cell, (float, np.floating)) and np.isfinite(cell) and cell == int(cell):
        return int(cell)
    return None
