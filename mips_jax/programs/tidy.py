"""Expressions written as people write them: order of terms, comparisons, negations."""

from __future__ import annotations

from mips_jax.programs.expression import Call, Const, Expression, Lookup, Var, call, is_boolean
from mips_jax.programs.operators import OPERATORS
from mips_jax.programs.text import expression_text


def tidied(expression: Expression) -> Expression:
    """The same value, written as people do: constants on the right of comparisons and sums, `a ==
    0` for `not a`-like tests.

    >>> expression_text(tidied(call("lt", 1, call("add", 2, Var("x")))))
    'x + 2 > 1'
    """
    match expression:
        case Lookup(name, table, indices, offsets):
            return Lookup(name, table, tuple(map(tidied, indices)), offsets)
        case Call(operator, arguments):
            arguments = tuple(map(tidied, arguments))
            return _tidy_call(Call(operator, arguments))
    return expression


def _tidy_call(expression: Call) -> Expression:
    """A call whose arguments are tidy already."""
    operator, arguments = expression.operator, expression.arguments
    kind, first = OPERATORS[operator], arguments[0]
    if operator in ("add", "sub", "neg"):
        return _tidy_sum(expression)
    if operator == "not" and isinstance(first, Call):
        negated = OPERATORS[first.operator].negated
        return expression if negated is None else Call(negated, first.arguments)
    if len(arguments) != 2:
        return expression
    second = arguments[1]
    if kind.mirrored and isinstance(first, Const) and not isinstance(second, Const):
        return Call(kind.mirrored, (second, first))
    if operator == "mul" and isinstance(second, Const) and not isinstance(first, Const):
        return Call("mul", (second, first))  # `2 * x`
    if kind.on_truths and is_boolean(first) and is_boolean(second):
        return Call(kind.on_truths, arguments)
    return expression


def negation(expression: Expression) -> Expression:
    """`not expression`, for a truth value, pushed inside where that is shorter.

    >>> expression_text(negation(call("lt", Var("x"), 3)))
    'x >= 3'
    """
    match expression:
        case Const(value):
            return Const(1 - value)
        case Call("not", (inner,)):
            return inner
        case Call(operator, arguments):
            negated = OPERATORS[operator].negated
            if negated is not None:
                return Call(negated, arguments)
    return call("not", expression)


def _tidy_sum(expression: Call) -> Expression:
    """A sum with its terms in one order (positive before negative, constants last), so that equal
    sums are equal trees.
    """
    terms, constant = _terms(expression, 1)
    coefficients: dict[Expression, int] = {}
    for term, sign in terms:
        coefficients[term] = coefficients.get(term, 0) + sign
    if constant == 1 and len(terms) == 1 and terms[0][1] == -1 and is_boolean(terms[0][0]):
        return tidied(Call("not", (terms[0][0],)))
    order = sorted(
        (t for t, c in coefficients.items() if c),
        key=lambda t: (
            coefficients[t] < 0,
            not isinstance(t, Var),
            len(expression_text(t)),
            expression_text(t),
        ),
    )
    result: Expression | None = None
    if constant and order and coefficients[order[0]] < 0:
        result, constant = Const(constant), 0
    for term in order:
        size = abs(coefficients[term])
        written = term if size == 1 else Call("mul", (Const(size), term))
        if result is None:
            result = written if coefficients[term] > 0 else Call("neg", (written,))
        else:
            result = Call("add" if coefficients[term] > 0 else "sub", (result, written))
    if result is None:
        return Const(constant)
    return (
        result
        if not constant
        else Call("add" if constant > 0 else "sub", (result, Const(abs(constant))))
    )


def _terms(expression: Expression, sign: int) -> tuple[list[tuple[Expression, int]], int]:
    """The terms of a sum with their signs or factors, and its constant."""
    match expression:
        case Const(value):
            return [], sign * value
        case Call("mul", (Const(value), term)):
            return [(term, sign * value)], 0
        case Call("neg", (term,)):
            return _terms(term, -sign)
        case Call("add" | "sub" as operator, (left, right)):
            first, a = _terms(left, sign)
            second, b = _terms(right, sign if operator == "add" else -sign)
            return first + second, a + b
    return [(expression, sign)], 0
