"""Do example files alone suffice? Tasks that are not among the named ones, from .npz, .csv and
.jsonl files of 5,000 sequences.

    python -m benchmarks.own_data [--tasks A,B] [--set second] [--formats npz,csv,jsonl]
                                  [--count 5000] [--noise 0.0] [--seed 0]

Each task of benchmarks/tasks/first.py (with --set second: second.py) is written to a file and
distilled from that file with default settings; the program is judged on the held-out fifth, as any
user's would be, and by the task's definition on 2,000 sequences five times as long. With --noise,
that share of the labels is wrong. The last line counts; exit code 1 when a tenth or more are not
solved.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.tasks import HELD_OUT, SECOND_HELD_OUT, write_npz
from mips_jax.networks import save_network
from mips_jax.pipeline import PipelineSettings, distil
from mips_jax.tasks import LabelledTask
from mips_jax.training import TrainingSettings
from mips_jax.verification import whole_sequence_accuracy


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="", help="comma-separated names; default: all")
    parser.add_argument(
        "--set", default="first", choices=("first", "second"), help="which held-out tasks"
    )
    parser.add_argument("--formats", default="npz")
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=None, help="folder in which networks are saved")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--time-limit", type=float, default=300.0, help="seconds of training for one network"
    )
    options = parser.parse_args()
    tasks = HELD_OUT if options.set == "first" else SECOND_HELD_OUT
    names = options.tasks.split(",") if options.tasks else list(tasks)
    console = Console(width=160, highlight=False)
    table = Table(
        "task",
        "format",
        "solved",
        "held out",
        "labels",
        "5x",
        "network",
        "H",
        "method",
        "lines",
        "train s",
        "extract s",
    )
    exact = runs = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            npz = Path(folder) / f"{name}.npz"
            write_npz(tasks[name], npz, count=options.count, seed=options.seed, noise=options.noise)
            for form in options.formats.split(","):
                row, good = one_run(tasks[name], converted(npz, form), options)
                table.add_row(*row)
                console.print(" ".join(row))
                exact, runs = exact + good, runs + 1
    console.print(table)
    print(f"{exact} of {runs} exact at five times the length")
    return 0 if exact >= 0.9 * runs else 1


def one_run(task: LabelledTask, path: Path, options) -> tuple[tuple[str, ...], bool]:
    """Distils one file; the row of the table, and whether the program is exact at five times the
    length.
    """
    settings = PipelineSettings(
        training=TrainingSettings(seed=options.seed, time_limit_seconds=options.time_limit)
    )
    found = distil(path, settings=settings)
    if options.out is not None and found.network is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        save_network(options.out / f"{task.name}.npz", found.network)
    long = task.long_sequences(2_000, 5 * task.length, options.seed)
    right = whole_sequence_accuracy(found.program, long) if found.program else 0.0
    checked = found.verification
    row = (
        task.name,
        path.suffix[1:],
        "yes" if found.solved else "no",
        f"{checked.test_accuracy:.4f}" if checked else "",
        f"{checked.test_step_accuracy:.4f}" if checked else "",
        f"{right:.4f}",
        f"{found.member.accuracy:.4f}" if found.member else "",
        str(found.network.hidden_dim) if found.network else "",
        found.method or "",
        str(found.program_lines or ""),
        f"{found.seconds.train:.1f}",
        f"{found.seconds.extract:.1f}",
    )
    return row, right == 1.0


def converted(npz: Path, form: str) -> Path:
    """The same sequences in another format."""
    if form == "npz":
        return npz
    arrays = np.load(npz)
    x, y = arrays["x"], arrays["y"]
    path = npz.with_suffix(f".{form}")
    if form == "jsonl":
        plain = lambda rows: rows[:, 0].tolist() if rows.shape[1] == 1 else rows.tolist()
        path.write_text(
            "".join(json.dumps({"x": plain(a), "y": plain(b)}) + "\n" for a, b in zip(x, y))
        )
        return path
    names = [f"x{i}" for i in range(x.shape[2])] + [f"y{o}" for o in range(y.shape[2])]
    names = [
        "x" if x.shape[2] == 1 and n == "x0" else "y" if y.shape[2] == 1 and n == "y0" else n
        for n in names
    ]
    lines = [",".join(["sequence", *names])]
    for n, (a, b) in enumerate(zip(x, y)):
        lines += [
            ",".join(map(str, [n, *row_x, *row_y])) for row_x, row_y in zip(a.tolist(), b.tolist())
        ]
    path.write_text("\n".join(lines) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
