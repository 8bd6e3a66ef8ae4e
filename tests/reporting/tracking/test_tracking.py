"""Trackers are told what training does, in files and in services that are offline."""

import csv
import json
import logging
import sys

import pytest

from mips_jax import tracking
from mips_jax.command_line.main import SOLVED, WRONG_REQUEST, main
from mips_jax.errors import RequestError
from mips_jax.pipeline import Silent
from mips_jax.tracking import log, tracker
from mips_jax.training import TrainingProgress

SETTINGS = {"training.seed": 3, "model.cell": "gru"}
SUMMARY = {"solved": True, "method": "linear", "accuracy": 1.0, "reason": None}


def _event(work: int, loss: float = 0.5) -> TrainingProgress:
    return TrainingProgress("H=1..4", work, 900, 8, 0.25, "H=2", 1.5, loss, 0, work)


def _run(folder, *names, events=(10, 20), told=None):
    """A run that is tracked."""
    run = tracker.TrackedRun("Sum_All", folder, SETTINGS)
    settings = tracking.TrackingSettings(trackers=names)
    tracking.check(settings)
    with tracking.opened(settings, run, (told if told is not None else []).append) as tracked:
        progress = tracking.TrackedProgress(Silent(), tracked)
        progress.stage("training")
        for work in events:
            progress.training(_event(work))
        tracked.finish(SUMMARY)


def test_a_row_for_every_report_and_a_header_once(tmp_path):
    _run(tmp_path, "csv", "jsonl")
    _run(tmp_path, "csv", "jsonl", events=(30,))
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert [int(row["step"]) for row in rows] == [line["step"] for line in lines] == [10, 20, 30]
    assert lines[0]["stage"] == "H=1..4" and lines[0]["loss"] == 0.5 and lines[0]["attempt"] == 1
    assert set(rows[0]) == set(lines[0])


def test_a_line_that_a_kill_has_cut_off_is_removed(tmp_path):
    _run(tmp_path, "csv", "jsonl")
    for name in ("metrics.csv", "metrics.jsonl"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole + whole.splitlines()[-1][:9])
    _run(tmp_path, "csv", "jsonl", events=(30,))
    assert [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").open()] == [
        10,
        20,
        30,
    ]
    assert len(list(csv.DictReader((tmp_path / "metrics.csv").open()))) == 3


def test_what_is_not_finite_is_null_in_json(tmp_path):
    run = tracker.TrackedRun("a", tmp_path, {})
    with tracking.opened(tracking.TrackingSettings(), run, print) as tracked:
        tracking.TrackedProgress(Silent(), tracked).training(_event(1, float("nan")))
    assert json.loads((tmp_path / "metrics.jsonl").read_text())["loss"] is None


class Toy:
    """Remembers what it is told; fails when it is asked to."""

    def __init__(self, run):
        self.run, self.told, self.closed, self.summary = run, [], False, None
        Toy.last = self

    def metrics(self, values, step):
        if step == 20:
            raise ConnectionError("the server is down")
        self.told.append((step, values["best_accuracy"]))

    def finish(self, summary):
        self.summary = summary

    def close(self):
        self.closed = True


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(tracker.TRACKERS, "toy", Toy)
    yield Toy
    del tracker.TRACKERS["toy"]


def test_a_tracker_of_one_s_own_is_registered_by_name(tmp_path, toy):
    _run(tmp_path, "toy", events=(10, 11))
    assert toy.last.told == [(10, 0.25), (11, 0.25)] and toy.last.closed
    assert toy.last.summary == SUMMARY and toy.last.run.settings == SETTINGS


def test_a_service_that_fails_is_told_of_once_and_the_run_goes_on(tmp_path, toy):
    told = []
    _run(tmp_path, "toy", "jsonl", events=(10, 20, 21), told=told)
    assert len(told) == 1 and "toy does not track this run any more (the server is down)" in told[0]
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 3


def test_a_missing_package_names_its_pip_command(monkeypatch):
    monkeypatch.setattr(tracker, "_installed", lambda package: False)
    message = r"needs the package tensorboardX.*pip install 'mips_jax\[tensorboard\]'"
    with pytest.raises(RequestError, match=message):
        tracking.check(tracking.TrackingSettings(trackers=("tensorboard",)))
    with pytest.raises(RequestError, match=r"tracking\.trackers.*csv, jsonl"):
        tracking.check(tracking.TrackingSettings(trackers=("nope",)))


def test_the_log_has_a_line_for_each_message_and_survives_its_removal(tmp_path):
    logger = logging.getLogger("mips_jax")
    with log.logged(tmp_path):
        logger.info("training")
        (tmp_path / "run.log").unlink()
        logger.warning("one")
    logger.warning("not of this run")
    (line,) = (tmp_path / "run.log").read_text().splitlines()
    assert line.endswith("WARNING one")


def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboardX")
    _run(tmp_path, "tensorboard")
    from tensorboardX.proto.event_pb2 import Event

    (path,) = (tmp_path / "tensorboard").glob("events.*")
    tags = []
    content = path.read_bytes()
    while content:  # records: length (8), its checksum (4), data, checksum (4)
        size = int.from_bytes(content[:8], "little")
        event = Event.FromString(content[12 : 12 + size])
        tags += [(event.step, value.tag) for value in event.summary.value]
        content = content[16 + size :]
    assert (10, "training/loss") in tags and (20, "training/best_accuracy") in tags
    assert (0, "result/accuracy") in tags


@pytest.mark.slow
def test_wandb_writes_an_offline_run(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    told = []
    _run(tmp_path, "wandb", told=told)
    assert told == []
    (written,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    assert written.stat().st_size > 0


@pytest.mark.slow
def test_mlflow_keeps_a_run_in_files(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    told = []
    _run(tmp_path, "mlflow", told=told)
    assert told == []
    from mlflow.tracking import MlflowClient

    client = MlflowClient((tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("mips_jax").experiment_id
    (run,) = client.search_runs([experiment])
    assert run.info.status == "FINISHED" and run.data.params == {
        "training.seed": "3",
        "model.cell": "gru",
    }
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(10, 0.5), (20, 0.5)]
    assert run.data.metrics["result.accuracy"] == 1.0 and run.data.tags["result.method"] == "linear"


def test_the_command_line_leaves_log_and_metrics_and_asks_for_missing_extras(
    tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    tiny = ("task=Prev1", "debug=tiny", "hydra.run.dir=run")
    assert main([*tiny, "tracking=wandb"]) == WRONG_REQUEST
    assert "pip install 'mips_jax[wandb]'" in capfd.readouterr().err
    code = main([*tiny])
    assert code in (SOLVED, 1)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert lines and lines[-1]["step"] > 0 and lines[-1]["loss"] > 0
    text = (tmp_path / "run" / "run.log").read_text()
    assert all(f" INFO {stage}" in text for stage in ("training", "extracting", "reporting"))
    capfd.readouterr()
    assert main([*tiny, "tracking=none"]) == code
    assert "has been carried out before" in capfd.readouterr().err  # tracking decides nothing


def test_types_of_values():
    from mips_jax.tracking.services import numbers

    assert numbers({"a": True, "b": 2, "c": "x", "d": None}) == {"a": 1.0, "b": 2.0}
