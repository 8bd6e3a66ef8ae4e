"""Any PyTorch module from integer tokens to logits or numbers as a network.

Axes: B words, T tokens, R raw outputs, D numbers of a representation.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.causal.functions import from_callable
from mips_jax.networks.causal.network import CausalNetwork

_LIMITS = ("n_positions", "max_position_embeddings")  # as Hugging Face's configurations call them


def from_torch(
    module: Any, *, batch_first: bool = True, name: str | None = None, **options
) -> CausalNetwork:
    """A network from a module that reads whole words.

    The module is evaluated without gradients and without dropout, where its weights lie; it is left
    in the mode that it was in. Where a prefix is, as plots and probes see it, is what the last
    affine layer (the head) reads.

    Args:
        module: a `torch.nn.Module`: tokens [B, T] int64 (letters [B, T, I], where there are several
            a step) -> raw outputs [B, T, R] or [B, T]; or a tuple or an output object of which
            these are the first entry or `logits`.
        batch_first: False for modules that read [T, B] and write [T, B, R].
        name: what messages call it.
        **options: the fields of `CausalOptions`; `input_max` or `vocabulary` is needed. `longest`
            is read off the module's `config` where it has one.

    Raises:
        RequestError: PyTorch is missing, this is no module, or see `from_callable`.

    Example:
        network = mips_jax.from_torch(model, input_max=6, longest=40, trained_length=20)
        print(mips_jax.distil_network(network).source)
    """
    try:
        import torch
    except ImportError:
        raise RequestError(
            "from_torch needs PyTorch: pip install 'mips_jax[torch]' (or give the model as a "
            "Python function: mips_jax.from_callable)"
        ) from None
    if not isinstance(module, torch.nn.Module):
        raise RequestError(
            f"from_torch got {type(module).__name__}; a torch.nn.Module is needed (for functions "
            "there is mips_jax.from_callable)"
        )
    if options.get("longest") is None and (limit := _position_limit(module)):
        options["longest"] = max(1, limit - len(options.get("begin") or ()))
    runner = _Runner(torch, module, batch_first)
    return from_callable(
        runner.outputs,
        name=name or type(module).__name__,
        represent=runner.represented if runner.head is not None else None,
        parameters=sum(p.numel() for p in module.parameters()) or None,
        **options,
    )


def _position_limit(module: Any) -> int | None:
    """Tokens that the module can read, where its configuration says so."""
    config = getattr(module, "config", None)
    found = (getattr(config, limit, None) for limit in _LIMITS)
    return next((value for value in found if isinstance(value, int) and value > 0), None)


class _Runner:
    """A module, called with numpy arrays."""

    def __init__(self, torch: Any, module: Any, batch_first: bool):
        self.torch, self.module, self.batch_first = torch, module, batch_first
        weights = [*module.parameters(), *module.buffers()]
        self.device = weights[0].device if weights else torch.device("cpu")
        affine = [m for m in module.modules() if isinstance(m, torch.nn.Linear)]
        self.head = affine[-1] if affine else None

    def outputs(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens [B, T] -> what the module writes."""
        torch = self.torch
        given = torch.as_tensor(np.ascontiguousarray(tokens), device=self.device)
        with _evaluating(self.module), torch.inference_mode():
            raw = self.module(given if self.batch_first else given.transpose(0, 1))
        raw = getattr(raw, "logits", raw)
        raw = raw[0] if isinstance(raw, tuple | list) else raw
        if not isinstance(raw, torch.Tensor):
            raise TypeError(f"it returned {type(raw).__name__}; a tensor is needed")
        if not self.batch_first and raw.ndim >= 2:
            raw = raw.transpose(0, 1)
        wide = raw.double() if raw.dtype in (torch.bfloat16, torch.float16) else raw
        return wide.cpu().numpy()

    def represented(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens [B, T] -> what the head reads at the last one [B, D]."""
        seen: list[Any] = []
        assert self.head is not None
        hook = self.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            self.outputs(tokens)
        finally:
            hook.remove()
        read = seen[-1].double()
        if read.ndim == 3:
            read = read[:, -1] if self.batch_first else read[-1]
        return read.cpu().numpy().reshape(len(tokens), -1)


@contextlib.contextmanager
def _evaluating(module: Any):
    """In evaluation mode, and afterwards as it was, every part by itself."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
