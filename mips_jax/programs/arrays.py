"""Registers that a person would keep in one list: cells with an index, and windows that shift.

What a program does is said register by register; these forms are read off the updates, for the
printer and for the measure of how hard a program is to read.
"""

from __future__ import annotations

import dataclasses

from mips_jax.programs.expression import Call, Const, Expression, Var, replace, variables
from mips_jax.programs.recurrence import Recurrence, Register

_FEWEST_CELLS = 2
_FEWEST_SHIFTED = 4  # registers of a window that is a list; fewer are shifted by name


@dataclasses.dataclass(frozen=True)
class Cells:
    """`if guard: name[index] = value`.

    Attributes:
        registers: in the order of the index, from 0 on.
        guard: None where a cell is set at every step.
        index, value: expressions.
    """

    registers: tuple[Register, ...]
    guard: Expression | None
    index: Expression
    value: Expression


@dataclasses.dataclass(frozen=True)
class Window:
    """`name = name[1:] + [value]`.

    Attributes:
        registers: the oldest value first.
        value: what comes in.
    """

    registers: tuple[Register, ...]
    value: Expression


def lists_of(program: Recurrence) -> list[Cells | Window]:
    """The lists that the registers of a program make."""
    cells = _cells(program.registers)
    taken = {r.name for c in cells for r in c.registers}
    rest = tuple(r for r in program.registers if r.name not in taken)
    return [*cells, *_windows(rest)]


def _cells(registers: tuple[Register, ...]) -> list[Cells]:
    found: dict[tuple, dict[int, Register]] = {}
    for register in registers:
        if (key := _stored(register)) is not None:
            place, *form = key
            found.setdefault(tuple(form), {})[place] = register
    lists = []
    for (guard, index, value), places in found.items():
        names = {r.name for r in places.values()}
        read = variables(index) | variables(value) | (variables(guard) if guard else set())
        if sorted(places) == list(range(len(places))) and len(places) >= _FEWEST_CELLS:
            if not any(v.name in names for v in read):
                ordered = tuple(places[k] for k in range(len(places)))
                lists.append(Cells(ordered, guard, index, value))
    return lists


def _stored(register: Register) -> tuple | None:
    """(place, guard, index, value) of `value if guard and index == place else register`."""
    match register.update:
        case Call("if", (condition, value, Var(name, False))) if name == register.name:
            guard: Expression | None = None
            match condition:
                case Call("and", (first, second)):
                    guard, condition = first, second
            match condition:
                case Call("eq", (index, Const(place))):
                    return place, guard, index, value
    return None


def _windows(registers: tuple[Register, ...]) -> list[Window]:
    by_name = {r.name: r for r in registers}
    source = {
        r.name: r.update.name
        for r in registers
        if isinstance(r.update, Var) and not r.update.updated and r.update.name in by_name
    }
    read_by: dict[str, list[str]] = {}
    for name, other in source.items():
        read_by.setdefault(other, []).append(name)
    found = []
    for oldest in registers:
        if oldest.name in read_by or oldest.name not in source:
            continue
        chain = [oldest.name]
        while chain[-1] in source and source[chain[-1]] not in chain:
            chain.append(source[chain[-1]])
        branching = any(len(read_by.get(name, [])) > 1 for name in chain)
        if len(chain) >= _FEWEST_SHIFTED and not branching and chain[-1] not in source:
            found.append(Window(tuple(by_name[n] for n in chain), by_name[chain[-1]].update))
    return found


def summed(expression: Expression, parts: list[Expression], total: Expression) -> Expression:
    """The expression with `total` in the place of the sum of all the parts, wherever it is made."""
    match expression:
        case Call("add", arguments):
            terms = _terms(expression)
            if all(terms.count(part) >= 1 for part in parts):
                for part in parts:
                    terms.remove(part)
                result: Expression = total
                for term in terms:
                    result = Call("add", (result, term))
                return result
            return Call("add", tuple(summed(a, parts, total) for a in arguments))
        case Call(operator, arguments):
            return Call(operator, tuple(summed(a, parts, total) for a in arguments))
    return expression


def indexed(
    expression: Expression, cells: list[Expression], index: Expression, element: Expression
):
    """The expression with `element` where one of the cells is chosen by the index."""
    forms: dict[Expression, Expression] = {}
    if len(cells) == 2:
        forms[Call("if", (index, cells[1], cells[0]))] = element
        forms[Call("if", (Call("not", (index,)), cells[0], cells[1]))] = element
        for k in (0, 1):
            here = Call("eq", (index, Const(k)))
            forms[Call("if", (here, cells[k], cells[1 - k]))] = element
    for order in (range(len(cells)), range(len(cells) - 1, -1, -1)):
        *first, last = order
        chosen = cells[last]
        for k in reversed(first):
            chosen = Call("if", (Call("eq", (index, Const(k))), cells[k], chosen))
        forms[chosen] = element
    return replace(expression, forms)


def _terms(expression: Expression) -> list[Expression]:
    match expression:
        case Call("add", (left, right)):
            return _terms(left) + _terms(right)
    return [expression]
