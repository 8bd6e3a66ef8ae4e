"""What a result offers in Python: everything from the one call, short to look at."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mips_jax
from mips_jax.errors import RequestError
from mips_jax.machines import bisimilar
from mips_jax.pipeline.progress import shown_progress
from mips_jax.progress import Silent
from mips_jax.reporting.notebook import NotebookProgress
from tests.reporting import machine_runs


@pytest.fixture(scope="module")
def network():
    return dataclasses.replace(machine_runs.network(machine_runs.machine(2)), input_range=((0, 1),))


@pytest.fixture(scope="module")
def found(network):
    return mips_jax.distil(network)


def test_a_network_with_a_known_range_needs_nothing_else(network, found):
    assert found.solved and found.name == "network"
    assert mips_jax.extract(network).program([1, 1, 1]) == [1, 0, 1]


def test_without_any_range_the_message_asks_for_it(network):
    unknown = dataclasses.replace(network, input_range=None)
    for call in (mips_jax.extract, mips_jax.distil, mips_jax.distil_network):
        with pytest.raises(RequestError, match=r"give input_range=\(\(low, high\), \.\.\.\)"):
            call(unknown)
    assert mips_jax.extract(unknown, ((0, 1),)).program([1, 1]) == [1, 0]


def test_program_machine_and_hidden_states(found):
    assert found.program([1, 0, 1]) == [1, 1, 0]
    assert bisimilar(found.machine, machine_runs.machine(2))
    states = found.hidden_states(sequences=7, length=5, seed=3)
    assert states.words.shape == (7, 5, 1) and states.hidden.shape == (7, 5, 3)
    np.testing.assert_array_equal(states.state, states.words[:, :, 0].cumsum(axis=1) % 2)
    np.testing.assert_array_equal(states.outputs[:, :, 0], states.state)
    with pytest.raises(RequestError, match="sequences=0, length=None"):
        found.hidden_states(sequences=0)


def test_evidence_is_four_lines(found):
    lines = found.evidence.splitlines()
    heads = [line.split(":")[0] for line in lines]
    assert heads == ["proven", "measured", "refuted", "not tried"]
    assert "program = machine on every length" in lines[0]


def test_pictures_by_name(found):
    assert "2 states" in found.plot().axes[0].get_title()
    assert found.plot("hidden_states")._repr_png_()
    with pytest.raises(RequestError, match="no picture of training: nothing was trained"):
        found.plot("training")
    with pytest.raises(RequestError, match="'curve'; allowed: machine, hidden_states, training"):
        found.plot("curve")


def test_saved_results_are_whole_and_never_lost(found, network, tmp_path):
    folder = found.save(tmp_path / "kept")
    names = {entry.name for entry in folder.iterdir()}
    assert {"program.py", "result.json", "report.html", "machine.dot", "network.npz"} <= names
    again = mips_jax.load_network(folder / "network.npz")
    words = np.random.default_rng(0).integers(0, 2, (5, 9, 1))
    np.testing.assert_array_equal(again.run(words)[1], network.run(words)[1])
    before = (folder / "result.json").stat().st_mtime_ns
    assert found.save(folder) == folder  # the same once more: nothing to do
    assert (folder / "result.json").stat().st_mtime_ns == before
    other = dataclasses.replace(found, name="other")
    with pytest.raises(RequestError, match="overwrite=true"):
        other.save(folder)
    other.save(folder, overwrite=True)
    assert '"task": "other"' in (folder / "result.json").read_text()
    (folder / "program.py").write_text("mine")
    with pytest.raises(RequestError, match=r"program\.py; move them away"):
        found.save(folder, overwrite=True)


def test_an_interrupted_save_leaves_nothing(found, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mips_jax.reporting.run_folder.write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.save(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_everything_is_short_to_look_at(found):
    task = mips_jax.get_task("Parity_All")
    shown = (
        *(found.program, found.machine, found.extraction, found.verification, found.network),
        *(found.hidden_states(), found.report(), task, task.training_sequences(3, 0)),
    )
    for one in shown:
        assert len(repr(one)) < 700 and "array(" not in repr(one), type(one)
    assert repr(found.program).startswith("Program(")


def test_progress_shows_itself_in_a_notebook_only(monkeypatch):
    assert isinstance(shown_progress(None), Silent)
    monkeypatch.setattr("mips_jax.pipeline.progress.in_notebook", lambda: True)
    assert isinstance(shown_progress(None), NotebookProgress)
    mine = Silent()
    assert shown_progress(mine) is mine


@pytest.mark.slow
def test_a_notebook_shows_progress_pictures_and_pages(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    cells = [
        "import dataclasses, mips_jax\n"
        "from tests.reporting import machine_runs\n"
        "network = machine_runs.network(machine_runs.machine(2))\n"
        "found = mips_jax.distil(network, ((0, 1),))",
        "found.plot()",
        "found.report()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    root = Path(__file__).parents[1]
    resources = {"metadata": {"path": str(root)}}
    client.NotebookClient(notebook, timeout=120, resources=resources).execute()
    progress, picture, page = (cell.outputs for cell in notebook.cells)
    assert len(progress) == 1 and "done" in progress[0]["data"]["text/html"]  # one line, updated
    assert "image/png" in picture[0]["data"]
    assert page[0]["data"]["text/html"].startswith("<iframe")


def test_a_result_draws_nothing_before_it_is_asked():
    code = "import sys, mips_jax.pipeline; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert not loaded & {"matplotlib", "plotly", "jinja2", "IPython", "jax"}
