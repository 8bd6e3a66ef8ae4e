"""Features that are functions of the inputs alone, with their updates: clocks, windows, sums,
extremes, counts, remainders, digits. They are of use only where the network's hidden state holds
them.

Axes: W words, T time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mips_jax.extraction.registers.feature import (
    Column,
    Family,
    Feature,
    Group,
    Kind,
    Prefixes,
    plain,
)
from mips_jax.programs import Const, Expression, Var, call


def _running(
    name: str,
    totals: np.ndarray,
    initial: int,
    meaning: str,
    update: Expression,
    cost: float,
    group: Group | None = None,
    needs: tuple[str, ...] = (),
) -> Feature:
    """A feature with values [W, T] after each input, and an initial value."""
    start = np.full((len(totals), 1), initial, np.int64)
    values = np.concatenate([start, totals], axis=1)
    return Feature(name, values, meaning, update, needs, initial, cost=cost, group=group)


def _clocks(prefixes: Prefixes) -> Iterator[Feature]:
    later = prefixes.clock[:, 1:]
    yield _running("started", np.minimum(later, 1), 0, "1 once an input was read", Const(1), 4.0)
    for period in prefixes.tuning.phases:
        name = f"phase{period}"
        flip = call("sub", 1, Var(name))
        update = flip if period == 2 else call("mod", call("add", Var(name), 1), period)
        yield _running(name, later % period, 0, f"time modulo {period}", update, 6.0)
    update = call("add", Var("time"), 1)
    yield _running("time", later.copy(), 0, "number of inputs read", update, 6.0)


def _windows(prefixes: Prefixes) -> Iterator[Feature]:
    longest = min(prefixes.tuning.window, prefixes.traces.length - 1)
    for column in prefixes.columns:
        yield from _window(column, longest)


def _window(column: Column, longest: int) -> Iterator[Feature]:
    x, suffix = column.values, column.suffix
    for lag in range(1, longest + 1):
        values = np.zeros((len(x), x.shape[1] + 1), np.int64)
        values[:, lag:] = x[:, : x.shape[1] + 1 - lag]
        newer = f"previous{suffix}{lag - 1 if lag > 2 else ''}"
        yield Feature(
            f"previous{suffix}{lag if lag > 1 else ''}",
            values,
            f"input {column.name}, {lag} step{'s' if lag > 1 else ''} before the next one",
            Var(column.name) if lag == 1 else Var(newer),
            () if lag == 1 else (newer,),
            0,
            cost=1.0 * lag,
            group=Group(Kind.WINDOW, column.name),
        )


def _sums_and_extremes(prefixes: Prefixes) -> Iterator[Feature]:
    for column in prefixes.columns:
        x, name, suffix = column.values, column.name, column.suffix
        for label, totals, initial, phrase, operator, cost in (
            ("total", np.cumsum(x, axis=1), 0, "sum of", "add", 2.0),
            ("largest", np.maximum.accumulate(x, axis=1), column.low, "largest", "max", 3.0),
            ("smallest", np.minimum.accumulate(x, axis=1), column.high, "smallest", "min", 3.0),
        ):
            register = f"{label}{suffix}"
            update = call(operator, Var(register), Var(name))
            yield _running(register, totals, initial, f"{phrase} {name}", update, cost)


def _counts(prefixes: Prefixes) -> Iterator[Feature]:
    for column in prefixes.columns:
        if column.span <= prefixes.tuning.counted_values:
            for value in range(column.low, column.high + 1):
                yield from _occurrences(column, value)


def _occurrences(column: Column, value: int) -> Iterator[Feature]:
    """How often a value came, and whether it did."""
    count, seen = (f"{word}{column.suffix}_{plain(value)}" for word in ("count", "seen"))
    here, is_it = column.values == value, call("eq", Var(column.name), value)
    yield _running(
        count,
        np.cumsum(here, axis=1),
        0,
        f"how often {column.name} was {value}",
        call("add", Var(count), is_it),
        4.0,
        Group(Kind.COUNTS, column.suffix),
    )
    yield _running(
        seen,
        np.maximum.accumulate(here.astype(np.int64), axis=1),
        0,
        f"whether {column.name} was {value} already",
        call("or", Var(seen), is_it),
        4.0,
        Group(Kind.SEEN, column.suffix),
    )


def _remainders(prefixes: Prefixes) -> Iterator[Feature]:
    for column in prefixes.columns:
        total = np.cumsum(column.values, axis=1)
        for modulus in range(2, prefixes.tuning.largest_modulus + 1):
            name = f"remainder{column.suffix}{modulus}"
            update = call("mod", call("add", Var(name), Var(column.name)), modulus)
            meaning = f"sum of {column.name} modulo {modulus}"
            yield _running(name, total % modulus, 0, meaning, update, 5.0)


def _digits(prefixes: Prefixes) -> Iterator[Feature]:
    tuning, clock = prefixes.tuning, prefixes.clock
    for column in prefixes.columns:
        fits = column.span**prefixes.traces.length < 2**tuning.digit_bits
        if column.low >= 0 and fits and column.span <= tuning.digit_values:
            yield from _numbers(column, clock)


def _numbers(column: Column, clock: np.ndarray) -> Iterator[Feature]:
    """The whole history as a number, in both directions, and the place of the next digit."""
    x, name, group = column.values, column.name, Group(Kind.DIGITS, column.suffix)
    base = max(column.high + 1, 2)
    powers = base ** np.arange(x.shape[1])
    place, forward, backward = (f"{n}{column.suffix}" for n in ("place", "forward", "backward"))
    number = np.stack(
        [(x[:, : t + 1] * powers[t::-1]).sum(axis=1) for t in range(x.shape[1])], axis=1
    )
    update = call("mul", base, Var(place))
    yield _running(place, base ** clock[:, 1:], 1, f"power of {base}", update, 10.0, group)
    update = call("add", call("mul", base, Var(forward)), Var(name))
    meaning = f"inputs {name} as digits, the first one highest"
    yield _running(forward, number, 0, meaning, update, 10.0, group)
    update = call("add", Var(backward), call("mul", Var(name), Var(place)))
    meaning = f"inputs {name} as digits, the first one lowest"
    digits = np.cumsum(x * powers, axis=1)
    yield _running(backward, digits, 0, meaning, update, 10.0, group, (place,))


def _products(prefixes: Prefixes) -> Iterator[Feature]:
    columns = prefixes.columns
    if len(columns) == 2:
        first, second = columns
        total = np.cumsum(first.values * second.values, axis=1)
        product = call("mul", Var(first.name), Var(second.name))
        update = call("add", Var("dot"), product)
        yield _running("dot", total, 0, "sum of the products of both inputs", update, 6.0)


HISTORIES = (
    Family("clocks", False, _clocks),
    Family("windows", False, _windows),
    Family("sums and extremes", False, _sums_and_extremes),
    Family("counts", False, _counts),
    Family("remainders", False, _remainders),
    Family("digits", False, _digits),
    Family("products", False, _products),
)
