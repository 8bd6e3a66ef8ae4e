"""Named arrays as sequences: padded, with labels at all steps, at some, or one a word.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import shown
from mips_jax.tasks.files.roles import Roles, roles_of
from mips_jax.tasks.files.table import Arrays, Reading, Table

_IGNORED = -100
_LAST_STEP = "one label a word: it belongs to the last step"


def from_arrays(
    name: str,
    arrays: Mapping[str, np.ndarray],
    reading: Reading,
    damaged: Mapping[str, str] | None = None,
) -> Arrays | Table:
    """Arrays of numbers as they are; arrays of texts and flat ones, as columns of a table.

    Args:
        name: of the file, for messages.
        arrays: by name.
        reading: which is what.
        damaged: by name, what keeps other arrays from being read.

    Raises:
        RequestError: an array is missing or of another shape than the others ask for.
    """
    roles = _roles(name, arrays, reading, damaged or {})
    if isinstance(roles, Table):
        return roles
    x, y = arrays[roles.x[0]], arrays[roles.y[0]]
    if x.ndim < 2 or x.dtype.kind in "OUS" or y.dtype.kind in "OUS":
        if x.ndim == 0 or (x.ndim < 2 and x.dtype.kind not in "OUS"):
            raise RequestError(
                f"{name}: {roles.x[0]} must have the axes (sequence, step) or (sequence, step, x), "
                f"but its shape is {x.shape}"
            )
        if y.ndim == 0 or len(x) != len(y):
            raise RequestError(
                f"{name}: {roles.x[0]} has shape {x.shape} and {roles.y[0]} {y.shape}; every "
                "sequence needs its labels"
            )
        used = {n: a for n, a in arrays.items() if a.ndim and len(a) == len(x)}
        return Table(name, {n: _rows(a) for n, a in used.items()})
    return _numeric(name, x, y, roles, arrays, reading)


def _rows(array: np.ndarray) -> list:
    return array.tolist()


def _roles(name: str, arrays, reading: Reading, damaged: Mapping[str, str]) -> Roles | Table:
    known = {**arrays, **dict.fromkeys(damaged)}
    if not known:
        raise RequestError(f"{name}: there is no array x; the file holds nothing")
    roles = roles_of(Table(name, {key: [] for key in known}), reading.columns)
    used = (*roles.x, *roles.y, roles.mask, roles.length, roles.attention)
    wrong = [f"{name}: {damaged[n]}" for n in used if n is not None and n in damaged]
    if wrong:
        raise RequestError(*wrong)
    if roles.sequence is not None or len(roles.x) > 1 or len(roles.y) > 1:
        flat = {n: a for n, a in arrays.items() if a.ndim == 1 or n in (*roles.x, *roles.y)}
        lengths = {len(a) for a in flat.values() if a.ndim}
        if len(lengths) == 1 and all(a.ndim for a in flat.values()):
            return Table(name, {n: a.tolist() for n, a in flat.items()})
        raise RequestError(
            f"{name}: several arrays hold inputs or outputs ({', '.join([*roles.x, *roles.y])}); "
            "save one x (N, T, I) and one y (N, T, O), or say which: task.columns.x=..."
        )
    return roles


def _numeric(name: str, x, y, roles: Roles, arrays, reading: Reading) -> Arrays:
    notes = tuple(note for note in roles.notes if not note.startswith("not used"))
    mask = _padding(name, x, roles, arrays)
    shape = x.shape[:2]
    mask = _ends_where_nothing_follows(x, mask)
    labelled = None
    if y.shape[:1] == shape[:1] and (y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1 != shape[1])):
        y, labelled = _at_last_step(y.reshape(-1), shape, mask)
        notes += (_LAST_STEP,)
    if y.shape[:2] == shape and y.ndim in (2, 3):
        known, found = _known(y, mask, reading)
        notes += found
        labelled = known if labelled is None else labelled & known
        if roles.mask is not None:
            labelled &= _mask(name, arrays[roles.mask], shape, roles.mask)
    if labelled is not None:
        real = np.ones(shape, bool) if mask is None else mask
        count = int((real & ~labelled).sum())
        if count and _LAST_STEP not in notes:
            notes += (f"{count:,} of {int(real.sum()):,} steps have no label",)
        if not (real & ~labelled).any():
            labelled = None
    return Arrays(x, y, mask, labelled, notes=notes)


def _padding(name: str, x: np.ndarray, roles: Roles, arrays) -> np.ndarray | None:
    """[N, T] bool by lengths or an attention mask; None: all steps are there."""
    if roles.length is not None:
        return _mask_from_lengths(arrays[roles.length], x.shape, name, roles.length)
    if roles.attention is not None:
        return _mask(name, arrays[roles.attention], x.shape[:2], roles.attention)
    return None


def _ends_where_nothing_follows(x: np.ndarray, mask: np.ndarray | None) -> np.ndarray | None:
    """The mask, without steps at the end of a sequence whose inputs are all NaN."""
    if x.dtype.kind != "f" or not x.size:
        return mask
    there = ~np.isnan(x).reshape(*x.shape[:2], -1).all(axis=2)
    ends = there[:, ::-1].argmax(axis=1)
    real = np.arange(x.shape[1]) < np.where(there.any(axis=1), x.shape[1] - ends, 0)[:, None]
    if real.all() or not real.any(axis=1).all():
        return mask
    return real if mask is None else mask & real


def _at_last_step(labels: np.ndarray, shape: tuple, mask: np.ndarray | None):
    """[N] labels as [N, T] ones, and where they stand."""
    steps = np.full(shape[0], shape[1]) if mask is None else mask.sum(axis=1)
    labelled = np.arange(shape[1]) == steps[:, None] - 1
    return np.where(labelled, labels[:, None], np.zeros((), labels.dtype)), labelled


def _known(y: np.ndarray, mask: np.ndarray | None, reading: Reading):
    """[N, T] bool, where no output is NaN or stands for a missing one; and what was assumed."""
    values = y[:, :, None] if y.ndim == 2 else y
    known = np.ones(y.shape[:2], bool)
    if y.dtype.kind == "f":
        known &= ~np.isnan(values).any(axis=2)
    if y.dtype.kind not in "iuf":
        return known, ()
    real = known if mask is None else known & mask
    if reading.missing is not None:
        gone = reading.missing if isinstance(reading.missing, (list, tuple)) else [reading.missing]
        numbers = [value for value in gone if isinstance(value, int | float)]
        return known & ~np.isin(values, numbers).any(axis=2), ()
    negative = values[real] < 0
    if negative.any() and (values[real][negative] == _IGNORED).all():
        return known & (values != _IGNORED).all(axis=2), (f"{_IGNORED} in y is no label",)
    return known, ()


def _mask(name: str, array: np.ndarray, shape: tuple, key: str) -> np.ndarray:
    array = np.asarray(array)
    squeezed = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if squeezed.shape != shape or squeezed.dtype.kind not in "biuf":
        raise RequestError(
            f"{name}: {key} must be {shape} truth values, 1 at the steps that count, but is "
            f"{array.dtype} of shape {array.shape}"
        )
    if not np.isin(squeezed, (0, 1)).all():
        strange = squeezed[~np.isin(squeezed, (0, 1))].ravel()[0]
        raise RequestError(
            f"{name}: {key} must hold 0 and 1 only, but holds {shown(strange.item())}"
        )
    return squeezed.astype(bool)


def _mask_from_lengths(
    lengths: np.ndarray, shape: tuple[int, ...], name: str, key: str
) -> np.ndarray:
    longest = shape[1]
    if lengths.dtype.kind not in "iu" or lengths.shape != shape[:1]:
        raise RequestError(
            f"{name}: {key} must be integers of shape {shape[:1]}, one for each sequence of x, "
            f"but is {lengths.dtype} of shape {lengths.shape}"
        )
    wrong = (lengths < 1) | (lengths > longest)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise RequestError(
            f"{name}: {int(wrong.sum())} of the {key} are not within 1..{longest} (first: "
            f"{key}[{first}] = {lengths[first]})"
        )
    return np.arange(longest) < lengths[:, None]
