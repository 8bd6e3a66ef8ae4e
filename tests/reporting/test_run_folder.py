"""A run folder is complete, and says what was found, for a network written by hand: the sum of the
last two inputs.
"""

import json
import os

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.machines import Mealy, bisimilar
from mips_jax.networks import MLPRNN
from mips_jax.reporting import run_folder
from mips_jax.reporting.hidden_states import SEQUENCES, hidden_states
from tests.reporting import machine_runs

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
    assert {
        "program.py",
        "summary.md",
        "result.json",
        "report.html",
        "hidden_states.png",
        "hidden_states.npz",
    } == {entry.name for entry in tmp_path.iterdir()}
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
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "summary.md",
        "report.html",
        "result.json",
    }
    assert "No network was finite" in (tmp_path / "summary.md").read_text()


def test_hidden_states_are_coloured_by_machine_registers_and_outputs(network):
    program = extract(network, RANGE).program
    remembers_last = Mealy(
        np.array([[0], [1]]), np.array([[0, 1], [0, 1]]), np.array([[[0], [1]], [[1], [2]]])
    )
    found = hidden_states(network, RANGE, program, remembers_last, length=6)
    colourings = found.colourings
    assert found.hidden.shape == (SEQUENCES, 6, 2)
    assert next(iter(colourings)) == "state" and list(colourings)[-1] == "output"
    np.testing.assert_array_equal(colourings["state"], found.hidden[:, :, 0])
    np.testing.assert_array_equal(colourings["output"], found.hidden.sum(axis=2))
    np.testing.assert_array_equal(found.words[:, :, 0], found.hidden[:, :, 0])
    assert any(name.startswith("register ") for name in colourings)
    assert repr(found).startswith("HiddenStates(80 words of length 6, H=2; state, ")


def test_the_machine_comes_in_every_form(tmp_path):
    shown = machine_runs.shown(24)
    assert run_folder.write_shown(tmp_path, shown) is None
    again = Mealy.from_json((tmp_path / "machine.json").read_text())
    assert bisimilar(again, machine_runs.machine(24))
    assert (tmp_path / "machine.dot").read_text().count(" -> ") == 2 * 24 + 1
    arrays = np.load(tmp_path / "hidden_states.npz")
    assert arrays["hidden"].shape == (80, 10, 25)
    index = again.index_of(arrays["words"])
    np.testing.assert_array_equal(again.trace(index), arrays["state"])
    np.testing.assert_array_equal(again.run(index), arrays["outputs"])
    np.testing.assert_array_equal(arrays["register_total"], arrays["words"][:, :, 0].cumsum(axis=1))


def test_a_page_that_is_not_wanted_is_not_written(tmp_path):
    assert run_folder.write_shown(tmp_path, machine_runs.shown(2), with_page=False) is None
    assert not (tmp_path / "report.html").exists()
    assert "report.html" not in (tmp_path / "summary.md").read_text()


def test_without_a_library_the_rest_is_written_and_one_line_says_how_to_get_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("mips_jax.reporting.page.NEEDED", ("plotly", "no_such_library"))
    remark = run_folder.write_shown(tmp_path, machine_runs.shown(2))
    assert remark == "report.html needs no_such_library: pip install no_such_library"
    there = {entry.name for entry in tmp_path.iterdir()}
    assert "result.json" in there and "report.html" not in there


@pytest.mark.parametrize("number", [0, 3, 5, 7])
def test_a_write_that_breaks_off_leaves_whole_files_only(number, tmp_path, monkeypatch):
    """The n-th renaming fails, as on a disk that is full."""
    shown, calls, rename = machine_runs.shown(2), [], os.replace

    def failing(*paths):
        calls.append(paths)
        if len(calls) > number:
            raise OSError(28, "No space left on device")
        rename(*paths)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="No space"):
        run_folder.write_shown(tmp_path, shown)
    left = {entry.name for entry in tmp_path.iterdir()}
    assert len(left) == number and "result.json" not in left
    assert not any(name.startswith(".") for name in left)
