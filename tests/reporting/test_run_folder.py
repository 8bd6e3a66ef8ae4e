"""A run folder is complete, and says what was found, for a network written by hand: the sum of the
last two inputs.
"""

import json

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.machines import Mealy
from mips_jax.networks import MLPRNN
from mips_jax.reporting import run_folder

RANGE = ((0, 1),)
RESULT = {
    "task": "Sum_Last2",
    "solved": True,
    "method": "linear",
    "fidelity": 1.0,
    "accuracy": {"test": 1.0, "long": 1.0},
}


@pytest.fixture(scope="module")
def network():
    transition = [
        (np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), np.zeros(2))
    ]  # h = (x, previous x)
    return MLPRNN.from_layers(
        transition, [(np.array([[1.0, 1.0]]), np.zeros(1))], trained_length=10
    )


def test_the_folder_holds_program_page_figures_and_result(network, tmp_path):
    extraction = extract(network, RANGE)
    run_folder.write_report(
        tmp_path,
        RESULT,
        extraction.program.source,
        network=network,
        inputs=RANGE,
        extraction=extraction,
    )
    assert {"program.py", "summary.md", "result.json", "hidden_states.png"} <= {
        entry.name for entry in tmp_path.iterdir()
    }
    assert json.loads((tmp_path / "result.json").read_text()) == RESULT
    assert (tmp_path / "program.py").read_text() == extraction.program.source
    page = (tmp_path / "summary.md").read_text()
    assert (
        extraction.program.source.strip() in page and "![Hidden states](hidden_states.png)" in page
    )
    for register in extraction.program.registers:
        assert f"| `{register.name}` |" in page


def test_without_a_program_the_folder_still_tells_why(tmp_path):
    run_folder.write_report(
        tmp_path,
        {"task": "Hard", "solved": False, "method": None, "reason": "no network was finite"},
        None,
    )
    assert {entry.name for entry in tmp_path.iterdir()} == {"summary.md", "result.json"}
    assert "No network was finite" in (tmp_path / "summary.md").read_text()


def test_hidden_states_are_coloured_by_machine_registers_and_outputs(network):
    program = extract(network, RANGE).program
    remembers_last = Mealy(
        np.array([[0], [1]]), np.array([[0, 1], [0, 1]]), np.array([[[0], [1]], [[1], [2]]])
    )
    hidden, colourings = run_folder.hidden_states(network, RANGE, program, remembers_last, length=6)
    assert hidden.shape == (run_folder.DRAWN_SEQUENCES, 6, 2)
    assert next(iter(colourings)) == "state" and list(colourings)[-1] == "output"
    np.testing.assert_array_equal(colourings["state"], hidden[:, :, 0])
    np.testing.assert_array_equal(colourings["output"], hidden.sum(axis=2))
    assert any(name.startswith("register ") for name in colourings)
