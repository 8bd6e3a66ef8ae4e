"""Registers: small sets of features that determine the outputs and their own next values, then
regression of both.

Stages: tables of (features before the step, input) -> (output, features after the step); beam
    search for closed sets without conflicts;
for each set, the simplest first, regression of every update and output; initial values where the
network leaves them free.

Axes: W words, T time, I inputs a step, O outputs a step, N rows (one for each word and step).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import time
from collections.abc import Callable, Iterator

import numpy as np

from mips_jax.extraction.registers.features import Feature
from mips_jax.extraction.regression.enumeration import EnumerationSettings
from mips_jax.extraction.regression.regressor import RegressionSettings, Regressor
from mips_jax.extraction.regression.table import Keys, distinct_rows, group_rows, variation
from mips_jax.extraction.traces import Traces
from mips_jax.inputs import InputRange, input_names
from mips_jax.programs import (
    Call,
    Const,
    Expression,
    Program,
    Register,
    Var,
    call,
    evaluate,
    expression_bits,
    pruned,
    reuse_updates,
    shared_bits,
    variables,
)

_CONFLICT_BITS = 5000.0  # rank of a set that contradicts some rows: 1% is worth 50 bits
# expressions kept for each update and output, of which those that share most are taken
_ALTERNATIVES = 8


@dataclasses.dataclass(frozen=True)
class RegisterSettings:
    """Limits of the search for registers.

    Attributes:
        largest_set: most registers in a program.
        beam: sets kept at each size.
        tolerance: share of rows that may contradict a set (a network may err on inputs it rarely
            saw).
        least_held: features that the hidden state holds less well than this are not used.
        sets: closed sets that are regressed at most.
        seconds: time for the whole search.
        lookup_cells: largest constant table allowed in an output or update.
    """

    largest_set: int = 5
    beam: int = 10
    tolerance: float = 0.0
    least_held: float = 0.3
    sets: int = 14
    seconds: float = 25.0
    lookup_cells: int = 0


@dataclasses.dataclass(frozen=True)
class RegisterSet:
    """A closed set of features: with the input they determine the outputs and themselves.

    Attributes:
        features: the members.
        keys: number of distinct (features, input) rows seen.
        support: rows seen for each distinct one; near 1 determinism says nothing.
        conflicts: share of rows that contradict it.
    """

    features: tuple[Feature, ...]
    keys: int
    support: float
    conflicts: float = 0.0


class _Tables:
    """Flat columns before and after each step, for the rows on which every feature is defined."""

    def __init__(self, traces: Traces, features: list[Feature]):
        self.traces = traces
        self.lookahead = max((f.lookahead for f in features), default=0)
        self.first = 1 if any(f.initial is None for f in features) else 0
        self.last = traces.length - self.lookahead
        steps = slice(self.first, self.last)
        self.inputs = [traces.words[:, steps, i].ravel() for i in range(traces.words.shape[2])]
        self.outputs = [traces.outputs[:, steps, o].ravel() for o in range(traces.outputs.shape[2])]
        self.before = {f.name: f.values[:, self.first : self.last].ravel() for f in features}
        self.after = {f.name: f.values[:, self.first + 1 : self.last + 1].ravel() for f in features}
        self.rows = len(self.inputs[0])


def closed_sets(
    narrow: Traces, features: list[Feature], settings: RegisterSettings, deadline: float
) -> list[RegisterSet]:
    """Sets of features without conflicts on the traces, the fewest distinct rows first.

    Args:
        narrow: traces over few letters, so that determinism is really tested.
        features: candidates, on the words of `narrow`.
        settings: limits.
        deadline: `time.monotonic()` at which to stop.
    """
    digits = [f for f in features if f.group.startswith("digits")]
    features = [f for f in features if f not in digits and f.lookahead <= narrow.length - 2]
    tables = _Tables(narrow, features)
    if not tables.rows:  # words of one letter
        return []
    by_name = {f.name: f for f in features}
    everything = _history_rows(tables)
    inputs = group_rows(tables.inputs, tables.rows)
    found: dict[frozenset[str], RegisterSet] = {}

    def conflict(members: frozenset[str], keys: Keys) -> float:
        # relative to what there is to explain: a rare output must not pass for an exception
        targets = [("", o) for o in range(len(tables.outputs))] + [
            (m, 0) for m in sorted(members) if by_name[m].update is None
        ]
        return sum(conflict_share(keys, *target) for target in targets)

    @functools.cache
    def explained(name: str, o: int) -> tuple[np.ndarray, float]:
        target = tables.after[name] if name else tables.outputs[o]
        return target, max(variation(target), 1.0 / tables.rows)

    def conflict_share(keys: Keys, name: str, o: int) -> float:
        target, share = explained(name, o)
        return float(keys.conflicts(target).mean()) / share

    start = conflict(frozenset(), inputs)
    if start <= settings.tolerance:
        return [RegisterSet((), inputs.count, tables.rows / inputs.count, start)]
    additions = [frozenset({f.name, *_needed(f, by_name)}) for f in features] + _whole_groups(
        features
    )
    beam: list[tuple[float, frozenset[str], Keys]] = [(start, frozenset(), inputs)]
    seen: set[frozenset[str]] = set()
    for _ in range(settings.largest_set):
        grown: list[tuple[float, frozenset[str], Keys]] = []
        for _, members, keys in beam:
            for addition in additions:
                extended = members | addition
                if (
                    extended in seen
                    or extended == members
                    or len(extended) > settings.largest_set + 2
                ):
                    continue
                seen.add(extended)
                refined = keys
                for name in sorted(extended - members):
                    refined = refined.refined(tables.before[name])
                rate = conflict(extended, refined)
                if refined.count > 0.6 * everything:
                    continue  # it memorises whole histories, which explains nothing
                if rate <= settings.tolerance:
                    found[extended] = RegisterSet(
                        _in_order(extended, by_name),
                        refined.count,
                        tables.rows / refined.count,
                        rate,
                    )
                else:
                    # distinct rows are what conflicts are avoided with: a set that splits
                    # everything explains nothing
                    grown.append(
                        (
                            rate + 0.02 * len(extended) + 0.3 * refined.count / tables.rows,
                            extended,
                            refined,
                        )
                    )
                if time.monotonic() > deadline:
                    return _ranked(found) + _whole_history(digits)
        beam = sorted(grown, key=lambda g: (g[0], sorted(g[1])))[: settings.beam]
        if len(found) >= settings.sets * 2:
            break
    return _ranked(found) + _whole_history(digits)


def _whole_groups(features: list[Feature]) -> list[frozenset[str]]:
    """All counts (or flags) of one input at once, all outputs and how they would change: single
    ones often explain nothing.
    """
    groups: dict[str, set[str]] = {}
    for feature in features:
        if feature.group.startswith(("counts", "seen", "outputs")):
            groups.setdefault(feature.group, set()).add(feature.name)
    outputs = groups.get("outputs", set())
    if len(outputs) > 1:
        for feature in features:
            if feature.group.startswith("changes"):
                groups.setdefault(feature.group, set(outputs)).add(feature.name)
    return [frozenset(names) for names in groups.values() if len(names) > 1]


def _history_rows(tables: _Tables) -> int:
    """Distinct (whole history, input) rows: what a set of features must do better than."""
    words = tables.traces.words
    total = 0
    for t in range(tables.first, tables.last):
        total += len(np.unique(words[:, : t + 1].reshape(len(words), -1), axis=0))
    return total


def _whole_history(digits: list[Feature]) -> list[RegisterSet]:
    """Last of all: the whole history of an input, as numbers whose digits it is, in both
    directions.
    """
    groups: dict[str, list[Feature]] = {}
    for feature in digits:
        groups.setdefault(feature.group, []).append(feature)
    return [
        RegisterSet(tuple(sorted(g, key=lambda f: f.name, reverse=True)), 0, 1.0)
        for g in groups.values()
        if len(g) == 3
    ]


def _ranked(found: dict[frozenset[str], RegisterSet]) -> list[RegisterSet]:
    """Fewest distinct rows first, minding what the features cost; supersets of a found set last."""
    distinct = {
        f.name: len(np.unique(f.values))
        for candidate in found.values()
        for f in candidate.features
        if f.update is None
    }

    def rank(item):
        names, candidate = item
        bigger = any(
            other < names and found[other].conflicts <= candidate.conflicts for other in found
        )
        exceptions = _CONFLICT_BITS * candidate.conflicts
        # an update that has to be found will cost its bits, the more the more values it takes; that
        # of the output is the output itself
        unknown = sum(
            4.0 * np.log2(distinct[f.name])
            for f in candidate.features
            if f.update is None and not f.name.startswith("output")
        )
        features = sum(f.cost + 6.0 for f in candidate.features)
        return (bigger, exceptions + 8.0 * np.log2(candidate.keys) + features + unknown)

    return [candidate for _, candidate in sorted(found.items(), key=rank)]


def _needed(feature: Feature, by_name: dict[str, Feature]) -> list[str]:
    names, todo = [], list(feature.needs)
    while todo:
        name = todo.pop()
        if name not in names:
            names.append(name)
            todo.extend(by_name[name].needs)
    return names


def _in_order(names: frozenset[str], by_name: dict[str, Feature]) -> tuple[Feature, ...]:
    order = list(by_name)
    return tuple(by_name[n] for n in sorted(names, key=order.index))


def programs(
    candidates: list[RegisterSet],
    traces: Traces,
    input_range: InputRange,
    features: list[Feature],
    settings: RegisterSettings,
    deadline: float,
) -> Iterator[tuple[Program, RegisterSet]]:
    """Regresses closed sets one after the other; yields each program found.

    Args:
        candidates: closed sets (their features are looked up by name in `features`).
        traces: rows for the regression: all letters, not only few.
        input_range: bounds of the inputs, source of constants.
        features: the same features on the words of `traces`.
        settings: limits.
        deadline: `time.monotonic()` at which to stop.
    """
    by_name = {f.name: f for f in features}
    for candidate in [
        *candidates[: settings.sets],
        *(c for c in candidates[settings.sets :] if not c.keys),
    ]:
        if time.monotonic() > deadline:
            return
        members = tuple(by_name[f.name] for f in candidate.features)
        program = regress_program(members, traces, input_range, settings, deadline)
        if program is not None:
            yield program, candidate


def regress_program(
    members: tuple[Feature, ...],
    traces: Traces,
    input_range: InputRange,
    settings: RegisterSettings,
    deadline: float,
) -> Program | None:
    """Updates, outputs and initial values for one set of registers, or None when an expression is
    not found.
    """
    tables = _Tables(traces, list(members))
    names = input_names(traces.words.shape[2])
    inputs = {Var(n): c for n, c in zip(names, tables.inputs)}
    before = {Var(f.name): tables.before[f.name] for f in members}
    keys = group_rows(list(inputs.values()) + list(before.values()), tables.rows)
    rows = distinct_rows(keys)
    if settings.tolerance and any(
        keys.conflicts(target).any() for target in _targets(tables, members)
    ):
        rows = _majority_rows(keys, tables, members)
    columns = {v: c[rows] for v, c in (inputs | before).items()}
    constants = _constants(input_range, tables)
    limits = RegressionSettings(
        lookup_cells=settings.lookup_cells,
        tolerance=settings.tolerance,
        enumeration=_enumeration(len(columns), deadline),
    )
    regressor = Regressor(columns, constants, _seeds(members, names, updated=False), limits)

    choices: dict[str, list[Expression]] = {}
    for feature in members:
        if feature.update is not None:
            choices[feature.name] = [feature.update]
            continue
        choices[feature.name] = regressor.expressions(
            tables.after[feature.name][rows], _left(deadline)
        )[:_ALTERNATIVES]
        if not choices[feature.name]:
            return None
    updates = {name: found[0] for name, found in choices.items()}
    outputs = []
    for target in tables.outputs:
        found = _output(
            regressor, members, names, columns, updates, target[rows], constants, limits, deadline
        )
        if not found:
            return None
        outputs.append(found[:_ALTERNATIVES])
    updates, outputs = _best_together(choices, outputs)
    initials = _initial_values(members, updates, outputs, traces, names, constants)
    if initials is None:
        return None
    ordered = _update_order(updates)
    registers = tuple(Register(n, initials[n], updates[n]) for n in ordered)
    return pruned(reuse_updates(Program(names, registers, tuple(outputs))))


def _best_together(
    choices: dict[str, list[Expression]], outputs: list[list[Expression]]
) -> tuple[dict[str, Expression], list[Expression]]:
    """One expression for each update and output, such that what they share is written once;
    coordinate descent.
    """
    slots = [*choices.values(), *outputs]
    chosen = [options[0] for options in slots]

    def bits() -> float:
        seen: set[Expression] = set()
        return sum(shared_bits(expression, 4, seen) for expression in chosen)

    for _ in range(2):
        for slot, options in enumerate(slots):
            trial = []
            for option in options:
                chosen[slot] = option
                trial.append((bits(), options.index(option)))
            chosen[slot] = options[min(trial)[1]]
    return dict(zip(choices, chosen)), chosen[len(choices) :]


def _output(
    regressor, members, names, columns, updates, target, constants, limits, deadline
) -> list[Expression]:
    """The output from the registers before the step, and from those after it, the shortest first."""
    found = regressor.expressions(target, _left(deadline))
    changed = [f for f in members if not isinstance(updates[f.name], (Var, Const))]
    if changed and (not found or expression_bits(found[0]) > 16.0):
        # the registers after the step, their values computed with the updates found
        after = {
            Var(f.name, updated=True): np.broadcast_to(
                evaluate(updates[f.name], columns), target.shape
            )
            for f in changed
        }
        kept = {v: c for v, c in columns.items() if v.name not in {f.name for f in changed}}
        late = Regressor(
            after | kept, constants, _seeds(members, names, updated=True, changed=changed), limits
        )
        found = sorted(found + late.expressions(target, _left(deadline)), key=expression_bits)
    return found


def _left(deadline: float) -> float:
    return max(0.2, min(6.0, deadline - time.monotonic()))


def _enumeration(variables: int, deadline: float) -> EnumerationSettings:
    bank = 40_000 if variables <= 4 else 30_000
    return EnumerationSettings(bank=bank, seconds=max(3.0, min(30.0, deadline - time.monotonic())))


def _targets(tables: _Tables, members) -> list[np.ndarray]:
    """The columns that have to be a function of registers and inputs."""
    return tables.outputs + [tables.after[f.name] for f in members if f.update is None]


def _majority_rows(keys: Keys, tables: _Tables, members) -> np.ndarray:
    """One row of each distinct key, among those that agree with their majority in every target."""
    targets = _targets(tables, members)
    bad = np.zeros(tables.rows, bool)
    for target in targets:
        bad |= keys.minority(target)
    good = np.flatnonzero(~bad)
    _, first = np.unique(keys.codes[good], return_index=True)
    return good[first]


def _constants(input_range: InputRange, tables: _Tables) -> list[int]:
    """Bounds of inputs and outputs and their neighbours; every letter of a small alphabet."""
    constants: list[int] = []
    for low, high in input_range:
        constants += list(range(low, high + 1)) if high - low < 10 else [low, high]
        constants += [high + 1, low - 1]
    for output in tables.outputs:
        low, high = int(output.min()), int(output.max())
        constants += list(range(low, high + 2)) if high - low < 8 else [low, high]
    for values in tables.before.values():
        low, high = int(values.min()), int(values.max())
        constants += [low, high, high + 1] + (list(range(low, high)) if high - low < 8 else [])
    return [c for c in dict.fromkeys(constants) if abs(c) < 2000]


def _seeds(members, names: tuple[str, ...], updated: bool, changed=()) -> list[Expression]:
    """min, max, sum, median of a window with the current input; the index of the largest count."""
    seeds: list[Expression] = []
    groups: dict[str, list[Feature]] = {}
    for feature in members:
        if feature.group and not feature.group.startswith(("outputs", "changes")):
            groups.setdefault(feature.group, []).append(feature)
    late = {f.name for f in changed}
    for group, features in groups.items():
        registers = [Var(f.name, updated=updated and f.name in late) for f in features]
        if group.startswith("window"):
            name = group.partition("_")[2] or names[0]
            terms: list[Expression] = [Var(name), *registers]
        else:
            terms = registers
        if len(terms) > 2:
            seeds += [Call("min", tuple(terms)), Call("max", tuple(terms))]
            if len(terms) % 2:
                seeds.append(Call("median", tuple(terms)))
        if len(terms) > 2 and not group.startswith("window"):
            seeds.append(Call("argmax", tuple(terms)))
        if len(terms) > 2:
            total = terms[0]
            for term in terms[1:]:
                total = call("add", total, term)
            seeds.append(total)
    if len(names) > 2:
        inputs = tuple(Var(n) for n in names)
        seeds += [Call("min", inputs), Call("max", inputs)] + (
            [Call("median", inputs)] if len(inputs) % 2 else []
        )
    return seeds


def _initial_values(
    members, updates, outputs, traces: Traces, names, constants
) -> dict[str, int] | None:
    """Initial values of the registers; free ones are chosen so that the first step is right on
    every word.
    """
    fixed = {f.name: f.initial for f in members if f.initial is not None}
    free = [f for f in members if f.initial is None]
    if not free:
        return fixed
    first = np.unique(traces.words[:, 0], axis=0, return_index=True)[1]
    inputs = {Var(n): traces.words[first, 0, i] for i, n in enumerate(names)}
    choices = []
    for feature in free:
        natural = [int(feature.values[0, 0]), 0, 1, -1]
        values = feature.values[:, 1:]
        span = [int(values.min()), int(values.max()), int(values.min()) - 1, int(values.max()) + 1]
        choices.append(list(dict.fromkeys([*natural, *span, *constants])))

    @functools.cache
    def wrong(values: tuple[int, ...]) -> float:
        initial = fixed | {f.name: v for f, v in zip(free, values)}
        columns = inputs | {Var(n): np.full(len(first), v) for n, v in initial.items()}
        for name in _update_order(updates):
            columns[Var(name, updated=True)] = np.broadcast_to(
                evaluate(updates[name], columns), (len(first),)
            )
        share = sum(
            float(
                (
                    np.broadcast_to(evaluate(o, columns), (len(first),))
                    != traces.outputs[first, 0, i]
                ).mean()
            )
            for i, o in enumerate(outputs)
        )
        return share + sum(
            float((columns[Var(f.name, updated=True)] != f.values[first, 1]).mean()) for f in free
        )

    best: tuple[int, ...] | None = None
    for values in _combinations(choices, wrong):
        if best is None or wrong(values) < wrong(best):
            best = values
        if wrong(best) == 0:
            break
    return (
        fixed | {f.name: v for f, v in zip(free, best)}
        if best is not None and wrong(best) < 0.02
        else None
    )


def _combinations(
    choices: list[list[int]], wrong: Callable[[tuple[int, ...]], float]
) -> Iterator[tuple[int, ...]]:
    """Values to try: all of one or two registers; of more, what coordinate descent from all zeros
    passes through.
    """
    if len(choices) <= 2:
        yield from itertools.product(*(c[:12] if len(choices) > 1 else c for c in choices))
        return
    values = (0,) * len(choices)
    for _ in range(3):
        for place, options in enumerate(choices):
            values = min(
                (
                    values[:place] + (option,) + values[place + 1 :]
                    for option in (values[place], *options)
                ),
                key=wrong,
            )
            yield values


def _update_order(updates: dict[str, Expression]) -> list[str]:
    """Registers such that an update that reads another's new value comes after it."""
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
