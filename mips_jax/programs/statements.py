"""Statements of a program's loop: what is assigned under which condition, in which order.

Every step of a program reads values from before the step or from after it (`Var.updated`). A
statement that reads an old value comes before the one that overwrites it, a new value after.
Statements under the same condition stand in one branch.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TypeGuard

from mips_jax.programs.expression import Call, Expression, Var, replace, variables, walk
from mips_jax.programs.tidy import negation

STORE, SHIFT = "store", "shift"


@dataclasses.dataclass(frozen=True)
class Assign:
    """Assigns expressions to names, or (no names) appends them to the outputs.

    Attributes:
        targets: names.
        expressions: as many; of the outputs where there are no names.
        form: `STORE` (expressions are an index, a value, and a guard if there is one), `SHIFT` (the
            expression comes in at the end of a list), or empty.
    """

    targets: tuple[str, ...]
    expressions: tuple[Expression, ...]
    form: str = ""


@dataclasses.dataclass(frozen=True)
class Branch:
    """`if condition:` one list of statements, `else:` the other."""

    condition: Expression
    chosen: tuple[Statement, ...]
    other: tuple[Statement, ...]


Statement = Assign | Branch


def owner(name: str) -> str:
    """The name whose assignment changes a variable: of `bits[0]` and of `sum(bits)`, `bits`."""
    return re.sub(r"^sum\(|\)$", "", name).split("[")[0]


def arranged(steps: list[Assign]) -> list[Statement]:
    """The statements in an order in which each reads the values it means, branches together.

    Args:
        steps: one for each register, and the outputs.
    """
    nodes = _grouped(steps)
    while True:
        before = _order(nodes)
        try:
            order = list(_stable_order(before))
        except CycleError as cycle:
            nodes = _broken(nodes, set(cycle.args[1]))
            continue
        return [made for i in order for made in _made(nodes[i])]


# -- grouping


@dataclasses.dataclass(frozen=True)
class _Group:
    """Assignments that are made together: under one condition, or (None) as they are."""

    condition: Expression | None
    members: tuple[Assign, ...]


def _grouped(steps: list[Assign]) -> list[_Group]:
    by_condition: dict[Expression, list[int]] = {}
    for i, step in enumerate(steps):
        condition = _condition(step)
        if condition is not None:
            by_condition.setdefault(condition, []).append(i)
    groups: dict[int, _Group] = {}
    for condition, members in by_condition.items():
        chosen = [steps[i] for i in members]
        targets = {t for step in chosen for t in step.targets}
        late = {owner(v.name) for v in variables(condition) if v.updated}
        if late & targets:
            continue
        if _worth_a_branch(chosen):
            groups |= {i: _Group(condition, tuple(chosen)) for i in members}
    found: list[_Group] = []
    for i, step in enumerate(steps):
        group = groups.get(i, _Group(None, (step,)))
        if group not in found:
            found.append(group)
    return found


def _worth_a_branch(steps: list[Assign]) -> bool:
    """Whether an `if` reads better than conditional expressions."""
    if len([s for s in steps if s.targets]) > 1 or len(steps) > 2:
        return True
    return any(_stays(s) or _nested(s) for s in steps)


def _condition(step: Assign) -> Expression | None:
    """The condition that all its expressions begin with."""
    if step.form:
        return None
    calls = [e for e in step.expressions if _is_conditional(e)]
    conditions = {e.arguments[0] for e in calls}
    same = len(conditions) == 1 and len(calls) == len(step.expressions)
    return conditions.pop() if same else None


def _is_conditional(expression: Expression) -> TypeGuard[Call]:
    return isinstance(expression, Call) and expression.operator == "if"


def _stays(step: Assign) -> bool:
    """Whether one of the branches leaves the register as it is."""
    return any(
        isinstance(e, Call) and any(_is_own(step, t, a) for a in e.arguments[1:])
        for t, e in zip(step.targets, step.expressions)
    )


def _is_own(step: Assign, target: str, expression: Expression) -> bool:
    return expression == Var(target)


def _nested(step: Assign) -> bool:
    return any(_is_conditional(n) for e in step.expressions for n in list(walk(e))[1:])


# -- order


def _order(groups: list[_Group]) -> dict[int, set[int]]:
    """For each group those that come before it."""
    writer = {t: i for i, g in enumerate(groups) for step in g.members for t in step.targets}
    before: dict[int, set[int]] = {i: set() for i in range(len(groups))}
    for i, group in enumerate(groups):
        for variable in _reads(group):
            other = writer.get(owner(variable.name))
            if other is None or other == i:
                continue
            if variable.updated:
                before[i].add(other)
            else:
                before[other].add(i)
    return before


def _reads(group: _Group) -> set[Var]:
    own = {(t, Var(t)) for step in group.members for t in step.targets}
    found: set[Var] = set() if group.condition is None else variables(group.condition)
    for step in group.members:
        for place, expression in enumerate(step.expressions):
            target = step.targets[place] if place < len(step.targets) else ""
            parts: tuple[Expression, ...] = (expression,)
            if group.condition is not None and isinstance(expression, Call):
                parts = expression.arguments[1:]
            for part in parts:
                if (target, part) not in own:
                    found |= variables(part)
    return found


def _stable_order(before: dict[int, set[int]]) -> Iterator[int]:
    """Topological order, the earliest statement first; updates before the outputs where both are
    free.
    """
    sorter = TopologicalSorter(before)
    sorter.prepare()
    ready: set[int] = set()
    while sorter.is_active():
        ready |= set(sorter.get_ready())
        chosen = min(ready)
        ready.remove(chosen)
        yield chosen
        sorter.done(chosen)


def _broken(groups: list[_Group], cycle: set[int]) -> list[_Group]:
    """Groups that need each other's old values: what is plain among them joins the only branch, or
    one tuple assignment takes the place of all; the outputs get names first if in it.
    """
    members = [groups[i] for i in sorted(cycle)]
    rest = [g for i, g in enumerate(groups) if i not in cycle]
    first = min(cycle)
    branches = [g for g in members if g.condition is not None]
    plain = [g for g in members if g.condition is None]
    if len(branches) == 1 and all(len(g.members[0].targets) == 1 for g in plain):
        joined = _absorbed(branches[0], [g.members[0] for g in plain])
        if joined is not None:
            return [*rest[:first], joined, *rest[first:]]
    if branches:
        flat = [_Group(None, (step,)) for g in members for step in g.members]
        return [*rest[:first], *flat, *rest[first:]]
    steps = [g.members[0] for g in members]
    output = next((s for s in steps if not s.targets), None)
    if output is not None:
        return rest + [_Group(None, (s,)) for s in _named_outputs(steps, output)]
    return [*rest[:first], _Group(None, (_together(steps),)), *rest[first:]]


def _absorbed(branch: _Group, plain: list[Assign]) -> _Group | None:
    """The branch with plain assignments on both of its sides, where its condition reads no value
    from after the step.
    """
    condition = branch.condition
    if condition is None or any(v.updated for v in variables(condition)):
        return None
    if any(step.form for step in plain):
        return None
    return _Group(condition, branch.members + tuple(_both(condition, step) for step in plain))


def _both(condition: Expression, step: Assign) -> Assign:
    """The same whichever way the condition goes."""
    twice = tuple(Call("if", (condition, e, e)) for e in step.expressions)
    return Assign(step.targets, twice)


def _named_outputs(steps: list[Assign], output: Assign) -> list[Assign]:
    count = len(output.expressions)
    names = ("y",) if count == 1 else tuple(f"y{i}" for i in range(count))
    named = [Assign((n,), (e,)) for n, e in zip(names, output.expressions)]
    appended = Assign((), tuple(Var(n, updated=True) for n in names))
    return [*(s for s in steps if s is not output), *named, appended]


def _together(steps: list[Assign]) -> Assign:
    """One tuple assignment: every right-hand side sees the old values, new ones are written out."""
    targets = tuple(t for s in steps for t in s.targets)
    new: dict[Expression, Expression] = {
        Var(t, updated=True): e for s in steps for t, e in zip(s.targets, s.expressions)
    }
    return Assign(targets, tuple(_expanded(e, new) for s in steps for e in s.expressions))


def _expanded(expression: Expression, new: dict[Expression, Expression]) -> Expression:
    while any(v in new for v in variables(expression)):
        expression = replace(expression, new)
    return expression


# -- statements


def _made(group: _Group) -> list[Statement]:
    if group.condition is None:
        return list(group.members)
    chosen, other = (tuple(arranged(_side(group.members, place))) for place in (1, 2))
    condition = group.condition
    negated = isinstance(condition, Call) and condition.operator == "not"
    if not chosen or (other and negated):
        condition, chosen, other = negation(condition), other, chosen
    return [Branch(condition, chosen, other)] if chosen else []


def _side(members: tuple[Assign, ...], place: int) -> list[Assign]:
    """What is assigned on one side of a condition; what stays as it is is left out."""
    steps = []
    for step in members:
        expressions = tuple(e.arguments[place] for e in step.expressions if isinstance(e, Call))
        if len(step.targets) == 1 and expressions[0] == Var(step.targets[0]):
            continue
        steps.append(Assign(step.targets, expressions))
    return steps
