"""How hard expressions are to read, in bits: their length, and more where arithmetic is done with
what is a truth, where comparisons are compared, or where conditionals are nested.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Set

from mips_jax.programs.expression import Call, Const, Expression, Lookup, Var, children, is_boolean
from mips_jax.programs.operators import OPERATORS

NO_BITS: frozenset[Expression] = frozenset()

_AS_NUMBER = 1.5  # bits of `int(...)` around a truth
_NAME = 4.0  # bits of a variable
_RIDDLE = 20.0  # bits of arithmetic with a truth, or of a comparison of comparisons
_BENT = 3.0  # bits of an order or a remainder where one of the two sides is 0 or 1
_BENT_CONDITION = 8.0  # bits of a condition that is a number
_NESTED = 25.0  # bits of each conditional within two others
_DEEPEST = 2  # conditionals that may lie in one another
_TABLE, _CELL = 40.0, 8.0  # bits of a table and of each entry: a last resort
_SHORT = 6  # entries of a table that is read at a glance
_ARITHMETIC = {"mul", "min", "max", "abs", "floordiv", "median", "neg"}
_ORDERS = {"lt", "le", "gt", "ge"}
_COMPARISONS = _ORDERS | {"eq", "ne"}
_REMEMBERED = 1 << 16  # parts of expressions whose costs are kept: most are put together again


def reading_bits(expression: Expression, bits: Set[Expression] = NO_BITS) -> float:
    """What it costs a reader.

    Args:
        expression: what is to be read.
        bits: variables that are 0 or 1 at all times.
    """
    return shared_reading_bits(expression, bits, None)


def shared_reading_bits(
    expression: Expression, bits: Set[Expression], seen: set[Expression] | None
) -> float:
    """The same, where what is in `seen` was written before and costs a name only; adds what it
    meets.
    """
    as_number = _AS_NUMBER * is_boolean(expression)
    return _length(expression, seen) + as_number + riddle_bits(expression, bits)


def riddle_bits(expression: Expression, bits: Set[Expression] = NO_BITS) -> float:
    """The share of `reading_bits` that no reader owes to the length alone."""
    deep = max(_depth(expression) - _DEEPEST, 0)
    known = frozenset(bits)
    match expression:
        case Call("add", (Var(), Call() as counted)) if is_boolean(counted):
            return _riddles(counted, known)  # `count += x == y`
    return _NESTED * deep + _riddles(expression, known)


def is_bit(expression: Expression, bits: Set[Expression]) -> bool:
    """Whether its value is 0 or 1 by what it is made of."""
    match expression:
        case Var():
            return expression in bits
        case Const():
            return False
        case Call("xor" | "and" | "or" | "min" | "max", arguments):
            return all(is_bit(a, bits) for a in arguments)
        case Call("sub", (Const(1), other)):
            return is_bit(other, bits)
        case Call("if", (_, chosen, other)):
            return is_bit(chosen, bits) and is_bit(other, bits)
        case Call("mod", (_, Const(2))):
            return True
    return is_boolean(expression)


def _length(expression: Expression, seen: set[Expression] | None) -> float:
    if seen is None:
        return _whole_length(expression)
    if isinstance(expression, Call):
        if expression in seen:
            return _NAME
        seen.add(expression)
    return _own_length(expression) + sum(_length(part, seen) for part in _written(expression))


@functools.lru_cache(_REMEMBERED)
def _whole_length(expression: Expression) -> float:
    return _own_length(expression) + sum(map(_whole_length, _written(expression)))


def _written(expression: Expression) -> tuple[Expression, ...]:
    """The parts whose lengths count: the index of a short table is read with it."""
    match expression:
        case Lookup(table=table, indices=(Var(),)) if len(table) <= _SHORT:
            return ()
    return children(expression)


def _own_length(expression: Expression) -> float:
    match expression:
        case Const(value):
            return 3.0 + math.log2(1 + abs(value)) + (value < 0)
        case Var():
            return _NAME
        case Lookup(table=table, indices=(Var(),)) if len(table) <= _SHORT:
            return 6.0 + sum(2.0 + math.log2(1 + abs(cell)) for cell in table)
        case Lookup(table=table):
            return _TABLE + _CELL * _cells(table)
        case Call(operator):
            return 3.0 if operator == "if" else OPERATORS[operator].bits
    raise TypeError(f"not an expression: {expression!r}")


def _cells(table: tuple) -> int:
    return sum(map(_cells, table)) if isinstance(table[0], tuple) else len(table)


@functools.lru_cache(_REMEMBERED)
def _depth(expression: Expression) -> int:
    below = max(map(_depth, children(expression)), default=0)
    return below + (isinstance(expression, Call) and expression.operator == "if")


@functools.lru_cache(_REMEMBERED)
def _riddles(expression: Expression, bits: frozenset[Expression]) -> float:
    below = sum(_riddles(child, bits) for child in children(expression))
    match expression:
        case Call(operator, arguments):
            return below + _own(operator, arguments, bits)
    return below


def _is_multiple(expression: Expression) -> bool:
    """A product of a sum: what is divided again hides a bound."""
    match expression:
        case Call("mul", (Const(), Call())):
            return True
    return False


def _own(operator: str, arguments: tuple[Expression, ...], bits: Set[Expression]) -> float:
    truths = sum(map(is_boolean, arguments))
    if operator in _COMPARISONS and truths:
        return _RIDDLE
    if operator in _ORDERS:
        return _BENT * any(is_bit(a, bits) for a in arguments)
    if operator == "if" and not isinstance(arguments[0], Var):
        return _BENT_CONDITION * (not is_bit(arguments[0], bits))
    if operator == "floordiv" and _is_multiple(arguments[0]):
        return _RIDDLE
    numbers = sum(is_bit(a, bits) for a in arguments)
    constant = any(isinstance(a, Const) for a in arguments)
    if operator == "mul" and constant:
        return _RIDDLE * truths
    if operator == "mod" and constant:
        return _RIDDLE * truths
    if operator in ("add", "sub"):
        return _RIDDLE * truths
    return _RIDDLE * numbers if operator in _ARITHMETIC else 0.0
