"""Features that are read off the network: its last output, and labels from behaviour. The outputs
that follow a fixed probe word are integers by construction and name a hidden state without any
clustering.

Axes: W words, T time, N rows (word and time together), K probe steps, O outputs, A letters.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mips_jax.extraction.registers.feature import Family, Feature, Group, Kind, Prefixes, plain
from mips_jax.extraction.regression.table import grouped
from mips_jax.extraction.traces import probe
from mips_jax.inputs import alphabet


def _outputs(prefixes: Prefixes) -> Iterator[Feature]:
    outputs, network = prefixes.traces.outputs, prefixes.asked
    words, _, count = outputs.shape
    before = network.outputs(network.initial[None])[0]
    for o in range(count):
        suffix = "" if count == 1 else str(o)
        values = np.concatenate([np.full((words, 1), before[o]), outputs[:, :, o]], axis=1)
        lagged = np.concatenate([np.zeros((words, 1), np.int64), values[:, :-1]], axis=1)
        for name, column, meaning, cost, kind in (
            ("", values, "the last output", 1.0, Kind.OUTPUTS),
            ("_before", lagged, "the output before the last", 5.0, Kind.EARLIER_OUTPUTS),
        ):
            yield Feature(
                f"output{suffix}{name}",
                column,
                meaning,
                cost=cost,
                group=Group(kind),
                shown="value",
            )


def _after_letters(prefixes: Prefixes) -> Iterator[Feature]:
    """The output after one, two, ... more of a letter."""
    for tag, said, o, follow in _followed(prefixes):
        for k in range(min(prefixes.depth, prefixes.tuning.follow_steps)):
            yield Feature(
                f"after_{tag}_{k + 1}{_end(o)}",
                follow[:, k].reshape(prefixes.shape),
                f"output after {k + 1} more inputs {said}",
                lookahead=k + 1,
                initial=int(follow[0, k]),
                cost=3.0 + 2 * k,
                shown="state",
            )


def _changes(prefixes: Prefixes) -> Iterator[Feature]:
    """By how much a letter would change the output, where that is simpler than the output."""
    for tag, said, o, follow in _followed(prefixes):
        change = follow[:, 0] - prefixes.present[:, o]
        values = len(np.unique(change))
        if 1 < values <= prefixes.tuning.fewer * len(np.unique(follow[:, 0])):
            yield Feature(
                f"change_{tag}{_end(o)}",
                change.reshape(prefixes.shape),
                f"by how much an input {said} would change the output",
                lookahead=1,
                cost=4.0,
                group=Group(Kind.CHANGES, tag),
                shown="step",
            )


def _ranks(prefixes: Prefixes) -> Iterator[Feature]:
    """The order of the states by what follows a repeated letter."""
    depth, tuning = prefixes.depth, prefixes.tuning
    for tag, said, o, follow in _followed(prefixes) if depth > 1 else ():
        base = int(follow.max()) - int(follow.min()) + 1
        if base == 1 or base**depth >= 2**tuning.rank_bits:
            continue
        keys = grouped((follow - follow.min()) @ (base ** np.arange(depth)[::-1]))
        if keys.count <= tuning.ranks:
            yield Feature(
                f"rank_{tag}{_end(o)}",
                keys.codes.reshape(prefixes.shape).astype(np.int64),
                f"rank among the states by the outputs that follow inputs {said}",
                lookahead=depth,
                initial=int(keys.codes[0]),
                cost=5.0,
                shown="state",
            )


def _waits(prefixes: Prefixes) -> Iterator[Feature]:
    """Repeats of a letter until the output first takes a value: the margin of a counter.

    `until` counts from the present output, `wait` from the next one. States from which the value
    never comes get -1, off the counting direction, so that the count stays right beyond the words'
    length.
    """
    for tag, said, o, follow in _followed(prefixes) if prefixes.depth > 1 else ():
        current = prefixes.present[:, o]
        values = np.unique(np.concatenate([follow.ravel(), current]))
        for value in values if len(values) <= prefixes.tuning.waited_values else ():
            hit = np.concatenate([(current == value)[:, None], follow == value], axis=1)
            for first, label in ((0, "until"), (1, "wait")):
                later = hit[:, first:]
                wait = np.where(later.any(axis=1), later.argmax(axis=1), -1).astype(np.int64)
                yield Feature(
                    f"{label}_{tag}_for_{plain(value)}{_end(o)}",
                    wait.reshape(prefixes.shape),
                    f"inputs {said} {label} the output is {value} (-1: never)",
                    lookahead=prefixes.depth,
                    initial=int(wait[0]) if first else None,
                    cost=5.0,
                    shown="count",
                )


def _margins(prefixes: Prefixes) -> Iterator[Feature]:
    """Of a threshold's remainder: how many of the next inputs would pass it."""
    every = alphabet(prefixes.inputs, prefixes.tuning.alphabet)
    if every is None or len(every) < 2:
        return
    after = [probe(prefixes.asked, prefixes.states, a[None])[:, 0] for a in every]  # A x [N, O]
    for o in range(after[0].shape[1]):
        total = np.sum([a[:, o] for a in after], axis=0)
        yield Feature(
            "margin" + (str(o) if o else ""),
            total.reshape(prefixes.shape),
            "sum of the outputs over every next input",
            lookahead=1,
            initial=int(total[0]),
            cost=4.0,
            shown="state",
        )


def _followed(prefixes: Prefixes) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """(tag, words, output's index, what follows [N, K]) for each probe letter and output."""
    for letter, outputs in prefixes.following:
        tag, said = "_".join(map(plain, letter)), ", ".join(map(str, letter))
        for o in range(outputs.shape[2]):
            yield tag, said, o, outputs[:, :, o]


def _end(output: int) -> str:
    return f"_{output}" if output else ""


READINGS = (
    Family("outputs", True, _outputs),
    Family("outputs after letters", True, _after_letters),
    Family("changes of the output", True, _changes),
    Family("ranks", True, _ranks),
    Family("waiting times", True, _waits),
    Family("margins", True, _margins),
)
