"""How a network's hidden state holds the registers of a program: a direction, a curve or clusters,
and how well.

Axes: W words, T time, H hidden units.
"""

from __future__ import annotations

import numpy as np

from mips_jax.extraction.registers.feature import Feature
from mips_jax.extraction.registers.features import with_holding
from mips_jax.extraction.result import Candidate, Encoding
from mips_jax.extraction.traces import Traces
from mips_jax.extraction.tuning import Tuning


def encodings(
    candidate: Candidate, traces: Traces, rng: np.random.Generator, tuning: Tuning
) -> tuple[Encoding, ...]:
    """For each register, how well an affine map of the hidden state, and its nearest neighbours,
    recover it.

    Args:
        candidate: whose registers are looked for.
        traces: runs of the network.
        rng: for the samples.
        tuning: sizes of the samples, and what counts as held.
    """
    program, meanings = candidate.program, dict(candidate.meanings)
    _, history = program.trace(traces.words)
    hidden = traces.hidden[:, 1:].reshape(-1, traces.hidden.shape[2])
    design_rows = rng.integers(0, len(hidden), min(tuning.choice.fitted, len(hidden)))
    points = traces.points(hidden[design_rows])
    points = np.clip(np.nan_to_num(points), -1e100, 1e100)  # a state may overflow
    design = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    found = []
    for register in program.registers:
        values = history[register.name].astype(np.float64)
        flat = values.reshape(-1)[design_rows]
        spread = flat.var()
        fitted = design @ np.linalg.lstsq(design, flat, rcond=None)[0]
        recovered = 1.0 - ((flat - fitted) ** 2).mean() / spread if spread > 0 else 1.0
        padded = np.concatenate([np.full((len(values), 1), register.initial), values], axis=1)
        asked = Feature(register.name, padded.astype(np.float64), "")
        held = with_holding([asked], traces, rng, tuning.features.held_sample)[0].held
        kind = _kind(recovered, held, tuning)
        meaning = meanings.get(register.name, "")
        found.append(Encoding(register.name, meaning, kind, float(recovered), float(held)))
    return tuple(found)


def _kind(recovered: float, held: float, tuning: Tuning) -> str:
    if recovered > tuning.choice.direction:
        return "direction"
    if held > tuning.choice.curve:
        return "curve"
    return "partly held" if held > tuning.features.held else "not held"
