"""The notebooks run from top to bottom, and every figure in them is drawn."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_cells_parse_and_imports_exist(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    sources = [
        "".join(line for line in cell.source.splitlines(True) if not line.startswith("%"))
        for cell in code_cells(notebook)
    ]
    for source in sources:
        compile(source, str(path), "exec")
    exec("".join(sources[:1]), {})  # the first cell holds the imports


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    drawn = [
        cell
        for cell in code_cells(notebook)
        if any("image/png" in output.get("data", {}) for output in cell.outputs)
    ]
    asked_for = [cell for cell in code_cells(notebook) if "plots.plot_" in cell.source]
    assert drawn == asked_for and drawn


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
