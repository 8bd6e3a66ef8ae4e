"""Where a run's figures go while it trains: files in its folder, TensorBoard, W&B, MLflow."""

from mips_jax.tracking.log import logged
from mips_jax.tracking.progress import TrackedProgress
from mips_jax.tracking.tracker import TRACKERS, Tracker, TrackingSettings, check, opened

__all__ = [
    "TRACKERS",
    "TrackedProgress",
    "Tracker",
    "TrackingSettings",
    "check",
    "logged",
    "opened",
]
