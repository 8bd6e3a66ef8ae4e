"""Example sequences from `.npz`: arrays x, y and, for unequal lengths, lengths.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import pathlib

import numpy as np

from mips_jax.errors import RequestError, cause


def read_npz(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Reads the arrays; their values are checked by `example_task`.

    Returns:
        inputs: [N, T, I] or [N, T].
        outputs: [N, T, O] or [N, T].
        mask: [N, T] bool, False beyond each sequence's length; None without `lengths`.

    Raises:
        RequestError: not an npz archive, or arrays are missing, damaged or of a type that only a
            pickle could hold.
    """
    try:
        archive = np.load(path, allow_pickle=False)
    except Exception as error:  # whatever a damaged file does to numpy and zipfile
        raise RequestError(f"{path.name}: not a readable .npz file ({cause(error)})") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise RequestError(
            f"{path.name}: a single array, not an npz archive; save x and y with numpy.savez"
        )
    with archive:
        return _arrays(archive, path.name)


def _arrays(archive, name: str):
    problems = []
    arrays = {}
    for key in ("x", "y", "lengths"):
        if key in archive.files:
            try:
                arrays[key] = archive[key]
            except Exception as error:
                problems.append(f"{name}: the array {key} cannot be read ({cause(error)})")
            else:
                if not isinstance(arrays[key], np.ndarray):
                    problems.append(f"{name}: {key} is not an array; save it with numpy.savez")
        elif key != "lengths":
            there = ", ".join(archive.files[:10]) or "nothing"
            problems.append(f"{name}: there is no array {key}; the file holds {there}")
    if "lengths" not in archive.files and "mask" in archive.files:
        problems.append(
            f"{name}: there is an array mask; give the sequences' lengths as an array (N,) named "
            "lengths"
        )
    if problems:
        raise RequestError(*problems)
    if (
        "lengths" not in arrays or arrays["x"].ndim < 2
    ):  # the latter is reported with all else about the arrays
        return arrays["x"], arrays["y"], None
    return arrays["x"], arrays["y"], _mask_from_lengths(arrays["lengths"], arrays["x"].shape, name)


def _mask_from_lengths(lengths: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    longest = shape[1]
    if lengths.dtype.kind not in "iu" or lengths.shape != shape[:1]:
        raise RequestError(
            f"{name}: lengths must be integers of shape {shape[:1]}, one for each sequence of x, "
            f"but is {lengths.dtype} of shape {lengths.shape}"
        )
    wrong = (lengths < 1) | (lengths > longest)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise RequestError(
            f"{name}: {int(wrong.sum())} of the lengths are not within 1..{longest} (first: "
            f"lengths[{first}] = {lengths[first]})"
        )
    return np.arange(longest) < lengths[:, None]
