"""Expressions as Python writes them, with the fewest brackets."""

from __future__ import annotations

import itertools

from mips_jax.programs.expression import Call, Const, Expression, Lookup, Var, call
from mips_jax.programs.operators import COMPARE, OPERATORS, PRODUCT, UNARY

_SHORT = 6  # entries of a table that is written where it is read


def may_be_bool(expression: Expression) -> bool:
    """Whether Python could give a bool for it (one branch of a conditional is enough)."""
    match expression:
        case Call("if", (_, chosen, other)):
            return may_be_bool(chosen) or may_be_bool(other)
        case Call(operator, arguments):
            kind = OPERATORS[operator]
            passes = kind.passes_truth
            return passes(map(may_be_bool, arguments)) if passes else kind.boolean
    return False


def expression_text(expression: Expression) -> str:
    """The expression as Python writes it; an updated register is written like any other name.

    >>> expression_text(call("mod", call("add", Var("s"), Var("x")), 3))
    '(s + x) % 3'
    """
    return _text(expression, 0)


def _text(expression: Expression, outer: int) -> str:
    match expression:
        case Const(value):
            return str(value) if value >= 0 or outer <= UNARY else f"({value})"
        case Var(name):
            return name
        case Lookup(name, table, indices, offsets):
            name = str(table) if is_short(expression) else name
            places = (
                _text(call("sub", i, o) if o > 0 else call("add", i, -o) if o < 0 else i, 0)
                for i, o in zip(indices, offsets)
            )
            return name + "".join(f"[{place}]" for place in places)
        case Call(operator, arguments):
            return _call_text(operator, arguments, outer)
    raise TypeError(f"not an expression: {expression!r}")


def is_short(table: Lookup) -> bool:
    """Whether a table is written where it is read: one variable chooses among a few numbers."""
    plain = len(table.indices) == 1 and isinstance(table.indices[0], Var)
    return plain and 1 < len(table.table) <= _SHORT


def _chain_text(parts: list[Expression]) -> str | None:
    """`a != b != c` for comparisons of which each goes on where the last one ended, else None."""
    calls = [
        p for p in parts if isinstance(p, Call) and OPERATORS[p.operator].precedence == COMPARE
    ]
    if len(calls) < len(parts) or any(len(c.arguments) != 2 for c in calls):
        return None
    if len({c.operator in ("gt", "ge") for c in calls}) > 1:
        return None
    if any(one.arguments[1] != other.arguments[0] for one, other in itertools.pairwise(calls)):
        return None
    text = _text(calls[0].arguments[0], COMPARE + 1)
    for part in calls:
        before, after = OPERATORS[part.operator].pattern.split("{0}")[1].split("{1}")
        text += before + _text(part.arguments[1], COMPARE + 1) + after
    return text


def _conjuncts(expression: Expression) -> list[Expression]:
    match expression:
        case Call("and", (left, right)):
            return _conjuncts(left) + _conjuncts(right)
    return [expression]


def _call_text(operator: str, arguments: tuple[Expression, ...], outer: int) -> str:
    kind = OPERATORS[operator]
    if operator == "and":
        chain = _chain_text(_conjuncts(Call(operator, arguments)))
        if chain is not None:
            return f"({chain})" if outer > COMPARE else chain
    levels = [kind.levels[min(place, len(kind.levels) - 1)] for place in range(len(arguments))]
    if kind.precedence == PRODUCT and len(arguments) == 2 and _starts_with_division(arguments[1]):
        levels[1] = PRODUCT + 1  # `a * (b // c)` is not `a * b // c`
    texts = [_text(argument, level) for argument, level in zip(arguments, levels)]
    text = kind.pattern.format(
        *texts,
        all=", ".join(texts),
        rest=", ".join(texts[1:]) + ("," if len(texts) == 2 else ""),
        middle=len(texts) // 2,
    )
    return f"({text})" if kind.precedence is not None and kind.precedence < outer else text


def _starts_with_division(expression: Expression) -> bool:
    """Whether a product begins with `//` or `%`: after `a *` it needs brackets."""
    match expression:
        case Call("mul", (first, _)):
            return _starts_with_division(first)
    return isinstance(expression, Call) and expression.operator in ("floordiv", "mod")
