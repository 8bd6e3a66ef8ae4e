"""Which reader reads which file: each recognises its own by what is in it.

A reader is a file of this package and a line of `READERS`. It sees the unpacked content and returns
a table of columns, arrays, or a task; what columns mean, which symbols there are and which steps
have labels is found out for all of them alike. Nothing in a file is ever executed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from mips_jax.errors import RequestError
from mips_jax.registry import resolved
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.table import Arrays, Reading, Table
from mips_jax.tasks.task import Task

Read = Callable[[Content, Reading], Table | Arrays | Task]


@dataclasses.dataclass(frozen=True)
class Reader:
    """One family of files.

    Attributes:
        recognises: whether a content is of this family, or "package.module:function".
        read: what is in it, likewise.
        endings: that such files often have, for messages.
    """

    recognises: Callable[[Content], bool] | str
    read: Read | str
    endings: tuple[str, ...] = ()


_HERE = "mips_jax.tasks.files"
READERS: dict[str, Reader] = {
    "table": Reader(
        f"{_HERE}.delimited:is_delimited",
        f"{_HERE}.delimited:read_delimited",
        (".csv", ".tsv", ".txt"),
    ),
    "traces": Reader(f"{_HERE}.traces:are_traces", f"{_HERE}.traces:read_traces"),
    "stamina": Reader(f"{_HERE}.abbadingo:is_stamina", f"{_HERE}.abbadingo:read_stamina"),
    "abbadingo": Reader(
        f"{_HERE}.abbadingo:is_abbadingo", f"{_HERE}.abbadingo:read_abbadingo", (".dat",)
    ),
    "json": Reader(
        f"{_HERE}.json_text:is_json", f"{_HERE}.json_text:read_json", (".jsonl", ".json")
    ),
    "dot": Reader(f"{_HERE}.machines:is_dot", f"{_HERE}.machines:read_dot", (".dot",)),
    "arrow": Reader(f"{_HERE}.parquet:is_arrow", f"{_HERE}.parquet:read_arrow", (".feather",)),
    "parquet": Reader(
        f"{_HERE}.parquet:is_parquet", f"{_HERE}.parquet:read_parquet", (".parquet",)
    ),
    "npy": Reader(f"{_HERE}.numpy_files:is_npy", f"{_HERE}.numpy_files:read_npy"),
    "npz": Reader(f"{_HERE}.numpy_files:is_npz", f"{_HERE}.numpy_files:read_npz", (".npz",)),
}
"""Family -> its reader; a later one is asked before an earlier one."""

_NUMPY = "save x and y with numpy.savez, or as .csv"
_NEVER = (  # first bytes, endings, what it is
    (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    (".pkl", ".pickle", ".joblib", ".pt", ".pth"),
)
_ADVICE = {
    ".pt": f"PyTorch files are pickles and never loaded; {_NUMPY}",
    ".pth": f"PyTorch files are pickles and never loaded; {_NUMPY}",
    ".xlsx": "save the sheet as CSV",
    ".xls": "save the sheet as CSV",
    ".ods": "save the sheet as CSV",
    ".mat": f"read it with scipy.io.loadmat and {_NUMPY}",
    ".h5": f"read it with h5py and {_NUMPY}",
    ".hdf5": f"read it with h5py and {_NUMPY}",
    ".rds": "write the data frame with write.csv",
    ".zip": "unpack it and give one of its files",
    ".tar": "unpack it and give one of its files",
    ".yaml": "write it as .json",
    ".xml": "write it as .csv or .json",
    ".arff": "write it as .csv",
}


def endings() -> list[str]:
    """That files often have."""
    return [e for reader in reversed(READERS.values()) for e in reader.endings]


def reader_of(content: Content) -> Read:
    """The reader that recognises a content.

    Raises:
        RequestError: none does; or it is a pickle, which is never opened.
    """
    suffix = content.suffix
    starts, pickled = _NEVER
    zipped_torch = suffix in (".pt", ".pth") and content.raw.startswith(b"PK")
    own = suffix in (".npz", ".npy")
    if suffix in pickled or zipped_torch or (content.raw.startswith(starts) and not own):
        advice = _ADVICE.get(suffix, f"pickles are never loaded; {_NUMPY}")
        raise RequestError(f"{content.path} (task.path) cannot be read: {advice}")
    if suffix in _ADVICE:
        raise RequestError(f"{content.path} (task.path) cannot be read: {_ADVICE[suffix]}")
    for reader in reversed(READERS.values()):
        if resolved(reader.recognises)(content):
            return resolved(reader.read)
    said = content.text if suffix in endings() else ""  # raises where it is no text
    kind = "a workbook or archive" if content.raw.startswith(b"PK") else "no text"
    raise RequestError(
        f"{content.path} (task.path) has the ending {suffix or '(none)'} and is {kind}{said[:0]}; "
        f"allowed are tables, JSON, arrays and machines ({', '.join(endings())}; docs/data.md)"
    )
