"""A result of Python's side as a run folder."""

from __future__ import annotations

from pathlib import Path

from mips_jax.networks import Network, save_network
from mips_jax.networks.callables import CallableNetwork
from mips_jax.reporting.claimed_folder import claimed
from mips_jax.reporting.found import Found
from mips_jax.reporting.run_folder import write_shown
from mips_jax.reporting.shown import Shown


def save_result(found: Found, folder: Path, overwrite: bool = False) -> Path:
    """Writes what a run leaves, in a folder that is claimed like a run's; the same result once more
    changes nothing.

    Raises:
        RequestError: the folder holds another result, or files of the user's.
        EnvironmentFailure: it cannot be written to.
    """
    shown = Shown.of(found)
    said = {key: shown.result[key] for key in ("task", "claims", "front", "network")}
    with claimed(folder, {"saved": said, "source": shown.source}, overwrite) as claim:
        if not claim.answered:
            try:
                _write_network(found.network, claim.path)
                write_shown(claim.path, shown)
            except BaseException:
                claim.abandon()
                raise
            claim.finish()
    return folder


def _write_network(network: Network | None, folder: Path) -> None:
    """What `load_network` reads; a network that is a pair of functions has no file."""
    if network is not None and not isinstance(network, CallableNetwork):
        save_network(folder / "network.npz", network)
