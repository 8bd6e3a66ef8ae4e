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
        effort: work allowed, as a multiple of the usual, 0.01 to 1000. What is found depends on
            it, and never on how busy the machine is.
        seconds: a guard, 0.1 to 86400: when it strikes, the best program so far is returned, and
            the result says that it struck.
        largest_set: most registers in a program, 1 to 8.
        states: largest finite machine, 2 to 100000.
        tolerance: share of steps, 0 to 0.05, on which a program may contradict the network when no
            exact one is found.
        seed: of all random words.
    """

    method: str = "auto"
    length: int | None = None
    words: int = 800
    effort: float = 1.0
    seconds: float = 300.0
    largest_set: int = 5
    states: int = 3000
    tolerance: float = 0.02
    seed: int = 0
