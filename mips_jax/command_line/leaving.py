"""However a run ends, nothing half-written stays; what the next one can go on from does, and the
command that goes on is said.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.command_line.failures import crash_message, environment_failure, kept_traceback
from mips_jax.errors import EnvironmentFailure, RequestError
from mips_jax.interrupts import Preempted

if TYPE_CHECKING:
    from mips_jax.reporting.claimed_folder import ClaimedFolder

LOG = logging.getLogger("mips_jax")  # run.log, while a run goes on


@contextlib.contextmanager
def leaving_in_order(claim: ClaimedFolder, again: str) -> Iterator[None]:
    """Clears up after a failure or an interrupt, and raises it again with its message.

    Args:
        claim: the run folder.
        again: the command that goes on.
    """
    try:
        yield
    except RequestError:  # the request turned out to be wrong after all
        claim.discard()
        raise
    except BrokenPipeError:  # all is written, only nobody reads what is printed
        raise
    except KeyboardInterrupt as interrupt:
        message = f"{how(interrupt)}; {_left_behind(claim, again)}"
        if claim.resumable or claim.finished:
            LOG.warning(message)
            print(shown_path(claim.path), flush=True)
        raise type(interrupt)(message) from None
    except SystemExit:  # a cluster's launcher, which will start this job again
        _clear_up(claim)
        raise
    except Exception as error:
        failure = environment_failure(error)
        if failure is None:
            claim.clear()
            message = crash_message(error, kept_traceback(claim.path))
            LOG.error(message)
            raise EnvironmentFailure(message) from error
        left = _left_behind(claim, again)
        if claim.resumable or claim.finished:
            LOG.error("%s; %s", failure, left)
        raise EnvironmentFailure(str(failure), left) from error


def how(interrupt: KeyboardInterrupt) -> str:
    """What has ended a run."""
    return "preempted (SIGUSR1)" if isinstance(interrupt, Preempted) else "interrupted"


def going_on(arguments: Sequence[str], key: str, folder: Path) -> str:
    """The command that goes on in a folder, for a shell.

    Args:
        arguments: of the command that was stopped.
        key: `hydra.run.dir` or `hydra.sweep.dir`.
        folder: that it ran in.

    >>> print(going_on(["task=Sum_All", "overwrite=true"], "hydra.run.dir", Path("/runs/a b")))
    mips-jax task=Sum_All 'hydra.run.dir='"'"'/runs/a b'"'"''
    """
    kept = [a for a in arguments if not a.startswith((f"{key}=", "overwrite="))]
    path = shown_path(folder)
    if not re.fullmatch(r"[\w./+-]+", path):  # else Hydra would read signs in it
        path = "'" + path.replace("'", "\\'") + "'"
    return shlex.join(["mips-jax", *kept, f"{key}={path}"])


def shown_path(folder: Path) -> str:
    """Relative to the current folder where it lies inside."""
    folder = folder.resolve()
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def _left_behind(claim: ClaimedFolder, again: str) -> str:
    """Clears up, and says what the next run can go on from."""
    _clear_up(claim)
    if claim.finished:
        return f"{shown_path(claim.path)} holds the result; to see it again: {again}"
    if not claim.resumable:
        return f"nothing was kept; start again with: {again}"
    return f"{shown_path(claim.path)} keeps what was trained so far; go on with: {again}"


def _clear_up(claim: ClaimedFolder) -> None:
    with contextlib.suppress(OSError):  # a disk that cannot be written to is left as it is
        claim.abandon()
