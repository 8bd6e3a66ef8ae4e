"""Machines whose letters permute the states: which group do they generate?"""

from __future__ import annotations

import math

import numpy as np

from mips_jax.machines.mealy import Mealy

_LARGEST_GROUP = 2_000


def group_name(machine: Mealy) -> str | None:
    """`S4`, `A4`, `D5`, `Z6` or `a group of order n`; None where a letter is no permutation, or the
    group is larger than 2,000.
    """
    columns = {tuple(column) for column in machine.transition.T.tolist()}
    if any(len(set(column)) < machine.states for column in columns):
        return None
    members = _generated(columns, machine.states)
    if members is None:
        return None
    order = len(members)
    orders = [_order(member) for member in members]
    if max(orders) == order:
        return f"Z{order}"
    commutes = all(_after(p, q) == _after(q, p) for p in columns for q in columns)
    for points in range(3, 7):
        if not commutes and order == math.factorial(points) and _is_symmetric(orders, points):
            return f"S{points}"
        if not commutes and order == math.factorial(points) // 2 and points > 3:
            if _is_alternating(orders, points):
                return f"A{points}"
    if not commutes and order % 2 == 0 and _is_dihedral(members, orders):
        return f"D{order // 2}"
    return f"a group of order {order}"


def _generated(generators: set[tuple[int, ...]], points: int) -> list[tuple[int, ...]] | None:
    start = tuple(range(points))
    members, todo = {start}, [start]
    while todo:
        member = todo.pop()
        for generator in generators:
            further = _after(member, generator)
            if further not in members:
                members.add(further)
                todo.append(further)
                if len(members) > _LARGEST_GROUP:
                    return None
    return sorted(members)


def _after(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(second[place] for place in first)


def _order(member: tuple[int, ...]) -> int:
    """The least common multiple of its cycles' lengths."""
    seen, result = set(), 1
    for start in range(len(member)):
        length, place = 0, start
        while place not in seen:
            seen.add(place)
            place, length = member[place], length + 1
        result = math.lcm(result, length or 1)
    return result


def _is_symmetric(orders: list[int], points: int) -> bool:
    """Whether elements of each order are as many as in the symmetric group on so many points; up to
    six points no other group of its order that letters of a machine generate has these counts
    without being that group.
    """
    return _counts(orders) == _counts([_order(p) for p in _all(points)])


def _is_alternating(orders: list[int], points: int) -> bool:
    even = [p for p in _all(points) if _is_even(p)]
    return _counts(orders) == _counts([_order(p) for p in even])


def _all(points: int) -> list[tuple[int, ...]]:
    import itertools

    return list(itertools.permutations(range(points)))


def _is_even(member: tuple[int, ...]) -> bool:
    pairs = [(i, j) for j in range(len(member)) for i in range(j)]
    return sum(member[i] > member[j] for i, j in pairs) % 2 == 0


def _counts(orders: list[int]) -> list[tuple[int, int]]:
    values, counts = np.unique(orders, return_counts=True)
    return list(zip(values.tolist(), counts.tolist()))


def _is_dihedral(members: list[tuple[int, ...]], orders: list[int]) -> bool:
    """A rotation of half the order, and all that is outside its cycle turns it around."""
    half = len(members) // 2
    rotations = [m for m, order in zip(members, orders) if order == half]
    if not rotations:
        return False
    power, cycle = tuple(range(len(members[0]))), set()
    for _ in range(half):
        cycle.add(power)
        power = _after(power, rotations[0])
    return all(order == 2 for m, order in zip(members, orders) if m not in cycle)
