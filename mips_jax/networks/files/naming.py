"""Users' own names for weights: `network.names`, from the name that is read here to the one in the
file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from mips_jax.networks.files.parts import Arrays

TRANSPOSED = ".T"  # ending of a name whose matrix lies in the file as [in, out]


def pairs(names) -> dict[str, str] | None:
    """{ours: theirs} of a mapping, or of texts "ours=theirs"; None where it is neither."""
    if isinstance(names, Mapping):
        found = dict(names)
    elif isinstance(names, list | tuple) and all(isinstance(n, str) and "=" in n for n in names):
        found = {ours: theirs for ours, _, theirs in (name.partition("=") for name in names)}
    else:
        return None
    texts = all(isinstance(text, str) and text for pair in found.items() for text in pair)
    return {ours.strip(): theirs.strip() for ours, theirs in found.items()} if texts else None


def renamed(arrays: Arrays, names: Mapping[str, str]) -> tuple[Arrays, dict[str, str], list[str]]:
    """Gives arrays the names that are read here.

    Args:
        arrays: by the file's names.
        names: ours -> theirs; a stem (`head.0` -> `fc`) stands for all that begins with it, and an
            ending `.T` on the right for the transposed matrix.

    Returns:
        The arrays, the file's name of each that was renamed, and what is wrong with the names.
    """
    left, new, origin, problems = dict(arrays), {}, {}, []
    for ours, theirs in names.items():
        plain = theirs.removesuffix(TRANSPOSED)
        found = {
            key: ours + key[len(stem) :]
            for stem in (theirs, plain)
            for key in left
            if key == stem or key.startswith((f"{stem}.", f"{stem}/"))
        }
        if not found:
            near = difflib.get_close_matches(plain, arrays, n=3, cutoff=0.3)
            problems.append(
                f"network.names calls {theirs} {ours}, but there is no {plain} in the file"
                + (f"; did you mean {' or '.join(near)}?" if near else "")
            )
        for key, name in found.items():
            array = left.pop(key)
            flip = theirs != plain and key == plain and array.ndim == 2
            new[name], origin[name] = (array.T if flip else array), key
    twice = [name for name in new if name in left]
    problems += [f"network.names gives {name} twice" for name in twice]
    return new | left, origin, problems
