"""The operators of expressions: one table with all that any part of the package knows of them.

The interpreter, the bound on what it can produce, the printer, description lengths, tidying and
negation all read `OPERATORS`; a new operator is one entry. Intervals are inclusive (low, high)
pairs of Python ints. Axes: N rows.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np

Interval = tuple[int, int]

# Python's precedences, higher binds tighter.
CONDITIONAL, OR, AND, NOT, COMPARE, XOR, SUM, PRODUCT, UNARY = 1, 2, 3, 4, 5, 6, 8, 9, 10
_TRUTH: Interval = (0, 1)
_PUN = 9.0  # bits, as much as two operators: a truth value used as a number is hard to read
_COUNT_PUN = 3.0  # bits: a sum of truth values is a count, which people do write


@dataclasses.dataclass(frozen=True)
class Operator:
    """What one operator means, how it is written and what it costs.

    Attributes:
        evaluate: arrays [N] (int64, or objects that hold Python ints) -> array [N].
        bounds: the arguments' intervals -> an interval that holds every value there is.
        pattern: how Python writes it: `{0}`, `{1}` are the arguments, `{all}` all of them with
            commas between, `{rest}` all but the first as the inside of a tuple, `{middle}` half
            their number.
        precedence: Python's; None where the pattern brings its own brackets.
        levels: the precedence that each argument needs to stand without brackets; the last one
            holds for the arguments after it too.
        boolean: whether the value is always 0 or 1 and Python's type is bool.
        bits: the operator's share in a description length, in bits.
        pun_bits: what each truth value among its arguments costs beyond that, in bits.
        commutative: whether the two arguments may change places.
        associative: whether `a o (b o c)` is `(a o b) o c`, so that no brackets are needed.
        negated: the operator that is true where this one is 0, and 0 elsewhere; or None.
        mirrored: the operator that says the same with the two arguments exchanged, where a constant
            is written on the right; or None.
        on_truths: the Boolean operator that says the same of two truth values, or None.
        passes_truth: `any` or `all`: of how many bool arguments it takes for Python to give a bool;
            None: it gives a bool only if `boolean`.
        partial: whether some arguments have no value (a division by zero).
        lazy: whether Python evaluates the arguments after the first only where they are needed.
    """

    evaluate: Callable[..., np.ndarray]
    bounds: Callable[..., Interval]
    pattern: str
    precedence: int | None = None
    levels: tuple[int, ...] = (0,)
    boolean: bool = False
    bits: float = 4.0
    pun_bits: float = 0.0
    commutative: bool = False
    associative: bool = False
    negated: str | None = None
    mirrored: str | None = None
    on_truths: str | None = None
    passes_truth: Callable | None = None
    partial: bool = False
    lazy: bool = False


def as_int(condition: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Truth values as 0 and 1 of the dtype of `like` (objects hold ints, never bools)."""
    numbers = np.asarray(condition).astype(np.int64)
    return numbers.astype(np.asarray(like).dtype, copy=False)


def truth(values: np.ndarray) -> np.ndarray:
    """Where the values are not 0: a bool array."""
    return np.asarray(np.asarray(values) != 0, dtype=bool)


def _stacked_sort(*values: np.ndarray) -> np.ndarray:
    return np.sort(np.stack(np.broadcast_arrays(*values)), axis=0)


def _argmax(*values: np.ndarray) -> np.ndarray:
    place: np.ndarray = np.argmax(np.stack(np.broadcast_arrays(*values)), axis=0)
    return as_int(place, np.asarray(values[0]))


def _choose(condition: np.ndarray, chosen: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.where(truth(condition), chosen, other)


def _corners(function: Callable[[int, int], int], a: Interval, b: Interval) -> Interval:
    """The interval of a function that is monotone in each argument."""
    values = [function(x, y) for x, y in itertools.product(a, b)]
    return min(values), max(values)


def _quotients(a: Interval, b: Interval) -> Interval:
    if b[0] > 0 or b[1] < 0:
        return _corners(lambda x, y: x // y, a, b)
    largest = max(-a[0], a[1], 0)  # a divisor of -1 or 1 gives the largest quotient
    return -largest, largest


def _remainders(a: Interval, b: Interval) -> Interval:
    if a[0] >= 0 and a[1] < b[0]:
        return a
    return min(b[0] + 1, 0), max(b[1] - 1, 0)  # a remainder has the divisor's sign


def _exclusive_or(a: Interval, b: Interval) -> Interval:
    digits = max((v if v >= 0 else ~v).bit_length() for v in (*a, *b))
    return (0 if a[0] >= 0 and b[0] >= 0 else -(1 << digits)), (1 << digits) - 1


def _each(choose: Callable) -> Callable[..., Interval]:
    """The interval of a function that is monotone in all its arguments and picks one of them."""
    return lambda *a: (choose([low for low, _ in a]), choose([high for _, high in a]))


def _comparison(
    symbol: str, compare: Callable, negated: str, mirrored: str, commutative: bool = False
) -> Operator:
    return Operator(
        lambda a, b: as_int(compare(a, b), a),
        lambda a, b: _TRUTH,
        f"{{0}} {symbol} {{1}}",
        COMPARE,
        (COMPARE + 1,),  # Python chains comparisons: brackets on both sides
        boolean=True,
        pun_bits=_PUN,
        commutative=commutative,
        negated=negated,
        mirrored=mirrored,
    )


OPERATORS: dict[str, Operator] = {
    "add": Operator(
        lambda a, b: a + b,
        lambda a, b: (a[0] + b[0], a[1] + b[1]),
        "{0} + {1}",
        SUM,
        (SUM,),
        pun_bits=_COUNT_PUN,
        commutative=True,
        associative=True,
    ),
    "sub": Operator(
        lambda a, b: a - b,
        lambda a, b: (a[0] - b[1], a[1] - b[0]),
        "{0} - {1}",
        SUM,
        (SUM, SUM + 1),
        pun_bits=_PUN,
    ),
    "mul": Operator(
        lambda a, b: a * b,
        lambda a, b: _corners(lambda x, y: x * y, a, b),
        "{0} * {1}",
        PRODUCT,
        (PRODUCT,),
        pun_bits=_PUN,
        commutative=True,
        associative=True,
        on_truths="and",
    ),
    "floordiv": Operator(
        lambda a, b: a // b,
        _quotients,
        "{0} // {1}",
        PRODUCT,
        (PRODUCT, PRODUCT + 1),
        pun_bits=_PUN,
        partial=True,
    ),
    "mod": Operator(
        lambda a, b: a % b,
        _remainders,
        "{0} % {1}",
        PRODUCT,
        (PRODUCT, PRODUCT + 1),
        pun_bits=_PUN,
        partial=True,
    ),
    "neg": Operator(lambda a: -a, lambda a: (-a[1], -a[0]), "-{0}", UNARY, (UNARY,), pun_bits=_PUN),
    "abs": Operator(
        abs,
        lambda a: (max(a[0], -a[1], 0), max(-a[0], a[1])),
        "abs({0})",
        pun_bits=_PUN,
    ),
    "min": Operator(
        lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)),
        _each(min),
        "min({all})",
        pun_bits=_PUN,
        commutative=True,
        mirrored="min",
        on_truths="and",
        passes_truth=any,
    ),
    "max": Operator(
        lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)),
        _each(max),
        "max({all})",
        pun_bits=_PUN,
        commutative=True,
        mirrored="max",
        on_truths="or",
        passes_truth=any,
    ),
    "median": Operator(
        lambda *a: _stacked_sort(*a)[len(a) // 2],
        _each(lambda values: sorted(values)[len(values) // 2]),
        "sorted(({all}))[{middle}]",
        bits=6.0,
        passes_truth=any,
    ),
    "argmax": Operator(_argmax, lambda *a: (0, len(a) - 1), "({all}).index(max({all}))", bits=6.0),
    "eq": _comparison("==", lambda a, b: a == b, "ne", "eq", commutative=True),
    "ne": _comparison("!=", lambda a, b: a != b, "eq", "ne", commutative=True),
    "lt": _comparison("<", lambda a, b: a < b, "ge", "gt"),
    "le": _comparison("<=", lambda a, b: a <= b, "gt", "ge"),
    "gt": _comparison(">", lambda a, b: a > b, "le", "lt"),
    "ge": _comparison(">=", lambda a, b: a >= b, "lt", "le"),
    "in": Operator(
        lambda a, *members: as_int(
            np.logical_or.reduce([np.asarray(a == m, dtype=bool) for m in members]), a
        ),
        lambda *a: _TRUTH,
        "{0} in ({rest})",
        COMPARE,
        (COMPARE + 1, 0),
        boolean=True,
    ),
    "xor": Operator(
        lambda a, b: a ^ b,
        _exclusive_or,
        "{0} ^ {1}",
        XOR,
        (XOR,),
        commutative=True,
        associative=True,
        negated="eq",
        passes_truth=all,
    ),
    "and": Operator(  # of truth values: for others Python gives one of the arguments
        lambda a, b: as_int(truth(a) & truth(b), a),
        lambda a, b: _TRUTH,
        "{0} and {1}",
        AND,
        (AND,),
        boolean=True,
        commutative=True,
        associative=True,
        passes_truth=any,
        lazy=True,
    ),
    "or": Operator(
        lambda a, b: as_int(truth(a) | truth(b), a),
        lambda a, b: _TRUTH,
        "{0} or {1}",
        OR,
        (OR,),
        boolean=True,
        commutative=True,
        associative=True,
        passes_truth=any,
        lazy=True,
    ),
    "not": Operator(
        lambda a: as_int(~truth(a), a), lambda a: _TRUTH, "not {0}", NOT, (NOT,), boolean=True
    ),
    "if": Operator(
        _choose,
        lambda c, a, b: (min(a[0], b[0]), max(a[1], b[1])),
        "{1} if {0} else {2}",
        CONDITIONAL,
        (CONDITIONAL + 1, CONDITIONAL + 1, CONDITIONAL),
        bits=3.0,
        lazy=True,
    ),
}
