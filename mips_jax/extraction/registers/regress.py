"""From a closed set to a program: regression of every update and output, initial values where the
network leaves them free.

Axes: W words, T time, N rows (one for each word and step).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.registers.closed_sets import RegisterSet, Tables
from mips_jax.extraction.registers.feature import Feature
from mips_jax.extraction.registers.hints import aggregates, constants_for
from mips_jax.extraction.registers.initial_values import initial_values, update_order
from mips_jax.extraction.regression.regressor import Regressor
from mips_jax.extraction.regression.table import Keys, distinct_rows, group_rows
from mips_jax.extraction.traces import Traces
from mips_jax.extraction.tuning import TUNING, RegressionSettings, Tuning
from mips_jax.inputs import InputRange, input_names
from mips_jax.programs import (
    Const,
    Expression,
    Program,
    Register,
    Var,
    evaluate,
    expression_bits,
    pruned,
    reuse_updates,
    shared_bits,
)

_BEST_ROUNDS = 2  # passes of coordinate descent over expressions; a third never changed anything


def programs(
    candidates: list[RegisterSet],
    traces: Traces,
    input_range: InputRange,
    features: list[Feature],
    share: Share,
    tuning: Tuning = TUNING,
) -> Iterator[tuple[Program, RegisterSet]]:
    """Regresses closed sets one after the other; yields each program found.

    Args:
        candidates: closed sets (their features are looked up by name in `features`).
        traces: rows for the regression: all letters, not only few.
        input_range: bounds of the inputs, source of constants.
        features: the same features on the words of `traces`.
        share: values that may be computed.
        tuning: limits.
    """
    by_name, most = {f.name: f for f in features}, tuning.registers.sets
    last_resorts = [c for c in candidates[most:] if not c.keys]
    for candidate in [*candidates[:most], *last_resorts]:
        if share.out:
            return
        members = tuple(by_name[f.name] for f in candidate.features)
        program = regress_program(members, traces, input_range, share, tuning)
        if program is not None:
            yield program, candidate


def regress_program(
    members: tuple[Feature, ...],
    traces: Traces,
    input_range: InputRange,
    share: Share,
    tuning: Tuning = TUNING,
) -> Program | None:
    """Updates, outputs and initial values for one set of registers, or None when an expression is
    not found.
    """
    found = _Regression(members, traces, input_range, share, tuning).expressions()
    if found is None:
        return None
    updates, outputs, constants = found
    names = input_names(traces.words.shape[2])
    initials = initial_values(members, updates, outputs, traces, names, constants, tuning.program)
    if initials is None:
        return None
    registers = tuple(Register(n, initials[n], updates[n]) for n in update_order(updates))
    return pruned(reuse_updates(Program(names, registers, tuple(outputs))))


class _Regression:
    """The table of one set of registers, and the regressor on it."""

    def __init__(self, members, traces: Traces, input_range: InputRange, share, tuning: Tuning):
        self.members, self.share, self.tuning = members, share, tuning
        self.names = input_names(traces.words.shape[2])
        self.tables = Tables(traces, list(members))
        every = {Var(n): c for n, c in zip(self.names, self.tables.inputs)}
        every |= {Var(f.name): self.tables.before[f.name] for f in members}
        self.rows = self._rows(group_rows(list(every.values()), self.tables.rows))
        self.columns = {v: c[self.rows] for v, c in every.items()}
        self.constants = constants_for(input_range, self.tables, tuning.program)
        self.limits = _limits(tuning, len(every))
        seeds = aggregates(members, self.names)
        self.regressor = Regressor(self.columns, self.constants, seeds, self.limits)

    def expressions(self) -> tuple[dict[str, Expression], list[Expression], list[int]] | None:
        """(updates, outputs, constants), or None when one of them is not found."""
        choices: dict[str, list[Expression]] = {}
        for feature in self.members:
            choices[feature.name] = self._updates(feature)
            if not choices[feature.name]:
                return None
        updates = {name: found[0] for name, found in choices.items()}
        outputs = []
        for target in self.tables.outputs:
            found = self._output(updates, target[self.rows])
            if not found:
                return None
            outputs.append(found[: self.tuning.program.alternatives])
        return *_best_together(choices, outputs), self.constants

    def _updates(self, feature: Feature) -> list[Expression]:
        if feature.update is not None:
            return [feature.update]
        target = self.tables.after[feature.name][self.rows]
        found = self.regressor.expressions(target, self._target_share())
        return found[: self.tuning.program.alternatives]

    def _output(self, updates: dict[str, Expression], target: np.ndarray) -> list[Expression]:
        """The output from the registers before the step, and from those after it, the shortest
        first.
        """
        found = self.regressor.expressions(target, self._target_share())
        changed = [f for f in self.members if not isinstance(updates[f.name], (Var, Const))]
        late_bits = self.tuning.program.late_bits
        if not changed or (found and expression_bits(found[0]) <= late_bits):
            return found
        late = frozenset(f.name for f in changed)
        after = {Var(n, updated=True): evaluate(updates[n], self.columns) for n in sorted(late)}
        columns = {
            Var(f.name, updated=True): np.broadcast_to(
                after[Var(f.name, updated=True)], target.shape
            )
            for f in changed
        }
        columns |= {v: c for v, c in self.columns.items() if v.name not in late}
        seeds = aggregates(self.members, self.names, late)
        others = Regressor(columns, self.constants, seeds, self.limits)
        found += others.expressions(target, self._target_share())
        return sorted(found, key=expression_bits)

    def _target_share(self) -> Share:
        return self.share.part(self.tuning.work.target)

    def _rows(self, keys: Keys) -> np.ndarray:
        """One row of each distinct key; where some contradict others, among those that agree with
        their majority in every target.
        """
        targets = self.tables.outputs + [
            self.tables.after[f.name] for f in self.members if f.update is None
        ]
        tolerant = self.tuning.registers.tolerance
        if not tolerant or not any(keys.conflicts(target).any() for target in targets):
            return distinct_rows(keys)
        bad = np.zeros(self.tables.rows, bool)
        for target in targets:
            bad |= keys.minority(target)
        good = np.flatnonzero(~bad)
        return good[np.unique(keys.codes[good], return_index=True)[1]]


def _limits(tuning: Tuning, variables: int) -> RegressionSettings:
    limits = dataclasses.replace(tuning.regression, tolerance=tuning.registers.tolerance)
    if variables <= tuning.program.many_variables:
        return limits
    smaller = dataclasses.replace(limits.enumeration, bank=tuning.program.small_bank)
    return dataclasses.replace(limits, enumeration=smaller)


def _best_together(
    choices: dict[str, list[Expression]], outputs: Sequence[list[Expression]]
) -> tuple[dict[str, Expression], list[Expression]]:
    """One expression for each update and output, such that what they share is written once;
    coordinate descent.
    """
    slots = [*choices.values(), *outputs]
    chosen = [options[0] for options in slots]

    def bits() -> float:
        seen: set[Expression] = set()
        return sum(shared_bits(expression, 4, seen) for expression in chosen)

    for _ in range(_BEST_ROUNDS):
        for slot, options in enumerate(slots):
            trial = []
            for option in options:
                chosen[slot] = option
                trial.append((bits(), options.index(option)))
            chosen[slot] = options[min(trial)[1]]
    return dict(zip(choices, chosen)), chosen[len(choices) :]
