"""A result says which commit made it, and git is asked about no repository but the package's."""

import importlib.metadata
import shutil
import subprocess

import pytest

from mips_jax import version as module
from mips_jax.reporting.files import versions
from mips_jax.version import commit_of

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def repository(folder, setup: str):
    """A repository of one commit that holds a setup.cfg."""
    (folder / "setup.cfg").write_text(setup)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "setup.cfg"], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


@needs_git
def test_two_states_of_a_checkout_have_two_names(tmp_path):
    root = repository(tmp_path, "[metadata]\nname = mips_jax\n")
    clean = commit_of(root)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    assert clean and head.startswith(clean)
    (root / "setup.cfg").write_text("[metadata]\nname = mips_jax\n# changed\n")
    assert commit_of(root) == f"{clean}-dirty"


@needs_git
def test_a_repository_of_something_else_is_not_asked(tmp_path, monkeypatch):
    root = repository(tmp_path, "[metadata]\nname = a_thesis\n")
    inside = root / "site-packages"
    inside.mkdir()
    (inside / "setup.cfg").write_text("[metadata]\nname = mips_jax\n")
    monkeypatch.setattr(module.subprocess, "run", lambda *a, **k: pytest.fail("git was run"))
    assert commit_of(root) is None
    assert commit_of(inside) is None


def test_without_git_the_version_is_that_of_the_install(tmp_path, monkeypatch):
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = mips_jax\n")
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert commit_of(tmp_path) is None
    monkeypatch.setattr(module, "commit_of", lambda root: None)
    module.version.cache_clear()
    try:
        assert module.version() == importlib.metadata.version("mips_jax")
    finally:
        module.version.cache_clear()


def test_results_tell_the_version():
    assert versions()["mips_jax"] == module.version()
