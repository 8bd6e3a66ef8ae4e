"""Numbers as people read them."""

from __future__ import annotations

import numbers
from typing import Any

WIDEST = 2**31 - 1
"""Bound on absolute input values: they are stored in 32 bits wherever there are many of them."""


def percent(fraction: float) -> str:
    """A fraction as a percentage that never rounds up to 100%.

    >>> percent(1.0), percent(0.99996), percent(0.5)
    ('100%', '99.99%', '50%')
    """
    if fraction >= 1.0:
        return "100%"
    floored = int(fraction * 1e4 + 1e-9) / 100
    return f"{floored:g}%"


def percent_at_most(fraction: float) -> str:
    """An upper bound as a percentage, rounded up.

    >>> percent_at_most(0.00046), percent_at_most(1e-9), percent_at_most(0.9)
    ('0.05%', '0.01%', '90%')
    """
    digits = 2 if fraction < 0.1 else 0
    scaled = -(-fraction * 100 * 10**digits // 1) / 10**digits
    return f"{scaled:g}%"


def whole(value: Any) -> bool:
    """Whether a value is an integer, of Python's or of numpy's; truth values are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def shown(value: Any, limit: int = 60) -> str:
    """The value as a person would quote it, cut short."""
    try:
        text = repr(value)
    except Exception:  # nested too deeply, thousands of digits, or a repr of the user's own
        return f"a huge {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 3] + "..."
