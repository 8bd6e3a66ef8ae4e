"""All named tasks times many seeds in two populations, each one compiled program: what an
accelerator is for.

    python benchmarks/sweep_all_tasks.py --seeds 64 [--tasks A,B] [--steps 6000]

The affine tasks share one population of affine networks; the others share one padded shape (H <= 6,
128x2/64x2), where a task's members differ in hidden size, learning rate and alignment of kinks.
Tasks lie side by side in one array; every member has its window of it. A task is perfect when one
of its members is right on all its 65,536 fresh sequences. Prints the wall time, compilation
included, and the last line `N of 62 perfect in S s`.
"""

from __future__ import annotations

import argparse
import time

import jax

from mips_jax.tasks import TASKS, get_task
from mips_jax.training import DeviceSettings, TrainingSettings
from mips_jax.training.analysis import affine_response
from mips_jax.training.devices import configure_devices
from mips_jax.training.multitask import TaskData, sweep_tasks

SEQUENCES = 65_536


def population(
    tasks: dict[str, TaskData], seeds: int, affine: bool, steps: int
) -> dict[str, tuple[int, int, int]]:
    """{task: (H, perfect members, steps)}."""
    began, settings, last = time.perf_counter(), TrainingSettings(), None
    reached: dict[str, int] = {}
    for progress in sweep_tasks(list(tasks.values()), seeds, affine, steps, settings):
        by_task, last = progress.perfect.any(axis=1), progress
        for name, done in zip(tasks, by_task):
            if done:
                reached.setdefault(name, progress.steps)
        seconds = time.perf_counter() - began
        counted = f"{by_task.sum()} of {len(tasks)} tasks"
        print(f"  step {progress.steps}: {counted}, {seconds:.1f} s", flush=True)
    found = {}
    for index, name in enumerate(tasks):
        sizes = [] if last is None else last.hidden_dims[index][last.perfect[index]]
        found[name] = (int(min(sizes, default=0)), len(sizes), reached.get(name, 0))
    return found


def sweep(seeds: int, names: list[str] | None = None, steps: int = 6_000) -> None:
    """Both populations, one line for each task."""
    began, groups = time.perf_counter(), {True: {}, False: {}}
    for name in names or TASKS:
        task = get_task(name)
        data = TaskData(task.training_sequences(SEQUENCES, 0), task.test_sequences(SEQUENCES, 0))
        groups[affine_response(data.training) is not None][name] = data
    print(f"sequences drawn in {time.perf_counter() - began:.1f} s")
    began, outcome = time.perf_counter(), {}
    for affine, tasks in groups.items():
        if tasks:
            print(f"{len(tasks)} {'affine' if affine else 'other'} tasks x {seeds} seeds")
            outcome |= population(tasks, seeds, affine, steps)
    seconds = time.perf_counter() - began
    for name, (hidden_dim, count, step) in outcome.items():
        print(f"{name:24s} H={hidden_dim}  {count:3d} of {seeds} perfect, first after {step} steps")
    perfect = sum(count > 0 for _, count, _ in outcome.values())
    print(f"{perfect} of {len(outcome)} perfect in {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--tasks", default="")
    parser.add_argument("--steps", type=int, default=6_000, help="at most")
    options = parser.parse_args()
    configure_devices(DeviceSettings(compilation_cache=False))
    device, today = jax.devices()[0], time.strftime("%Y-%m-%d")
    print(f"{len(jax.devices())} x {device.device_kind}, jax {jax.__version__}, {today}")
    sweep(options.seeds, [name for name in options.tasks.split(",") if name], options.steps)
