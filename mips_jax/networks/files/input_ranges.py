"""The integers that a network reads: one inclusive (low, high) for each of the I inputs."""

from __future__ import annotations

import dataclasses

from mips_jax.errors import RequestError
from mips_jax.networks.files.options import NetworkOptions, plain, value_problems
from mips_jax.networks.network import InputRange, Network


def resolve_input_range(network: Network, input_min=None, input_max=None) -> InputRange:
    """The range to distil a network on: what the user says, else what the network was made for.

    Args:
        network: any network.
        input_min: smallest input, an integer or one for each of the I inputs, or None.
        input_max: largest input, likewise.

    Raises:
        RequestError: a bound is missing or not an integer, the range is empty, or the network
            cannot read all of it.
    """
    answers = NetworkOptions(input_min=input_min, input_max=input_max)
    problems = value_problems("input_min", input_min) + value_problems("input_max", input_max)
    known = range_options(network.input_range)
    answers = dataclasses.replace(
        answers, **{name: known[name] for name in known if getattr(answers, name) is None}
    )
    for name in known:
        if getattr(answers, name) is None:
            problems.append(
                f"network.{name} is missing; the network reads {network.input_dim} integers a step "
                "and nothing says in which range: give an integer, or a list of one for each"
            )
    if problems:
        raise RequestError(*problems)
    bounds = bounds_of(answers, network.input_dim, problems)
    for i, ((low, high), (first, last)) in enumerate(zip(bounds, network.encodable_range or ())):
        if low < first or high > last:
            problems.append(
                f"input {i + 1} is to run over {low}..{high} (network.input_min, "
                f"network.input_max) but the network reads {first}..{last} only"
            )
    if problems:
        raise RequestError(*problems)
    return bounds


def range_options(input_range: InputRange | None) -> dict:
    """A range as the two options that say it."""
    lows, highs = zip(*input_range) if input_range else (None, None)
    return {"input_min": lows and list(lows), "input_max": highs and list(highs)}


def lows_of(answers: NetworkOptions, dim: int, problems: list[str]) -> tuple[int, ...]:
    """The smallest value of each of `dim` inputs, 0 unless said."""
    low = plain(answers.input_min) if answers.input_min is not None else 0
    lows = tuple(low) if isinstance(low, list) else (low,) * dim
    if len(lows) != dim:
        problems.append(
            f"network.input_min has {len(lows)} values; the network reads {dim} integers a step"
        )
    return lows


def bounds_of(answers: NetworkOptions, dim: int, problems: list[str]) -> InputRange:
    """(low, high) for each of `dim` inputs; empty when a problem was found."""
    bounds = []
    for name in ("input_min", "input_max"):
        value = plain(getattr(answers, name))
        bounds.append(tuple(map(int, value)) if isinstance(value, list) else (int(value),) * dim)
        if len(bounds[-1]) != dim:
            problems.append(
                f"network.{name} has {len(bounds[-1])} values; the network reads {dim} integers a "
                "step"
            )
            return ()
    if any(low > high for low, high in zip(*bounds)):
        problems.append(
            f"network.input_min is {answers.input_min}, above network.input_max = "
            f"{answers.input_max}; the range would be empty"
        )
        return ()
    return tuple(zip(*bounds))
