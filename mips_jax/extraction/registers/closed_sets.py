"""Closed sets: small sets of features that with the input determine the outputs and their own next
values, found by beam search without conflicts.

Axes: W words, T time, I inputs a step, O outputs a step, N rows (one for each word and step).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.registers.feature import Feature, Group, Kind
from mips_jax.extraction.regression.table import Keys, group_rows, variation
from mips_jax.extraction.traces import Traces
from mips_jax.extraction.tuning import RegisterSettings


@dataclasses.dataclass(frozen=True)
class RegisterSet:
    """A closed set of features: with the input they determine the outputs and themselves.

    Attributes:
        features: the members.
        keys: number of distinct (features, input) rows seen; 0 for the whole history.
        conflicts: share of what there is to explain that contradicts it.
    """

    features: tuple[Feature, ...]
    keys: int
    conflicts: float = 0.0


class Tables:
    """Flat columns before and after each step, for the rows on which every feature is defined.

    Args:
        traces: runs of the network.
        features: on the words of `traces`.
    """

    def __init__(self, traces: Traces, features: list[Feature]):
        self.traces = traces
        self.first = 1 if any(f.initial is None for f in features) else 0
        self.last = traces.length - max((f.lookahead for f in features), default=0)
        steps = slice(self.first, self.last)
        self.inputs = [traces.words[:, steps, i].ravel() for i in range(traces.words.shape[2])]
        self.outputs = [traces.outputs[:, steps, o].ravel() for o in range(traces.outputs.shape[2])]
        self.before = {f.name: f.values[:, self.first : self.last].ravel() for f in features}
        self.after = {f.name: f.values[:, self.first + 1 : self.last + 1].ravel() for f in features}
        self.rows = len(self.inputs[0])

    def histories(self) -> int:
        """Distinct (whole history, input) rows: what a set of features must do better than."""
        words = self.traces.words
        flat = [words[:, : t + 1].reshape(len(words), -1) for t in range(self.first, self.last)]
        return sum(len(np.unique(history, axis=0)) for history in flat)


class _Conflicts:
    """How much of what there is to explain contradicts a set, and the work of finding out.

    Relative to what there is to explain: a rare output must not pass for an exception.
    """

    def __init__(self, tables: Tables, by_name: dict[str, Feature], share: Share):
        self._tables, self._by_name, self._share = tables, by_name, share
        self._outputs = [self._explained(output) for output in tables.outputs]
        self._known: dict[str, tuple[np.ndarray, float]] = {}

    def _explained(self, target: np.ndarray) -> tuple[np.ndarray, float]:
        return target, max(variation(target), 1.0 / self._tables.rows)

    def _target(self, name: str) -> tuple[np.ndarray, float]:
        if name not in self._known:
            self._known[name] = self._explained(self._tables.after[name])
        return self._known[name]

    def of(self, members: frozenset[str], keys: Keys) -> float:
        """Summed over the outputs and the members' next values that have to be found."""
        open_ones = [m for m in sorted(members) if self._by_name[m].update is None]
        targets = self._outputs + [self._target(name) for name in open_ones]
        self._share.spend(len(targets) * self._tables.rows)
        return sum(float(keys.conflicts(t).mean()) / variety for t, variety in targets)

    def refined(self, keys: Keys, names: list[str]) -> Keys:
        """Rows that also agree on these features."""
        self._share.spend(len(names) * self._tables.rows)
        for name in names:
            keys = keys.refined(self._tables.before[name])
        return keys


def closed_sets(
    narrow: Traces, features: list[Feature], settings: RegisterSettings, share: Share
) -> list[RegisterSet]:
    """Sets of features without conflicts on the traces, the fewest distinct rows first.

    Args:
        narrow: traces over few letters, so that determinism is really tested.
        features: candidates, on the words of `narrow`.
        settings: limits and ranks.
        share: rows that may be compared.
    """
    digits = [f for f in features if f.in_group(Kind.DIGITS)]
    features = [f for f in features if f not in digits and f.lookahead <= narrow.length - 2]
    tables = Tables(narrow, features)
    if not tables.rows:  # words of one letter
        return []
    by_name = {f.name: f for f in features}
    conflicts = _Conflicts(tables, by_name, share)
    inputs = group_rows(tables.inputs, tables.rows)
    start = conflicts.of(frozenset(), inputs)
    if start <= settings.tolerance:
        return [RegisterSet((), inputs.count, start)]
    additions = [frozenset({f.name, *_needed(f, by_name)}) for f in features]
    additions += _whole_groups(features)
    most_rows = settings.memorised * tables.histories()
    found: dict[frozenset[str], RegisterSet] = {}
    beam: list[tuple[float, frozenset[str], Keys]] = [(start, frozenset(), inputs)]
    seen: set[frozenset[str]] = set()
    for _ in range(settings.largest_set):
        grown: list[tuple[float, frozenset[str], Keys]] = []
        for extended, refined in _extensions(beam, additions, seen, conflicts, settings):
            rate = conflicts.of(extended, refined)
            if refined.count > most_rows:
                continue  # it memorises whole histories, which explains nothing
            if rate <= settings.tolerance:
                members = _in_order(extended, by_name)
                found[extended] = RegisterSet(members, refined.count, rate)
            else:
                grown.append((_promise(rate, extended, refined, settings), extended, refined))
            if share.out:
                return _ranked(found, settings) + _whole_history(digits)
        beam = sorted(grown, key=lambda g: (g[0], sorted(g[1])))[: settings.beam]
        if len(found) >= settings.sets * 2:
            break
    return _ranked(found, settings) + _whole_history(digits)


def _extensions(beam, additions, seen, conflicts: _Conflicts, settings: RegisterSettings):
    """(members, rows grouped by them) of every set of the beam with one addition, each once."""
    for _, members, keys in beam:
        for addition in additions:
            extended = members | addition
            too_large = len(extended) > settings.largest_set + settings.needed
            if extended in seen or extended == members or too_large:
                continue
            seen.add(extended)
            yield extended, conflicts.refined(keys, sorted(extended - members))


def _promise(rate: float, names: frozenset[str], keys: Keys, settings: RegisterSettings) -> float:
    """Rank in the beam. Distinct rows are what conflicts are avoided with: a set that splits
    everything explains nothing.
    """
    split = keys.count / len(keys.codes)
    return rate + settings.size_penalty * len(names) + settings.row_penalty * split


def _whole_groups(features: list[Feature]) -> list[frozenset[str]]:
    """All counts (or flags) of one input at once, all outputs and how they would change: single
    ones often explain nothing.
    """
    groups: dict[Group, set[str]] = {}
    for feature in features:
        if group := feature.in_group(Kind.COUNTS, Kind.SEEN, Kind.OUTPUTS):
            groups.setdefault(group, set()).add(feature.name)
    outputs = groups.get(Group(Kind.OUTPUTS), set())
    if len(outputs) > 1:
        for feature in features:
            if group := feature.in_group(Kind.CHANGES):
                groups.setdefault(group, set(outputs)).add(feature.name)
    return [frozenset(names) for names in groups.values() if len(names) > 1]


def _whole_history(digits: list[Feature]) -> list[RegisterSet]:
    """Last of all: the whole history of an input, as numbers whose digits it is, in both
    directions.
    """
    groups: dict[Group | None, list[Feature]] = {}
    for feature in digits:
        groups.setdefault(feature.group, []).append(feature)
    return [
        RegisterSet(tuple(sorted(g, key=lambda f: f.name, reverse=True)), 0)
        for g in groups.values()
        if len(g) == 3
    ]


def _ranked(
    found: dict[frozenset[str], RegisterSet], settings: RegisterSettings
) -> list[RegisterSet]:
    """Fewest distinct rows first, minding what the features cost; supersets of a found set last."""
    members = [f for candidate in found.values() for f in candidate.features]
    values = {f.name: len(np.unique(f.values)) for f in members if f.update is None}

    def rank(item):
        names, candidate = item
        bigger = any(
            other < names and found[other].conflicts <= candidate.conflicts for other in found
        )
        # an update that has to be found will cost its bits, the more the more values it takes; that
        # of the output is the output itself
        unknown = sum(
            settings.value_bits * np.log2(values[f.name])
            for f in candidate.features
            if f.update is None and not f.in_group(Kind.OUTPUTS, Kind.EARLIER_OUTPUTS)
        )
        exceptions = settings.conflict_bits * candidate.conflicts
        features = sum(f.cost + settings.feature_bits for f in candidate.features)
        rows = settings.row_bits * np.log2(candidate.keys)
        return (bigger, exceptions + rows + features + unknown)

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
