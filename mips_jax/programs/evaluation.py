"""The value of expressions on many rows at once, exact whatever its size.

Numbers are int64 while nothing can overflow. What can is decided before anything is computed, by
interval arithmetic in Python's unbounded integers; beyond it the same operators run on arrays of
Python ints. Python evaluates a branch of a conditional only where it is taken, so a branch that
has no value elsewhere (a division by zero, an index outside its table) is evaluated on those rows
only. Axes: N rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mips_jax.programs.expression import Call, Const, Expression, Lookup, Var, walk
from mips_jax.programs.operators import OPERATORS, Interval, as_int, truth

INT64: Interval = (-(2**63), 2**63 - 1)


def evaluate(expression: Expression, values: Mapping[Var, np.ndarray]) -> np.ndarray:
    """Its value on N rows.

    Args:
        expression: what to evaluate.
        values: [N] integers (any integer dtype, or objects holding Python ints) for every variable
            it reads.

    Returns:
        [N] int64, or objects holding Python ints where a value could leave int64 on the way (a
        constant gives a 0-d array). A division by zero gives 0 in int64 and raises
        ZeroDivisionError for objects, as numpy has it; `Program.run` always raises.
    """
    boxes = {name: interval_of(column) for name, column in values.items()}
    if fits(expression, boxes):
        return evaluate_as(np.int64, expression, {v: _as(np.int64, c) for v, c in values.items()})
    return narrowed(evaluate_as(object, expression, {v: _as(object, c) for v, c in values.items()}))


def evaluate_as(
    dtype: type, expression: Expression, values: Mapping[Var, np.ndarray]
) -> np.ndarray:
    """Like `evaluate`, in the arithmetic given: int64 (the caller has asked `fits`) or object.

    Args:
        dtype: np.int64 or object.
        expression: what to evaluate.
        values: [N] of that dtype.
    """
    match expression:
        case Const(value):
            return np.array(value, dtype)
        case Var():
            return values[expression]
        case Call(operator, arguments):
            kind = OPERATORS[operator]
            if kind.lazy and any(map(_is_partial, arguments[1:])):
                return _lazily(dtype, expression, values)
            result = kind.evaluate(*(evaluate_as(dtype, a, values) for a in arguments))
            # numpy unwraps 0-d objects
            return result if hasattr(result, "dtype") else np.array(result, dtype)
        case Lookup(indices=indices, offsets=offsets):
            places = [
                np.asarray(evaluate_as(dtype, i, values) - o).astype(np.int64)
                for i, o in zip(indices, offsets)
            ]
            return np.asarray(expression.cells[tuple(places)]).astype(dtype, copy=False)
    raise TypeError(f"not an expression: {expression!r}")


def bounds(
    expression: Expression, boxes: Mapping[Var, Interval], inner: list[Interval] | None = None
) -> Interval:
    """An interval that holds the expression's value, from intervals of its variables.

    Args:
        expression: what to bound.
        boxes: inclusive (low, high) Python ints for every variable it reads.
        inner: gets the interval of every sub-expression, the expression itself last.

    Returns:
        Inclusive (low, high), sound but not always tight.
    """
    match expression:
        case Const(value):
            result = (value, value)
        case Var():
            result = boxes[expression]
        case Call(operator, arguments):
            result = OPERATORS[operator].bounds(*(bounds(a, boxes, inner) for a in arguments))
        case Lookup(indices=indices, offsets=offsets):
            for index, offset in zip(indices, offsets):
                low, high = bounds(index, boxes, inner)
                if inner is not None:
                    inner.append((low - offset, high - offset))
            result = expression.span
        case _:
            raise TypeError(f"not an expression: {expression!r}")
    if inner is not None:
        inner.append(result)
    return result


def fits(expression: Expression, boxes: Mapping[Var, Interval]) -> bool:
    """Whether neither the value, nor anything on the way to it, nor any variable given (read or
    not) can leave int64.
    """
    inner = list(boxes.values())
    bounds(expression, boxes, inner)
    return all(INT64[0] <= low and high <= INT64[1] for low, high in inner)


def interval_of(values: np.ndarray) -> Interval:
    """The smallest and the largest of some integers; (0, 0) where there are none."""
    values = np.asarray(values)
    return (int(values.min()), int(values.max())) if values.size else (0, 0)


def narrowed(values: np.ndarray) -> np.ndarray:
    """Objects as int64 where all of them fit, else as they are."""
    if values.dtype != object:
        return values
    low, high = interval_of(values)
    return values.astype(np.int64) if INT64[0] <= low and high <= INT64[1] else values


def _as(dtype: type, column: np.ndarray) -> np.ndarray:
    column = np.asarray(column)
    return column if column.dtype == dtype else column.astype(dtype)


def _is_partial(expression: Expression) -> bool:
    """Whether it may have no value on some rows: a division by what may be 0, or a lookup."""
    for node in walk(expression):
        if isinstance(node, Lookup):
            return True
        if isinstance(node, Call) and OPERATORS[node.operator].partial:
            divisor = node.arguments[-1]
            if not (isinstance(divisor, Const) and divisor.value):
                return True
    return False


def _lazily(dtype: type, expression: Call, values: Mapping[Var, np.ndarray]) -> np.ndarray:
    """`if`, `and`, `or` with the later arguments evaluated on those rows only that need them."""
    first = evaluate_as(dtype, expression.arguments[0], values)
    shape = np.broadcast_shapes(first.shape, *(column.shape for column in values.values()))
    taken = np.broadcast_to(truth(first), shape)

    def on(rows: np.ndarray, argument: Expression) -> np.ndarray:
        part = {v: np.broadcast_to(column, shape)[rows] for v, column in values.items()}
        result: np.ndarray = np.zeros(shape, dtype)
        if rows.any():
            result[rows] = evaluate_as(dtype, argument, part)
        return result

    if expression.operator == "if":
        _, chosen, other = expression.arguments
        return np.where(taken, on(taken, chosen), on(~taken, other))
    needed = taken if expression.operator == "and" else ~taken
    second = on(needed, expression.arguments[1])
    return OPERATORS[expression.operator].evaluate(as_int(taken, first), second)
