"""Labelled words in the forms of grammar inference: Abbadingo's (flexfringe, AALpy) and StaMInA's.

Abbadingo                    StaMInA
3 2        words, symbols    + 0 1 0
1 3 0 1 0  label, length,    - 1
0 1 1      symbols           ? 0 0
-1 0
"""

from __future__ import annotations

import re

from mips_jax.errors import RequestError
from mips_jax.figures import shown
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.table import Reading, Table
from mips_jax.tasks.files.text_records import LineProblems

_HEADER = re.compile(r"\s*\d+\s+\d+\s*")
_LABELLED = re.compile(r"[+\-?](\s+\S+)*\s*")
_UNKNOWN = ("-1", "?")


def is_abbadingo(content: Content) -> bool:
    """By a first line of two numbers and following lines that say how many symbols they have."""
    if content.suffix in (".csv", ".tsv") or not content.is_text or len(content.lines) < 2:
        return False
    head, *words = content.lines
    return bool(_HEADER.fullmatch(head)) and sum(map(_fits, words[:20])) > 0.5 * len(words[:20])


def _fits(line: str) -> bool:
    parts = line.split()
    return len(parts) > 1 and parts[1].isdecimal() and int(parts[1][:9]) == len(parts) - 2


def read_abbadingo(content: Content, reading: Reading) -> Table:
    """Label, number of symbols and symbols of each word; the label -1 is none."""
    name, problems = content.name, LineProblems(content.name)
    lines = [(n, t) for n, t in enumerate(content.text.splitlines(), 1) if t.strip()]
    count, symbols = (int(part[:18]) for part in lines[0][1].split())
    words, labels, places = [], [], []
    for line, text in lines[1:]:
        parts = text.split()
        if len(parts) < 2 or not parts[1].isdecimal() or int(parts[1][:9]) != len(parts) - 2:
            problems.add(
                "a line must be a label, the number of symbols, and as many symbols",
                line,
                shown(text),
                "the file is damaged there: write it again",
            )
            continue
        if any("/" in part for part in parts[2:]):
            problems.add("a symbol has data of its own", line, shown(text), "give plain symbols")
        words.append(parts[2:])
        labels.append(None if parts[0] in _UNKNOWN else parts[0])
        places.append(line)
    problems.raise_if_any()
    if len(words) != count:
        raise RequestError(
            f"{name}: the first line promises {count:,} words, but there are {len(words):,}; the "
            "file is cut short, or its first line is wrong: correct it"
        )
    there = len({symbol for word in words for symbol in word})
    if there > symbols:
        raise RequestError(
            f"{name}: the first line promises {symbols} symbols, but there are {there}; correct it"
        )
    return _table(name, words, labels, places, "Abbadingo's form")


def is_stamina(content: Content) -> bool:
    """By lines that all begin with +, - or ? alone."""
    return (
        content.is_text
        and bool(content.lines)
        and all(_LABELLED.fullmatch(line.strip()) for line in content.lines)
    )


def read_stamina(content: Content, reading: Reading) -> Table:
    """`+` and the symbols of a word that belongs to the language, `-` and those of one that does
    not, `?` where nobody knows.
    """
    problems = LineProblems(content.name)
    words, labels, places = [], [], []
    for line, text in enumerate(content.text.splitlines(), 1):
        parts = text.split()
        if not parts:
            continue
        if parts[0] not in ("+", "-", "?"):
            fix = "begin each line with one of them and a blank"
            problems.add("a line must begin with +, - or ?", line, shown(text), fix)
            continue
        words.append(parts[1:])
        labels.append({"+": 1, "-": 0}.get(parts[0]))
        places.append(line)
    problems.raise_if_any()
    if all(len(word) < 2 for word in words) and any(len(s) > 1 for word in words for s in word):
        words = [list(word[0]) if word else [] for word in words]  # `+ 0110`
    return _table(content.name, words, labels, places, "StaMInA's form: + is 1, - is 0")


def _table(name: str, words, labels, places, note: str) -> Table:
    return Table(name, {"x": words, "y": labels}, places, "line", True, (note,))
