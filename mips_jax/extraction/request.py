"""Whether a request to extract can be carried out."""

from __future__ import annotations

from mips_jax.errors import RequestError
from mips_jax.extraction.methods import names
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.figures import shown
from mips_jax.inputs import InputRange, Inputs
from mips_jax.networks import Network
from mips_jax.validation import problems as settings_problems


def problems(settings: ExtractionSettings) -> list[str]:
    """What is wrong with the settings, one sentence each (empty: nothing)."""
    found = settings_problems(settings, "extraction", ExtractionSettings)
    if not found and settings.method not in names():
        shown_names = ", ".join(names())
        found.append(f"extraction.method is {shown(settings.method)}; allowed: {shown_names}")
    return found


def asked_inputs(network: Network, given: Inputs | InputRange | None) -> Inputs:
    """What a network is to be asked about: what is given, else what it is known to read.

    Raises:
        RequestError: nothing is given and nothing is known, or the range is no pairs of integers.
    """
    known = network.input_range or network.encodable_range if given is None else given
    if known is None:
        raise RequestError(
            f"nothing says which integers {network!r} reads; give input_range=((low, high), ...), "
            f"a pair for each of its {network.input_dim} inputs"
        )
    return Inputs.of(known)


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
    if wrong:
        raise RequestError(*wrong)
