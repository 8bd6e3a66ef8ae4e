"""How a network's hidden state holds the registers of a program: a direction, a curve or clusters,
and how well.

Axes: W words, T time, H hidden units.
"""

from __future__ import annotations

import numpy as np

from mips_jax.extraction.registers.features import Feature, with_holding
from mips_jax.extraction.result import Encoding
from mips_jax.extraction.traces import Traces
from mips_jax.programs import Program

_SAMPLE = 6000  # hidden states used for the affine fit


def encodings(
    program: Program, traces: Traces, meanings: dict[str, str], rng: np.random.Generator
) -> tuple[Encoding, ...]:
    """For each register, how well an affine map of the hidden state, and its nearest neighbours,
    recover it.

    Args:
        program: whose registers are looked for.
        traces: runs of the network.
        meanings: what each register is, in words, where known.
        rng: for the samples.
    """
    _, history = program.trace(traces.words)
    hidden = traces.hidden[:, 1:].reshape(-1, traces.hidden.shape[2])
    hidden = np.clip(np.nan_to_num(hidden), -1e100, 1e100)  # a state may overflow
    design = np.concatenate([hidden, np.ones((len(hidden), 1))], axis=1)
    sample = rng.integers(0, len(design), min(_SAMPLE, len(design)))
    found = []
    for register in program.registers:
        values = history[register.name].astype(np.float64)
        flat = values.reshape(-1)[sample]
        spread = flat.var()
        fitted = design[sample] @ np.linalg.lstsq(design[sample], flat, rcond=None)[0]
        recovered = 1.0 - ((flat - fitted) ** 2).mean() / spread if spread > 0 else 1.0
        padded = np.concatenate([np.full((len(values), 1), register.initial), values], axis=1)
        probe = Feature(register.name, padded.astype(np.float64), "")
        held = with_holding([probe], traces, rng)[0].held
        kind = (
            "direction"
            if recovered > 0.99
            else "curve"
            if held > 0.9
            else "partly held"
            if held > 0.3
            else "not held"
        )
        meaning = meanings.get(register.name, "")
        found.append(Encoding(register.name, meaning, kind, float(recovered), float(held)))
    return tuple(found)
