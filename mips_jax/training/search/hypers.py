"""The traced choices of the members of a population, from what they are doing.

Axes: P places of a population, n parameters.
"""

from __future__ import annotations

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.training.member import PENALTIES, Hyper
from mips_jax.training.result import Condition
from mips_jax.training.search.ladder import Wave
from mips_jax.training.search.rules import Choices
from mips_jax.training.search.state import SearchState
from mips_jax.training.settings import PressureSettings


def failed_shapes(waves: list[Wave], wave: int) -> int:
    """Waves before this one, affine networks aside."""
    return sum(not earlier.padded.affine for earlier in waves[:wave])


def hypers(state: SearchState, choices: Choices, trainable: np.ndarray, failed: int) -> Hyper:
    """One row for each place.

    Args:
        trainable: [P, n], see `Hyper`.
        failed: shapes that have failed before.
    """
    settings, tuning = choices.settings, choices.tuning
    pressure, count = settings.pressure, len(trainable)
    column = lambda value: np.full(count, value, np.float32)
    rate, start, horizon = column(settings.learning_rate), np.zeros(count, np.int32), column(np.inf)
    floor, margin, squeeze = column(1.0), column(0.0), column(0.0)
    for place, member in state.occupied():
        if member.condition is Condition.POLISHING:
            start[place], horizon[place] = member.cycle_start, member.cycle_length
            floor[place] = tuning.polish_floor
        elif member.condition is Condition.ANNEALING:
            start[place], horizon[place] = member.anneal_start, tuning.anneal_steps
            floor[place] = tuning.anneal_floor
        affine = member.architecture.affine
        rate[place] *= tuning.affine_rate if affine else tuning.variant(member.variant)[0]
        margin[place] = tuning.margin_weight if member.sequence_accuracy > 0.5 else 0.0
        pressed = (member.condition is Condition.POLISHING or pressure.from_start) and not affine
        squeeze[place] = 1.0 if pressed else 0.0
    return Hyper(
        learning_rate=rate,
        halving_steps=column(tuning.halving_steps),
        floor=floor,
        start=start,
        horizon=horizon,
        clip_norm=column(settings.clip_norm),
        ramp=column(tuning.ramp_steps if failed >= tuning.ramp_after else 0.0),
        margin=margin,
        weight_decay=squeeze * np.float32(pressure.weight_decay),
        hidden_noise=squeeze * np.float32(pressure.hidden_noise),
        quantization_step=column(pressure.quantization_step),
        penalties={
            name: squeeze * np.float32(weight) for name, weight in _weights(pressure).items()
        },
        trainable=trainable,
    )


def _weights(pressure: PressureSettings) -> dict[str, float]:
    """The weight of every penalty that has one.

    Raises:
        RequestError: a weight is given to a name that no penalty has.
    """
    unknown = pressure.more.keys() - PENALTIES.keys()
    if unknown:
        raise RequestError(
            f"training.pressure.more names {', '.join(sorted(unknown))}; "
            f"allowed: {', '.join(PENALTIES)}"
        )
    named = {name: getattr(pressure, name) for name in PENALTIES if hasattr(pressure, name)}
    return named | pressure.more
