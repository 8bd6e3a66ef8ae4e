"""Example words of a network (`network.inputs=words.txt`): what it reads, without labels.

- a text file: one word a line, integers with blanks or commas between; also in the form of
  competitions, whose first line is "number-of-words alphabet-size" and whose others begin with the
  word's length
- `.jsonl`: one word a line, a list of integers (lists of them where a step has several), or an
  object with such a list under `x`, `word` or `input_ids`
- `.npz`: `x` (N, T) or (N, T, I), with `lengths` (N,) where words are padded

Axes: N words, T time, I inputs a step.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mips_jax.archives import refuse_large
from mips_jax.errors import RequestError
from mips_jax.figures import shown

_KEYS = ("x", "word", "input_ids")
_MEMORY_GIB = 2.0
_ALLOWED = "allowed: text with one word of integers a line, .jsonl, or .npz with x"


def load_words(path: str | Path, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads words.

    Args:
        path: of a file in one of the forms above.
        dim: I, integers that the network reads a step.

    Returns:
        words [N, T, I] int64, and their lengths [N].

    Raises:
        RequestError: the file cannot be read, or holds something else.
    """
    path = Path(str(path))
    called = f"{path} (network.inputs)"
    try:
        refuse_large(path, _MEMORY_GIB, "network.inputs")
        words = _from_npz(path) if path.suffix == ".npz" else _from_text(path)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise RequestError(f"{called} cannot be read: {error}; {_ALLOWED}") from error
    words = [np.asarray(word) for word in words if len(word)]
    if not words:
        raise RequestError(f"{called} has no words; {_ALLOWED}")
    return _padded(words, dim, called)


def _padded(words: list[np.ndarray], dim: int, called: str) -> tuple[np.ndarray, np.ndarray]:
    ends = np.array([len(word) for word in words])
    padded = np.zeros((len(words), ends.max(), dim), np.int64)
    for n, word in enumerate(words):
        steps = word[:, None] if word.ndim == 1 else word
        if steps.dtype.kind not in "iu" or steps.shape[1:] != (dim,):
            raise RequestError(
                f"{called}: word {n + 1} is {shown(word.tolist())}; the network reads {dim} "
                f"integer{'s' if dim > 1 else ''} a step"
            )
        padded[n, : len(word)] = steps
    return padded, ends


def _from_npz(path: Path) -> list[np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        x = archive["x"]
        ends = archive["lengths"] if "lengths" in archive else np.full(len(x), x.shape[1])
    return [word[:end] for word, end in zip(x, ends)]


def _from_text(path: Path) -> list[Any]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if any(line.lstrip()[0] in "{[" for line in lines[:1]):
        return [_of_json(json.loads(line)) for line in lines]
    rows = [[int(part) for part in line.replace(",", " ").split()] for line in lines]
    return _without_lengths(rows)


def _of_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    for key in _KEYS:
        if key in value:
            return value[key]
    raise ValueError(f"an object without {', '.join(_KEYS[:-1])} or {_KEYS[-1]}: {shown(value)}")


def _without_lengths(rows: list[list[int]]) -> list[list[int]]:
    """The competition form without its first line and its lengths; any other as it is."""
    head, *words = rows or [[]]
    if len(head) == 2 and head[0] == len(words) and all(w[0] == len(w) - 1 for w in words):
        return [word[1:] for word in words]
    return rows
