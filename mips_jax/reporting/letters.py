"""Letters in words: a class of letters as what they have in common, `a + b < 10` or `3-7`, so that
a hundred of them fit on an arrow. Where a task is about symbols, letters are named by these.

A description is exact on the alphabet that it was made for; of those that are, the shortest wins.

Axes: A letters, I inputs a step, K features of a letter, O outputs a step.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mips_jax.symbols import Alphabet as Signs

MOST_LISTED = 4  # letters of a class that are named one by one
MOST_DESCRIBED = 1_000  # classes for which features are tried; later ones are listed
_MOST_MIXED = 6  # inputs a step of which sums and differences are tried
_MODULI = range(2, 8)
_LARGEST = 2**60  # sums of larger letters could leave int64


@dataclasses.dataclass(frozen=True)
class Feature:
    """A number that a letter has.

    Attributes:
        name: such as `a + b`.
        values: [A].
        compared: for a difference, its two sides.
        signs: what its values stand for, where they are no numbers.
    """

    name: str
    values: np.ndarray
    compared: tuple[str, str] | None = None
    signs: Signs | None = None

    def is_(self, sign: str, value: int) -> str:
        """A comparison as text, `a < b` for a difference below 0."""
        if self.signs is not None:
            return f"{self.name} {sign} {shown_sign(self.signs, value)}"
        if self.compared is not None and value == 0:
            return f"{self.compared[0]} {sign} {self.compared[1]}"
        return f"{self.name} {sign} {value}"


class Alphabet:
    """Names for letters, for what is written, and for classes of letters.

    Args:
        letters: [A, I] or [A] integers, or A texts, which are shown as they are.
        signs: what the integers of each input stand for; None, or empty, where they are numbers.

    >>> Alphabet(range(10)).described(range(3, 8))
    '3-7'
    >>> digits = Alphabet(list(itertools.product(range(10), repeat=2)))
    >>> digits.described(i for i in range(100) if i // 10 + i % 10 < 10)
    'a + b < 10'
    """

    def __init__(
        self,
        letters: Sequence[npt.ArrayLike] | np.ndarray,
        signs: Sequence[Signs | None] = (),
    ):
        array = np.asarray(letters if isinstance(letters, np.ndarray) else list(letters))
        self.count = len(array)
        self._features: list[Feature] = []
        self._columns: list[Feature] = []
        self._described: dict[tuple[int, ...], str] = {}
        if array.dtype.kind in "biu":
            table = array.reshape(self.count, -1).astype(np.int64)
            self.names = named(table, signs)
            if table.size and np.abs(table).max() < _LARGEST:
                self._columns = _columns(table, signs)
                numbers = [column for column in self._columns if column.signs is None]
                self._features = [*numbers, *_mixed(numbers)]
        else:
            self.names = [str(row) for row in array.tolist()]

    def described(self, chosen: Iterable[int]) -> str:
        """A class of letters, given by their indices; `any` where it is all of them."""
        key = tuple(sorted(chosen))
        if key not in self._described:
            self._described[key] = self._shortest(key)
        return self._described[key]

    def written(
        self, chosen: Sequence[int], outputs: np.ndarray, signs: Sequence[Signs | None] = ()
    ) -> str | None:
        """What is written after each letter of a class, as one text: a constant, or a feature plus
        a constant, such as `a + b - 10`; None where it is neither.

        Args:
            chosen: [N] indices of letters.
            outputs: [N, O] integers written after them.
            signs: what the integers of each output stand for, as for letters.
        """
        if (outputs == outputs[0]).all():
            return named(outputs, signs)[0]
        if any(signs) or outputs.shape[1] > 1 or np.abs(outputs).max() >= _LARGEST:
            return None
        column = outputs[:, 0]
        for sign, text in ((1, "{name}{rest}"), (-1, "{rest}{name}")):
            for feature in self._features:
                rest = column - sign * feature.values[list(chosen)]
                if (rest == rest[0]).all():
                    return _plus(feature.name, int(rest[0]), sign, text)
        return None

    def _shortest(self, chosen: tuple[int, ...]) -> str:
        if len(chosen) == 1:
            return self.names[chosen[0]]
        if len(chosen) == self.count:
            return "any"
        found = []
        if len(chosen) <= MOST_LISTED:
            found.append(", ".join(self.names[i] for i in chosen))
        if len(self._described) < MOST_DESCRIBED:
            found += self._by_features(chosen)
        inside = set(chosen)
        others = [name for i, name in enumerate(self.names) if i not in inside]
        if len(others) < min(MOST_LISTED, len(chosen)):
            found.append(f"all but {', '.join(others)}")
        if not found:
            first = ", ".join(self.names[i] for i in chosen[:2])
            return f"{first} ... ({len(chosen)} of {self.count} letters)"
        return min(found, key=len)

    def _by_features(self, chosen: tuple[int, ...]) -> list[str]:
        inside = np.zeros(self.count, bool)
        inside[list(chosen)] = True
        found = []
        if len(self._columns) == 1:
            if self._columns[0].signs is None:
                found += _single(self._columns[0], inside)
        else:
            for feature in [*(c for c in self._columns if c.signs), *self._features]:
                found += _conditions(feature, inside)
            found += self._product(inside)
        return found

    def _product(self, inside: np.ndarray) -> list[str]:
        """A class that is all combinations of some values of each input: `a = 1, b < 5`."""
        member = np.ones(self.count, bool)
        parts = []
        for column in self._columns:
            kept = np.isin(column.values, column.values[inside])
            member &= kept
            if not kept.all():
                found = _conditions(column, kept)
                if not found:
                    return []
                parts.append(min(found, key=len))
        return [", ".join(parts)] if (member == inside).all() and len(parts) > 1 else []


def shown_sign(signs: Signs | None, value: int) -> str:
    """A symbol as text that no other symbol of its alphabet has; blanks are quoted.

    >>> shown_sign(("(", " "), 1), shown_sign(("(", " "), 0), shown_sign(None, 7)
    ("' '", '(', '7')
    """
    if signs is None or not 0 <= value < len(signs):
        return str(value)
    text = str(signs[value])
    alone = text.isprintable() and text.strip() == text != ""
    return text if alone and sum(str(sign) == text for sign in signs) == 1 else repr(signs[value])


def named(rows: np.ndarray, signs: Sequence[Signs | None] = ()) -> list[str]:
    """Rows [N, I] of integers as texts that no two different rows share: `7`, `01` where all are
    digits, else `(-1,12)`; the symbols in their place where signs [I] are given: `(`, `(a,7)`.
    """
    if any(signs):
        texts = [[shown_sign(a, value) for a, value in zip(signs, row)] for row in rows.tolist()]
        return [row[0] if len(row) == 1 else f"({','.join(row)})" for row in texts]
    if rows.shape[1] == 1:
        return [str(value) for value in rows[:, 0].tolist()]
    digits = rows.dtype != object and rows.size and rows.min() >= 0 and rows.max() <= 9
    if digits:
        return ["".join(map(str, row)) for row in rows.tolist()]
    return [f"({','.join(map(str, row))})" for row in rows.tolist()]


def ranges(values: Iterable[int]) -> str:
    """Integers as a list in which three and more in a row are a range.

    >>> ranges([1, 3, 4, 5, 9, -2])
    '-2, 1, 3-5, 9'
    """
    ordered = sorted(values)
    parts: list[str] = []
    for _, run in itertools.groupby(enumerate(ordered), lambda pair: pair[1] - pair[0]):
        row = [value for _, value in run]
        apart = " to " if row[0] < 0 else "-"
        parts += [f"{row[0]}{apart}{row[-1]}"] if len(row) > 2 else map(str, row)
    return ", ".join(parts)


def _columns(table: np.ndarray, signs: Sequence[Signs | None]) -> list[Feature]:
    """The inputs of a step."""
    alphabets = list(signs) or [None] * table.shape[1]
    return [Feature(name, table[:, i], signs=alphabets[i]) for i, name in enumerate(_inputs(table))]


def _inputs(table: np.ndarray) -> list[str]:
    """Names of the inputs of a step."""
    count = table.shape[1]
    if count == 1:
        return ["x"]
    return list("abcdefgh"[:count]) if count <= 8 else [f"x{i + 1}" for i in range(count)]


def _mixed(columns: Sequence[Feature]) -> list[Feature]:
    """Sums and differences of inputs."""
    if not 2 <= len(columns) <= _MOST_MIXED:
        return []
    found = []
    for a, b in itertools.combinations(columns, 2):
        found.append(Feature(f"{a.name} + {b.name}", a.values + b.values))
        found.append(Feature(f"{a.name} - {b.name}", a.values - b.values, (a.name, b.name)))
    if len(columns) > 2:
        total = sum((c.values for c in columns[1:]), columns[0].values)
        found.append(Feature(" + ".join(c.name for c in columns), total))
    return found


def _single(feature: Feature, inside: np.ndarray) -> list[str]:
    """Classes of single numbers need no name: `0-4`, `even`, `>= 7`."""
    texts = [ranges(feature.values[inside].tolist())]
    texts += [text.removeprefix("x ") for text in _conditions(feature, inside) if "%" not in text]
    texts += [text for text in _conditions(feature, inside) if "%" in text]
    return [text for text in texts if len(text) <= 24]


def _conditions(feature: Feature, inside: np.ndarray) -> list[str]:
    """What the letters inside, and no others, have in common as to one feature."""
    yes, no = np.unique(feature.values[inside]), np.unique(feature.values[~inside])
    if not yes.size or not no.size or np.isin(yes, no, assume_unique=True).any():
        return []
    found: list[str] = []
    low, high = int(yes[0]), int(yes[-1])
    if yes.size == 1:
        found.append(feature.is_("=", low))
    if no.size == 1:
        found.append(feature.is_("!=", int(no[0])))
    if feature.signs is not None:
        listed = ", ".join(shown_sign(feature.signs, int(value)) for value in yes)
        return found or ([f"{feature.name} in {listed}"] if yes.size <= MOST_LISTED else [])
    if high < no[0]:
        found += [feature.is_("<", high + 1)] if high + 1 == no[0] else []
        found.append(feature.is_("<=", high))
    elif low > no[-1]:
        found += [feature.is_(">", low - 1)] if low - 1 == no[-1] else []
        found.append(feature.is_(">=", low))
    elif not ((no > low) & (no < high)).any() and yes.size > 1:
        found.append(f"{low} <= {feature.name} <= {high}")
    return found or _residues(feature, yes, no)


def _residues(feature: Feature, yes: np.ndarray, no: np.ndarray) -> list[str]:
    for modulus in _MODULI:
        rest = int(yes[0]) % modulus
        if (yes % modulus == rest).all() and not (no % modulus == rest).any():
            if modulus == 2:
                return [f"{feature.name} {'odd' if rest else 'even'}"]
            return [f"({feature.name}) % {modulus} = {rest}".replace("(x)", "x")]
    return []


def _plus(name: str, rest: int, sign: int, text: str) -> str:
    if sign > 0:
        shown = "" if not rest else f" {'+' if rest > 0 else '-'} {abs(rest)}"
        return text.format(name=name, rest=shown)
    inner = f"({name})" if " " in name else name
    return f"-{inner}" if not rest else f"{rest} - {inner}"
