"""Checkpoints of the chosen network and of a running search.

A search is saved whole (state and weights), keyed by a fingerprint of settings and data, so that
the same call resumes it and another call is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from mips_jax.models import Architecture
from mips_jax.sequences import Sequences
from mips_jax.training import storage
from mips_jax.training.result import Condition, TrainedMember
from mips_jax.training.search.state import MemberProgress, SearchState
from mips_jax.training.search.tuning import SearchTuning
from mips_jax.training.settings import TrainingSettings


def save_member(path: str | Path, member: TrainedMember, config: dict[str, Any]) -> None:
    """Saves a network and the configuration that led to it (plain JSON-able values), in place of
    what the folder holds; until it is complete, that stays.
    """
    fields = {
        f.name: getattr(member, f.name) for f in dataclasses.fields(member) if f.name != "weights"
    }
    fields["architecture"] = dataclasses.asdict(member.architecture)
    arrays, meta = {"weights": member.weights}, {"member": fields, "config": config}
    storage.replace(Path(path), arrays, meta)


def load_member(path: str | Path) -> tuple[TrainedMember, dict[str, Any]]:
    """The network and configuration that `save_member` wrote.

    Raises:
        RequestError: the folder does not exist, is damaged, or holds something else.
    """
    path = storage.recovered(Path(path))
    if not path.is_dir():
        raise storage.refusal(path, "there is no such folder")
    arrays, meta = storage.read(path)
    if "member" not in meta:
        raise storage.refusal(path, "it holds a running search, not a network")
    fields = dict(meta["member"], architecture=Architecture(**meta["member"]["architecture"]))
    return TrainedMember(**fields, weights=arrays["weights"]), meta["config"]


def fingerprint(settings: TrainingSettings, tuning: SearchTuning, training: Sequences) -> str:
    """Of everything that decides the course of a search, but not of where and how long it runs."""
    chosen = dataclasses.asdict(settings) | {"tuning": dataclasses.asdict(tuning)}
    for key in ("device", "time_limit_seconds", "checkpoint_seconds"):
        chosen.pop(key)
    chosen["tuning"].pop("stretch_seconds")
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True, default=list).encode())
    for array in (training.inputs, training.outputs, training.mask, training.labelled):
        if array is not None:
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True, eq=False)
class SavedSearch:
    """A search as it was saved.

    Attributes:
        state: what decides how it goes on.
        leaves: the training state of the members, one array [P, ...] for each leaf of its tree;
            None between two waves.
        seconds: wall time that it has taken.
    """

    state: SearchState
    leaves: list[np.ndarray] | None
    seconds: float


class SearchCheckpoint:
    """The folder that holds one running search, as generations in `folder/search`."""

    def __init__(self, folder: str | Path, fingerprint: str):
        folder = Path(folder)
        storage.recovered(folder.parent)  # where a network may have been about to take its place
        self.path = folder / "search"
        self.fingerprint = fingerprint
        self.saved_at = time.monotonic()

    def due(self, every_seconds: float) -> bool:
        """Whether so much time has passed since it was last saved."""
        return time.monotonic() - self.saved_at >= every_seconds

    def save(self, saved: SavedSearch) -> None:
        """Adds a generation."""
        state = saved.state
        arrays: dict[str, Any] = {
            "chosen": {str(index): row for index, row in state.chosen.items()}
        }
        if saved.leaves is not None:
            arrays["members"] = {f"{i:03d}": leaf for i, leaf in enumerate(saved.leaves)}
        meta = {
            "fingerprint": self.fingerprint,
            "members": [dataclasses.asdict(member) for member in state.members],
            "history": [
                {str(index): row for index, row in round_.items()} for round_ in state.history
            ],
            "places": None if state.places is None else list(state.places),
            "wave": state.wave,
            "work": state.work,
            "work_at_first_perfect": state.work_at_first_perfect,
            "seconds": saved.seconds,
        }
        storage.write_generation(self.path, arrays, meta)
        self.saved_at = time.monotonic()

    def restore(self) -> SavedSearch | None:
        """The newest saved search that can be read, or None when there is none.

        Raises:
            RequestError: all are damaged, or saved by a search with other settings or data.
        """
        for arrays, meta in storage.readable_generations(self.path):
            if meta.get("fingerprint") != self.fingerprint:
                reason = "it belongs to a search with other settings, data or seed"
                raise storage.refusal(self.path, reason)
            return _saved_search(arrays, meta)
        return None


def _saved_search(arrays: dict[str, Any], meta: dict[str, Any]) -> SavedSearch:
    members = tuple(
        MemberProgress(
            **row
            | {
                "architecture": Architecture(**row["architecture"]),
                "condition": Condition(row["condition"]),
            }
        )
        for row in meta["members"]
    )
    chosen = arrays.get("chosen") or {}
    state = SearchState(
        members=members,
        wave=meta["wave"],
        places=None if meta["places"] is None else tuple(meta["places"]),
        chosen={int(index): row for index, row in chosen.items()},
        history=tuple(
            {int(index): tuple(row) for index, row in round_.items()} for round_ in meta["history"]
        ),
        work=meta["work"],
        work_at_first_perfect=meta["work_at_first_perfect"],
    )
    rows = arrays.get("members")
    leaves = None if rows is None else [np.array(rows[key]) for key in sorted(rows)]
    return SavedSearch(state, leaves, meta["seconds"])
