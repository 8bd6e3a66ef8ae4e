"""What an .npz says of its size, looked at before anything of it is unpacked.

A few hundred kilobytes of zeros may unpack to gigabytes, and a header may claim any shape.
"""

from __future__ import annotations

import contextlib
import math
import os
import zipfile

import numpy as np

from mips_jax.errors import RequestError

GIB = 2**30
# What zipfile raises where a file is no archive, or none that it can read.
_NO_ARCHIVE = (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, RuntimeError)


def refuse_large(path: str | os.PathLike, memory_gib: float, key: str) -> None:
    """Refuses a file that would not fit; what is no archive is left for its reader to judge.

    Args:
        path: of an .npz, or of any other file, whose size then counts as it is.
        memory_gib: most memory that its content may take.
        key: that raises this limit.

    Raises:
        RequestError: it is larger, or an array in it claims more than the file holds.
    """
    size, false = os.path.getsize(path), []
    with contextlib.suppress(*_NO_ARCHIVE), zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
        false = [m.filename for m in archive.infolist() if _claimed(archive, m) > m.file_size]
    if false:
        raise RequestError(
            f"{path}: not a readable .npz file (the header of {', '.join(false[:5])} claims more "
            "values than the file holds); write it again"
        )
    if size > memory_gib * GIB:
        raise RequestError(
            f"{path}: its content takes {size / GIB:.1f} GiB, above the limit of {memory_gib:g} "
            f"GiB; give less of it, or raise {key}"
        )


def _claimed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Bytes that the header of an array claims; 0 where it cannot be read as one."""
    try:
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            if version not in ((1, 0), (2, 0)):
                return 0
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(file)
            return 0 if dtype.hasobject else math.prod(shape) * dtype.itemsize
    except Exception:  # whatever a damaged header does; its reader will say so
        return 0
