"""Initial values of registers: fixed where the network shows them, else such that the first step is
right on every word; and the order in which registers are updated.

Axes: W words, V first letters.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mips_jax.extraction.registers.feature import Feature
from mips_jax.extraction.traces import Traces
from mips_jax.extraction.tuning import ProgramTuning
from mips_jax.programs import Expression, Var, evaluate, variables

_NATURAL = (0, 1, -1)  # where people start a register


def initial_values(
    members: Sequence[Feature],
    updates: dict[str, Expression],
    outputs: list[Expression],
    traces: Traces,
    names: tuple[str, ...],
    constants: list[int],
    tuning: ProgramTuning,
) -> dict[str, int] | None:
    """The value of each register before the first input, or None when the first step is wrong with
    all of them.

    Args:
        members: the registers; those whose `initial` is None are free.
        updates: expression of each register.
        outputs: expressions of the outputs.
        traces: runs of the network.
        names: of the inputs.
        constants: values that may be worth trying.
        tuning: how many are tried.
    """
    fixed = {f.name: f.initial for f in members if f.initial is not None}
    free = [f for f in members if f.initial is None]
    if not free:
        return fixed
    wrong = functools.cache(_first_step(free, fixed, updates, outputs, traces, names))
    choices = [_choices(feature, constants) for feature in free]
    best: tuple[int, ...] | None = None
    for values in _combinations(choices, wrong, tuning):
        if best is None or wrong(values) < wrong(best):
            best = values
        if wrong(best) == 0:
            break
    if best is None or wrong(best) >= tuning.wrong_start:
        return None
    return fixed | {f.name: v for f, v in zip(free, best)}


def _first_step(free, fixed, updates, outputs, traces, names) -> Callable[[tuple[int, ...]], float]:
    """How wrong the first step is with given values of the free registers: shares of first letters,
    summed over outputs and registers.
    """
    first = np.unique(traces.words[:, 0], axis=0, return_index=True)[1]
    shape = (len(first),)
    inputs = {Var(n): traces.words[first, 0, i] for i, n in enumerate(names)}
    order = update_order(updates)

    def wrong(values: tuple[int, ...]) -> float:
        initial = fixed | {f.name: v for f, v in zip(free, values)}
        columns = inputs | {Var(n): np.full(shape, v) for n, v in initial.items()}
        for name in order:
            after = evaluate(updates[name], columns)
            columns[Var(name, updated=True)] = np.broadcast_to(after, shape)
        share = 0.0
        for o, output in enumerate(outputs):
            said = np.broadcast_to(evaluate(output, columns), shape)
            share += float((said != traces.outputs[first, 0, o]).mean())
        for feature in free:
            after = columns[Var(feature.name, updated=True)]
            share += float((after != feature.values[first, 1]).mean())
        return share

    return wrong


def _choices(feature: Feature, constants: list[int]) -> list[int]:
    """Values to try for one register, the natural ones first."""
    values = feature.values[:, 1:]
    low, high = int(values.min()), int(values.max())
    return list(
        dict.fromkeys(
            [int(feature.values[0, 0]), *_NATURAL, low, high, low - 1, high + 1, *constants]
        )
    )


def _combinations(
    choices: list[list[int]], wrong: Callable[[tuple[int, ...]], float], tuning: ProgramTuning
) -> Iterator[tuple[int, ...]]:
    """Values to try: all of one or two registers; of more, what coordinate descent from all zeros
    passes through.
    """
    if len(choices) <= 2:
        few = choices if len(choices) == 1 else [c[: tuning.starts] for c in choices]
        yield from itertools.product(*few)
        return
    values = (0,) * len(choices)
    for _ in range(tuning.rounds):
        for place, options in enumerate(choices):
            values = min(
                (
                    values[:place] + (option,) + values[place + 1 :]
                    for option in (values[place], *options)
                ),
                key=wrong,
            )
            yield values


def update_order(updates: dict[str, Expression]) -> list[str]:
    """Registers such that an update that reads another's new value comes after it.

    Raises:
        ValueError: updates read each other's new values in a circle.
    """
    order: list[str] = []
    todo = list(updates)
    while todo:
        ready = [
            n
            for n in todo
            if all(v.name in order or v.name == n for v in variables(updates[n]) if v.updated)
        ]
        if not ready:
            raise ValueError(f"updates depend on each other in a circle: {todo}")
        order += ready
        todo = [n for n in todo if n not in ready]
    return order
