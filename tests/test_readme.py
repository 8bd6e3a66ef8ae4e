"""What the README's commands and blocks give is right, held against the truth; that each of them
runs is tested in test_docs.py.
"""

import re
import shlex
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


def test_there_is_a_command_for_each_door():
    for door in DOORS:
        assert any(door in command.split() for command in JAX_COMMANDS)


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


def test_a_network_is_distilled_in_python_as_shown(workplace, capfd):
    (source,) = (block for block in PYTHON if "load_network" in block)
    exec(source, {})
    assert compile_source(capfd.readouterr().out)([1, 2, 3]) == [1, 3, 6]


def test_a_model_of_whole_words_is_distilled_as_shown(capfd):
    (source,) = (block for block in PYTHON if "from_callable" in block)
    exec(source, {})
    assert compile_source(capfd.readouterr().out)([1, 2, 2]) == [1, 0, 2]
