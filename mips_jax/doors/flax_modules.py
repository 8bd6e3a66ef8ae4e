"""Any flax module from integer tokens to logits or numbers as a network: NNX and linen.

Axes: B words, T tokens, R raw outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.causal.functions import from_callable
from mips_jax.networks.causal.network import CausalNetwork

# Words are padded to few shapes, each of which is compiled once: a causal model does not mind.
_ROWS = (64, 1024, 16_384)
_STEPS = 8


def from_flax(
    module: Any, variables: Any = None, *, name: str | None = None, **options
) -> CausalNetwork:
    """A network from a flax module that reads whole words.

    Args:
        module: an NNX module, called in evaluation mode; or a linen module with its `variables`
            ({"params": ...}). Tokens [B, T] int32 -> raw outputs [B, T, R] or [B, T].
        variables: of a linen module.
        name: what messages call it.
        **options: the fields of `CausalOptions`; `input_max` or `vocabulary` is needed.

    Raises:
        RequestError: this is no flax module, or see `from_callable`.
    """
    import jax
    from flax import linen, nnx

    if isinstance(module, nnx.Module):
        graph, state = nnx.split(module)
        weights = state
        evaluated = nnx.merge(graph, state)
        evaluated.eval()
        graph, state = nnx.split(evaluated)
        function = jax.jit(nnx.merge(graph, state))
    elif isinstance(module, linen.Module):
        if variables is None:
            raise RequestError(
                "from_flax got a linen module without its variables; give them as the second "
                'argument, {"params": ...}'
            )
        weights = variables
        function = jax.jit(lambda tokens: module.apply(variables, tokens))
    else:
        raise RequestError(
            f"from_flax got {type(module).__name__}; a flax.nnx.Module, or a flax.linen.Module and "
            "its variables are needed (for functions there is mips_jax.from_callable)"
        )
    sizes = [np.size(leaf) for leaf in jax.tree.leaves(weights)]
    return from_callable(
        _Padded(function, options.get("longest"), len(options.get("begin") or ())),
        name=name or type(module).__name__,
        parameters=int(sum(sizes)) or None,
        **options,
    )


class _Padded:
    """A compiled function, called with few different shapes."""

    def __init__(self, function: Any, longest: int | None, begin: int):
        self.function = function
        self.most = None if longest is None else longest + begin

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        count, steps = tokens.shape[:2]
        rows = next((n for n in _ROWS if n >= count), count)
        room = -(-steps // _STEPS) * _STEPS
        room = room if self.most is None else max(steps, min(room, self.most))
        padding = [(0, rows - count), (0, room - steps), *[(0, 0)] * (tokens.ndim - 2)]
        padded = np.pad(tokens, padding, mode="edge").astype(np.int32)
        return np.asarray(self.function(padded))[:count, :steps]
