"""Description lengths in bits: the measure by which regression compares expressions."""

from __future__ import annotations

import math

import numpy as np

from mips_jax.programs.expression import Call, Const, Expression, Lookup, Var, children, is_boolean
from mips_jax.programs.operators import OPERATORS


def constant_bits(value: int) -> float:
    """Bits of an integer constant: Elias-gamma like, small ones cheap."""
    return 2.0 + 2.0 * math.log2(1 + abs(value))


def expression_bits(expression: Expression, variable_count: int = 4) -> float:
    """Description length of one expression in bits: the measure by which regression compares
    expressions.

    Args:
        expression: what to measure.
        variable_count: how many variables there are to name.
    """
    return shared_bits(expression, variable_count, set())


def shared_bits(expression: Expression, variable_count: int, seen: set[Expression]) -> float:
    """Like `expression_bits`, but what is in `seen` was written before and costs a name only; adds
    what it meets.
    """
    match expression:
        case Const(value):
            return constant_bits(value)
        case Var():
            return 2.0 + math.log2(1 + variable_count)
    if expression in seen:
        return 2.0 + math.log2(1 + variable_count)
    seen.add(expression)
    below = sum(shared_bits(child, variable_count, seen) for child in children(expression))
    match expression:
        case Call(operator, arguments):
            # A truth value used as a number is short but hard to read: `n * (a == b)` for `n if a
            # == b else 0`.
            puns = sum(is_boolean(a) for a in arguments)
            kind = OPERATORS[operator]
            return kind.bits + kind.pun_bits * puns + below
        case Lookup(_, table, _, _):
            cells = np.array(table)
            distinct = len(np.unique(cells))
            return 8.0 + cells.size * max(1.0, math.log2(max(distinct, 2))) + distinct * 4.0 + below
    raise TypeError(f"not an expression: {expression!r}")
