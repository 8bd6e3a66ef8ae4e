"""The notebooks run from top to bottom, and every figure in them is drawn."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MOST_BYTES = 400_000


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_with_its_output_small_and_without_an_error(path):
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < MOST_BYTES
    cells = code_cells(notebook)
    assert all(cell.execution_count for cell in cells) and any(map(pictures, cells))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert not re.search(r"/(home|root|work|tmp)/", str(outputs))  # of the machine that ran it


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path, tmp_path):
    """In a copy of its folder; every picture is drawn again."""
    folder = shutil.copytree(path.parent, tmp_path / "notebooks")
    notebook = nbformat.read(path, as_version=4)
    before = [pictures(cell) for cell in code_cells(notebook)]
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=place).execute()
    assert [pictures(cell) for cell in code_cells(notebook)] == before


def pictures(cell) -> int:
    """Pictures that a cell shows."""
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
