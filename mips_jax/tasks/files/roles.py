"""Which column is what: by the names that people give them, or as `task.columns` says."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from typing import Any

from mips_jax.errors import RequestError
from mips_jax.figures import shown
from mips_jax.tasks.files.cells import as_list
from mips_jax.tasks.files.table import Columns, Table

NAMES = {
    "sequence": "sequence seq seq_id sequence_id sequenceid id sample sample_id episode episode_id "
    "trial trial_id trajectory traj trajectory_id trace trace_id case case_id group session "
    "session_id example example_id word_id run series series_id batch_id "
    "user user_id subject subject_id participant participant_id "
    "patient patient_id person run_id game_id",
    "time": "t time step timestep time_step position pos tick step_index "
    "timestamp datetime date ts",
    "x": "x input inputs in symbol symb token tokens input_ids word words text string str strings "
    "letter letters event action stimulus observation obs feature "
    "features char characters sentence",
    "y": "y output outputs out label labels target targets class accept accepts accepted answer "
    "answers result response category is_member member verdict",
    "mask": "mask labelled labeled label_mask loss_mask labels_mask valid target_mask",
    "length": "length lengths len lens seq_len seq_length n_steps",
    "attention": "attention_mask",
}
_INDEX = re.compile(r"(unnamed:? ?_?\d*|index|__index_level_\d+__|)")
_ROLES = {name: role for role, names in NAMES.items() for name in names.split()}
CANONICAL = {"sequence", "x", "y", "time", "mask", "length", "lengths", "attention_mask"}


@dataclasses.dataclass(frozen=True)
class Roles:
    """The columns of a table by what they are.

    Attributes:
        x, y: names of the columns of inputs and outputs, in order; x is never empty.
        sequence, time, mask, length, attention: names; None where there is none.
        notes: what was taken for granted.
    """

    x: tuple[str, ...]
    y: tuple[str, ...]
    sequence: str | None = None
    time: str | None = None
    mask: str | None = None
    length: str | None = None
    attention: str | None = None
    notes: tuple[str, ...] = ()


def roles_of(table: Table, asked: Columns) -> Roles:
    """What the columns of a table are.

    Args:
        table: its names, and what its cells look like where a name can mean two things.
        asked: what `task.columns` says; it comes first.

    Raises:
        RequestError: no column holds the inputs, or the outputs, or a name that is asked for is
            none of the columns.
    """
    found = _asked(table, asked)
    taken = {name for names in found.values() for name in names}
    free = [name for name in table.columns if name not in taken]
    index = [name for name in free if table.named and _is_index(table, name)]
    free = [name for name in free if name not in index]
    if table.named:
        _by_name(table, found, free)
        free = _left(free, found)
        _word_called_sequence(table, found)
    _from_what_is_left(table, found, free)
    ignored = _left(free, found)
    _check(table, found)
    return _as_roles(found, ignored, table)


def _asked(table: Table, asked: Columns) -> dict[str, list[str]]:
    """Role -> columns that `task.columns` names."""
    found: dict[str, list[str]] = {role: [] for role in NAMES}
    by_lower = {str(name).strip().lower(): name for name in table.columns}
    problems = []
    for field in dataclasses.fields(asked):
        value = getattr(asked, field.name)
        for name in [] if value is None else as_list(value) or [value]:
            column = name if name in table.columns else by_lower.get(str(name).strip().lower())
            if column is None:
                problems.append(
                    f"{table.name}: there is no column {shown(name)} "
                    f"(task.columns.{field.name}){_near(name, table)}"
                )
            else:
                found[field.name].append(column)
        if field.name not in ("x", "y") and len(found[field.name]) > 1:
            problems.append(
                f"{table.name}: task.columns.{field.name} names "
                f"{len(found[field.name])} columns; it is one name"
            )
    if problems:
        raise RequestError(*problems)
    return found


def _near(name: Any, table: Table) -> str:
    near = difflib.get_close_matches(str(name), map(str, table.columns), n=2)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; the columns are {_listed(table.columns)}"


def _is_index(table: Table, name: str) -> bool:
    """Whether a column is the index that pandas writes, which numbers the rows."""
    if not _INDEX.fullmatch(str(name).strip().lower()):
        return False
    cells = [str(cell).strip() for cell in table.columns[name]]
    return len(set(cells)) == len(cells) or not str(name).strip()


def _split_name(name: str) -> tuple[str, int | None]:
    """`x_3` -> (x, 3); `input` -> (input, None)."""
    text = re.sub(r"[\s.-]+", "_", str(name).strip().lower())
    numbered = re.fullmatch(r"(.*?[a-z])[_\[(]?(\d+)[\])]?", text)
    if numbered and text not in _ROLES:
        return numbered[1], int(numbered[2])
    return text, None


def _by_name(table: Table, found: dict[str, list[str]], free: Sequence[str]) -> None:
    """Fills the roles that nobody asked for from the names of columns."""
    open_ = {role for role, names in found.items() if not names}
    problems: list[str] = []
    numbered: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in free:
        base, number = _split_name(name)
        role = _ROLES.get(base)
        if role is None or role not in open_:
            continue
        if role in ("x", "y") and number is not None:
            numbered.setdefault((role, base), []).append((number, name))
        elif number is None:
            found[role].append(name)
    for (role, base), columns in numbered.items():
        plain = [name for name in found[role] if _split_name(name)[0] == base]
        if len(plain) == len(found[role]) == 1 and min(columns)[0] == 1:
            columns.append((0, plain[0]))  # x, x1, x2
        elif found[role]:
            continue
        columns.sort()
        first, numbers = columns[0][0], [number for number, _ in columns]
        if first > 1 or numbers != list(range(first, first + len(numbers))):
            problems.append(
                f"{table.name}: the columns {_listed(n for _, n in columns)} are not numbered on "
                f"from 0 or 1; name those that hold {role}: task.columns.{role}=[...]"
            )
        found[role] = [name for _, name in columns]
        open_.discard(role)
    for role in open_:
        if len(found[role]) > 1:
            _one_of_several(table, role, found, problems)
    if problems:
        raise RequestError(*problems)


def _one_of_several(table: Table, role: str, found, problems: list[str]) -> None:
    """Of several columns that could have a role, the one that is called by it wins."""
    own = [name for name in found[role] if str(name).strip().lower() in CANONICAL]
    if role in ("sequence", "time", "length") and not own:
        own = found[role][:1]
    if len(own) == 1:
        found[role] = own
        return
    problems.append(
        f"{table.name}: the columns {_listed(found[role])} could all be {role}; say which: "
        f"task.columns.{role}={found[role][0]} (or a list of several)"
    )


def _word_called_sequence(table: Table, found: dict[str, list[str]]) -> None:
    """A column called `sequence` holds the words where nothing else does."""
    if not found["x"] and found["sequence"]:
        name = found["sequence"][0]
        if _split_name(name)[0] in ("sequence", "seq", "trace", "example", "trajectory", "sample"):
            found["x"], found["sequence"] = [name], []


def _from_what_is_left(table: Table, found: dict[str, list[str]], free: Sequence[str]) -> None:
    """One column that nothing is known of is the one that is missing; of two the one with fewer
    different values is y.
    """
    left = _left(free, found)
    if not found["x"] and not found["y"] and len(left) == 2 and not found["sequence"]:
        first, second = (len({str(cell) for cell in table.columns[name]}) for name in left)
        found["x"], found["y"] = (left[:1], left[1:]) if first >= second else (left[1:], left[:1])
    elif not found["x"] and found["y"] and len(left) == 1:
        found["x"] = left
    elif found["x"] and not found["y"] and len(left) == 1:
        found["y"] = left


def _left(free: Sequence[str], found: dict[str, list[str]]) -> list[str]:
    taken = {name for names in found.values() for name in names}
    return [name for name in free if name not in taken]


def _check(table: Table, found: dict[str, list[str]]) -> None:
    what = {"x": "inputs", "y": "outputs"}
    there = _listed(table.columns) or "none"
    problems = []
    for role, meaning in what.items():
        if not found[role]:
            fix = f"name it {role}, or say which it is: task.columns.{role}=..."
            problems.append(
                f"{table.name}: no column holds the {meaning} ({role}); {fix}; "
                f"the columns are {there}"
            )
    if problems and not table.named:
        raise RequestError(
            f"{table.name}: the first line must name the columns, as in sequence,x,y; or say "
            "which is which: task.columns.sequence=0 task.columns.x=1 task.columns.y=2 (there are "
            f"{len(table.columns)}, numbered from 0)"
        )
    if problems:
        raise RequestError(*problems)


def _as_roles(found: dict[str, list[str]], ignored: Sequence[str], table: Table) -> Roles:
    one = {role: names[0] if names else None for role, names in found.items()}
    named = [(role, name) for role in NAMES for name in found[role]]
    strange = [
        f"{role} = {shown(name)[1:-1] if isinstance(name, str) else name}"
        for role, name in named
        if _split_name(name)[0] not in CANONICAL | {role}
    ]
    notes: tuple[str, ...] = (f"columns: {', '.join(strange)}",) if strange else ()
    if ignored:
        notes += (f"not used: the columns {_listed(ignored)}",)
    return Roles(
        tuple(found["x"]),
        tuple(found["y"]),
        one["sequence"],
        one["time"],
        one["mask"],
        one["length"],
        one["attention"],
        notes,
    )


def _listed(names, most: int = 10) -> str:
    texts = [str(name) if str(name).strip() else "''" for name in names]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def is_known(name: str) -> bool:
    """Whether a text is a name that columns have."""
    return _split_name(name)[0] in _ROLES
