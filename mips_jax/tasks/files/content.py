"""A file as its readers see it: its bytes unpacked, its text decoded, its name for messages."""

from __future__ import annotations

import bz2
import codecs
import dataclasses
import functools
import gzip
import lzma
import pathlib
import zlib
from typing import Any

from mips_jax.archives import GIB
from mips_jax.errors import RequestError, cause

PACKED: dict[bytes, Any] = {  # first bytes -> how they are opened
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_PACKED_ENDINGS = (".gz", ".bz2", ".xz")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Content:
    """One file, unpacked.

    Attributes:
        path: where it lies.
        raw: its bytes.
    """

    path: pathlib.Path
    raw: bytes

    @classmethod
    def of(cls, path: pathlib.Path, memory_gib: float) -> Content:
        """Reads a file; a packed one (.gz, .bz2, .xz, whatever it is called) is unpacked.

        Raises:
            RequestError: it is damaged, or holds more than `memory_gib`.
        """
        with path.open("rb") as file:
            head = file.read(8)
        opened = next((way for start, way in PACKED.items() if head.startswith(start)), None)
        if opened is None:
            return cls(path, path.read_bytes())
        limit = int(memory_gib * GIB)
        try:
            with opened(path, "rb") as file:
                raw = file.read(limit + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise RequestError(
                f"{path.name}: it cannot be unpacked ({cause(error)}); pack it again (task.path)"
            ) from error
        if len(raw) > limit:
            raise RequestError(
                f"{path.name}: its content takes more than the limit of {memory_gib:g} GiB; give "
                "less of it, or raise task.memory_gib"
            )
        return cls(path, raw)

    @property
    def name(self) -> str:
        """For messages."""
        return self.path.name

    @property
    def suffix(self) -> str:
        """The ending in small letters, that of packing left out: `.csv` of data.csv.gz."""
        path = self.path
        if path.suffix.lower() in _PACKED_ENDINGS:
            path = path.with_suffix("")
        return path.suffix.lower()

    @functools.cached_property
    def text(self) -> str:
        """Its text, in UTF-8, or UTF-16 where it begins with that mark.

        Raises:
            RequestError: it is no text.
        """
        marks = _BYTE_ORDER_MARKS.items()
        encoding = next((e for mark, e in marks if self.raw.startswith(mark)), "utf-8")
        try:
            return self.raw.decode(encoding)
        except UnicodeDecodeError as error:
            raise RequestError(
                f"{self.name}: not a text file in UTF-8 ({error.reason} at byte {error.start}); "
                "save it as UTF-8, or in one of the forms of docs/data.md"
            ) from error

    @functools.cached_property
    def is_text(self) -> bool:
        """Whether it can be decoded, and holds no zero bytes."""
        try:
            return "\0" not in self.text
        except RequestError:
            return False

    @functools.cached_property
    def lines(self) -> list[str]:
        """The first lines that are not blank, up to 50."""
        return [line for line in self.text[:200_000].splitlines()[:500] if line.strip()][:50]
