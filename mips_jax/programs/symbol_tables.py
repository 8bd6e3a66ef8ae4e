"""Printed programs that read and write symbols: a table from symbols to integers where a letter is
read, and one back where an answer is written.
"""

from __future__ import annotations

from mips_jax.programs.evaluation import bounds
from mips_jax.programs.expression import Expression, Var
from mips_jax.programs.operators import Interval
from mips_jax.programs.recurrence import Recurrence
from mips_jax.programs.text import expression_text
from mips_jax.symbols import Alphabet, Symbols

_LETTERS, _ANSWERS = "LETTERS", "ANSWERS"
_ANYTHING: Interval = (-(2**62), 2**62)  # what a register may be, when an output is bounded
_WIDEST_LINE = 96


class SymbolTables:
    """The lines that a program needs to read and write the symbols of a task.

    Args:
        program: what is printed.
        symbols: what its integers stand for; None: themselves, and there is nothing to add.
    """

    def __init__(self, program: Recurrence, symbols: Symbols | None):
        self.program = program
        inputs = (None,) * len(program.inputs) if symbols is None else symbols.inputs
        outputs = (None,) * len(program.outputs) if symbols is None else symbols.outputs
        several = len(inputs) > 1
        self.letters = [
            (name, f"{_LETTERS}_{name.upper()}" if several else _LETTERS, alphabet)
            for name, alphabet in zip(program.inputs, inputs)
        ]
        several = len(outputs) > 1
        self.answers = [
            (f"{_ANSWERS}_{place}" if several else _ANSWERS, alphabet)
            for place, alphabet in enumerate(outputs)
        ]
        self._boxes = {Var(n): (0, len(a) - 1) if a else _ANYTHING for n, _, a in self.letters}
        self._bound_registers()

    def tables(self) -> list[str]:
        """The tables, each symbol once."""
        lines: list[str] = []
        for _, table, alphabet in self.letters:
            if alphabet is not None:
                entries = [f"{symbol!r}: {code}" for code, symbol in enumerate(alphabet)]
                lines += _wrapped(table, "{", entries, "}")
        for (table, alphabet), output in zip(self.answers, self.program.outputs):
            if alphabet is None:
                continue
            if self._always_a_symbol(output, alphabet):
                lines += _wrapped(table, "(", [repr(symbol) for symbol in alphabet], ")")
            else:
                entries = [f"{code}: {symbol!r}" for code, symbol in enumerate(alphabet)]
                lines += _wrapped(table, "{", entries, "}")
        return lines + ([""] * 2 if lines else [])

    def reading(self) -> list[str]:
        """Statements at the head of the loop."""
        return [
            f"        {name} = {table}[{name}]"
            for name, table, alphabet in self.letters
            if alphabet is not None
        ]

    def written(self, place: int, expression: Expression, text: str) -> str:
        """What is appended for one output.

        Args:
            place: of the output.
            expression: as it is printed; its variables are those of the program, or names of
                sub-expressions.
            text: the expression as an integer.
        """
        table, alphabet = self.answers[place]
        if alphabet is None:
            return text
        if self._always_a_symbol(self.program.outputs[place], alphabet):
            return f"{table}[{expression_text(expression)}]"
        # An integer that stands for no symbol is written as it is.
        return f"{table}.get({text}, {text})"

    def _bound_registers(self) -> None:
        """What each register may be: anything at first, then what its update can give, twice."""
        boxes, registers = self._boxes, self.program.registers
        for register in registers:
            boxes |= {Var(register.name, updated=late): _ANYTHING for late in (False, True)}
        for _ in range(2):
            found = {r: _bounds(r.update, boxes) for r in registers}
            for register, box in found.items():
                start = register.initial
                boxes[Var(register.name, updated=True)] = box
                boxes[Var(register.name)] = min(start, box[0]), max(start, box[1])

    def _always_a_symbol(self, output: Expression, alphabet: Alphabet) -> bool:
        low, high = _bounds(output, self._boxes)
        return low >= 0 and high < len(alphabet)


def _bounds(expression: Expression, boxes: dict[Var, Interval]) -> Interval:
    try:
        low, high = bounds(expression, boxes)
    except (KeyError, ArithmeticError, ValueError):  # of a name that stands for a part of it
        return _ANYTHING
    return max(low, _ANYTHING[0]), min(high, _ANYTHING[1])


def _wrapped(name: str, opening: str, entries: list[str], closing: str) -> list[str]:
    """`NAME = (a, b)`, on several lines where one would be too long."""
    comma = "," if opening == "(" and len(entries) == 1 else ""
    line = f"{name} = {opening}{', '.join(entries)}{comma}{closing}"
    if len(line) <= _WIDEST_LINE:
        return [line]
    lines = [""]
    for entry in entries:
        if lines[-1] and len(lines[-1]) + len(entry) > _WIDEST_LINE:
            lines.append("")
        lines[-1] += ("    " if not lines[-1] else " ") + entry + ","
    return [f"{name} = {opening}", *lines, closing]
