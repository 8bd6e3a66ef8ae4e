"""The order in which a file's layers are applied: by their numbers as a person counts, else by
their shapes.
"""

from __future__ import annotations

import itertools
import re

MOST_UNNUMBERED = 6  # their orders are tried one by one


def natural_order(name: str) -> list:
    """A sort key that compares digits as numbers.

    >>> sorted(["fc10", "fc2"], key=natural_order)
    ['fc2', 'fc10']
    """
    return [
        (1, int(part), "") if part.isdigit() else (0, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def without_numbers(name: str) -> str:
    """The name with a star for every number: layers that share it are told apart, and ordered, by
    number.
    """
    return re.sub(r"\d+", "*", name)


def forward_orders(
    shapes: dict[str, tuple[int, int] | None], features: int | None
) -> list[tuple[str, ...]]:
    """The orders in which affine layers may follow one another.

    Args:
        shapes: (out, in) of each layer, None where it is damaged.
        features: what the first one reads, or None where that is not known.

    Returns:
        One order where the names are numbered, or where only one fits (or none does: then that of
        the names); else all that fit.

    >>> forward_orders({"fc": (2, 6), "hidden": (6, 4)}, features=4)
    [('hidden', 'fc')]
    """
    by_name = tuple(sorted(shapes, key=natural_order))
    numbered = len({without_numbers(name) for name in shapes}) <= 1
    whole = {name: shape for name, shape in shapes.items() if shape is not None}
    if numbered or len(whole) < len(shapes) or len(shapes) > MOST_UNNUMBERED:
        return [by_name]
    fits = lambda order: (
        (features in (None, whole[order[0]][1]))
        and all(whole[after][1] == whole[before][0] for before, after in itertools.pairwise(order))
    )
    return list(filter(fits, itertools.permutations(by_name))) or [by_name]
