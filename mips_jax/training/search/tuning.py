"""The numbers that decide the course of a search, in one place; measured on the named tasks."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class SearchTuning:
    """What a search is tuned by; `train(..., tuning=)` takes another one.

    Attributes:
        samples: input vectors through which kinks are drawn.
        early_cull_steps: steps after which the worse half of every level stops.
        affine_rate: learning rate of affine networks, which start near their optimum, relative to
            the others.
        anneal_above: sequence accuracy from which a falling learning rate is tried, once a cycle.
        anneal_steps, anneal_floor: over how many steps it falls, and to what share.
        enough_margin: a polished network with a larger error than this is polished once more, twice
            as long.
        patience_floor: member-steps that smaller sizes are given at least (times
            `smaller_patience`).
        ramp_steps: where `ramp_after` shapes have failed, the counted part of the sequences grows
            over these steps.
        ramp_after: shapes.
        halving_steps: the learning rate falls as 1 / (1 + step / this).
        margin_weight: weight of the excess of errors, once most sequences are right.
        polish_floor: where the polishing cycle's learning rate ends, relative to its peak.
        variants: members of one architecture differ in learning rate (relative to the setting) and
            in the share of units whose kinks are aligned with h or x: finite-state tasks want the
            first, counters and absolute values the others.
        polished: perfect members of the smallest size that are polished; the one with the smallest
            error is chosen.
        abandon_below: a wave gives way to the next when its best sequence accuracy is below this at
            the end of its first, second ... cycle.
        replacements: members that became NaN or infinite are replaced this many times a place.
        stretch_seconds: a stretch of training between two looks at the clock takes about this long.
    """

    samples: int = 4_096
    early_cull_steps: int = 500
    affine_rate: float = 0.2
    anneal_above: float = 0.998
    anneal_steps: int = 1_000
    anneal_floor: float = 0.02
    enough_margin: float = 0.25
    patience_floor: int = 10_000
    ramp_steps: float = 1_500.0
    ramp_after: int = 3
    halving_steps: float = 1_500.0
    margin_weight: float = 0.3
    polish_floor: float = 0.002
    variants: tuple[tuple[float, float], ...] = (
        (1.0, 0.0),
        (3.0, 0.9),
        (2.0, 0.5),
        (1.0, 0.9),
        (2.0, 0.0),
        (3.0, 0.5),
    )
    polished: int = 2
    abandon_below: tuple[float, ...] = (0.95, 0.995)
    replacements: int = 4
    stretch_seconds: float = 2.0

    def variant(self, index: int) -> tuple[float, float]:
        """(relative learning rate, aligned share) of a member's variant."""
        return self.variants[index % len(self.variants)]
