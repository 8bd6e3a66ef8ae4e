"""A run folder that one run alone fills: nobody else writes to it meanwhile, no file of another run
stays beside its result, and no file of the user's is overwritten or removed.

What belongs to runs is known from `.mips_jax/` in the folder: `request.json` (what was asked for),
`manifest.json` (files that runs have made, with their digests once a run has ended), `search/` (the
running search, from which the next run with the same request goes on) and `lock`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from mips_jax.errors import EnvironmentFailure, RequestError
from mips_jax.reporting.files import plain, write_json

STATE = ".mips_jax"
RESULT = "result.json"
# What a run that goes on adds to.
GROWING = ("run.log", "metrics.csv", "metrics.jsonl", "tensorboard", "wandb", "mlruns")
# Everything that a run, a sweep or Hydra writes into its folder.
WRITTEN = (
    RESULT,
    "program.py",
    "certificate.json",
    "summary.md",
    "training.png",
    "hidden_states.png",
    "machine.png",
    "report.html",
    "hidden_states.npz",
    "machine.json",
    "machine.dot",
    "curves.csv",
    "checkpoint",
    "network.npz",
    "table.md",
    "table.csv",
    "traceback.txt",
    "multirun.yaml",
    ".hydra",
    *GROWING,
)
# Beside the files: what a run that was killed while it wrote them has left.
_HALF_WRITTEN = (
    *(f".{name}.*.tmp" for name in WRITTEN),
    *("checkpoint.new*", "checkpoint.old"),
)
_COMPLETE = re.compile(r"generation_\d+")  # a checkpoint of training that is written whole
_WRONG_PATH = (errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
_LOCKED_BYTE = 1 << 30  # beyond the content, which others may read


class ClaimedFolder:
    """See the module's head; made by `claimed`.

    Attributes:
        path: the folder.
        request: what was asked for, as plain values.
        answered: whether the same request has been carried out here before.
    """

    def __init__(self, path: Path, request: Mapping):
        self.path, self.request = path, plain(request)
        self.answered = False
        self._first = not (self.state / "request.json").exists()

    @property
    def state(self) -> Path:
        """What is known of the folder's runs."""
        return self.path / STATE

    @property
    def search(self) -> Path:
        """The running search."""
        return self.state / "search"

    @property
    def resumable(self) -> bool:
        """Whether a run with the same request would go on from what is here."""
        if not self.search.is_dir():
            return False
        return any(_COMPLETE.fullmatch(path.name) for path in self.search.rglob("generation_*"))

    @property
    def finished(self) -> bool:
        """Whether the result, which is written last, is here."""
        return (self.path / RESULT).is_file()

    def take(self, overwrite: bool, ignored: tuple[str, ...] = ()) -> None:
        """Makes the folder ready for this request.

        Args:
            overwrite: whether what another request has left here may go.
            ignored: names that this run has made just now.

        Raises:
            RequestError: it holds files of the user's that would be overwritten, or what another
                request has left.
        """
        there = [name for name in WRITTEN if os.path.lexists(self.path / name)]
        made = self._read("manifest.json") or {}
        theirs = [n for n in there if n not in ignored and self._is_the_users(n, made)]
        if theirs:
            raise RequestError(
                f"{self.path} holds files that no run has made, or that were changed since: "
                f"{', '.join(theirs)}; move them away, or choose another folder (hydra.run.dir)"
            )
        before = self._read("request.json")
        finished = (self.path / RESULT).is_file()
        if before is not None and before != self.request and not overwrite:
            what = "the result of" if finished else "an unfinished run of"
            raise RequestError(
                f"{self.path} holds {what} another request; choose another folder "
                "(hydra.run.dir), or add overwrite=true to remove what that run has left"
            )
        self.answered = finished and before == self.request and not overwrite
        goes_on = before == self.request and not overwrite
        if before is not None:
            self._remove_half_written()
        if self.answered:
            _remove(self.search)  # a run that was killed at its very end has left it
        else:
            stays = (*ignored, *(GROWING if goes_on else ()))
            self._remove([name for name in there if name not in stays])
            if not goes_on:
                _remove(self.search)
            write_json(self.state / "manifest.json", dict.fromkeys(WRITTEN))
            write_json(self.state / "request.json", self.request)

    def finish(self) -> None:
        """The result is written: the search is not needed any more, and files are known by their
        content from now on.
        """
        _remove(self.search)
        there = [name for name in WRITTEN if os.path.lexists(self.path / name)]
        digests = {n: None if n in GROWING else _digest(self.path / n) for n in there}
        write_json(self.state / "manifest.json", digests)

    def discard(self) -> None:
        """Removes what this run has made, and only that."""
        if self.answered:
            return
        self._remove([RESULT])
        self.clear()
        self._remove(GROWING)
        if self._first:
            for name in ("search", "manifest.json", "request.json"):
                _remove(self.state / name)

    def clear(self) -> None:
        """Removes what is half-written; logs stay, and so does a result, which is whole."""
        if self.finished:
            self.finish()
        elif (self.state / "request.json").exists() and not self.answered:  # else it was not taken
            self._remove([name for name in WRITTEN if name not in GROWING])
            self._remove_half_written()

    def abandon(self) -> None:
        """After a failure: what the next run can go on from stays, all else goes."""
        if self.resumable or self.finished:
            self.clear()
        else:
            self.discard()

    def _is_the_users(self, name: str, made: Mapping[str, str | None]) -> bool:
        if name not in made:
            return True
        return made[name] is not None and _digest(self.path / name) != made[name]

    def _remove_half_written(self) -> None:
        for pattern in _HALF_WRITTEN:
            for left in self.path.glob(pattern):
                _remove(left)

    def _remove(self, names) -> None:
        for name in names:
            _remove(self.path / name)

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self.state / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RequestError(
                f"{self.state / name} is damaged ({error}); remove {self.state}, or choose another "
                "folder (hydra.run.dir)"
            ) from None


@contextlib.contextmanager
def claimed(
    folder: Path, request: Mapping, overwrite: bool = False, ignored: tuple[str, ...] = ()
) -> Iterator[ClaimedFolder]:
    """The run folder, for this process alone as long as the context lasts.

    Args:
        folder: made with its parents where it does not exist.
        request: what is asked for: equal requests may go on from each other's work.
        overwrite: whether what another request has left may be removed.
        ignored: names in it that this run has made already.

    Raises:
        RequestError: the folder cannot be one, is in use, or holds what must not be touched.
        EnvironmentFailure: it cannot be written to.
    """
    folder = Path(os.path.abspath(folder))
    created = _made(folder)
    if not created and ignored and set(os.listdir(folder)) <= set(ignored):
        created = (folder,)  # Hydra has just made it for this run
    claim, mine, refused = ClaimedFolder(folder, request), False, True
    place = claim.state / "lock"
    try:
        with _failing_to_write(claim.state):
            claim.state.mkdir(exist_ok=True)
            used_before = place.exists()
            lock = place.open("a+")
        with lock:
            mine = _locked(lock)
            if not mine:
                raise RequestError(
                    f"{folder} is in use by another run; wait for its end, or choose another "
                    "folder (hydra.run.dir)"
                )
            with _failing_to_write(folder):
                claim.take(overwrite, ignored)
            refused = False
            yield claim
    finally:
        if mine and refused and not used_before:
            place.unlink(missing_ok=True)
        if mine and not (claim.state / "request.json").exists():
            place.unlink(missing_ok=True)
            for made in (claim.state, *created):
                with contextlib.suppress(OSError):  # there is something of somebody else's in it
                    made.rmdir()


def file_digest(path: str | os.PathLike) -> str | None:
    """Of a file's content; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> str | None:
    """Of a file; None, which any content fits, for folders and links."""
    return file_digest(path) if path.is_file() and not path.is_symlink() else None


def _made(folder: Path) -> tuple[Path, ...]:
    """Makes a folder; returns those that did not exist, innermost first."""
    if folder.is_symlink() and not folder.exists():
        raise RequestError(
            f"the run folder {folder} is a link that leads nowhere; change hydra.run.dir"
        )
    missing = []
    with _failing_to_write(folder):
        for path in (folder, *folder.parents):
            if os.path.lexists(path):
                break
            missing.append(path)
        folder.mkdir(parents=True, exist_ok=True)
    return tuple(missing)


@contextlib.contextmanager
def _failing_to_write(path: Path) -> Iterator[None]:
    """Says what kind of failure an OSError is."""
    try:
        yield
    except RequestError:  # a ValueError too, and one that says already what is wrong
        raise
    except OSError as error:
        what = f"the run folder {path} cannot be made: {error.strerror}"
        if error.errno in _WRONG_PATH:
            raise RequestError(f"{what}; change hydra.run.dir") from None
        raise EnvironmentFailure(
            what, "make room or give the right to write there, or change hydra.run.dir"
        ) from None
    except ValueError as error:  # a null character
        raise RequestError(f"the run folder {str(path)!r} cannot be made: {error}") from None


def _remove(path: Path) -> None:
    """Removes a file, a link (never what it leads to) or a folder; nothing where nothing is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _locked(file: IO) -> bool:
    """Whether the file is now locked by this process, until it is closed or the process ends."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks cannot keep two runs apart, but may hold one.
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK)
    return True
