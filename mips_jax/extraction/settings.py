"""Settings of extraction: one dataclass, a meaning and a range for every field."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class ExtractionSettings:
    """How a network is turned into a program.

    Attributes:
        method: `auto` (every method, the shortest faithful program wins), or one of `linear`,
            `registers`, `automaton`, `paper`.
        length: words up to this length are put to the network; None: the length it was trained on,
            or 10.
        words: random words recorded, 100 to 100000.
        seconds: time budget of the whole extraction, > 0; at its end the best program so far is
            returned.
        largest_set: most registers in a program, 1 to 8.
        states: largest finite machine, 2 to 100000.
        tolerance: share of steps, 0 to 0.05, on which a program may contradict the network when no
            exact one is found.
        seed: of all random words.
    """

    method: str = "auto"
    length: int | None = None
    words: int = 800
    seconds: float = 45.0
    largest_set: int = 5
    states: int = 3000
    tolerance: float = 0.02
    seed: int = 0


METHODS = ("auto", "linear", "registers", "automaton", "paper")


def problems(settings: ExtractionSettings) -> list[str]:
    """What is wrong with the settings, one sentence each (empty: nothing)."""
    found = []
    if settings.method not in METHODS:
        found.append(f"extraction.method is {settings.method!r}; allowed: {', '.join(METHODS)}")
    bounds = {
        "words": (100, 100_000),
        "seconds": (0.1, 86_400),
        "largest_set": (1, 8),
        "states": (2, 100_000),
        "tolerance": (0, 0.05),
    }
    for key, (low, high) in bounds.items():
        value = getattr(settings, key)
        if not low <= value <= high:
            found.append(f"extraction.{key} is {value}; allowed: {low} to {high}")
    if settings.length is not None and not 2 <= settings.length <= 10_000:
        found.append(f"extraction.length is {settings.length}; allowed: null, or 2 to 10000")
    return found
