"""Which errors are the environment's, and what remains of those that nobody foresaw."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
import tempfile
import traceback
from pathlib import Path

from mips_jax.errors import EnvironmentFailure

LOG = logging.getLogger("mips_jax")  # run.log, while a run goes on
LOG.addHandler(logging.NullHandler())
LOG.propagate = False  # libraries may have set up a log on stderr, where all is said already
_REMEDIES = {
    errno.ENOSPC: "make room on that disk, or change hydra.run.dir",
    errno.EDQUOT: "make room within your quota, or change hydra.run.dir",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EROFS: "choose a folder that can be written to (hydra.run.dir)",
    errno.EACCES: "give the right to write there, or change hydra.run.dir",
    errno.EPERM: "give the right to write there, or change hydra.run.dir",
    errno.EMFILE: "raise the number of open files (ulimit -n)",
    errno.ENOMEM: "free memory, or ask for less",
}
_LESS_MEMORY = (
    "lower training.members, training.batch_size, model.widths or model.hidden_dims, or set "
    "training.device.memory_limit_gib"
)
_NO_DEVICE = ("Unable to initialize backend", "No visible", "no supported devices", "DEADLINE")


def environment_failure(error: BaseException) -> EnvironmentFailure | None:
    """The environment's failure that an error (or what it was raised from) tells of, or None."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        found = _failure(current)
        if found is not None:
            return found
        current = current.__cause__ or current.__context__
    return None


def _failure(error: BaseException) -> EnvironmentFailure | None:
    text = (str(error).splitlines() or [""])[0]
    if isinstance(error, EnvironmentFailure):
        return error
    for number, remedy in _REMEDIES.items():  # libraries that write pass on the text only
        if not isinstance(error, OSError) and os.strerror(number) in str(error):
            return EnvironmentFailure(f"{type(error).__name__}: {os.strerror(number)}", remedy)
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text or "Out of memory" in text:
        return EnvironmentFailure(f"out of memory ({text or type(error).__name__})", _LESS_MEMORY)
    if isinstance(error, OSError) and error.errno is not None:
        where = f" ({error.filename})" if error.filename else ""
        remedy = _REMEDIES.get(error.errno, "check that disk, and run the same command again")
        return EnvironmentFailure(f"{error.strerror}{where}", remedy)
    if any(sign in str(error) for sign in _NO_DEVICE):
        return EnvironmentFailure(f"JAX has no device to run on ({text})", device_remedy())
    return None


def device_remedy() -> str:
    """What to do where JAX finds no device."""
    chosen = os.environ.get("JAX_PLATFORMS")
    return (
        f"JAX_PLATFORMS is {chosen!r}: unset it, or install what it asks for (mips_jax[cuda])"
        if chosen
        else "check the driver, or set JAX_PLATFORMS=cpu"
    )


def kept_traceback(folder: Path | None) -> Path | None:
    """Writes the traceback of the error that is being handled where it can be found: into the
    folder, or a temporary one. None where nothing can be written at all.
    """
    text = traceback.format_exc()
    for place in (folder, None):
        with contextlib.suppress(OSError):
            if place is None:
                place = Path(tempfile.mkdtemp(prefix="mips_jax_"))
            elif not place.is_dir():
                continue
            path = place / "traceback.txt"
            path.write_text(text, encoding="utf-8")
            return path
    return None


def crash_message(error: BaseException, path: Path | None) -> str:
    """One line for an error that nobody foresaw."""
    kind, text = type(error).__name__, (str(error).splitlines() or [""])[0][:200]
    where = f"the traceback is in {path}" if path else "the traceback could not be kept"
    return f"an unexpected error, {kind}: {text}; {where}; please report it"


def tell(message: str) -> None:
    """One message on stderr, whatever its encoding is."""
    LOG.warning(message)
    text = f"mips-jax: {message}"
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)
