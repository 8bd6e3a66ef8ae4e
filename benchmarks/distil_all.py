"""Trains and distils every named task: how many are solved, how far beyond the training length,
beside the peers' columns?

    python benchmarks/distil_all.py [--seed 0] [--tasks A,B] [--folder outputs/distil_all] [--method
    auto|paper] [--networks FOLDER]

Resumable: a task whose result.json lies in the folder is not run again. Writes table.md, table.json
    and gallery.md (all programs).
With --networks the networks saved by train_all.py --out are distilled and nothing is trained.
Peers (data/peers.csv): MIPS, a 2026 study of the same networks' tables, GPT-4 as published and
re-checked. A program that is reported solved is run once more, as printed, on sequences of another
origin (tests/data/sequences.npz, lengths T and 5 T); one that fails there is reported as WRONG and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from mips_jax.distillation import Distillation
from mips_jax.extraction import ExtractionSettings
from mips_jax.figures import percent
from mips_jax.networks import MLPRNN
from mips_jax.pipeline import PipelineSettings, distil_given, distil_task
from mips_jax.programs import compile_source
from mips_jax.reporting.files import write_json, write_text
from mips_jax.reporting.record import result_record
from mips_jax.reporting.summary import table
from mips_jax.reporting.sweep_table import judged, proof_reaches
from mips_jax.tasks import TASKS, Task, get_task
from mips_jax.training import TrainingSettings

HERE = Path(__file__).parent
SEQUENCES = 65_536  # that train_all.py trains on, and selects by
GOLDEN = HERE.parent / "tests" / "data" / "sequences.npz"
PEERS = HERE / "data" / "peers.csv"
PEER_COLUMNS = ("mips", "meta_sr", "gpt4_published", "gpt4_rechecked")
HEADER = (
    "task",
    "solved",
    "judged by",
    "right",
    "right at 10x",
    "method",
    "proven",
    "lines",
    "H",
    "H of MIPS",
    "train s",
    "extract s",
    "total s",
    *PEER_COLUMNS,
)


def main() -> int:
    options = parse_options()
    names = options.tasks.split(",") if options.tasks else list(TASKS)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    peers = {row["task"]: row for row in csv.DictReader(PEERS.open())}
    started, results = time.monotonic(), []
    for name in names:
        task = get_task(name)
        result = run_once(task, options)
        results.append(result)
        console.print(f"{len(results)}/{len(names)} {line(result)}")
    wrong = [r["task"] for r in results if r["solved"] and not r["independent_check"]]
    write_text(options.folder / "table.md", page(results, peers, wrong))
    write_json(options.folder / "table.json", {"results": results, "wrong": wrong})
    write_text(options.folder / "gallery.md", gallery(results, options.folder))
    print(page(results, peers, wrong))
    print(f"{verdict(results, wrong)}; {time.monotonic() - started:.0f} s in this run")
    return 1 if wrong else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="base seed of training")
    parser.add_argument("--tasks", default="", help="comma-separated names; default: all")
    parser.add_argument("--folder", type=Path, default=Path("outputs/distil_all"))
    parser.add_argument("--method", default="auto", help="extraction method")
    parser.add_argument(
        "--networks", type=Path, default=None, help="folder of networks saved by train_all.py --out"
    )
    return parser.parse_args()


def run_once(task: Task, options: argparse.Namespace) -> dict:
    """The task's result, from the folder where it is finished, else from a new run."""
    folder = options.folder / task.name
    done = folder / "result.json"
    if done.exists():
        return json.loads(done.read_text())
    extraction = ExtractionSettings(method=options.method)
    settings = PipelineSettings(training=TrainingSettings(seed=options.seed), extraction=extraction)
    if options.networks is None:
        found = distil_task(task, settings)
    else:
        network = load_saved(options.networks / f"{task.name}.npz")
        trained_on = (
            task.training_sequences(SEQUENCES, options.seed),
            task.test_sequences(SEQUENCES, options.seed),
        )
        found = distil_given(network, task, settings, trained_on=trained_on)
    folder.mkdir(parents=True, exist_ok=True)
    result = result_record(found) | {"independent_check": independent_check(found, task)}
    if found.source is not None:
        write_text(folder / "program.py", found.source)
    write_json(done, result)
    return result


def load_saved(path: Path) -> MLPRNN:
    """A network saved by train_all.py."""
    arrays = np.load(path)
    layers = lambda part: [
        (arrays[f"{part}{i}_w"], arrays[f"{part}{i}_b"])
        for i in range(16)
        if f"{part}{i}_w" in arrays
    ]
    return MLPRNN.from_layers(layers("t"), layers("o"), int(arrays["length"]))


def independent_check(found: Distillation, task: Task) -> bool | None:
    """Whether the printed program is right on sequences that our own definitions did not make; None
    without a program.
    """
    if found.source is None:
        return None
    program, golden = compile_source(found.source), np.load(GOLDEN)
    for suffix in ("", "_long"):
        for inputs, outputs in zip(
            golden[f"{task.name}/x{suffix}"], golden[f"{task.name}/y{suffix}"]
        ):
            plain = lambda rows: [tuple(map(int, r)) if len(r) > 1 else int(r[0]) for r in rows]
            if program(plain(inputs)) != plain(outputs):
                return suffix == "_long" and found.verification.long_accuracy != 1.0
    return True


def line(result: dict) -> str:
    accuracy = result["accuracy"]
    shown = lambda value: "-" if value is None else percent(value)
    state = "solved" if result["solved"] else f"NOT SOLVED ({result['reason']})"
    return f"{result['task']}: {state}, {shown(accuracy['long'])} at 10x, {result['method']}, {result['seconds']['total']:.1f} s"


def page(results: list[dict], peers: dict, wrong: list[str]) -> str:
    """The table as Markdown, the verdict, and what was not solved."""
    rows = []
    for r in results:
        seconds, peer = r["seconds"], peers.get(r["task"], {})
        shown = lambda value: "" if value is None else percent(value)
        rows.append(
            (
                r["task"],
                "WRONG" if r["task"] in wrong else "yes" if r["solved"] else "no",
                judged(r["verification"] or {}),
                shown(r["accuracy"]["test"]),
                shown(r["accuracy"]["long"]),
                r["method"] or "",
                proof_reaches(r["verification"] or {}),
                r["program_lines"] or "",
                (r["network"] or {}).get("hidden_dim", ""),
                peer.get("mips_hidden_dim", ""),
                *(
                    f"{seconds[k]:.1f}" if seconds.get(k) is not None else ""
                    for k in ("train", "extract", "total")
                ),
                *(peer.get(c, "") for c in PEER_COLUMNS),
            )
        )
    sums = [
        sum(int(peers[r["task"]][c]) for r in results if r["task"] in peers) for c in PEER_COLUMNS
    ]
    rows.append(
        (
            "**sum**",
            f"**{sum(r['solved'] for r in results)}**",
            *[""] * 11,
            *(f"**{s}**" for s in sums),
        )
    )
    reasons = [f"- {r['task']}: {r['reason']}" for r in results if not r["solved"]]
    parts = [table(HEADER, rows), verdict(results, wrong) + "."]
    return "\n\n".join(parts + (["Not solved:\n\n" + "\n".join(reasons)] if reasons else [])) + "\n"


def verdict(results: list[dict], wrong: list[str]) -> str:
    solved = [r for r in results if r["solved"]]
    long = [r for r in solved if r["accuracy"]["long"] == 1.0]
    tables = [r for r in solved if r["method"] == "table"]
    proven = [r for r in solved if proof_reaches(r["verification"] or {})]
    extract = [r["seconds"]["extract"] for r in results if r["seconds"]["extract"] is not None]
    lines = [r["program_lines"] for r in results if r["program_lines"]]
    total = sum(r["seconds"]["total"] for r in results)
    return (
        f"{len(solved)} of {len(results)} solved, {len(long)} exact at ten times the length, {len(tables)} as a table, {len(proven)} proven "
        f"equal to the network at every length, {len(wrong)} wrong; "
        f"extraction: median {statistics.median(extract or [0]):.1f} s, longest {max(extract or [0]):.1f} s; "
        f"median {statistics.median(lines or [0]):g} lines of body; {total / 60:.1f} minutes in all"
    )


def gallery(results: list[dict], folder: Path) -> str:
    """All programs on one page."""
    parts = ["# Programs distilled from the networks"]
    for r in results:
        source = folder / r["task"] / "program.py"
        note = "" if r["solved"] else f" (not solved: {r['reason']})"
        parts.append(
            f"## {r['task']}{note}\n\n"
            + (
                f"```python\n{source.read_text().rstrip()}\n```"
                if source.exists()
                else "No program."
            )
        )
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
