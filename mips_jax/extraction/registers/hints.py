"""What regression is offered beside the variables: constants from the ranges, and expressions of
whole groups (the median of a window, the index of the largest count).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mips_jax.extraction.registers.closed_sets import Tables
from mips_jax.extraction.registers.feature import Feature, Group, Kind
from mips_jax.extraction.tuning import ProgramTuning
from mips_jax.inputs import InputRange
from mips_jax.programs import Call, Expression, Var, call


def constants_for(input_range: InputRange, tables: Tables, tuning: ProgramTuning) -> list[int]:
    """Bounds of inputs, outputs and registers, their neighbours; every value of a small range."""
    constants: list[int] = []
    for low, high in input_range:
        constants += list(range(low, high + 1)) if high - low < tuning.small_input else [low, high]
        constants += [high + 1, low - 1]
    for output in tables.outputs:
        low, high = _span(output)
        constants += list(range(low, high + 2)) if high - low < tuning.small_span else [low, high]
    for values in tables.before.values():
        low, high = _span(values)
        constants += [low, high, high + 1]
        constants += list(range(low, high)) if high - low < tuning.small_span else []
    return [c for c in dict.fromkeys(constants) if abs(c) < tuning.largest_constant]


def _span(values: np.ndarray) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def aggregates(
    members: Sequence[Feature], names: tuple[str, ...], late: frozenset[str] = frozenset()
) -> list[Expression]:
    """min, max, sum, median of a window with the current input; the index of the largest count.

    Args:
        members: registers.
        names: of the inputs.
        late: registers that are read after the step.
    """
    found: list[Expression] = []
    groups: dict[Group, list[Feature]] = {}
    for feature in members:
        if group := feature.in_group(Kind.WINDOW, Kind.COUNTS, Kind.SEEN, Kind.DIGITS):
            groups.setdefault(group, []).append(feature)
    for group, features in groups.items():
        terms: list[Expression] = [Var(f.name, updated=f.name in late) for f in features]
        if group.kind == Kind.WINDOW:
            terms.insert(0, Var(group.source))
        if len(terms) > 2:
            found += _orders(terms)
            if group.kind != Kind.WINDOW:
                found.append(Call("argmax", tuple(terms)))
            found.append(_sum(terms))
    if len(names) > 2:
        found += _orders([Var(n) for n in names])
    return found


def _orders(terms: list[Expression]) -> list[Expression]:
    found: list[Expression] = [Call("min", tuple(terms)), Call("max", tuple(terms))]
    return found + ([Call("median", tuple(terms))] if len(terms) % 2 else [])


def _sum(terms: list[Expression]) -> Expression:
    total = terms[0]
    for term in terms[1:]:
        total = call("add", total, term)
    return total
