"""Where a run's figures go while it trains: files in its folder, TensorBoard, W&B, MLflow."""

from mips_jax.reporting.tracking.log import logged
from mips_jax.reporting.tracking.progress import TrackedProgress
from mips_jax.reporting.tracking.tracker import TRACKERS, Tracker, TrackingSettings, check, opened

__all__ = [
    "TRACKERS",
    "TrackedProgress",
    "Tracker",
    "TrackingSettings",
    "check",
    "logged",
    "opened",
]
