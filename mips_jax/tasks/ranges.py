"""Input ranges from what a user writes: one integer for all, or one a step's input."""

from __future__ import annotations

from collections.abc import Sequence

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown
from mips_jax.tasks.task import InputRange

__all__ = ["WIDEST", "input_range_from_bounds"]


def input_range_from_bounds(
    input_min: int | Sequence[int] | None,
    input_max: int | Sequence[int] | None,
    group: str = "task",
) -> InputRange:
    """One inclusive (low, high) for each input.

    Args:
        input_min: smallest value of the input, or a list with one for each of several inputs.
        input_max: likewise the largest.
        group: where the two keys live in the configuration (`task` or `network`), for the messages.

    Raises:
        RequestError: a bound is missing, not an integer, too large, or above its counterpart; or
            the lists differ in length.

    >>> input_range_from_bounds(0, 9)
    ((0, 9),)
    >>> input_range_from_bounds([0, -5], [1, 5])
    ((0, 1), (-5, 5))
    """
    problems = []
    for key, bound in (("input_min", input_min), ("input_max", input_max)):
        values = _as_list(bound)
        if bound is None:
            problems.append(
                f"{group}.{key} is missing; give an integer, or a list of one for each input"
            )
        elif not values:
            problems.append(
                f"{group}.{key} is an empty list; give an integer, or a list of one for each input"
            )
        else:
            problems += [
                f"{group}.{key} must be an integer within ±{WIDEST}, or a list of them, but is "
                f"{shown(bound)}"
                for value in values
                if isinstance(value, bool) or not isinstance(value, int) or abs(value) > WIDEST
            ][:1]
    if problems:
        raise RequestError(*problems)
    lows, highs = _as_list(input_min), _as_list(input_max)
    if len(lows) != len(highs):
        raise RequestError(
            f"{group}.input_min has {_values(lows)} but {group}.input_max has {_values(highs)}; "
            f"give one of each for every input"
        )
    problems = [
        f"{group}.input_min is {low}, above {group}.input_max = {high}; the range would be empty"
        for low, high in zip(lows, highs)
        if low > high
    ]
    if problems:
        raise RequestError(*problems)
    return tuple(zip(lows, highs))


def _as_list(bound: int | Sequence[int] | None) -> list[int]:
    """The bounds of all inputs; none where it is missing."""
    if bound is None:
        return []
    return list(bound) if isinstance(bound, Sequence) and not isinstance(bound, str) else [bound]


def _values(values: list) -> str:
    return f"{len(values)} value" + "s" * (len(values) != 1)
