"""Checkpoints of the chosen network and of a running search; the only module that knows orbax.

A search is saved whole (`SearchState`: arrays and records), keyed by a fingerprint of settings and
data, so that the same call resumes it and another call is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from mips_jax.errors import RequestError
from mips_jax.models import Architecture, RecurrentModel
from mips_jax.sequences import Sequences
from mips_jax.training.population import blank_states
from mips_jax.training.result import TrainedMember
from mips_jax.training.settings import TrainingSettings

if TYPE_CHECKING:
    from mips_jax.training.search import SearchState

FORMAT = 1  # version of what is written
logging.getLogger("absl").setLevel(logging.ERROR)  # orbax reports every save there


def _refusal(path: Path, reason: str) -> RequestError:
    return RequestError(
        f"the checkpoint in {path} cannot be used: {reason}; delete that folder to start afresh, "
        "or choose another one (hydra.run.dir)"
    )


def _write(path: Path, arrays: Any, meta: dict) -> None:
    """Writes arrays and meta as one orbax checkpoint, beside the old one, which it then replaces:
    there is a complete one at every moment.
    """
    import orbax.checkpoint as ocp  # takes seconds to import, and only checkpoints need it

    new = _beside(path, "new")
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        contents = ocp.args.Composite(
            arrays=ocp.args.PyTreeSave(arrays), meta=ocp.args.JsonSave(meta)
        )
        checkpointer.save(new.absolute(), contents, force=True)
    _replace(path, new)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")


def _replace(path: Path, new: Path) -> None:
    """Puts a finished checkpoint in the place of the old one; between the two steps the old one is
    where `_complete` looks for it.
    """
    old = _beside(path, "old")
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _complete(path: Path) -> Path:
    """Where the newest complete checkpoint is, if a run was killed while it replaced one."""
    old = _beside(path, "old")
    return old if not path.exists() and old.exists() else path


def _read(path: Path) -> tuple[Any, dict]:
    """(arrays as numpy, meta); raises RequestError when the folder is no checkpoint of ours."""
    import orbax.checkpoint as ocp

    path = _complete(path)
    try:
        with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
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
        raise _refusal(
            path, f"{type(problem).__name__}: {str(problem).splitlines()[0][:200]}"
        ) from problem
    return arrays, meta


def save_member(path: str | Path, member: TrainedMember, config: dict[str, Any]) -> None:
    """Saves a network and the configuration that led to it (plain JSON-able values)."""
    fields = {
        f.name: getattr(member, f.name) for f in dataclasses.fields(member) if f.name != "weights"
    }
    fields["architecture"] = dataclasses.asdict(member.architecture)
    _write(
        Path(path),
        {"weights": member.weights},
        {"format": FORMAT, "member": fields, "config": config},
    )


def load_member(path: str | Path) -> tuple[TrainedMember, dict[str, Any]]:
    """The network and configuration that `save_member` wrote.

    Raises:
        RequestError: the folder does not exist, is damaged, or holds something else.
    """
    if not _complete(Path(path)).is_dir():
        raise _refusal(Path(path), "there is no such folder")
    arrays, meta = _read(Path(path))
    if "member" not in meta:
        raise _refusal(Path(path), "it holds a running search, not a network")
    fields = dict(meta["member"], architecture=Architecture(**meta["member"]["architecture"]))
    return TrainedMember(**fields, weights=arrays["weights"]), meta["config"]


def fingerprint(settings: TrainingSettings, training: Sequences) -> str:
    """Of everything that decides the course of a search, but not of where and how long it runs."""
    chosen = dataclasses.asdict(settings)
    for key in ("device", "time_limit_seconds", "checkpoint_seconds"):
        chosen.pop(key)
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True, default=list).encode())
    for array in (training.inputs, training.outputs, training.mask):
        if array is not None:
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class SearchCheckpoint:
    """The folder that holds one running search, in `folder/search`."""

    def __init__(self, folder: str | Path, settings: TrainingSettings, training: Sequences):
        self.path = Path(folder) / "search"
        self.fingerprint = fingerprint(settings, training)
        self.saved_at = time.monotonic()

    def save_if_due(self, state: SearchState, every_seconds: float, seconds: float) -> None:
        if time.monotonic() - self.saved_at >= every_seconds:
            self.save(state, seconds)

    def save(self, state: SearchState, seconds: float) -> None:
        """Writes the whole search state (`seconds`: wall time it has taken so far)."""
        arrays: dict[str, Any] = {
            "chosen": {str(index): row for index, row in state.chosen.items()}
        }
        if state.places is not None:
            arrays["places"] = state.places
            arrays["members"] = {
                f"{i:03d}": leaf for i, leaf in enumerate(jax.tree.leaves(state.members))
            }
        meta = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "entries": [dataclasses.asdict(entry) for entry in state.entries],
            "history": [
                {str(index): row for index, row in round_.items()} for round_ in state.history
            ],
            "wave": state.wave,
            "work": state.work,
            "work_at_first_perfect": state.work_at_first_perfect,
            "seconds": seconds,
        }
        _write(self.path, arrays, meta)
        self.saved_at = time.monotonic()

    def restore(self, template_of_wave: Callable[[int], RecurrentModel]) -> SearchState | None:
        """The saved search, or None when there is none.

        Args:
            template_of_wave: the padded network of a wave by index; it gives the structure of the
                population's state.

        Raises:
            RequestError: damaged, or saved by a search with other settings or data.
        """
        from mips_jax.training.search import Entry, SearchState

        if not _complete(self.path).exists():
            return None
        arrays, meta = _read(self.path)
        if meta.get("fingerprint") != self.fingerprint:
            raise _refusal(self.path, "it belongs to a search with other settings, data or seed")
        entries = [
            Entry(**dict(row, architecture=Architecture(**row["architecture"])))
            for row in meta["entries"]
        ]
        state = SearchState(
            entries=entries,
            wave=meta["wave"],
            chosen={int(index): row for index, row in arrays.get("chosen", {}).items()},
            history=[
                {int(index): tuple(row) for index, row in round_.items()}
                for round_ in meta["history"]
            ],
            work=meta["work"],
            work_at_first_perfect=meta["work_at_first_perfect"],
            seconds=meta["seconds"],
        )
        if "places" in arrays:
            state.places = np.array(arrays["places"])
            leaves = [np.array(arrays["members"][key]) for key in sorted(arrays["members"])]
            structure = jax.tree.structure(blank_states(1, template_of_wave(state.wave)))
            state.members = jax.tree.unflatten(structure, leaves)
        return state
