"""What `network.target=package.module:function` may name: a function of words, a network, a module
of PyTorch or flax, or a function without arguments that makes one of these.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from mips_jax.doors.flax_modules import from_flax
from mips_jax.doors.torch_modules import from_torch
from mips_jax.errors import RequestError
from mips_jax.networks.causal.functions import from_callable
from mips_jax.networks.network import Network

_FRAMEWORKS: dict[str, Callable[..., Network]] = {"torch.nn": from_torch, "flax.nnx": from_flax}


def network_from_target(target: Any, name: str, **options) -> Network:
    """The network that a Python object is or makes.

    Args:
        target: see above.
        name: what messages call it.
        **options: the fields of `CausalOptions`.

    Raises:
        RequestError: it is nothing of the kind, fails, or the options do not fit it.
    """
    made = _made(target, name)
    if isinstance(made, Network):
        if options:
            raise RequestError(
                f"network.{next(iter(options))} is given, but {name} is a network already and says "
                "it itself; drop the option"
            )
        return made
    kind = _framework(made)
    if kind is not None:
        return _FRAMEWORKS[kind](made, name=name, **options)
    if not callable(made):
        raise RequestError(
            f"{name} (network.target) is a {type(made).__name__}; a function of words, a network, "
            "a PyTorch or NNX module is needed, or a function without arguments that makes one"
        )
    return from_callable(made, name=name, **options)


def _framework(value: Any) -> str | None:
    """Whose module this is; no framework is imported to find out."""
    homes = [base.__module__ for base in type(value).__mro__]
    return next((kind for kind in _FRAMEWORKS if any(h.startswith(kind) for h in homes)), None)


def _made(target: Any, name: str) -> Any:
    """The target, or what it makes where it needs no arguments."""
    if isinstance(target, Network) or _framework(target) or not callable(target):
        return target
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):  # a builtin does not say
        return target
    if any(
        p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL) for p in parameters
    ):
        return target
    try:
        return target()
    except RequestError:
        raise
    except (Exception, SystemExit) as error:
        said = (str(error).splitlines() or [""])[0]
        raise RequestError(
            f"{name} (network.target) raised {type(error).__name__}: {said} when it was called to "
            "make the model"
        ) from error
