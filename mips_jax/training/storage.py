"""Orbax checkpoints that are complete at any moment; the only module that knows orbax.

Orbax writes beside and renames. A folder of generations never loses the older of two before the
newer is complete; one checkpoint in place of another is switched by two renames, between which
`recovered` finds the old one.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from mips_jax.errors import RequestError
from mips_jax.interrupts import held_back

FORMAT = 2  # version of what is written
GENERATION = "generation_"
KEPT = 2  # generations
_LATE_WRITES = 1.0  # seconds that the other writes of a save that failed are given to end
NEW, OLD = ".new", ".old"  # endings of a checkpoint's name while it is being replaced
# Orbax reports every save there, and prints the traceback of what its threads then raise.
logging.getLogger("absl").setLevel(logging.CRITICAL)


def refusal(path: Path, reason: str) -> RequestError:
    """What is said of a folder that cannot be used."""
    return RequestError(
        f"the checkpoint in {path} cannot be used: {reason}; delete that folder to start afresh, "
        "or choose another one (hydra.run.dir)"
    )


def write(path: Path, arrays: Any, meta: dict) -> None:
    """Writes arrays and meta (JSON-able) as one orbax checkpoint, in a folder that is not there."""
    import orbax.checkpoint as ocp  # takes seconds to import, and only checkpoints need it

    # orbax writes in threads of its own, which a program that leaves would cut off
    with held_back(), _checkpointer() as checkpointer:
        contents = ocp.args.Composite(
            arrays=ocp.args.PyTreeSave(arrays), meta=ocp.args.JsonSave({"format": FORMAT, **meta})
        )
        with _late_writes_silent():
            checkpointer.save(path.absolute(), contents)


@contextlib.contextmanager
def _late_writes_silent() -> Iterator[None]:
    """A save that fails at one file leaves its other writes to report to an event loop that is
    closed by then, each with a traceback on stderr; the failure itself is raised. At the end of the
    process nothing could keep them back, so they are waited for.
    """
    told = sys.unraisablehook

    def hook(unraisable):
        if str(unraisable.exc_value) != "Event loop is closed":
            told(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    except Exception:
        time.sleep(_LATE_WRITES)
        raise
    finally:
        sys.unraisablehook = told


def _checkpointer():
    """Of this process alone: where several train together, the first one saves."""
    import orbax.checkpoint as ocp

    if jax.process_count() == 1:
        return ocp.Checkpointer(ocp.CompositeCheckpointHandler())
    own = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"process_{own}"
    )
    handler = ocp.CompositeCheckpointHandler(
        composite_options=ocp.CompositeOptions(multiprocessing_options=alone),
        arrays=ocp.PyTreeCheckpointHandler(multiprocessing_options=alone),
        meta=ocp.JsonCheckpointHandler(multiprocessing_options=alone),
    )
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def read(path: Path) -> tuple[Any, dict]:
    """(arrays as numpy, meta).

    Raises:
        RequestError: the folder is damaged, or no checkpoint of ours.
    """
    import orbax.checkpoint as ocp

    try:
        with _checkpointer() as checkpointer:
            meta = checkpointer.restore(
                path.absolute(), ocp.args.Composite(meta=ocp.args.JsonRestore())
            )["meta"]
            if not isinstance(meta, dict) or meta.get("format") != FORMAT:
                raise ValueError("it was not written by this version of mips_jax")
            like = ocp.PyTreeCheckpointHandler().metadata(path.absolute() / "arrays").tree
            as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), like)
            arrays = checkpointer.restore(
                path.absolute(),
                ocp.args.Composite(arrays=ocp.args.PyTreeRestore(restore_args=as_numpy)),
            )["arrays"]
    except Exception as problem:  # orbax raises many kinds for a damaged folder
        reason = f"{type(problem).__name__}: {str(problem).splitlines()[:1]}"[:200]
        raise refusal(path, reason) from problem
    return arrays, meta


def generations(folder: Path) -> list[Path]:
    """The complete generations in a folder, the newest first."""
    number = lambda path: path.name.removeprefix(GENERATION)
    complete = [p for p in folder.glob(f"{GENERATION}*") if number(p).isdigit()]
    return sorted(complete, key=lambda path: int(number(path)), reverse=True)


def write_generation(folder: Path, arrays: Any, meta: dict) -> None:
    """Adds a generation; only then the oldest beyond `KEPT`, and what interrupted writes have left,
    go.
    """
    before = generations(folder)
    last = int(before[0].name.removeprefix(GENERATION)) if before else 0
    new = folder / f"{GENERATION}{last + 1}"
    write(new, arrays, meta)
    keep = {new, *before[: KEPT - 1]}
    for path in folder.glob(f"{GENERATION}*"):
        if path not in keep:
            shutil.rmtree(path, ignore_errors=True)


def readable_generations(folder: Path) -> Iterator[tuple[Any, dict]]:
    """(arrays, meta) of generations, the newest first; damaged ones are passed over.

    Raises:
        RequestError: there are generations, and none can be read.
    """
    first_problem, any_read = None, False
    for path in generations(folder):
        try:
            content = read(path)
        except RequestError as problem:
            first_problem = first_problem or problem
            continue
        any_read = True
        yield content
    if first_problem is not None and not any_read:
        raise first_problem


def recovered(path: Path) -> Path:
    """The path, after an interrupted `replace` has been completed or undone."""
    new, old = path.with_name(path.name + NEW), path.with_name(path.name + OLD)
    if old.exists():
        if not path.exists():
            (new if new.exists() else old).rename(path)
        shutil.rmtree(old, ignore_errors=True)
    return path


def replace(path: Path, arrays: Any, meta: dict) -> None:
    """Writes a checkpoint in place of whatever the folder holds; at any moment the one or the other
    is complete.
    """
    recovered(path)
    new, old = path.with_name(path.name + NEW), path.with_name(path.name + OLD)
    for left in path.parent.glob(f"{path.name}{NEW}*"):  # by writes that were interrupted
        shutil.rmtree(left, ignore_errors=True)
    write(new, arrays, meta)
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)
