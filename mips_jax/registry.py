"""Named choices whose code is loaded only when one of them is used, so that names can be listed and
checked without loading jax.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Any


def resolved(entry: Any) -> Any:
    """What "package.module:attribute" names; anything else as it is."""
    if not isinstance(entry, str):
        return entry
    module, attribute = entry.split(":")
    return getattr(importlib.import_module(module), attribute)


class Registry(MutableMapping[str, Any]):
    """name -> entry, in the order of registration.

    An entry may be given as "package.module:attribute"; it is imported when it is asked for.

    >>> shapes = Registry({"array": "numpy:ndarray"})
    >>> list(shapes), shapes["array"].__name__
    (['array'], 'ndarray')
    """

    def __init__(self, entries: dict[str, Any]):
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Any:
        entry = self._entries[name] = resolved(self._entries[name])
        return entry

    def __setitem__(self, name: str, entry: Any) -> None:
        self._entries[name] = entry

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
