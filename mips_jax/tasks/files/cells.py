"""Single values as they stand in files and Python objects: a number, a symbol, or nothing."""

from __future__ import annotations

import enum
import numbers
import re
from typing import Any

from mips_jax.figures import WIDEST

_NOTHING = {"", "nan", "na", "n/a", "<na>", "null", "none", "nil", "?"}
_NO_VALUES = {"NAType", "NaTType"}  # pandas' own
_WHOLE_WITH_COMMA = re.compile(r"([+-]?\d+),0+")


class Kind(enum.Enum):
    """What a value is."""

    WHOLE = "a whole number"
    NOTHING = "nothing"
    SYMBOL = "a symbol"
    FRACTION = "not a whole number"
    INFINITE = "not finite"
    TOO_LARGE = f"not within ±{WIDEST}"
    WRONG = "no single value"


def as_plain(value: Any) -> Any:
    """A numpy scalar, or a tensor of one number, as Python's own; anything else as it is."""
    shape = getattr(value, "shape", None)
    return value.item() if shape == () and hasattr(value, "item") else value


def as_list(value: Any) -> list | None:
    """A list, tuple, array or tensor as a list; None for anything else."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if getattr(value, "shape", ()) != () and hasattr(value, "tolist"):
        return value.tolist()
    return None


def is_nothing(value: Any) -> bool:
    """Whether a value stands for a missing one."""
    if value is None or type(value).__name__ in _NO_VALUES:
        return True
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    return isinstance(value, float) and value != value


def kind_of(value: Any) -> tuple[Kind, Any]:
    """What a value is, and the integer or the symbol.

    >>> kind_of("1.0"), kind_of(" b"), kind_of(True)
    ((<Kind.WHOLE: 'a whole number'>, 1), (<Kind.SYMBOL: 'a symbol'>, 'b'), \
(<Kind.WHOLE: 'a whole number'>, 1))
    """
    value = as_plain(value)
    if is_nothing(value):
        return Kind.NOTHING, None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        text = value.strip()
        number = _number(text)
        return (Kind.SYMBOL, text) if number is None else _checked(number)
    if isinstance(value, numbers.Real):
        return _checked(value)
    return Kind.WRONG, value


def _number(text: str) -> float | None:
    if not text.isascii() or "_" in text:  # Python reads 1_0 and digits of other scripts
        return None
    with_comma = _WHOLE_WITH_COMMA.fullmatch(text)
    text = with_comma[1] if with_comma else text
    digits = text.lstrip("+-")
    if len(digits) > 400:  # far beyond any bound, and slow to read
        return float("1e300") if digits.isdecimal() else None
    try:
        return int(text) if digits.isdecimal() else float(text)
    except ValueError:
        return None


def _checked(number: Any) -> tuple[Kind, Any]:
    if number != number or abs(number) == float("inf"):
        return Kind.INFINITE, number
    if abs(number) > WIDEST:
        return Kind.TOO_LARGE, number
    if number != int(number):
        return Kind.FRACTION, number
    return Kind.WHOLE, int(number)
