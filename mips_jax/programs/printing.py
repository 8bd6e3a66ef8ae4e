"""From a program to Python that a person would write: order of statements, common sub-expressions,
idioms.

Stages: use updated registers where an expression repeats an update; keep in one list the registers
that belong together; name sub-expressions that occur more than once or are too deep; order the
statements, those under one condition together; print in at most 100 columns.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections import Counter
from typing import TypeGuard, TypeVar

from mips_jax.programs.arrays import Cells, Window, indexed, lists_of, summed
from mips_jax.programs.expression import (
    Call,
    Const,
    Expression,
    Lookup,
    Var,
    replace,
    walk,
)
from mips_jax.programs.layout import COLUMNS, laid_out, line_of, lines_of
from mips_jax.programs.recurrence import Recurrence, Register
from mips_jax.programs.statements import SHIFT, STORE, Assign, Statement, arranged
from mips_jax.programs.symbol_tables import SymbolTables
from mips_jax.programs.text import is_short
from mips_jax.symbols import Symbols

_LINES_OF_INITIALS = 2

_Kind = TypeVar("_Kind", bound=Recurrence)


def program_source(
    program: Recurrence,
    docstring: str | None = None,
    symbols: Symbols | None = None,
    lists: bool = True,
) -> str:
    """The program as a Python module with one function `program(inputs)`.

    Args:
        program: what to print.
        docstring: text for the function, of any length (wrapped); None for no docstring.
        symbols: what the integers stand for: the function reads and writes these; None: integers.
        lists: whether registers that belong together are kept in one list.
    """
    program = reuse_updates(program)
    view, tables = _View(program, lists), SymbolTables(program, symbols)
    lines = tables.tables() + _table_lines(program)
    lines.append("def program(inputs):")
    if docstring:
        lines += _docstring_lines(docstring)
    lines += _initial_lines(view.kept) + view.lists
    lines.append("    outputs = []")
    lines.append(f"    for {', '.join(program.inputs)} in inputs:")
    lines += tables.reading()
    for statement in view.statements():
        lines += lines_of(statement, 8, tables.written)
    lines.append("    return outputs")
    return "\n".join(lines) + "\n"


class _View:
    """A program with the registers that belong together in lists.

    Attributes:
        kept: registers that have names of their own.
        lists: lines that make the lists.
    """

    def __init__(self, program: Recurrence, lists: bool):
        self.program = program
        self.taken = {r.name for r in program.registers} | set(program.inputs)
        self.taken |= {"inputs", "outputs", "program"}
        self.lists: list[str] = []
        self.forms: list[Assign] = []
        gone: set[str] = set()
        self.places: dict[Expression, Expression] = {}
        self.rules: list = []
        for found in lists_of(program) if lists else ():
            gone |= {r.name for r in found.registers}
            self._listed(found)
        self.kept = [r for r in program.registers if r.name not in gone]

    def _listed(self, found: Cells | Window) -> None:
        bits = all(_is_bit(r) for r in found.registers)
        kind = "window" if isinstance(found, Window) else "bits" if bits else "cells"
        name = self._name(kind, *(f"{kind}{i}" for i in range(2, 9)))
        values = ", ".join(str(r.initial) for r in found.registers)
        zeros = {r.initial for r in found.registers}
        many = len(found.registers) > 4 and len(zeros) == 1
        made = f"[{zeros.pop()}] * {len(found.registers)}" if many else f"[{values}]"
        self.lists.append(f"    {name} = {made}")
        for late in (False, True):
            parts: list[Expression] = [
                Var(f"{name}[{k}]", late) for k in range(len(found.registers))
            ]
            olds: list[Expression] = [Var(r.name, late) for r in found.registers]
            self.places |= dict(zip(olds, parts))
            self.rules.append((summed, parts, Var(f"sum({name})", late)))
            if isinstance(found, Cells):
                element = Var(f"{name}[{line_of(found.index)}]", late)
                self.rules.append((indexed, parts, found.index, element))
        if isinstance(found, Window):
            self.forms.append(Assign((name,), (found.value,), SHIFT))
        else:
            guard = () if found.guard is None else (found.guard,)
            self.forms.append(Assign((name,), (found.index, found.value, *guard), STORE))

    def _name(self, *names: str) -> str:
        name = next(n for n in names if n not in self.taken)
        self.taken.add(name)
        return name

    def _seen(self, expression: Expression) -> Expression:
        """The expression as it reads the lists."""
        expression = replace(expression, self.places)
        for rule, *arguments in self.rules:
            expression = rule(expression, *arguments)
        return expression

    def statements(self) -> list[Statement]:
        """Of the loop, in order."""
        steps = [Assign((r.name,), (self._seen(r.update),)) for r in self.kept]
        steps += [
            dataclasses.replace(f, expressions=tuple(map(self._seen, f.expressions)))
            for f in self.forms
        ]
        steps.append(Assign((), tuple(map(self._seen, self.program.outputs))))
        return _shifts_together(arranged(self._named(steps)))

    def _named(self, steps: list[Assign]) -> list[Assign]:
        """Names for sub-expressions that occur more than once, or that are too deep."""
        while True:
            every = [e for step in steps for e in step.expressions]
            shared = _shared(every) or _too_deep(every)
            if shared is None:
                return steps
            name = self._name("total", "step", "first", "second", *(f"t{i}" for i in range(99)))
            as_name: dict[Expression, Expression] = {shared: Var(name, updated=True)}
            steps = [
                dataclasses.replace(
                    s, expressions=tuple(replace(e, as_name) for e in s.expressions)
                )
                for s in steps
            ]
            steps.insert(0, Assign((name,), (shared,)))


def _is_bit(register: Register) -> bool:
    """Whether it starts as 0 or 1 and no number is seen to be stored in it."""
    match register.update:
        case Call("if", (_, value, _)):
            plain = isinstance(value, Const) and value.value in (0, 1)
            parity = isinstance(value, Call) and value.arguments[-1] == Const(2)
            return register.initial in (0, 1) and (plain or parity)
    return False


def _initial_lines(registers: list[Register]) -> list[str]:
    """`a = b = 0`: registers that start alike share a line, as far as it goes."""
    by_value: dict[int, list[str]] = {}
    for register in sorted(registers, key=lambda r: (len(r.name), r.name)):
        by_value.setdefault(register.initial, []).append(register.name)
    lines = []
    if len(by_value) > _LINES_OF_INITIALS:
        named = [name for names in by_value.values() for name in names]
        values = [str(value) for value, names in by_value.items() for _ in names]
        return laid_out(4, f"{', '.join(named)} = ", ", ".join(values))
    for value, names in by_value.items():
        for start in range(0, len(names), 6):
            lines.append(f"    {' = '.join(names[start : start + 6])} = {value}")
    return lines


def _shifts_together(statements: list[Statement]) -> list[Statement]:
    """Consecutive statements that only pass old values on (a window moves) become one tuple
    assignment.
    """
    result: list[Statement] = []
    run: list[Assign] = []
    for statement in [*statements, Assign((), ())]:
        if isinstance(statement, Assign) and not statement.form and _only_passes_on(statement):
            run.append(statement)
            continue
        if len(run) > 1:
            targets = tuple(s.targets[0] for s in run)
            result.append(Assign(targets, tuple(s.expressions[0] for s in run)))
        else:
            result += run
        run = []
        result.append(statement)
    return result[:-1]


def _only_passes_on(statement: Assign) -> bool:
    match statement:
        case Assign((_,), (Var(_, False),)):
            return True
    return False


def body_lines(source: str) -> int:
    """Lines of the function's body without its docstring and blank lines (the `program_lines` of a
    result).
    """
    import ast

    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    body = function.body[1:] if ast.get_docstring(function) else function.body
    lines = source.splitlines()
    return sum(bool(line.strip()) for line in lines[body[0].lineno - 1 : body[-1].end_lineno])


def reuse_updates(program: _Kind) -> _Kind:
    """Outputs and later updates that contain a register's update read its new value instead."""
    known: dict[Expression, Expression] = {}
    registers = []
    for register in program.registers:
        update = replace(register.update, known)
        registers.append(dataclasses.replace(register, update=update))
        if isinstance(register.update, (Call, Lookup)):
            known[register.update] = known[update] = Var(register.name, updated=True)
    outputs = tuple(replace(o, known) for o in program.outputs)
    return dataclasses.replace(program, registers=tuple(registers), outputs=outputs)


def _shared(expressions: list[Expression]) -> Expression | None:
    """The largest sub-expression that occurs more than once and is worth a name."""
    counts = Counter(
        node for e in expressions for node in walk(e) if isinstance(node, (Call, Lookup))
    )
    worth = [
        e
        for e, n in counts.items()
        if n > 1
        and len(list(walk(e))) >= (5 if n == 2 else 3)
        and any(isinstance(v, Var) for v in walk(e))
    ]
    return max(worth, key=lambda e: len(list(walk(e))), default=None)


def _too_deep(expressions: list[Expression]) -> Expression | None:
    """A conditional with another in it that stands within something else."""
    for expression in expressions:
        for node in walk(_below_branches(expression)):
            inner = list(walk(node))[1:]
            if _is_conditional(node) and any(map(_is_conditional, inner)):
                return node
    return None


def _below_branches(expression: Expression) -> Expression:
    """The expression without the conditionals that it begins with: they become statements."""
    if not _is_conditional(expression):
        return expression
    return Call("max", tuple(map(_below_branches, expression.arguments)))  # of any operator


def _is_conditional(expression: Expression) -> TypeGuard[Call]:
    return isinstance(expression, Call) and expression.operator == "if"


def _table_lines(program: Recurrence) -> list[str]:
    tables: dict[str, tuple] = {}
    for expression in [r.update for r in program.registers] + list(program.outputs):
        tables |= {
            node.name: node.table
            for node in walk(expression)
            if isinstance(node, Lookup) and not is_short(node)
        }
    lines: list[str] = []
    for name, table in tables.items():
        rows = (
            [line for row in table for line in laid_out(4, "", str(row)[1:-1], ",", ("(", ")"))]
            if isinstance(table[0], tuple)
            else textwrap.wrap(
                ", ".join(map(str, table)) + ",",
                COLUMNS,
                initial_indent="    ",
                subsequent_indent="    ",
            )
        )
        lines += [f"{name} = (", *rows, ")"]
    return lines + ([""] * 2 if lines else [])


def _docstring_lines(docstring: str) -> list[str]:
    text = (
        docstring.strip().replace("\\", "\\\\").replace('"', "'")
    )  # a task's description may hold anything
    paragraphs = [textwrap.wrap(p, 96) for p in text.split("\n")]
    text_lines = [line for p in paragraphs for line in (p or [""])]
    if len(text_lines) == 1 and len(text_lines[0]) <= 90:
        return [f'    """{text_lines[0]}"""']
    return [
        f'    """{text_lines[0]}',
        *(f"    {line}" if line else "" for line in text_lines[1:]),
        '    """',
    ]
