"""What the integers of a task stand for, where its data are no integers: letters, brackets, tokens.

Networks and programs are about integers; symbols are put in their place where data are read and
taken back where something is shown: in the printed program, in claims, in result.json.

Axes: I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

_MOST_NAMED = 20  # symbols of an alphabet, in a message
Alphabet = tuple[Any, ...]  # of one column: the symbol of 0, of 1, ...


@dataclasses.dataclass(frozen=True)
class Symbols:
    """The alphabets of a task.

    Attributes:
        inputs: of each of the I inputs; None where they are integers themselves.
        outputs: of each of the O outputs, likewise.
    """

    inputs: tuple[Alphabet | None, ...]
    outputs: tuple[Alphabet | None, ...]

    @classmethod
    def of(cls, inputs: Sequence[Alphabet | None], outputs: Sequence[Alphabet | None]):
        """The symbols, or None where everything is an integer.

        >>> Symbols.of([("(", ")")], [None]).read((0, 0, 1))
        ('(', '(', ')')
        """
        if all(alphabet is None for alphabet in (*inputs, *outputs)):
            return None
        return cls(tuple(inputs), tuple(outputs))

    def read(self, word: Sequence) -> tuple:
        """The symbols that a word of integers (tuples where I > 1) stands for."""
        return tuple(_decoded(self.inputs, letter) for letter in word)

    def written(self, output: Any) -> Any:
        """The symbol that an output (a tuple where O > 1) stands for; what stands for none stays
        as it is.
        """
        return None if output is None else _decoded(self.outputs, output)

    def coded(self, word: Sequence) -> list:
        """The integers (tuples where I > 1) of a word of symbols; the inverse of `read`.

        Raises:
            ValueError: something is none of the symbols; says which there are.

        >>> Symbols.of([("(", ")")], [None]).coded("(()")
        [0, 0, 1]
        """
        if len(self.inputs) == 1:
            return [_code(self.inputs[0], letter) for letter in word]
        return [tuple(map(_code, self.inputs, letter)) for letter in word]

    def read_as(self, place: int, code: int) -> Any:
        """The symbol of one integer of the input at some place."""
        return _symbol(self.inputs[place], code)

    def record(self) -> dict:
        """As in result.json: the alphabet of each input and output, in the order of its integers;
        null where these are integers.
        """
        plain = lambda alphabets: [None if a is None else list(a) for a in alphabets]
        return {"inputs": plain(self.inputs), "outputs": plain(self.outputs)}


def _decoded(alphabets: tuple[Alphabet | None, ...], value: Any) -> Any:
    if len(alphabets) == 1:
        return _symbol(alphabets[0], value)
    return tuple(_symbol(alphabet, code) for alphabet, code in zip(alphabets, value))


def _code(alphabet: Alphabet | None, symbol: Any) -> Any:
    if alphabet is None:
        return symbol
    if symbol not in alphabet:
        known = ", ".join(map(repr, alphabet[:_MOST_NAMED]))
        more = f" and {len(alphabet) - _MOST_NAMED} more" if len(alphabet) > _MOST_NAMED else ""
        raise ValueError(f"{symbol!r} is none of the symbols that are read: {known}{more}")
    return alphabet.index(symbol)


def _symbol(alphabet: Alphabet | None, code: int) -> Any:
    if alphabet is None or not 0 <= code < len(alphabet):
        return code
    return alphabet[code]
