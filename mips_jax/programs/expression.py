"""Integer expressions: the vocabulary in which updates and outputs of a program are written.

An expression is a tree of `Const`, `Var`, `Call` (an operator of `OPERATORS`) and `Lookup` (a
constant table). Its value is an integer; comparisons and Boolean operators give 0 or 1. Axes: N
rows, evaluated all at once.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np


@dataclasses.dataclass(frozen=True)
class Const:
    """An integer constant."""

    value: int


@dataclasses.dataclass(frozen=True)
class Var:
    """An input, or a register: its value before the step, or (`updated`) after it."""

    name: str
    updated: bool = False


@dataclasses.dataclass(frozen=True)
class Call:
    """An operator applied to its arguments; `operator` is a key of `OPERATORS`."""

    operator: str
    arguments: tuple["Expression", ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.operator, self.arguments))

    def __hash__(self) -> int:
        return self._hash


@dataclasses.dataclass(frozen=True)
class Lookup:
    """`table[index_1 - offset_1][index_2 - offset_2]...`: a constant table of nested tuples, the
    last resort of regression.

    Attributes:
        name: the constant's name in the printed program.
        table: nested tuples of ints, as deep as there are indices.
        indices: expressions; each must lie in its axis' range after the offset is subtracted.
        offsets: the index value that each axis starts at.
    """

    name: str
    table: tuple
    indices: tuple["Expression", ...]
    offsets: tuple[int, ...]

    def __hash__(self) -> int:
        return hash((self.name, self.indices, self.offsets))


Expression = Const | Var | Call | Lookup


@dataclasses.dataclass(frozen=True)
class Operator:
    """What one operator means, how it is printed and what it costs.

    Attributes:
        evaluate: arrays [N] (int64 or Python-int objects) -> array [N].
        pattern: how Python writes it; `{0}`, `{1}` are the arguments, `{}` all of them with commas
            between.
        precedence: Python's, higher binds tighter; None where the pattern brings its own brackets.
        boolean: whether the value is always 0 or 1 and Python's type is bool.
        bits: the operator's share in a description length.
    """

    evaluate: Callable[..., np.ndarray]
    pattern: str
    precedence: int | None
    boolean: bool = False
    bits: float = 4.0


def _as_int(condition: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.asarray(condition).astype(like.dtype)


def _truth(values: np.ndarray) -> np.ndarray:
    return np.asarray(values != 0, dtype=bool)


def _stacked_sort(*values: np.ndarray) -> np.ndarray:
    return np.sort(np.stack(np.broadcast_arrays(*values)), axis=0)


def _argmax(*values: np.ndarray) -> np.ndarray:
    return np.argmax(np.stack(np.broadcast_arrays(*values)), axis=0).astype(values[0].dtype)


_CONDITIONAL, _OR, _AND, _NOT, _COMPARE, _XOR, _SUM, _PRODUCT, _UNARY, ATOM = (
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    9,
    10,
    12,
)

OPERATORS: dict[str, Operator] = {
    "add": Operator(lambda a, b: a + b, "{0} + {1}", _SUM),
    "sub": Operator(lambda a, b: a - b, "{0} - {1}", _SUM),
    "mul": Operator(lambda a, b: a * b, "{0} * {1}", _PRODUCT),
    "floordiv": Operator(lambda a, b: a // b, "{0} // {1}", _PRODUCT),
    "mod": Operator(lambda a, b: a % b, "{0} % {1}", _PRODUCT),
    "neg": Operator(lambda a: -a, "-{0}", _UNARY),
    "abs": Operator(lambda a: abs(a), "abs({0})", None),
    "min": Operator(lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)), "min({})", None),
    "max": Operator(lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)), "max({})", None),
    "median": Operator(
        lambda *a: _stacked_sort(*a)[len(a) // 2], "sorted(({}))[%d]", None, bits=6.0
    ),
    "argmax": Operator(_argmax, "({}).index(max({}))", None, bits=6.0),
    "eq": Operator(lambda a, b: _as_int(a == b, a), "{0} == {1}", _COMPARE, boolean=True),
    "ne": Operator(lambda a, b: _as_int(a != b, a), "{0} != {1}", _COMPARE, boolean=True),
    "lt": Operator(lambda a, b: _as_int(a < b, a), "{0} < {1}", _COMPARE, boolean=True),
    "le": Operator(lambda a, b: _as_int(a <= b, a), "{0} <= {1}", _COMPARE, boolean=True),
    "gt": Operator(lambda a, b: _as_int(a > b, a), "{0} > {1}", _COMPARE, boolean=True),
    "ge": Operator(lambda a, b: _as_int(a >= b, a), "{0} >= {1}", _COMPARE, boolean=True),
    "in": Operator(
        lambda a, *members: _as_int(np.logical_or.reduce([_truth(a == m) for m in members]), a),
        "{0} in ({})",
        _COMPARE,
        boolean=True,
    ),
    "xor": Operator(lambda a, b: a ^ b, "{0} ^ {1}", _XOR),
    "and": Operator(
        lambda a, b: _as_int(_truth(a) & _truth(b), a), "{0} and {1}", _AND, boolean=True
    ),
    "or": Operator(lambda a, b: _as_int(_truth(a) | _truth(b), a), "{0} or {1}", _OR, boolean=True),
    "not": Operator(lambda a: _as_int(~_truth(a), a), "not {0}", _NOT, boolean=True),
    "if": Operator(
        lambda c, a, b: np.where(_truth(c), a, b), "{1} if {0} else {2}", _CONDITIONAL, bits=3.0
    ),
}

_NUMERIC = (
    "sub",
    "mul",
    "floordiv",
    "mod",
    "neg",
    "abs",
    "min",
    "max",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
)


def call(operator: str, *arguments: Expression | int) -> Call:
    """Shorthand that turns plain ints into constants.

    >>> call("add", Var("x"), 1)
    Call(operator='add', arguments=(Var(name='x', updated=False), Const(value=1)))
    """
    return Call(
        operator, tuple(Const(int(a)) if isinstance(a, (int, np.integer)) else a for a in arguments)
    )


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct sub-expressions."""
    match expression:
        case Call(arguments=arguments):
            return arguments
        case Lookup(indices=indices):
            return indices
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Every sub-expression, the expression itself first."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def replace(expression: Expression, mapping: Mapping[Expression, Expression]) -> Expression:
    """The expression with every occurrence of a key (the outermost first) replaced by its value."""
    if expression in mapping:
        return mapping[expression]
    match expression:
        case Call(operator, arguments):
            return Call(operator, tuple(replace(a, mapping) for a in arguments))
        case Lookup(name, table, indices, offsets):
            return Lookup(name, table, tuple(replace(i, mapping) for i in indices), offsets)
    return expression


def variables(expression: Expression) -> set[Var]:
    """The variables it reads."""
    return {node for node in walk(expression) if isinstance(node, Var)}


def is_boolean(expression: Expression) -> bool:
    """Whether Python would give a bool for it."""
    return isinstance(expression, Call) and OPERATORS[expression.operator].boolean


def may_be_bool(expression: Expression) -> bool:
    """Whether Python could give a bool for it (one branch of a conditional is enough)."""
    match expression:
        case Call("if", (_, chosen, other)):
            return may_be_bool(chosen) or may_be_bool(other)
        case Call("min" | "max" | "median" | "and" | "or", arguments):
            return any(map(may_be_bool, arguments))
        case Call("xor", arguments):
            return all(map(may_be_bool, arguments))
    return is_boolean(expression)


def evaluate(expression: Expression, values: Mapping[Var, np.ndarray]) -> np.ndarray:
    """Its value on N rows.

    Args:
        expression: what to evaluate.
        values: [N] integers (int64, or objects holding Python ints) for every variable it reads.

    Returns:
        [N] integers of the same dtype (a constant gives a 0-d array).
    """
    match expression:
        case Const(value):
            dtype = next(iter(values.values())).dtype if values else np.int64
            return np.array(value, dtype=dtype if abs(value) < 2**63 else object)
        case Var():
            return values[expression]
        case Call(operator, arguments):
            result = OPERATORS[operator].evaluate(*(evaluate(a, values) for a in arguments))
            return (
                result if hasattr(result, "dtype") else np.array(result, object)
            )  # numpy unwraps 0-d objects
        case Lookup(_, table, indices, offsets):
            places = [
                np.asarray(evaluate(i, values) - o).astype(np.int64)
                for i, o in zip(indices, offsets)
            ]
            dtype = next(iter(values.values())).dtype if values else np.int64
            return np.asarray(np.array(table)[tuple(places)].astype(dtype), dtype)
    raise TypeError(f"not an expression: {expression!r}")


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
            weight = 9.0 if operator in _NUMERIC else 3.0 if operator == "add" else 0.0
            return OPERATORS[operator].bits + weight * puns + below
        case Lookup(_, table, _, _):
            cells = np.array(table)
            distinct = len(np.unique(cells))
            return 8.0 + cells.size * max(1.0, math.log2(max(distinct, 2))) + distinct * 4.0 + below
    raise TypeError(f"not an expression: {expression!r}")


_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}


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
            first, *rest = arguments
            if (
                operator in _MIRRORED
                and isinstance(first, Const)
                and not isinstance(rest[0], Const)
            ):
                return Call(_MIRRORED[operator], (rest[0], first))
            if operator in ("min", "max") and isinstance(first, Const) and len(arguments) == 2:
                return Call(operator, (rest[0], first))
            if operator in ("add", "sub") or operator == "neg":
                return _tidy_sum(Call(operator, arguments))
            if operator == "mul" and isinstance(rest[0], Const) and not isinstance(first, Const):
                return Call("mul", (rest[0], first))
            if len(arguments) == 2 and all(map(is_boolean, arguments)) and operator in _LOGICAL:
                return Call(_LOGICAL[operator], arguments)
            if operator == "not" and isinstance(first, Call) and first.operator in _NEGATED:
                return Call(_NEGATED[first.operator], first.arguments)
            return Call(operator, arguments)
    return expression


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


_LOGICAL = {"mul": "and", "min": "and", "max": "or"}
_NEGATED = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}


def expression_text(expression: Expression) -> str:
    """The expression as Python writes it; an updated register is written like any other name.

    >>> expression_text(call("mod", call("add", Var("s"), Var("x")), 3))
    '(s + x) % 3'
    """
    return _text(expression, 0)


def _text(expression: Expression, outer: int) -> str:
    match expression:
        case Const(value):
            return str(value) if value >= 0 or outer <= _UNARY else f"({value})"
        case Var(name):
            return name
        case Lookup(name, _, indices, offsets):
            places = (
                _text(call("sub", i, o) if o > 0 else call("add", i, -o) if o < 0 else i, 0)
                for i, o in zip(indices, offsets)
            )
            return name + "".join(f"[{place}]" for place in places)
        case Call(operator, arguments):
            return _call_text(operator, arguments, outer)
    raise TypeError(f"not an expression: {expression!r}")


def _starts_with_division(expression: Expression) -> bool:
    """Whether a product begins with `//` or `%`: after `a *` it needs brackets."""
    match expression:
        case Call("mul", (first, _)):
            return _starts_with_division(first)
    return isinstance(expression, Call) and expression.operator in ("floordiv", "mod")


def _call_text(operator: str, arguments: tuple[Expression, ...], outer: int) -> str:
    kind = OPERATORS[operator]
    if operator == "in":
        members = ", ".join(_text(a, 0) for a in arguments[1:])
        text = f"{_text(arguments[0], _COMPARE + 1)} in ({members}{',' if len(arguments) == 2 else ''})"
    elif kind.precedence is None:
        joined = ", ".join(_text(a, 0) for a in arguments)
        pattern = kind.pattern
        if "%d" in pattern:
            pattern = pattern % (len(arguments) // 2)
        return pattern.replace("{}", joined).replace("{0}", joined)
    else:
        # The right argument of a left-associative operator needs brackets at equal precedence,
        # comparisons on both sides.
        level = kind.precedence
        associative = operator in ("add", "mul", "and", "or", "xor") and not (
            operator == "mul" and _starts_with_division(arguments[1])
        )
        left = level + (level in (_COMPARE, _CONDITIONAL))
        right = level if associative else level + 1
        if operator == "if":
            condition, chosen, other = arguments
            text = f"{_text(chosen, level + 1)} if {_text(condition, level + 1)} else {_text(other, level)}"
        elif len(arguments) == 1:
            text = kind.pattern.format(_text(arguments[0], level))
        else:
            text = kind.pattern.format(_text(arguments[0], left), _text(arguments[1], right))
    return f"({text})" if kind.precedence < outer else text
