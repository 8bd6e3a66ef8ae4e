"""From a program to Python that a person would write: order of statements, common sub-expressions,
idioms.

Stages: use updated registers where an expression repeats an update; name sub-expressions that occur
    more than once; order the
statements so that each reads the values it means; print.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from mips_jax.programs.expression import (
    Call,
    Const,
    Expression,
    Lookup,
    Var,
    replace,
    variables,
    walk,
)
from mips_jax.programs.recurrence import Recurrence
from mips_jax.programs.symbol_tables import SymbolTables
from mips_jax.programs.text import expression_text, may_be_bool
from mips_jax.symbols import Symbols

_Kind = TypeVar("_Kind", bound=Recurrence)


@dataclasses.dataclass(frozen=True)
class _Statement:
    """Assigns expressions to names, or (no names) appends them to the outputs."""

    targets: tuple[str, ...]
    expressions: tuple[Expression, ...]


def program_source(
    program: Recurrence, docstring: str | None = None, symbols: Symbols | None = None
) -> str:
    """The program as a Python module with one function `program(inputs)`.

    Args:
        program: what to print.
        docstring: text for the function, of any length (wrapped); None for no docstring.
        symbols: what the integers stand for: the function reads and writes these; None: integers.
    """
    program = reuse_updates(program)
    statements = _shifts_together(_ordered(_statements(program)))
    tables = SymbolTables(program, symbols)
    lines = tables.tables() + _table_lines(program)
    lines.append("def program(inputs):")
    if docstring:
        lines += _docstring_lines(docstring)
    lines += _initial_lines(program)
    lines.append("    outputs = []")
    lines.append(f"    for {', '.join(program.inputs)} in inputs:")
    lines += tables.reading()
    for statement in statements:
        lines.append("        " + _statement_text(statement, tables))
    lines.append("    return outputs")
    return "\n".join(lines) + "\n"


def _initial_lines(program: Recurrence) -> list[str]:
    """`a = b = 0`: registers that start alike share a line, as far as it goes."""
    by_value: dict[int, list[str]] = {}
    for register in sorted(program.registers, key=lambda r: (len(r.name), r.name)):
        by_value.setdefault(register.initial, []).append(register.name)
    lines = []
    for value, names in by_value.items():
        for start in range(0, len(names), 6):
            lines.append(f"    {' = '.join(names[start : start + 6])} = {value}")
    return lines


def _shifts_together(statements: list[_Statement]) -> list[_Statement]:
    """Consecutive statements that only pass old values on (a window moves) become one tuple
    assignment.
    """
    result: list[_Statement] = []
    run: list[_Statement] = []
    for statement in [*statements, _Statement((), ())]:
        plain = (
            len(statement.targets) == 1
            and isinstance(statement.expressions[0], Var)
            and not statement.expressions[0].updated
        )
        if plain:
            run.append(statement)
            continue
        if len(run) > 1:
            result.append(
                _Statement(tuple(s.targets[0] for s in run), tuple(s.expressions[0] for s in run))
            )
        else:
            result += run
        run = []
        result.append(statement)
    return result[:-1]


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


def _statements(program: Recurrence) -> list[_Statement]:
    """One statement for each register and for the outputs, shared sub-expressions named first."""
    named = [(r.name, r.update) for r in program.registers]
    outputs = program.outputs
    temporaries: list[tuple[str, Expression]] = []
    taken = (
        {r.name for r in program.registers} | set(program.inputs) | {"inputs", "outputs", "program"}
    )
    while (
        shared := _shared([e for _, e in named] + list(outputs) + [e for _, e in temporaries])
    ) is not None:
        name = next(
            n
            for n in ("total", "step", "first", "second", *(f"t{i}" for i in range(99)))
            if n not in taken
        )
        taken.add(name)
        as_name = {shared: Var(name, updated=True)}
        named = [(n, replace(e, as_name)) for n, e in named]
        outputs = tuple(replace(o, as_name) for o in outputs)
        temporaries = [(n, replace(e, as_name)) for n, e in temporaries] + [(name, shared)]
    return [_Statement((n,), (e,)) for n, e in temporaries + named] + [_Statement((), outputs)]


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


def _ordered(statements: list[_Statement]) -> list[_Statement]:
    """A statement that reads an old value comes before the one that overwrites it, a new value
    after.
    """
    while True:
        writer = {target: i for i, s in enumerate(statements) for target in s.targets}
        before: dict[int, set[int]] = {i: set() for i in range(len(statements))}
        for i, statement in enumerate(statements):
            for variable in set().union(*(variables(e) for e in statement.expressions)):
                other = writer.get(variable.name)
                if other is None or other == i:
                    continue
                if variable.updated:
                    before[i].add(other)
                else:
                    before[other].add(i)
        try:
            order = list(_stable_order(before))
        except CycleError as cycle:
            statements = _merged(statements, set(cycle.args[1]))
            continue
        return [statements[i] for i in order]


def _stable_order(before: dict[int, set[int]]):
    """Topological order, the earliest statement first; updates before the outputs where both are
    free.
    """
    sorter = TopologicalSorter(before)
    sorter.prepare()
    ready: set[int] = set()
    while sorter.is_active():
        ready |= set(sorter.get_ready())
        chosen = min(ready)
        ready.remove(chosen)
        yield chosen
        sorter.done(chosen)


def _merged(statements: list[_Statement], cycle: set[int]) -> list[_Statement]:
    """Statements that need each other's old values become one tuple assignment; the outputs get
    names first if in it.
    """
    members = [statements[i] for i in sorted(cycle)]
    rest = [s for i, s in enumerate(statements) if i not in cycle]
    output = next((m for m in members if not m.targets), None)
    if output is not None:
        names = (
            ("y",)
            if len(output.expressions) == 1
            else tuple(f"y{i}" for i in range(len(output.expressions)))
        )
        named = [_Statement((n,), (e,)) for n, e in zip(names, output.expressions)]
        appended = _Statement((), tuple(Var(n, updated=True) for n in names))
        return rest + [m for m in members if m.targets] + named + [appended]
    targets = tuple(t for m in members for t in m.targets)
    # Inside one tuple assignment every right-hand side sees the old values; new ones must be
    # written out.
    new: dict[Expression, Expression] = {
        Var(t, updated=True): e for m in members for t, e in zip(m.targets, m.expressions)
    }
    expressions = tuple(_expanded(e, new) for m in members for e in m.expressions)
    first = min(cycle)
    return rest[:first] + [_Statement(targets, expressions)] + rest[first:]


def _expanded(expression: Expression, new: dict[Expression, Expression]) -> Expression:
    while any(v in new for v in variables(expression)):
        expression = replace(expression, new)
    return expression


def _statement_text(statement: _Statement, tables: SymbolTables) -> str:
    if not statement.targets:
        texts = [
            tables.written(place, e, _integer_text(e))
            for place, e in enumerate(statement.expressions)
        ]
        return (
            f"outputs.append({texts[0]})"
            if len(texts) == 1
            else f"outputs.append(({', '.join(texts)}))"
        )
    if len(statement.targets) == 1:
        return _assignment_text(statement.targets[0], statement.expressions[0])
    right = ", ".join(_integer_text(e) for e in statement.expressions)
    return f"{', '.join(statement.targets)} = {right}"


def _assignment_text(name: str, expression: Expression) -> str:
    match expression:
        case Call("add", (Var(first), Const(value))) if first == name and value < 0:
            return f"{name} -= {-value}"
        case Call("add", (Var(first), other)) if first == name:
            return f"{name} += {expression_text(other)}"
        case Call("add", (other, Var(second))) if second == name:
            return f"{name} += {expression_text(other)}"
        case Call("sub", (Var(first), other)) if first == name:
            return f"{name} -= {expression_text(other)}"
    return f"{name} = {_integer_text(expression)}"


def _integer_text(expression: Expression) -> str:
    """A value that is a bool in Python is printed as the int that it stands for."""
    text = expression_text(expression)
    return f"int({text})" if may_be_bool(expression) else text


def _table_lines(program: Recurrence) -> list[str]:
    tables: dict[str, tuple] = {}
    for expression in [r.update for r in program.registers] + list(program.outputs):
        tables |= {node.name: node.table for node in walk(expression) if isinstance(node, Lookup)}
    lines: list[str] = []
    for name, table in tables.items():
        rows = (
            [f"    {row}," for row in table]
            if isinstance(table[0], tuple)
            else textwrap.wrap(
                ", ".join(map(str, table)) + ",",
                110,
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
    paragraphs = [textwrap.wrap(p, 100) for p in text.split("\n")]
    wrapped = [line for p in paragraphs for line in (p or [""])]
    if len(wrapped) == 1:
        return [f'    """{wrapped[0]}"""']
    return [
        f'    """{wrapped[0]}',
        *(f"    {line}" if line else "" for line in wrapped[1:]),
        '    """',
    ]
