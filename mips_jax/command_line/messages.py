"""Hydra's and OmegaConf's errors as one line each: what is wrong, the value, what is allowed, which
key to change.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from hydra.errors import HydraException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    OmegaConfBaseException,
    ValidationError,
)

from mips_jax.command_line.keys import missing_launcher

_TYPES = {
    "Integer": "an integer",
    "Float": "a number",
    "Boolean": "true or false",
    "String": "text",
    "ListConfig": "a list",
}
_REFERENCE_TYPES = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
}


def explain(error: Exception, key: str = "", known_keys: Sequence[str] = ()) -> str:
    """One line for one error.

    Args:
        error: what Hydra or OmegaConf raised.
        key: the key that the offending argument sets, where that is known.
        known_keys: all keys that there are.
    """
    in_file = re.match(r"In '(.*)': \w+ raised while composing config:\s+(.*)", str(error))
    if in_file:
        return f"{in_file.group(1)}.yaml: {in_file.group(2).strip()}; correct that file"
    launcher = re.match(
        r"In 'hydra/launcher/(\w+)': Could not load 'hydra/launcher/(\w+)'", str(error)
    )
    missing = launcher and missing_launcher(launcher.group(2), launcher.group(1))
    if missing:
        return missing
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    key = key or getattr(cause, "full_key", None) or ""
    text = first_line(cause)
    if "Unexpected type for root: NoneType" in text:
        group = key.partition(".")[0]
        return f"{key} is given, but no {group} is chosen; add {group}=... (see mips-jax --help)"
    own = isinstance(error, HydraException | OmegaConfBaseException)
    if not own and not isinstance(
        error, ValueError
    ):  # an assertion, a missing attribute: Hydra stumbles over the value
        return f"{key or 'the request'} cannot be given that value; see mips-jax --help"
    unknown = isinstance(cause, (ConfigAttributeError, ConfigKeyError)) or text.startswith(
        "Could not override"
    )
    if unknown and key not in known_keys:
        return unknown_key(key, known_keys)
    if isinstance(cause, ValidationError):
        where = getattr(cause, "full_key", None) or key
        conversion = re.match(r"Value '(.*)' of type '.*' could not be converted to (\w+)", text)
        if conversion:
            value, wanted = conversion.groups()
            return f"{where} is {value!r}, but must be {_TYPES.get(wanted, wanted)}; change {key}"
        not_a_truth_value = re.match(r"Value '(.*)' is not a valid bool", text)
        if not_a_truth_value:
            value = not_a_truth_value.group(1)
            return f"{where} is {value!r}, but must be true or false; change {key}"
        if "not Optional" in text:
            wanted = next(
                (name for kind, name in _REFERENCE_TYPES.items() if f"'{kind}'" in text), "given"
            )
            return f"{where} is null, but must be {wanted}; change {key}"
        if (
            "is not a subclass" in text
            or "not a ListConfig" in text
            or "Invalid value assigned" in text
        ):
            return f"{where} has a value of the wrong kind ({text}); change {key}"
    if "--multirun" in str(cause) or text.startswith("Ambiguous value"):
        subject = f"{key} is" if key else "there is"
        return f"{subject} a list of values, one for each job; add -m to run them all"
    return f"{key}: {text}" if key and key not in text else text


def unknown_key(key: str, known_keys: Sequence[str]) -> str:
    """The message for a key that is not in the schema."""
    return f"there is no key {key!r}{near(key, known_keys)} (all keys: mips-jax task=... --cfg job)"


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, comparing whole keys and their last parts; empty where nothing is
    near.

    >>> near("training.max_stepz", ["training.max_steps", "training.seed"])
    '; did you mean training.max_steps?'
    """
    known = list(known)
    by_last: dict[str, str] = {}
    for key in known:
        by_last.setdefault(key.rpartition(".")[2], key)
    candidates = difflib.get_close_matches(word, known, n=2, cutoff=0.85)
    if not candidates:
        last_parts = difflib.get_close_matches(word.rpartition(".")[2], by_last, n=1, cutoff=0.75)
        candidates = [by_last[last] for last in last_parts]
    return f"; did you mean {' or '.join(candidates)}?" if candidates else ""


def first_line(error: Exception) -> str:
    """The first line of an error's text that says something, its type if there is none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
