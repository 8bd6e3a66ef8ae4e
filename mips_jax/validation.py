"""What a setting may be, said once, beside the field that holds it, and checked for everybody.

    @dataclasses.dataclass
    class Settings:
        words: int = dataclasses.field(default=800, metadata=bounds(100, 100_000))
        method: str = dataclasses.field(default="auto", metadata=choices("auto", "linear"))

`checked(settings, "extraction")` then refuses what is of another type, not finite or out of
bounds, all fields together. Whether a field may be None, or is a list, its annotation says.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from mips_jax.errors import RequestError
from mips_jax.figures import shown, whole

LARGEST_SEED = 2_000_000_000
"""Seeds of one run are this one plus small numbers, and must fit into 32 bits."""

S = TypeVar("S")


class Problems:
    """Sentences on what is wrong with one request, raised together.

    Args:
        subject: what they are about (a file's name); stands before each of them.
    """

    def __init__(self, subject: str = ""):
        self.subject = subject
        self.sentences: list[str] = []

    def add(self, sentence: str) -> None:
        """Notes one problem."""
        self.sentences.append(f"{self.subject}: {sentence}" if self.subject else sentence)

    def extend(self, sentences: Iterable[str]) -> None:
        """Notes several."""
        for sentence in sentences:
            self.add(sentence)

    def of(self, function: Callable[..., S], *arguments) -> S | None:
        """function(*arguments); None, and its problems noted, where it refuses them."""
        try:
            return function(*arguments)
        except RequestError as error:
            self.extend(error.problems)
            return None

    def __bool__(self) -> bool:
        return bool(self.sentences)

    def raise_if_any(self) -> None:
        """Raises one RequestError with all of them."""
        if self.sentences:
            raise RequestError(*self.sentences)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a number, or each number of a list, may be; a bound of None is no bound.

    Attributes:
        low, high: inclusive bounds.
        above: whether `low` itself is excluded.
    """

    low: float | None = None
    high: float | None = None
    above: bool = False

    def allows(self, value: float) -> bool:
        """Whether a number is within."""
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or value <= self.high

    def __str__(self) -> str:
        low = "any" if self.low is None else f"above {self.low}" if self.above else f"{self.low}"
        if self.high is None:
            return low if self.above or self.low is None else f"{low} or more"
        return f"{low} to {self.high}"


def bounds(low: float | None, high: float | None = None, *, above: bool = False) -> dict[str, Any]:
    """Metadata of a field that holds a number, or a list of numbers, within inclusive bounds.

    Args:
        low: least value; excluded where `above` says so.
        high: largest value; None: no bound but that of memory or time.
        above: whether `low` is excluded.
    """
    return {"limits": Limits(low, high, above)}


def seeds() -> dict[str, Any]:
    """Metadata of a field that holds a seed."""
    return bounds(0, LARGEST_SEED)


def choices(*values: str) -> dict[str, Any]:
    """Metadata of a field that holds one of a few words."""
    return {"choices": values}


def names_of(registry: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a field that holds a name in a registry, as it is when the field is checked."""
    return {"choices": registry}


def group(name: str) -> dict[str, Any]:
    """Metadata of a field with settings of its own, whose keys begin with another name."""
    return {"group": name}


def problems(settings: Any, group: str = "", kind: type | None = None) -> list[str]:
    """What is wrong with a dataclass of settings, one sentence for each field (empty: nothing).

    Args:
        settings: an instance of a dataclass whose fields say what they allow.
        group: what its keys begin with, such as `extraction`; empty for keys at the top.
        kind: the dataclass that is expected.
    """
    if not dataclasses.is_dataclass(settings) or isinstance(settings, type):
        wanted = kind.__name__ if kind else "a dataclass of settings"
        return [f"{group or 'settings'} is {shown(settings)}; allowed: {wanted}"]
    if kind is not None and not isinstance(settings, kind):
        return [f"{group or 'settings'} is a {type(settings).__name__}; allowed: {kind.__name__}"]
    hints = typing.get_type_hints(type(settings))
    found = []
    for field in dataclasses.fields(settings):
        key = f"{group}.{field.name}" if group else field.name
        value, hint = getattr(settings, field.name), hints[field.name]
        found += _field_problems(key, value, hint, field.metadata)
    return found


def checked(settings: S | None, group: str, kind: type[S]) -> S:
    """The settings, or the defaults of their kind for None.

    Raises:
        RequestError: naming every field that is wrong.
    """
    if settings is None:
        return kind()
    wrong = problems(settings, group, kind)
    if wrong:
        raise RequestError(*wrong)
    return settings


def number_problems(key: str, value: Any, limits: Limits, integer: bool = True) -> list[str]:
    """What is wrong with one number."""
    right_type = whole(value) or (
        not integer and isinstance(value, numbers.Real) and not isinstance(value, bool)
    )
    if right_type and math.isfinite(value) and limits.allows(value):
        return []
    finite = right_type and math.isfinite(value)
    kind = "" if finite else "an integer, " if integer else "a finite number, "
    return [f"{key} is {shown(value)}; allowed: {kind}{limits}"]


def _field_problems(key: str, value: Any, hint: Any, metadata: Mapping) -> list[str]:
    """What is wrong with the value of one field; settings in it are looked into."""
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    if value is None and type(None) in options:
        return []
    null = "null, or " if type(None) in options else ""
    hint = next(option for option in options if option is not type(None))
    if dataclasses.is_dataclass(hint):
        return problems(value, metadata.get("group", key), typing.cast(type, hint))
    listed = typing.get_origin(hint) in (tuple, list)
    if "choices" in metadata and listed:
        return _words_problems(key, value, metadata["choices"])
    if "choices" in metadata:
        if isinstance(value, str) and value in metadata["choices"]:
            return []
        return [f"{key} is {shown(value)}; allowed: {null}{', '.join(metadata['choices'])}"]
    limits = metadata.get("limits", Limits())
    if listed:
        return _list_problems(key, value, typing.get_args(hint)[0], limits)
    if typing.get_origin(hint) is dict:
        return _weights_problems(key, value, limits)
    if hint in (int, float):
        wrong = number_problems(key, value, limits, hint is int)
        return [sentence.replace("allowed: ", f"allowed: {null}") for sentence in wrong]
    if hint in (bool, str) and not isinstance(value, hint):
        wanted = "true or false" if hint is bool else "text"
        return [f"{key} is {shown(value)}; allowed: {null}{wanted}"]
    return []


def _list_problems(key: str, value: Any, kind: type, limits: Limits) -> list[str]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if is_list and value and not any(number_problems(key, v, limits, kind is int) for v in value):
        return []
    what = "integers" if kind is int else "numbers"
    return [
        f"{key} is {shown(list(value) if is_list else value)}; allowed: a list of {what}, {limits}"
    ]


def _words_problems(key: str, value: Any, allowed: Iterable[str]) -> list[str]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if is_list and all(isinstance(v, str) and v in allowed for v in value):
        return []
    got = shown(list(value) if is_list else value)
    return [f"{key} is {got}; allowed: a list of any of {', '.join(allowed)}, or []"]


def _weights_problems(key: str, value: Any, limits: Limits) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{key} is {shown(value)}; allowed: numbers by name, {limits}"]
    named = [(f"{key}.{name}", number) for name, number in value.items()]
    return [text for k, number in named for text in number_problems(k, number, limits, False)]


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (types.UnionType, typing.Union)
