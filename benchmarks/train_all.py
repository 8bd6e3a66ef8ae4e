"""Trains every named task from a cold start: is there a perfect network for each, how small, how
soon?

    python benchmarks/train_all.py [--seed 0] [--tasks A,B] [--out FOLDER] [--cache]
                                   [--affine-transition] [--start identified|random]

Perfect means 100% of 65,536 fresh sequences, whole sequences, by the plain float64 network on raw
integers. Without
--cache the persistent compilation cache is off, so that compilation counts. With --out each network
is saved there as TASK.npz (see `mips_jax.save_network`) together with a table
results.csv. Column MIPS H: the hidden size that the paper's authors found (data/peers.csv). The
last line is `N of 62 perfect in S s`; the exit code is 1 when N is not all.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path

from mips_jax.networks import save_network
from mips_jax.tasks import TASKS, Task, get_task
from mips_jax.training import (
    DeviceSettings,
    ModelSettings,
    TrainingResult,
    TrainingSettings,
    train,
)

SEQUENCES = 65_536  # both for training and for the test
PEERS = Path(__file__).parent / "data" / "peers.csv"
COLUMNS = (
    "task",
    "perfect",
    "accuracy",
    "largest_error",
    "seconds",
    "steps",
    "members",
    "member_steps",
    "architecture",
    "start",
    "hidden_dim",
    "published_hidden_dim",
)


def table_row(task: Task, result: TrainingResult, published: dict[str, int]) -> dict:
    best = result.best
    return {
        "task": task.name,
        "perfect": bool(best and best.perfect),
        "accuracy": round(best.accuracy, 5) if best else 0.0,
        "largest_error": round(best.largest_error, 3) if best else float("nan"),
        "seconds": round(result.seconds, 1),
        "steps": best.steps if best else 0,
        "members": len(result.members),
        "member_steps": sum(member.steps for member in result.members),
        "architecture": str(best.architecture) if best else "",
        "start": best.start if best else "",
        "hidden_dim": best.architecture.hidden_dim if best else 0,
        "published_hidden_dim": published.get(task.name, ""),
    }


def peak_memory() -> str:
    """Of this process; Windows does not say."""
    try:
        import resource
    except ImportError:
        return "unknown"
    unit = 1 if sys.platform == "darwin" else 2**10  # bytes on macOS, KiB on Linux
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.2f} GiB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tasks", default="", help="comma-separated names; default: all")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--cache", action="store_true", help="use the persistent compilation cache")
    parser.add_argument(
        "--affine-transition", action="store_true", help="see model.affine_transition"
    )
    parser.add_argument("--start", default="identified", help="see training.start")
    options = parser.parse_args()
    names = options.tasks.split(",") if options.tasks else list(TASKS)
    settings = TrainingSettings(
        model=ModelSettings(affine_transition=options.affine_transition),
        seed=options.seed,
        start=options.start,
        device=DeviceSettings(compilation_cache=options.cache),
    )
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)

    with PEERS.open() as file:
        published = {
            row["task"]: int(row["mips_hidden_dim"])
            for row in csv.DictReader(file)
            if row["mips_hidden_dim"]
        }
    began, rows = time.perf_counter(), []
    print(
        f"{'task':24s} perfect  accuracy  error  seconds  steps  members  member-steps  MIPS H  "
        "architecture and start"
    )
    for name in names:
        task = get_task(name)
        training = task.training_sequences(SEQUENCES, options.seed)
        test = task.test_sequences(SEQUENCES, options.seed)
        result = train(training, test, settings)
        row = table_row(task, result, published)
        rows.append(row)
        print(
            f"{row['task']:24s} {'yes' if row['perfect'] else 'NO ':7s}  {row['accuracy']:8.5f}  "
            f"{row['largest_error']:5.3f}  {row['seconds']:7.1f}  {row['steps']:5d}  "
            f"{row['members']:7d}  {row['member_steps']:12d}  {row['published_hidden_dim']!s:>6s}  "
            f"{row['architecture']}  {row['start']}",
            flush=True,
        )
        if options.out is not None and row["perfect"]:
            network = result.best.to_network(trained_length=task.length)
            save_network(options.out / f"{task.name}.npz", network)
    seconds = time.perf_counter() - began
    if options.out is not None:
        with open(options.out / "results.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    perfect = sum(row["perfect"] for row in rows)
    cpu = time.process_time()
    print(f"peak memory {peak_memory()}, {cpu:.0f} s of CPU time")
    compared = [row for row in rows if row["perfect"] and row["published_hidden_dim"]]
    small = sum(row["hidden_dim"] <= row["published_hidden_dim"] for row in compared)
    print(f"hidden size at most the published one: {small} of {len(compared)}")
    print(f"{perfect} of {len(names)} perfect in {seconds:.0f} s")
    return 0 if perfect == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
