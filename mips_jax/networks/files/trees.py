"""Nested parameters, as flax, optax and orbax keep them, as arrays by name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mips_jax.networks.files.parts import Arrays

MOST_LEVELS = 30
COLLECTIONS = ("params", "model", "state", "default")  # what holds the weights beside other things
NOT_WEIGHTS = ("opt_state", "opt", "optimizer", "step", "epoch", "rngs", "rng", "tx", "key")


def arrays_of(tree) -> Arrays:
    """The arrays of a tree of parameters, or of a whole training state with one in it.

    Args:
        tree: nested dicts and lists with arrays or numbers as leaves.

    Returns:
        By path, joined by "/" where the names are flax's, else by ".".
    """
    leaves: dict[tuple[str, ...], np.ndarray] = {}
    _walk(_weights(tree), (), leaves)
    separator = "/" if any(path[-1] == "kernel" or "kernel" in path for path in leaves) else "."
    return {separator.join(path): leaf for path, leaf in leaves.items()}


def _weights(tree):
    """The part of a training state that holds weights; batch statistics stay, to be refused."""
    if not isinstance(tree, Mapping):
        return tree
    kept = {key: value for key, value in tree.items() if str(key).lower() not in NOT_WEIGHTS}
    only = next(iter(kept)) if len(kept) == 1 else None
    if only in COLLECTIONS and isinstance(kept[only], Mapping):
        return _weights(kept[only])
    return kept


def _walk(tree, path: tuple[str, ...], leaves: dict[tuple[str, ...], np.ndarray]) -> None:
    if len(path) > MOST_LEVELS:
        raise ValueError("its parameters are nested too deeply")
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if str(key) != "rngs":
                _walk(value, (*path, str(key)), leaves)
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            _walk(value, (*path, str(index)), leaves)
    elif tree is not None and not isinstance(tree, str | bytes):
        leaves[path or ("value",)] = np.asarray(tree)
