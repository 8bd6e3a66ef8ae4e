"""Numbers as people read them."""

from __future__ import annotations


def percent(fraction: float) -> str:
    """A fraction as a percentage that never rounds up to 100%.

    >>> percent(1.0), percent(0.99996), percent(0.5)
    ('100%', '99.99%', '50%')
    """
    if fraction >= 1.0:
        return "100%"
    floored = int(fraction * 1e4 + 1e-9) / 100
    return f"{floored:g}%"
