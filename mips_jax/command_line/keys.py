"""The keys of a composed config, nested ones by path."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from mips_jax.errors import RequestError

PLUGINS = ("launcher", "sweeper")
# Launchers that come with a plug-in of Hydra: the extra that installs it.
EXTRAS = {
    "joblib": "joblib",
    "submitit_slurm": "slurm",
    "submitit_local": "slurm",
    "ray": "ray",
    "ray_aws": "ray",
}


def missing_launcher(name: str, asked: str = "") -> str | None:
    """What is said where the plug-in of a launcher is not installed; None for no such launcher.

    Args:
        name: of the plug-in's own option.
        asked: what the user has asked for, where that is an option of ours.
    """
    extra = EXTRAS.get(name)
    return extra and (
        f"hydra/launcher={asked or name} needs a plug-in of Hydra that is not installed; install "
        f"it with: pip install 'mips_jax[{extra}]'"
    )


def keys_outside_schema(config: DictConfig, prefix: str = "") -> list[str]:
    """Keys that no dataclass knows."""
    schema = OmegaConf.get_type(config)
    known = set() if schema is None else {field.name for field in dataclasses.fields(schema)}
    outside = [prefix + str(key) for key in config if key not in known]
    for key in config:
        if (
            key in known
            and not OmegaConf.is_missing(config, key)
            and dataclasses.is_dataclass(OmegaConf.get_type(config[key]))
        ):
            outside += keys_outside_schema(config[key], prefix + str(key) + ".")
    return outside


def all_keys(config: DictConfig, prefix: str = "") -> list[str]:
    """All keys of a config, groups and their members alike."""
    keys = []
    for key in config:
        path = prefix + str(key)
        keys.append(path)
        aliased = OmegaConf.is_missing(config, key) or (
            isinstance(key, int | str) and OmegaConf.is_interpolation(config, key)
        )
        if not aliased and isinstance(config[key], DictConfig):
            keys += all_keys(config[key], f"{path}.")
    return keys


def check_plugins(composed: DictConfig) -> None:
    """Refuses a launcher or sweeper that is no plug-in of Hydra.

    Raises:
        RequestError: naming each.
    """
    targets = {name: OmegaConf.select(composed.hydra[name], "_target_") for name in PLUGINS}
    problems = [
        f"hydra.{name}._target_ is {target!r}, which is no plug-in of Hydra; choose one by "
        f"hydra/{name}=NAME"
        for name, target in targets.items()
        if not str(target).startswith(("hydra_plugins.", "hydra._internal.core_plugins."))
    ]
    if problems:
        raise RequestError(*problems)


def check_processes(jobs: Sequence[DictConfig]) -> None:
    """Refuses a sweep whose jobs ask for several processes, but run one after the other in this
    one.
    """
    here = str(jobs[0].hydra.launcher._target_).endswith("BasicLauncher")
    if here and any(job.training.device.distributed for job in jobs):
        raise RequestError(
            "-m runs its jobs in this process, but training.device.distributed=true asks for "
            "several; choose a launcher that starts them (hydra/launcher=slurm "
            "hydra.launcher.tasks_per_node=2), or give one job at a time, without -m"
        )
