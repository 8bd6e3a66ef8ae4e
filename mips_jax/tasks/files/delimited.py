"""Tables as text: `.csv`, `.tsv`, `.txt`, ..., whatever stands between the columns, with names in
the first line or without.
"""

from __future__ import annotations

import collections
import csv
import dataclasses
import itertools
import re

from mips_jax.errors import RequestError
from mips_jax.tasks.files.cells import Kind, is_nothing, kind_of
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.read_csv import read_plain
from mips_jax.tasks.files.roles import is_known
from mips_jax.tasks.files.table import Arrays, Reading, Table
from mips_jax.tasks.files.text_records import LineProblems

_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_AHEAD = re.compile(r"#\s|#$|sep=.$")  # lines before the table
_NOT_ASKED = Reading(memory_gib=0)
_MOSTLY = 0.8  # share of the first lines that have as many columns as most of them


def is_delimited(content: Content) -> bool:
    """Any text that no other reader knows."""
    return content.is_text


def read_delimited(content: Content, reading: Reading) -> Table | Arrays:
    """The table; where it is the plain layout of integers, as arrays, read fast."""
    if content.suffix == ".csv" and dataclasses.replace(reading, memory_gib=0) == _NOT_ASKED:
        plain = read_plain(content)
        if plain is not None:
            return plain
    if "\0" in content.text[:100_000]:
        raise RequestError(f"{content.name}: not a text file; it holds zero bytes")
    if not content.lines:
        raise RequestError(f"{content.name}: there is nothing in it but blank lines")
    mark = _mark(content)
    rows, places = [], []
    try:
        for row, line in _rows(content, mark):
            rows.append(row)
            places.append(line)
    except csv.Error as error:
        raise RequestError(f"{content.name}: not a readable table ({error})") from error
    header = _has_header(rows, reading)
    return _table(content, rows, places, header, mark)


def _rows(content: Content, mark: str):
    """(cells, number of the line) of every line that is not blank."""
    lines = _uncommented(content.text.splitlines())
    if mark == " ":
        yield from ((line.split(), n) for n, line in enumerate(lines, 1) if line.strip())
        return
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True)
    for row in reader:
        if row and not (len(row) == 1 and not row[0].strip()):
            yield row, reader.line_num


def _uncommented(lines: list[str]) -> list[str]:
    """Lines without Excel's `sep=;` and comments at the head; the last comment may name the columns
    (numpy.savetxt).
    """
    head = [n for n, line in enumerate(lines) if line.strip()]
    ahead = list(itertools.takewhile(lambda n: _AHEAD.match(lines[n]), head))
    if not ahead or len(ahead) == len(head):
        return lines
    last, following = ahead[-1], lines[head[len(ahead)]]
    title = lines[last].lstrip("# ")
    width = lambda line: len(re.split(r"[,;\t|]|\s+", line.strip()))
    kept = lines[last].startswith("#") and width(title) == width(following)
    blank = [title if kept and n == last else "" for n in range(last + 1)]
    return blank + lines[last + 1 :]


def _mark(content: Content) -> str:
    """What stands between columns: what divides most of the first lines into the same number."""
    first = [line for line in _uncommented(content.lines) if line.strip()]
    found = ""  # that does not divide the names alike
    for mark in _MARKS:
        if mark == " ":
            widths = [len(line.split()) for line in first]
        else:
            try:
                widths = [len(row) for row in csv.reader(first, delimiter=mark)]
            except csv.Error:
                continue
        usual = _usual(widths)
        if usual > 1 and widths.count(usual) >= _MOSTLY * len(widths):
            if widths[0] == usual:
                return mark
            found = found or mark
    if found:
        return found
    raise RequestError(
        f"{content.name}: no table was found in it: its lines cannot be divided into the same "
        "number of columns by commas, semicolons, tabs, bars or blanks; give a form of docs/data.md"
    )


def _usual(widths: list[int]) -> int:
    return collections.Counter(widths).most_common(1)[0][0]


def _has_header(rows: list[list[str]], reading: Reading) -> bool:
    """Whether the first row names the columns."""
    first, others = rows[0], rows[1:]
    asked = [reading.columns.x, reading.columns.y, reading.columns.sequence]
    names = [n for a in asked if a is not None for n in (a if isinstance(a, list) else [a])]
    cells = [cell.strip() for cell in first]
    if any(str(name) in cells for name in names if not str(name).isdecimal()):
        return True
    numbers = [kind_of(cell)[0] is Kind.WHOLE for cell in cells if cell]
    if any(numbers):
        return False
    if any(is_known(cell) for cell in cells):
        return True
    for place, cell in enumerate(cells):
        below = [row[place].strip() for row in others if len(row) > place]
        told = [text for text in below if not is_nothing(text)]
        if told and all(kind_of(text)[0] is Kind.WHOLE for text in told):
            return True  # a text above numbers
        counts = collections.Counter(told)
        if told and cell not in counts and len(counts) <= 0.2 * len(told):
            return True  # a label that never occurs again
    return False


def _table(content: Content, rows, places, header: bool, mark: str) -> Table:
    width = len(rows[0]) if header else _usual([len(row) for row in rows])
    names = [cell.strip() for cell in rows[0]] if header else [str(n) for n in range(width)]
    repeated = [name for name, count in collections.Counter(names).items() if count > 1]
    if repeated:
        raise RequestError(
            f"{content.name}: the column {repeated[0] or repr('')} occurs "
            f"{names.count(repeated[0])} times; give each a name of its own"
        )
    body, places = (rows[1:], places[1:]) if header else (rows, places)
    problems = LineProblems(content.name)
    for row, line in zip(body, places):
        if len(row) != width:
            fix = "quote cells that hold what stands between columns"
            problems.add(f"not every row has {width} values", line, f"{len(row)} values", fix)
    whole = [n for n, row in enumerate(body) if len(row) == width]
    columns = {name: [body[n][place] for n in whole] for place, name in enumerate(names)}
    notes: tuple[str, ...] = (f"columns are divided by {_MARKS[mark]}",) if mark != "," else ()
    if not header:
        notes += ("the first line is no header",)
    where = [places[n] for n in whole]
    wrong = tuple(problems.sentences)
    return Table(content.name, columns, where, "line", header, notes, wrong)
