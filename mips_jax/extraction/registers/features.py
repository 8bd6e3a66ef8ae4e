"""Integer features of a prefix: candidates for what a register of the program may hold.

Two families. *Readings of the network*: its last output, and labels from behaviour - the outputs
that follow a fixed probe word are integers by construction and name a hidden state without any
clustering. *Histories*: windows, sums, counts, extremes, clocks and digit accumulators of the
inputs, whose updates are known; they are kept only when the network's hidden state really holds
them. No label of the training data enters.

Axes: W words, T time, H hidden units, N rows (word and time together).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.regression.table import grouped
from mips_jax.extraction.traces import Traces, probe
from mips_jax.inputs import InputRange, Inputs, alphabet, input_names, probe_letters
from mips_jax.networks import Network
from mips_jax.programs import Const, Expression, Var, call

_FEWER = 0.7  # a change of the output is worth a register if it has at most this share of the values that the output has then


@dataclasses.dataclass(frozen=True)
class Feature:
    """An integer for every prefix of every word.

    Attributes:
        name: identifier, the name of the register that holds it.
        values: [W, T + 1] int64, index 0 before the first input.
        meaning: one phrase for reports.
        update: its update, when known; else it is regressed.
        needs: names of the features that the known update reads.
        initial: value before the first input; None where it is free (the network was never asked
            there).
        lookahead: probe steps it looks beyond the prefix.
        held: how well the hidden state holds it (1: nearest neighbours in h always agree; 0: not at
            all).
        cost: bits that it adds to the choice, to prefer plain features.
        group: features of one group belong together (windows of one input, counts), for `max`,
            `median`, ...
    """

    name: str
    values: np.ndarray
    meaning: str
    update: Expression | None = None
    needs: tuple[str, ...] = ()
    initial: int | None = None
    lookahead: int = 0
    held: float = 1.0
    cost: float = 0.0
    group: str = ""


def history_features(
    traces: Traces, input_range: InputRange, longest_window: int = 7
) -> list[Feature]:
    """Features that are functions of the input history alone, with their updates."""
    words, names = traces.words, input_names(len(input_range))
    found: list[Feature] = []
    clock = np.broadcast_to(np.arange(traces.length + 1), (len(words), traces.length + 1))
    found += _clocks(clock)
    for i, (name, (low, high)) in enumerate(zip(names, input_range)):
        x = words[:, :, i].astype(np.int64)
        suffix = "" if len(names) == 1 else f"_{name}"
        found += _window(x, name, suffix, min(longest_window, traces.length - 1))
        found += _accumulators(x, name, suffix, low, high, clock)
    if len(names) == 2:
        product = words[:, :, 0] * words[:, :, 1]
        found.append(
            _running(
                "dot",
                np.cumsum(product, axis=1),
                0,
                "sum of the products of both inputs",
                call("add", Var("dot"), call("mul", Var(names[0]), Var(names[1]))),
                6.0,
            )
        )
    return found


def _running(name, totals, initial, meaning, update, cost=0.0, needs=(), group="") -> Feature:
    start = np.full((len(totals), 1), initial, np.int64)
    return Feature(
        name,
        np.concatenate([start, totals], axis=1),
        meaning,
        update,
        needs,
        initial,
        cost=cost,
        group=group,
    )


def _clocks(clock: np.ndarray) -> list[Feature]:
    later = clock[:, 1:]
    found = [
        _running("started", np.minimum(later, 1), 0, "1 once an input was read", Const(1), 4.0)
    ]
    for period in (2, 3, 4, 5):
        update = (
            call("sub", 1, Var("phase2"))
            if period == 2
            else call("mod", call("add", Var(f"phase{period}"), 1), period)
        )
        found.append(
            _running(f"phase{period}", later % period, 0, f"time modulo {period}", update, 6.0)
        )
    return found + [
        _running("time", later.copy(), 0, "number of inputs read", call("add", Var("time"), 1), 6.0)
    ]


def _window(x: np.ndarray, name: str, suffix: str, longest: int) -> list[Feature]:
    found = []
    for lag in range(1, longest + 1):
        values = np.zeros((len(x), x.shape[1] + 1), np.int64)
        values[:, lag:] = x[:, : x.shape[1] + 1 - lag]
        newer = f"previous{suffix}{lag - 1 if lag > 2 else ''}"
        this = f"previous{suffix}{lag if lag > 1 else ''}"
        update = Var(name) if lag == 1 else Var(newer)
        meaning = f"input {name}, {lag} step{'s' if lag > 1 else ''} before the next one"
        found.append(
            Feature(
                this,
                values,
                meaning,
                update,
                () if lag == 1 else (newer,),
                0,
                cost=1.0 * lag,
                group=f"window{suffix}",
            )
        )
    return found


def _accumulators(x, name, suffix, low, high, clock) -> list[Feature]:
    var = Var(name)
    total, largest, smallest = f"total{suffix}", f"largest{suffix}", f"smallest{suffix}"
    found = [
        _running(
            total, np.cumsum(x, axis=1), 0, f"sum of {name}", call("add", Var(total), var), 2.0
        ),
        _running(
            largest,
            np.maximum.accumulate(x, axis=1),
            low,
            f"largest {name}",
            call("max", Var(largest), var),
            3.0,
        ),
        _running(
            smallest,
            np.minimum.accumulate(x, axis=1),
            high,
            f"smallest {name}",
            call("min", Var(smallest), var),
            3.0,
        ),
    ]
    span = high - low + 1
    if span <= 8:
        for value in range(low, high + 1):
            count = f"count{suffix}_{value if value >= 0 else f'm{-value}'}"
            update = call("add", Var(count), call("eq", var, value))
            found.append(
                _running(
                    count,
                    np.cumsum(x == value, axis=1),
                    0,
                    f"how often {name} was {value}",
                    update,
                    4.0,
                    group=f"counts{suffix}",
                )
            )
            seen = count.replace("count", "seen", 1)
            noted = call("or", Var(seen), call("eq", var, value))
            ever = np.maximum.accumulate((x == value).astype(np.int64), axis=1)
            found.append(
                _running(
                    seen,
                    ever,
                    0,
                    f"whether {name} was {value} already",
                    noted,
                    4.0,
                    group=f"seen{suffix}",
                )
            )
    for modulus in range(2, 17):
        remainder = f"remainder{suffix}{modulus}"
        update = call("mod", call("add", Var(remainder), var), modulus)
        found.append(
            _running(
                remainder,
                np.cumsum(x, axis=1) % modulus,
                0,
                f"sum of {name} modulo {modulus}",
                update,
                5.0,
            )
        )
    if low >= 0 and span ** x.shape[1] < 2**40 and span <= 16:
        base = max(high + 1, 2)
        powers = base ** np.arange(x.shape[1])
        place, forward, backward = f"place{suffix}", f"forward{suffix}", f"backward{suffix}"
        digits = np.cumsum(x * powers, axis=1)
        number = np.stack(
            [(x[:, : t + 1] * powers[t::-1]).sum(axis=1) for t in range(x.shape[1])], axis=1
        )
        found += [
            _running(
                place,
                base ** clock[:, 1:],
                1,
                f"power of {base}",
                call("mul", base, Var(place)),
                10.0,
                group=f"digits{suffix}",
            ),
            _running(
                forward,
                number,
                0,
                f"inputs {name} as digits, the first one highest",
                call("add", call("mul", base, Var(forward)), var),
                10.0,
                group=f"digits{suffix}",
            ),
            _running(
                backward,
                digits,
                0,
                f"inputs {name} as digits, the first one lowest",
                call("add", Var(backward), call("mul", var, Var(place))),
                10.0,
                (place,),
                f"digits{suffix}",
            ),
        ]
    return found


def network_features(
    network: Network, traces: Traces, inputs: Inputs | InputRange, depth: int
) -> list[Feature]:
    """Readings of the network: last outputs, and labels from what follows probe words of up to
    `depth` letters.
    """
    words, steps, hidden_dim = traces.hidden.shape
    found: list[Feature] = []
    before = network.outputs(network.initial[None])[0]
    for o in range(traces.outputs.shape[2]):
        suffix = "" if traces.outputs.shape[2] == 1 else str(o)
        values = np.concatenate([np.full((words, 1), before[o]), traces.outputs[:, :, o]], axis=1)
        found.append(
            Feature(
                f"output{suffix}",
                values,
                "the last output",
                initial=None,
                cost=1.0,
                group="outputs",
            )
        )
        lagged = np.concatenate([np.full((words, 1), 0), values[:, :-1]], axis=1)
        found.append(
            Feature(
                f"output{suffix}_before",
                lagged,
                "the output before the last",
                initial=None,
                cost=5.0,
            )
        )
    states = traces.hidden.reshape(-1, hidden_dim)
    shape = (words, steps)
    letters = probe_letters(inputs)
    every = alphabet(inputs, 40)
    after_one: list[np.ndarray] = []
    present = network.outputs(states)
    for letter in letters:
        outputs = probe(network, states, np.broadcast_to(letter, (depth, len(letter))))  # [N, K, O]
        tag = "_".join(str(v) if v >= 0 else f"m{-v}" for v in letter)
        said = ", ".join(map(str, letter))
        for o in range(outputs.shape[2]):
            follow = outputs[:, :, o]
            for k in range(min(depth, 3)):
                found.append(
                    Feature(
                        f"after_{tag}_{k + 1}" + (f"_{o}" if o else ""),
                        follow[:, k].reshape(shape),
                        f"output after {k + 1} more inputs {said}",
                        lookahead=k + 1,
                        initial=_first(follow[:, k], shape),
                        cost=3.0 + 2 * k,
                    )
                )
            change = follow[:, 0] - present[:, o]
            if 1 < len(np.unique(change)) <= _FEWER * len(np.unique(follow[:, 0])):
                found.append(
                    Feature(
                        f"change_{tag}" + (f"_{o}" if o else ""),
                        change.reshape(shape),
                        f"by how much an input {said} would change the output",
                        lookahead=1,
                        cost=4.0,
                        group=f"changes_{tag}",
                    )
                )
            if depth > 1:
                found += _continuations(follow, present[:, o], shape, tag, said, o, depth)
    if every is not None and len(every) > 1:
        after_one = [probe(network, states, letter[None])[:, 0] for letter in every]  # A x [N, O]
        for o in range(after_one[0].shape[1]):
            total = sum(a[:, o] for a in after_one)
            found.append(
                Feature(
                    "margin" + (str(o) if o else ""),
                    total.reshape(shape),
                    "sum of the outputs over every next input",
                    lookahead=1,
                    initial=_first(total, shape),
                    cost=4.0,
                )
            )
    return found


def _first(values: np.ndarray, shape) -> int:
    return int(values.reshape(shape)[0, 0])


def _continuations(follow, current, shape, tag, said, o, depth) -> list[Feature]:
    """Order of the states by what follows a repeated letter, and the time until the output first
    takes a value.
    """
    found = []
    end = f"_{o}" if o else ""
    base = int(follow.max()) - int(follow.min()) + 1
    if base > 1 and base**depth < 2**50:
        code = (follow - follow.min()) @ (base ** np.arange(depth)[::-1])
        keys = grouped(code)
        if keys.count <= 64:
            found.append(
                Feature(
                    f"rank_{tag}{end}",
                    keys.codes.reshape(shape).astype(np.int64),
                    f"rank among the states by the outputs that follow inputs {said}",
                    lookahead=depth,
                    initial=_first(keys.codes, shape),
                    cost=5.0,
                )
            )
    values = np.unique(np.concatenate([follow.ravel(), current]))
    if len(values) > 4:
        return found
    for value in values:
        # counted from the present output: the margin of a counter; states from which the value
        # never comes get -1, off the counting direction, so that the count stays right beyond the
        # words' length
        hit = np.concatenate([(current == value)[:, None], follow == value], axis=1)
        for first, label in ((0, "until"), (1, "wait")):
            later = hit[:, first:]
            wait = np.where(later.any(axis=1), later.argmax(axis=1), -1).astype(np.int64)
            name = f"{label}_{tag}_for_{value if value >= 0 else f'm{-value}'}{end}"
            found.append(
                Feature(
                    name,
                    wait.reshape(shape),
                    f"inputs {said} {label} the output is {value} (-1: never)",
                    lookahead=depth,
                    initial=_first(wait, shape) if first else None,
                    cost=5.0,
                )
            )
    return found


def with_holding(
    features: list[Feature], traces: Traces, rng: np.random.Generator, sample: int = 1500
) -> list[Feature]:
    """The features with `held` measured: how well the nearest other hidden state predicts the
    value.

    1 - (mean squared difference between nearest neighbours) / (twice the variance); curves and
    clusters count as well as directions.
    """
    words, steps, hidden_dim = traces.hidden.shape
    w, t = rng.integers(0, words, sample), rng.integers(1, steps, sample)
    points = traces.hidden[w, t]
    scale = points.std(axis=0) + 1e-9
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
            key = (
                feature.values.tobytes()
            )  # a known update holds for these values only, not for their negative
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
