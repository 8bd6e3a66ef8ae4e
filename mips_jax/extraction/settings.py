"""Settings of extraction: one dataclass, a meaning and a range for every field."""

from __future__ import annotations

import dataclasses
from dataclasses import field

from mips_jax.validation import bounds, seeds


@dataclasses.dataclass
class ExtractionSettings:
    """How a network is turned into a program.

    Attributes:
        method: `auto` (every method, the shortest faithful program wins), or one of `linear`,
            `registers`, `automaton`, `paper`.
        length: words up to this length are put to the network; None: the length it was trained on,
            or 10.
        words: random words recorded, 100 to 100000; fewer of a network whose probing would take
            minutes.
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

    method: str = "auto"  # which there are, only the registry of methods knows
    length: int | None = field(default=None, metadata=bounds(2, 10_000))
    words: int = field(default=800, metadata=bounds(100, 100_000))
    effort: float = field(default=1.0, metadata=bounds(0.01, 1_000))
    seconds: float = field(default=300.0, metadata=bounds(0.1, 86_400))
    largest_set: int = field(default=5, metadata=bounds(1, 8))
    states: int = field(default=3000, metadata=bounds(2, 100_000))
    tolerance: float = field(default=0.02, metadata=bounds(0, 0.05))
    seed: int = field(default=0, metadata=seeds())
