"""Every command and Python block of the README works; what trains is run by slow tests, and
composed by the fast.
"""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mips_jax.command_line.main import SOLVED, main
from mips_jax.networks import MLPRNN, save_network
from mips_jax.programs import compile_source
from mips_jax.tasks import TASKS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]
JAX_COMMANDS = [command for command in COMMANDS if command.startswith("mips-jax")]
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
DOORS = ["task=Binary_Addition", "task=file", "task=function", "network=file"]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the files that the README's commands mention: running sums, and a network that
    computes them.
    """
    monkeypatch.chdir(tmp_path)
    inputs = np.random.default_rng(0).integers(0, 10, (5000, 10, 1))
    np.savez("data.npz", x=inputs, y=inputs.cumsum(axis=1))
    network = MLPRNN.from_layers(
        [(np.ones((1, 2)), np.zeros(1))], [(np.ones((1, 1)), np.zeros(1))], trained_length=10
    )
    save_network("net.npz", network)
    return tmp_path


def has_plug_in(command: str) -> bool:
    plug_ins = {
        "launcher=slurm": "hydra_submitit_launcher",
        "launcher=processes": "hydra_joblib_launcher",
    }
    needed = [module for option, module in plug_ins.items() if option in command]
    return not needed or (
        importlib.util.find_spec("hydra_plugins")
        and all(importlib.util.find_spec(f"hydra_plugins.{m}") for m in needed)
    )


def test_there_is_a_command_for_each_door():
    for door in DOORS:
        assert any(door in command.split() for command in JAX_COMMANDS)


@pytest.mark.parametrize("command", [c for c in JAX_COMMANDS if c != "mips-jax tasks"])
def test_every_command_is_accepted(command, workplace, capfd):
    if not has_plug_in(command):
        pytest.skip("its launcher is an extra that is not installed")
    arguments = [
        argument for argument in shlex.split(command)[1:] if argument not in ("--cfg", "job")
    ]
    assert main([*arguments, "--cfg", "job"]) == SOLVED, capfd.readouterr().err


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_every_make_target_exists(command):
    done = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_door_for_networks_runs(workplace, capfd):
    (command,) = (c for c in JAX_COMMANDS if "network=file" in c)
    assert main(shlex.split(command)[1:]) == SOLVED
    assert compile_source(Path(capfd.readouterr().out.splitlines()[-1], "program.py").read_text())(
        [1, 2, 3]
    ) == [
        1,
        3,
        6,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_the_command_of_every_door_finds_the_program(door, workplace, capfd):
    command = next(c for c in JAX_COMMANDS if door in c.split())
    assert main(shlex.split(command)[1:]) == SOLVED
    program = compile_source(
        Path(capfd.readouterr().out.splitlines()[-1], "program.py").read_text()
    )
    if door == "task=Binary_Addition":
        assert program([(1, 1), (1, 0), (0, 0)]) == [0, 0, 1]
    else:
        assert program(list(range(10)) * 10) == np.cumsum(list(range(10)) * 10).tolist()


def test_the_program_shown_is_right():
    (source,) = (block for block in PYTHON if block.startswith("def program"))
    sequences = TASKS["Binary_Addition"].long_sequences(50, 200, seed=5)
    program = compile_source(source)
    for inputs, outputs in zip(sequences.inputs.tolist(), sequences.outputs[:, :, 0].tolist()):
        assert program([tuple(step) for step in inputs]) == outputs


def test_a_new_task_is_defined_as_shown():
    (source,) = (block for block in PYTHON if "@task(" in block)
    try:
        exec(source, {})
        sequences = TASKS["Doubled_Sum"].training_sequences(3, seed=0)
        np.testing.assert_array_equal(sequences.outputs, 2 * sequences.inputs.cumsum(axis=1))
    finally:
        TASKS.pop("Doubled_Sum", None)


@pytest.mark.slow
def test_the_python_of_the_readme_runs(capfd):
    (source,) = (block for block in PYTHON if 'mips_jax.distil("' in block)
    names = {}
    exec(source, names)
    assert names["found"].solved and "def program" in capfd.readouterr().out


def test_a_network_is_distilled_in_python_as_shown(workplace, capfd):
    (source,) = (block for block in PYTHON if "load_network" in block)
    exec(source, {})
    assert compile_source(capfd.readouterr().out)([1, 2, 3]) == [1, 3, 6]


def test_a_model_of_whole_words_is_distilled_as_shown(capfd):
    (source,) = (block for block in PYTHON if "from_callable" in block)
    exec(source, {})
    assert compile_source(capfd.readouterr().out)([1, 2, 2]) == [1, 0, 2]


def test_every_python_block_is_run_by_a_test():
    assert len(PYTHON) == 5
    for block in PYTHON:
        compile(block, "README.md", "exec")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(target):
    assert (ROOT / target).exists()
