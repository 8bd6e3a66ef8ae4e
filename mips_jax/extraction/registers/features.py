"""The registry of features, and what is done to all of them: measured against the hidden state,
freed of copies.

Two sorts. *Readings of the network* need no labelling; *histories* have known updates and are kept
only where the network's hidden state really holds them. No label of the training data enters.

Axes: W words, T time, H hidden units.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.registers.feature import Family, Feature, Prefixes
from mips_jax.extraction.registers.histories import HISTORIES
from mips_jax.extraction.registers.readings import READINGS
from mips_jax.extraction.traces import Traces
from mips_jax.extraction.tuning import TUNING, FeatureTuning
from mips_jax.inputs import InputRange, Inputs
from mips_jax.networks import Network

# A new family is one entry here; all that it may look at is in `Prefixes`.
FEATURES: dict[str, Family] = {family.name: family for family in (*HISTORIES, *READINGS)}

_TINY = 1e-9  # added to spreads that divide: a constant hidden unit stays constant


def all_features(prefixes: Prefixes) -> list[Feature]:
    """The features of every family: histories first, then readings."""
    families = sorted(FEATURES.values(), key=lambda family: family.reads_network)
    return [feature for family in families for feature in family.features(prefixes)]


def history_features(
    traces: Traces, inputs: Inputs | InputRange, tuning: FeatureTuning = TUNING.features
) -> list[Feature]:
    """Features that are functions of the input history alone, with their updates."""
    prefixes = Prefixes(None, traces, Inputs.of(inputs), tuning=tuning)
    families = [family for family in FEATURES.values() if not family.reads_network]
    return [feature for family in families for feature in family.features(prefixes)]


def network_features(
    network: Network,
    traces: Traces,
    inputs: Inputs | InputRange,
    depth: int,
    tuning: FeatureTuning = TUNING.features,
) -> list[Feature]:
    """Readings of the network: last outputs, and labels from what follows probe words of up to
    `depth` letters.
    """
    prefixes = Prefixes(network, traces, Inputs.of(inputs), depth, tuning)
    families = [family for family in FEATURES.values() if family.reads_network]
    return [feature for family in families for feature in family.features(prefixes)]


def with_holding(
    features: list[Feature], traces: Traces, rng: np.random.Generator, sample: int = 1500
) -> list[Feature]:
    """The features with `held` measured: how well the nearest other hidden state predicts the
    value.

    1 - (mean squared difference between nearest neighbours) / (twice the variance); curves and
    clusters count as well as directions.
    """
    words, steps, _ = traces.hidden.shape
    w, t = rng.integers(0, words, sample), rng.integers(1, steps, sample)
    points = traces.points(traces.hidden[w, t])
    scale = points.std(axis=0) + _TINY
    points = points / scale.max()
    distance = _pairwise(points)
    same = (w[:, None] == w[None]) & (t[:, None] == t[None])
    distance[same] = np.inf
    nearest = distance.argmin(axis=1)
    result = []
    for feature in features:
        values = feature.values[w, t].astype(np.float64)
        spread = 2 * values.var()
        held = 1.0 - ((values - values[nearest]) ** 2).mean() / spread if spread > 0 else 1.0
        result.append(dataclasses.replace(feature, held=float(held)))
    return result


def _pairwise(points: np.ndarray) -> np.ndarray:
    squares = (points**2).sum(axis=1)
    return squares[:, None] + squares[None] - 2 * points @ points.T


def distinct(features: list[Feature]) -> list[Feature]:
    """Without features that are constant or equal, up to sign and offset, to an earlier (cheaper)
    one.
    """
    kept, seen = [], set()
    needed = {name for f in features if f.update is not None for name in f.needs}
    for feature in sorted(features, key=lambda f: f.cost):
        values = feature.values[:, 1:]
        if feature.update is not None:
            # a known update holds for these values only, not for their negative
            key = feature.values.tobytes()
        else:
            centred = values - values[0, 0]
            if not centred.any():
                continue
            sign = np.sign(centred.ravel()[np.flatnonzero(centred.ravel())[0]])
            key = (centred * sign).tobytes()
        if key not in seen or feature.name in needed:
            seen.add(key)
            kept.append(feature)
    return kept
