"""Whether a request to extract can be carried out."""

from __future__ import annotations

from mips_jax.errors import RequestError
from mips_jax.extraction.methods import names
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.inputs import InputRange
from mips_jax.networks import Network

_BOUNDS = {  # inclusive
    "words": (100, 100_000),
    "seconds": (0.1, 86_400),
    "effort": (0.01, 1_000),
    "largest_set": (1, 8),
    "states": (2, 100_000),
    "tolerance": (0, 0.05),
}


def problems(settings: ExtractionSettings) -> list[str]:
    """What is wrong with the settings, one sentence each (empty: nothing)."""
    found = []
    if settings.method not in names():
        found.append(f"extraction.method is {settings.method!r}; allowed: {', '.join(names())}")
    for key, (low, high) in _BOUNDS.items():
        value = getattr(settings, key)
        if not low <= value <= high:
            found.append(f"extraction.{key} is {value}; allowed: {low} to {high}")
    if settings.length is not None and not 2 <= settings.length <= 10_000:
        found.append(f"extraction.length is {settings.length}; allowed: null, or 2 to 10000")
    return found


def check(network: Network, bounds: InputRange, settings: ExtractionSettings) -> None:
    """Nothing, where the request can be carried out.

    Raises:
        RequestError: every problem of the settings and of the range, together.
    """
    wrong = problems(settings)
    if len(bounds) != network.input_dim:
        wrong.append(
            f"the input range has {len(bounds)} inputs, the network reads {network.input_dim}"
        )
    wrong += [
        f"input {i}: the range {low}..{high} is empty (low must not exceed high)"
        for i, (low, high) in enumerate(bounds)
        if low > high
    ]
    if wrong:
        raise RequestError(*wrong)
