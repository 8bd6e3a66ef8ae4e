"""Statements as lines of Python, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from mips_jax.programs.expression import Call, Const, Expression, Var, walk
from mips_jax.programs.statements import SHIFT, STORE, Branch, Statement
from mips_jax.programs.text import expression_text, may_be_bool
from mips_jax.programs.tidy import tidied

COLUMNS = 100


Written = Callable[[int, Expression, str], str]
"""Place of an output, its expression, that as an integer -> what is appended."""


def lines_of(
    statement: Statement, indent: int, written: Written = lambda place, output, text: text
) -> list[str]:
    """The lines of one statement.

    Args:
        statement: an assignment, or a branch.
        indent: columns.
        written: how outputs are written.
    """
    if isinstance(statement, Branch):
        return _branch_lines(statement, indent, "if", written)
    texts = list(map(line_of, statement.expressions))
    if not statement.targets:
        places = enumerate(zip(statement.expressions, texts))
        texts = [written(place, *output) for place, output in places]
        brackets = ("(", ")") if len(texts) == 1 else ("((", "))")
        return laid_out(indent, "outputs.append", ", ".join(texts), "", brackets)
    name = statement.targets[0]
    if statement.form == STORE:
        lines = laid_out(indent, f"{name}[{texts[0]}] = ", texts[1])
        if len(texts) == 2:
            return lines
        inner = laid_out(indent + 4, f"{name}[{texts[0]}] = ", texts[1])
        return [*laid_out(indent, "if ", texts_of(statement.expressions[2]), ":"), *inner]
    if statement.form == SHIFT:
        return laid_out(indent, f"{name} = {name}[1:] + ", texts[0], "", ("[", "]"))
    if len(statement.targets) == 1:
        return laid_out(indent, *_assignment(name, statement.expressions[0]))
    return laid_out(indent, f"{', '.join(statement.targets)} = ", ", ".join(texts))


def texts_of(condition: Expression) -> str:
    """A condition: no number is needed, and nothing need be compared with 0."""
    match condition:
        case Call("ne", (Var() as variable, Const(0))):
            return expression_text(variable)
    return expression_text(condition)


def _branch_lines(branch: Branch, indent: int, word: str, written: Written) -> list[str]:
    lines = laid_out(indent, f"{word} ", texts_of(branch.condition), ":")
    lines += [line for s in branch.chosen for line in lines_of(s, indent + 4, written)]
    match branch.other:
        case ():
            return lines
        case (Branch() as further,):
            return lines + _branch_lines(further, indent, "elif", written)
    lines.append(" " * indent + "else:")
    return lines + [line for s in branch.other for line in lines_of(s, indent + 4, written)]


def line_of(expression: Expression) -> str:
    """A value that is a bool in Python is printed as the int that it stands for."""
    text = expression_text(expression)
    return f"int({text})" if may_be_bool(expression) else text


def laid_out(
    indent: int, head: str, body: str, tail: str = "", brackets: tuple[str, str] | None = None
) -> list[str]:
    """One line, or several within the columns where it is longer.

    Args:
        indent: columns.
        head, body, tail: of the line; the body may be broken at blanks.
        brackets: around the body; None: only where it is broken.
    """
    opening, closing = brackets or ("", "")
    line = f"{' ' * indent}{head}{opening}{body}{closing}{tail}"
    if len(line) <= COLUMNS:
        return [line]
    opening, closing = brackets or ("(", ")")
    inside = " " * (indent + 4)
    parts = textwrap.wrap(
        body,
        COLUMNS,
        initial_indent=inside,
        subsequent_indent=inside,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [f"{' ' * indent}{head}{opening}", *parts, f"{' ' * indent}{closing}{tail}"]


def _assignment(name: str, expression: Expression) -> tuple[str, str]:
    """`name += other` and its like, where the name comes first in a sum or an exclusive or."""
    match expression:
        case Call("add", (Var(first), Const(value))) if first == name and value < 0:
            return f"{name} -= ", str(-value)
        case Call("add", (Var(first), other)) if first == name:
            return f"{name} += ", expression_text(other)
        case Call("add", (other, Var(second))) if second == name:
            return f"{name} += ", expression_text(other)
        case Call("sub", (Var(first), other)) if first == name:
            return f"{name} -= ", expression_text(other)
        case Call("xor", (Var(first), other)) if first == name:
            return f"{name} ^= ", expression_text(other)
        case Call("xor", (other, Var(second))) if second == name:
            return f"{name} ^= ", expression_text(other)
        case Call("add" | "sub") if (rest := _rest(name, expression)) is not None:
            return f"{name} += ", expression_text(rest)
    return f"{name} = ", line_of(expression)


def _rest(name: str, total: Expression) -> Expression | None:
    """What is added to a variable, where it is one term of a sum."""
    rest = tidied(Call("sub", (total, Var(name))))
    return None if Var(name) in walk(rest) or rest == total else rest
