"""Run folders: `mips-jax check FOLDER` for the proof in one, and how one is shown."""

from __future__ import annotations

from pathlib import Path

from mips_jax.check import main
from mips_jax.errors import RequestError


def check_folder(arguments: list[str]) -> int:
    """Runs the independent checker on a run folder: 0 where the certificate proves its claim.

    Raises:
        RequestError: no folder, or one that holds no certificate.
    """
    if len(arguments) != 1:
        raise RequestError(
            f"mips-jax check got {len(arguments)} arguments; it takes one, the run folder"
        )
    for name in ("certificate.json", "program.py"):
        if not (Path(arguments[0]) / name).is_file():
            raise RequestError(
                f"{arguments[0]} holds no {name}; only a run with a proof leaves one "
                "(`proof` in its result.json says why there is none)"
            )
    return main(arguments)


def shown_path(folder: Path) -> str:
    """Relative to the current folder where it lies inside."""
    folder = folder.resolve()
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
