"""What readers share: problems counted by kind, and steps gathered into padded arrays.

Axes: N sequences, T time, K values a step, M steps of all sequences in a row.
"""

from __future__ import annotations

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.validation import Problems

_KINDS_SHOWN = 12
MOST_ENTRIES = 2**28
"""Numbers in one padded array: 1 GiB of them."""


class LineProblems:
    """Problems of a file, each kind reported once with its first place and how often it occurs.

    Args:
        file_name: stands before each of them.
        place: what a place is, "line" or "row".
    """

    def __init__(self, file_name: str, place: str = "line"):
        self._file_name = file_name
        self._place = place
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}
        self._fix: dict[str, str] = {}

    def add(self, kind: str, line: int, detail: str = "", fix: str = "", times: int = 1) -> None:
        """Notes an occurrence; `kind` says what is wrong, `detail` the value found there, `fix`
        what can be done.
        """
        self._first.setdefault(kind, f"{self._place} {line}" + (f": {detail}" if detail else ""))
        self._count[kind] = self._count.get(kind, 0) + times
        self._fix.setdefault(kind, fix)

    def __bool__(self) -> bool:
        return bool(self._count)

    def raise_if_any(self) -> None:
        """Raises one RequestError with all kinds of problem."""
        if self:
            raise RequestError(*self.sentences)

    @property
    def sentences(self) -> list[str]:
        """One for each kind of problem."""
        found = Problems(self._file_name)
        for kind, count in list(self._count.items())[:_KINDS_SHOWN]:
            times = "" if count == 1 else f", {count} times"
            fix = self._fix[kind] and f"; {self._fix[kind]}"
            found.add(f"{kind} ({self._first[kind]}{times}){fix}")
        if len(self._count) > _KINDS_SHOWN:
            found.add(f"and {len(self._count) - _KINDS_SHOWN} other kinds of problem")
        return found.sentences


def padded(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Steps in a row as one array of sequences.

    Args:
        values: [M, K], the steps of the first sequence, then those of the second, ...
        lengths: [N] steps of each sequence, at least 1; they sum to M.

    Returns:
        [N, T, K], T the longest length, zeros beyond each sequence's own.
    """
    longest = int(lengths.max())
    if (lengths == longest).all():
        return values.reshape(len(lengths), longest, -1)
    entries = len(lengths) * longest * values.shape[1]
    if entries > MOST_ENTRIES:
        raise RequestError(
            f"{len(lengths)} sequences, padded to the longest of {longest} steps, take {entries} "
            f"numbers, above the limit of {MOST_ENTRIES}; cut long sequences into pieces"
        )
    result = np.zeros((len(lengths), longest, values.shape[1]), values.dtype)
    result[mask_of(lengths)] = values
    return result


def mask_of(lengths: np.ndarray) -> np.ndarray | None:
    """[N, T] bool, True up to each sequence's length; None if all are equally long."""
    longest = int(lengths.max())
    if (lengths == longest).all():
        return None
    return np.arange(longest) < lengths[:, None]
