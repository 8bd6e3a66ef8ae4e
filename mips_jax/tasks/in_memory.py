"""Data as they are in Python: data frames, arrays, lists, mappings, datasets, machines.

Nothing of pandas, polars, pyarrow, datasets, torch or AALpy is imported: objects are known by what
they can do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.machines import Mealy
from mips_jax.tasks.files.arrays import from_arrays
from mips_jax.tasks.files.load import task_of
from mips_jax.tasks.files.machines import from_aalpy, from_mealy
from mips_jax.tasks.files.records import from_columns, from_records
from mips_jax.tasks.files.table import Arrays, Columns, Reading, Table
from mips_jax.tasks.task import Task

NAME = "data"
_MOST = 10_000_000  # entries of something that is only known to be iterable


def task_from_data(data: Any, reading: Reading | None = None) -> Task | None:
    """The task that data in memory describe; None where they are of no kind that is known.

    Args:
        data: a data frame, a mapping of columns, (X, Y) arrays, a list of (word, label) pairs or of
            records, a dataset, a machine.
        reading: which columns are what; None: found out.

    Raises:
        RequestError: the kind is known, but the content cannot be read.
    """
    reading = reading or Reading()
    if isinstance(data, Mealy):
        return from_mealy(NAME, data)
    if hasattr(data, "initial_state") and hasattr(data, "states"):
        return from_aalpy(type(data).__name__, data)
    found = _read(data, reading)
    return None if found is None else task_of(found, NAME, reading)


def reading_of(columns: Mapping[str, Any] | None, **more: Any) -> Reading:
    """How data are read, from plain keywords.

    Raises:
        RequestError: a role is none of those that columns have.
    """
    known = list(Columns.__dataclass_fields__)
    for role in columns or {}:
        if role not in known:
            raise RequestError(f"columns has the key {role!r}; allowed: {', '.join(known)}")
    return Reading(columns=Columns(**(columns or {})), **more)


def _read(data: Any, reading: Reading) -> Table | Arrays | None:
    columns = _as_columns(data)
    if columns is not None:
        return _from_mapping(columns, reading)
    if (isinstance(data, tuple) and len(data) in (2, 3)) or _two_arrays(data):
        third = {} if len(data) == 2 else {_role_of_third(data[2]): data[2]}
        return _from_mapping({"x": data[0], "y": data[1], **third}, reading)
    if isinstance(data, np.ndarray) and not data.dtype.names:
        raise RequestError(
            f"one array of shape {data.shape} does not say what are inputs and what outputs; give "
            "two, (X, Y)"
        )
    if isinstance(data, str | bytes) or callable(data) or not isinstance(data, Iterable):
        return _from_items(data)
    return from_records(NAME, _listed(data))


def _from_items(data: Any) -> Table | None:
    """A dataset that is only known to have a length and entries, as PyTorch's are."""
    if callable(data) or isinstance(data, str | bytes) or not hasattr(data, "__getitem__"):
        return None
    return from_records(NAME, [data[n] for n in range(len(data))]) if len(data) else None


def _listed(data: Iterable) -> Sequence:
    if isinstance(data, Sequence):
        return data
    found = []
    for entry in data:
        found.append(entry)
        if len(found) > _MOST:
            raise RequestError(f"there are more than {_MOST:,} entries; give fewer")
    return found


def _as_columns(data: Any) -> Mapping[str, Any] | None:
    """Name -> column, of whatever has columns."""
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # pandas
        frame = data if all(n is None for n in data.index.names) else data.reset_index()
        return {str(name): frame[name].tolist() for name in frame.columns}
    if hasattr(data, "to_pydict"):  # pyarrow
        return data.to_pydict()
    if hasattr(data, "to_dicts") and hasattr(data, "columns"):  # polars
        return {name: data[name].to_list() for name in data.columns}
    names = getattr(data, "column_names", None)  # Hugging Face
    if isinstance(names, Mapping):
        splits = ", ".join(map(repr, names))
        raise RequestError(f"these are several datasets ({splits}); give one of them, as data[...]")
    if names is not None and hasattr(data, "__getitem__"):
        return {name: list(data[name]) for name in names}
    if isinstance(data, Mapping):
        return data
    if isinstance(data, np.ndarray) and data.dtype.names:
        return {name: data[name].tolist() for name in data.dtype.names}
    return None


def _two_arrays(data: Any) -> bool:
    return isinstance(data, list) and len(data) == 2 and all(hasattr(d, "__array__") for d in data)


def _role_of_third(third: Any) -> str:
    return "length" if np.ndim(third) == 1 else "mask"


def _from_mapping(columns: Mapping[str, Any], reading: Reading) -> Table | Arrays:
    arrays = {str(k): np.asarray(v) for k, v in columns.items() if hasattr(v, "__array__")}
    padded = any(a.ndim > 1 and a.dtype.kind in "biufUS" for a in arrays.values())
    if not padded:
        return from_columns(NAME, columns)
    for key, value in columns.items():
        if key not in arrays and isinstance(value, list | tuple):
            try:
                arrays[str(key)] = np.asarray(value)
            except ValueError:
                return from_columns(NAME, columns)
    return from_arrays(NAME, arrays, reading)
