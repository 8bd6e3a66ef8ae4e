"""Which state of the package is running: its version, and the commit where it runs from a checkout.

The version of an editable install is the one of the day it was installed; two commits differ by
what git says of the checkout.
"""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
from pathlib import Path

GIT_SECONDS = 5.0  # git answers within milliseconds; a hanging file system shall not stop a run


@functools.cache
def version() -> str:
    """The version, followed by the commit in a checkout: `0.1.0` or `0.1.0+e0c7aa6.dirty`; never
    raises.
    """
    try:
        installed = importlib.metadata.version("mips_jax")
    except importlib.metadata.PackageNotFoundError:  # run from sources without an install
        installed = "0"
    commit = commit_of(Path(__file__).resolve().parents[1])
    if commit is None:
        return installed
    # what the installed version says of commits (.devN, +...) is of the day of installation
    release = installed.split("+")[0].split(".dev")[0]
    return f"{release}+{commit.replace('-', '.')}"


def commit_of(root: Path) -> str | None:
    """The short commit of this package's own checkout at `root`, with `-dirty` where files differ.

    None where `root` is anything else: git is not even asked about a repository that merely
    contains the package (a virtual environment inside somebody's project).
    """
    try:
        own = "name = mips_jax\n" in (root / "setup.cfg").read_text(encoding="utf-8")
        if not own or not (root / ".git").exists():  # a folder, or a file in a worktree
            return None
        command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
        said = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=GIT_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() or None
