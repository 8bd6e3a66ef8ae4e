"""TensorBoard, Weights & Biases and MLflow; each package is imported when it is asked for.

Where they send things is theirs to say (WANDB_MODE, WANDB_API_KEY, MLFLOW_TRACKING_URI); without
that, everything stays in the run folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mips_jax.tracking.tracker import TrackedRun, Value


def numbers(values: Mapping[str, Value]) -> dict[str, float]:
    """What can be drawn as a curve."""
    return {
        key: float(value) for key, value in values.items() if isinstance(value, bool | int | float)
    }


class TensorBoard:
    """Event files in `tensorboard/`."""

    def __init__(self, run: TrackedRun):
        import tensorboardX

        self.writer: Any = tensorboardX.SummaryWriter(str(run.folder / "tensorboard"))
        rows = (f"| {key} | {value} |" for key, value in run.settings.items())
        self.writer.add_text("request", "\n".join(["| key | value |", "| --- | --- |", *rows]))

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        """One point on each curve."""
        for key, value in numbers(values).items():
            self.writer.add_scalar(f"training/{key}", value, step)

    def finish(self, summary: Mapping[str, Value]) -> None:
        """One point for each figure."""
        for key, value in numbers(summary).items():
            self.writer.add_scalar(f"result/{key}", value, 0)

    def close(self) -> None:
        """Flushes what is still to be written."""
        self.writer.close()


class WandB:
    """One run of Weights & Biases: offline in `wandb/` unless WANDB_MODE or a key say otherwise."""

    def __init__(self, run: TrackedRun):
        import wandb

        by_default = "online" if os.environ.get("WANDB_API_KEY") else "offline"
        mode: Any = os.environ.get("WANDB_MODE", by_default)
        self.run: Any = wandb.init(
            project=run.project,
            name=run.name,
            dir=str(run.folder),
            config=dict(run.settings),
            mode=mode,
            settings=wandb.Settings(silent=True, console="off"),
        )

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        """One point on each curve."""
        self.run.log({**numbers(values), "work": step})

    def finish(self, summary: Mapping[str, Value]) -> None:
        """The run's summary."""
        self.run.summary.update(dict(summary))

    def close(self) -> None:
        """Ends the run."""
        self.run.finish()


class MLflow:
    """One run of MLflow: in `mlruns/` unless MLFLOW_TRACKING_URI says otherwise."""

    def __init__(self, run: TrackedRun):
        store = os.environ.get("MLFLOW_TRACKING_URI")
        if store is None:  # the plain-file store has to be asked for in some versions
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(store or (run.folder.absolute() / "mlruns").as_uri())
        found = self.client.get_experiment_by_name(run.project)
        experiment = found.experiment_id if found else self.client.create_experiment(run.project)
        tags = {"mlflow.runName": run.name, "folder": str(run.folder)}
        self.id = self.client.create_run(experiment, tags=tags).info.run_id
        for key, value in run.settings.items():
            self.client.log_param(self.id, key.replace("+", ""), str(value)[:500])
        self.status = "KILLED"

    def metrics(self, values: Mapping[str, Value], step: int) -> None:
        """One point on each curve."""
        for key, value in numbers(values).items():
            self.client.log_metric(self.id, key, value, step=step)

    def finish(self, summary: Mapping[str, Value]) -> None:
        """One figure each, texts as tags."""
        for key, value in numbers(summary).items():
            self.client.log_metric(self.id, f"result.{key}", value)
        for key, text in summary.items():
            if isinstance(text, str):
                self.client.set_tag(self.id, f"result.{key}", text[:500])
        self.status = "FINISHED"

    def close(self) -> None:
        """Ends the run; one that was not finished is marked as such."""
        self.client.set_terminated(self.id, self.status)
