"""Records, pairs and columns, from a file or from Python, as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mips_jax.errors import RequestError
from mips_jax.figures import shown
from mips_jax.tasks.files.cells import as_list
from mips_jax.tasks.files.table import Table
from mips_jax.tasks.files.text_records import LineProblems


def from_records(
    name: str, records: Sequence[Any], places: list[int] | None = None, place: str = "row"
) -> Table:
    """A list of mappings with the same keys, or of pairs of a word and its label (or labels).

    Raises:
        RequestError: they are neither, or of different kinds.
    """
    if not len(records):
        raise RequestError(f"{name}: there are no sequences; give some")
    problems = LineProblems(name, place)
    where = lambda row: row if places is None else places[row]
    first = records[0]
    if isinstance(first, Mapping):
        keys = dict.fromkeys(key for record in records[:1000] for key in _keys(record))
        columns: dict[str, list] = {str(key): [] for key in keys}
        needed = [key for key in keys if all(key in _keys(record) for record in records[:5])]
        for row, record in enumerate(records):
            if not isinstance(record, Mapping):
                problems.add("not every record has keys", where(row), shown(record), _ONE_FORM)
                continue
            for key in needed:
                if key not in record:
                    what = f"not every record is of the form {{{', '.join(map(str, needed))}}}"
                    problems.add(what, where(row), shown(record), "null where nothing is known")
            for key in keys:
                columns[str(key)].append(record.get(key))
        problems.raise_if_any()
        return Table(name, columns, places, place)
    if _are_traces(records):
        columns = {
            "x": [[s[0] for s in r] for r in records],
            "y": [[s[1] for s in r] for r in records],
        }
        return Table(name, columns, places, place, True, ("a trace is a list of (input, output)",))
    words, labels = [], []
    for row, record in enumerate(records):
        pair = as_list(record)
        if pair is None or len(pair) != 2:
            problems.add(
                "not every entry is a pair of a word and its label",
                where(row),
                shown(record),
                _ONE_FORM,
            )
            continue
        words.append(pair[0])
        labels.append(pair[1])
    problems.raise_if_any()
    return Table(name, {"x": words, "y": labels}, places, place)


def _are_traces(records: Sequence[Any]) -> bool:
    """Whether each record is a list of pairs, and not all of them have two."""
    lists = [as_list(record) for record in records]
    if any(not steps for steps in lists) or all(len(steps or ()) == 2 for steps in lists):
        return False
    return all(
        isinstance(step, list | tuple) and len(step) == 2 and not isinstance(step[0], list | tuple)
        for steps in lists
        for step in steps or ()
    )


_ONE_FORM = 'give records such as {"x": [0, 1], "y": [0, 1]}, or pairs such as ["ab", true]'


def _keys(record: Any) -> Sequence[Any]:
    return list(record) if isinstance(record, Mapping) else []


_SIDES = (  # names of what belongs to a language and of what does not
    ("positive", "pos", "accept", "accepted", "yes", "true", "1", "+", "positives", "valid"),
    ("negative", "neg", "reject", "rejected", "no", "false", "0", "-", "negatives", "invalid"),
)


def _sides(columns: Mapping[Any, Any]) -> dict[str, list] | None:
    """Two lists of words, one that belong to a language and one that do not, as words with labels;
    None for anything else.
    """
    by_name = {str(key).lower(): as_list(words) for key, words in columns.items()}
    inside, outside = ([n for n in names if n in by_name] for names in _SIDES)
    if len(by_name) != 2 or len(inside) != 1 or len(outside) != 1:
        return None
    yes, no = by_name[inside[0]], by_name[outside[0]]
    if yes is None or no is None:
        return None
    return {"word": yes + no, "y": [1] * len(yes) + [0] * len(no)}


def _is_label(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def from_columns(name: str, columns: Mapping[Any, Any]) -> Table:
    """A mapping from names to columns of equal length; other entries are left out.

    Raises:
        RequestError: there are no two columns of the same length.
    """
    sides = _sides(columns)
    if sides is not None:
        return Table(name, sides)
    if len(columns) > 2 and all(_is_label(label) for label in columns.values()):
        words = [as_list(word) if isinstance(word, tuple) else word for word in columns]
        return Table(name, {"word": words, "y": list(columns.values())})
    lists: dict[str, list] = {}
    for key, column in columns.items():
        cells = as_list(column)
        if cells is None and isinstance(column, Mapping):  # pandas' default: row -> value
            cells = list(column.values())
        if cells is None and hasattr(column, "tolist"):
            cells = as_list(column.tolist())
        if cells is None and hasattr(column, "to_list"):
            cells = column.to_list()
        if cells is not None:
            lists[str(key)] = cells
    if not lists:
        raise RequestError(
            f"{name}: there are no columns among {shown(list(columns))}; give lists of equal "
            "length, such as x and y"
        )
    lengths = {key: len(cells) for key, cells in lists.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{key} {count}" for key, count in list(lengths.items())[:8])
        raise RequestError(
            f"{name}: the columns have different lengths ({listed}); every sequence needs a cell "
            "in each"
        )
    return Table(name, lists)
