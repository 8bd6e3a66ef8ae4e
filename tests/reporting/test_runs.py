"""Runs as typed rows: what varies is found, nothing is dropped, types do not hang on gaps."""

import csv
import io
import json
import sys

import pytest

import mips_jax
from mips_jax.errors import RequestError
from mips_jax.reporting import runs

RESULT = {
    "task": "Sum_All",
    "solved": True,
    "outcome": "solved",
    "accuracy": {"test": 1.0, "long": None},
    "fidelity": 1.0,
    "method": "linear",
    "program_lines": 5,
    "verification": {"network_equals_machine": True},
    "network": {"hidden_dim": 1, "start": "random"},
    "reason": None,
    "seconds": {"train": 2.0, "extract": 0.5, "verify": 0.1, "total": 60.0},
}


def _asked(seed=0, cell="gru", dims=(1, 2), rate=0.01):
    model = {"cell": cell, "hidden_dims": list(dims)}
    training = {"seed": seed, "model": model, "learning_rate": rate, "start": "random"}
    return {"task": {"name": "Sum_All", "length": None}, "model": model, "training": training}


def _run(folder, asked, result=RESULT):
    state = folder / ".mips_jax"
    state.mkdir(parents=True)
    (state / "request.json").write_text(json.dumps({"request": asked, "file": None}))
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))


@pytest.fixture
def sweep(tmp_path):
    """A sweep of which one job has crashed and one has not ended; the last is the tenth."""
    state = tmp_path / ".mips_jax"
    state.mkdir()
    (state / "request.json").write_text(json.dumps({"sweep": ["task=a,b"]}))
    _run(tmp_path / "0_Sum_All", _asked())
    _run(tmp_path / "1_Sum_All", _asked(seed=1, rate=1.0), RESULT | {"solved": False})
    _run(tmp_path / "2_Sum_All", _asked(cell="lstm"), None)
    (tmp_path / "2_Sum_All" / "traceback.txt").write_text("")
    _run(tmp_path / "10_Sum_All", _asked(dims=(3,)), None)
    return tmp_path


def test_every_run_is_a_row_and_only_what_varies_a_column(sweep):
    rows = runs.run_records(sweep)
    assert [row["folder"].rpartition("/")[2][:2] for row in rows] == ["0_", "1_", "2_", "10"]
    assert [row["outcome"] for row in rows] == ["solved", "solved", "crashed", "unfinished"]
    assert [row["finished"] for row in rows] == [True, True, False, False]
    varying = [key for key in rows[0] if "." in key]
    assert varying == ["model.cell", "model.hidden_dims", "training.learning_rate"]
    assert [row["seed"] for row in rows] == [0, 1, 0, 0]
    assert [row["task"] for row in rows] == ["Sum_All"] * 4
    assert rows[3]["model.hidden_dims"] == "[3]" and rows[0]["start"] == "random"


def test_the_frame_has_types_that_do_not_hang_on_gaps(sweep):
    pytest.importorskip("pandas")
    frame = mips_jax.load_runs(sweep)
    kinds = {key: str(kind) for key, kind in frame.dtypes.items()}
    assert kinds["seed"] == kinds["program_lines"] == "Int64"
    assert kinds["accuracy_long"] == kinds["training.learning_rate"] == "Float64"
    assert kinds["solved"] == "boolean" and kinds["task"] == "string"
    assert frame.groupby("seed")["solved"].sum().tolist() == [1, 0]
    asked = ["task", "seed", "model.cell", "model.hidden_dims", "training.learning_rate"]
    assert not frame[asked].duplicated().any()
    one = mips_jax.load_runs(sweep / "2_Sum_All")
    assert (
        len(one) == 1 and one["accuracy"].isna().all() and str(one["accuracy"].dtype) == "Float64"
    )


def test_a_csv_reader_gets_plain_numbers(sweep):
    rows = list(csv.DictReader(io.StringIO(runs.csv_table(runs.run_records(sweep)))))
    assert [row["solved"] for row in rows] == ["true", "false", "false", "false"]
    assert float(rows[0]["seconds_total"]) == 60.0 and rows[0]["accuracy_long"] == ""
    assert runs.csv_table([]) == ""


def test_a_damaged_result_does_not_hide_the_other_rows(sweep):
    (sweep / "0_Sum_All" / "result.json").write_text("{half")
    assert runs.run_records(sweep)[0]["outcome"] == "unfinished"


def test_folders_without_runs_and_a_missing_pandas_are_told(tmp_path, monkeypatch):
    with pytest.raises(RequestError, match="there is no folder"):
        runs.run_records(tmp_path / "nope")
    pytest.importorskip("pandas")
    with pytest.raises(RequestError, match="holds no runs"):
        runs.load_runs(tmp_path)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'mips_jax\[pandas\]'"):
        runs.load_runs(tmp_path)
