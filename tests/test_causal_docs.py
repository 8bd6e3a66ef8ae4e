"""The code of docs/causal_models.md runs, and its commands are composed."""

import re
import shlex
from pathlib import Path

import pytest

from mips_jax.command_line.main import SOLVED, main

TEXT = (Path(__file__).parents[1] / "docs" / "causal_models.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for line in TEXT.splitlines() if line.startswith("mips-jax ")]


def test_the_python_block_prints_a_program(capsys):
    (block,) = PYTHON
    exec(block, {})
    assert "(x + value) % 3" in capsys.readouterr().out


def test_there_are_commands():
    assert len(COMMANDS) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_accepted(command, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(command)[1:], "--cfg", "job"]) == SOLVED, capfd.readouterr().err
