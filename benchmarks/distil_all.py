"""Trains and distils every named task: how many are solved, how far beyond the training length,
beside the peers' columns?

    python benchmarks/distil_all.py [--seed 0] [--tasks A,B] [--folder outputs/distil_all]
                                    [--method auto|paper] [--networks FOLDER]

The table and the verdict are those of `mips-jax benchmark`; what is added are the peers and a check
of another origin. Resumable: a task whose result.json lies in the folder is not run again. Writes
table.md, table.json and gallery.md (all programs). With --networks the networks in that folder
(of train_all.py --out, or of `mips_jax.save_network`) are distilled and nothing is trained.
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

from mips_jax.extraction import ExtractionSettings
from mips_jax.networks import MLPRNN, Network, load_network
from mips_jax.pipeline import PipelineSettings, distil_given, distil_task
from mips_jax.pipeline.distillation import Distillation
from mips_jax.programs import compile_source
from mips_jax.reporting.files import write_json, write_text
from mips_jax.reporting.record import result_record
from mips_jax.reporting.summary import table
from mips_jax.reporting.sweep_table import COLUMNS, not_solved, row
from mips_jax.reporting.sweep_table import verdict as verdict_of_the_sweep
from mips_jax.tasks import TASKS, Task, get_task
from mips_jax.training import TrainingSettings

HERE = Path(__file__).parent
SEQUENCES = 65_536  # that train_all.py trains on, and selects by
GOLDEN = HERE.parent / "tests" / "data" / "sequences.npz"
PEERS = HERE / "data" / "peers.csv"
PEER_COLUMNS = ("mips", "meta_sr", "gpt4_published", "gpt4_rechecked")
HEADER = (*COLUMNS, "H of MIPS", *PEER_COLUMNS)


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


def load_saved(path: Path) -> Network:
    """A network saved by train_all.py or by `save_network`."""
    arrays = np.load(path)
    if "t0_w" not in arrays:
        return load_network(path)

    def layers(part: str) -> list:
        count = sum(name.startswith(part) and name.endswith("_w") for name in arrays)
        return [(arrays[f"{part}{i}_w"], arrays[f"{part}{i}_b"]) for i in range(count)]

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
    """One task on one line, while the benchmark runs."""
    state = "solved" if result["solved"] else f"NOT SOLVED ({result['reason']})"
    cells = dict(zip(COLUMNS, row(result)))
    return (
        f"{result['task']}: {state}, {cells['right at 10x'] or '-'} at 10x, "
        f"{result['method']}, {cells['total s']} s"
    )


def page(results: list[dict], peers: dict, wrong: list[str]) -> str:
    """The table as Markdown, the verdict, and what was not solved."""
    rows = []
    for result in results:
        peer = peers.get(result["task"], {})
        beside = [peer.get(column, "") for column in ("mips_hidden_dim", *PEER_COLUMNS)]
        cells = dict(zip(COLUMNS, row(result)))
        if result["task"] in wrong:
            cells["solved"] = "WRONG"
        rows.append((*cells.values(), *beside))
    known = [peers[result["task"]] for result in results if result["task"] in peers]
    sums = [f"**{sum(int(peer[column]) for peer in known)}**" for column in PEER_COLUMNS]
    solved = f"**{sum(result['solved'] for result in results)}**"
    rows.append(("**sum**", solved, *[""] * (len(HEADER) - 2 - len(sums)), *sums))
    parts = [table(HEADER, rows), verdict(results, wrong) + ".", *not_solved(results)]
    return "\n\n".join(parts) + "\n"


def verdict(results: list[dict], wrong: list[str]) -> str:
    """The sweep's verdict, and what only this benchmark measures."""
    extract = [r["seconds"]["extract"] for r in results if r["seconds"]["extract"] is not None]
    lines = [r["program_lines"] for r in results if r["program_lines"]]
    tables = sum(r["solved"] and r["method"] == "table" for r in results)
    return (
        f"{verdict_of_the_sweep(results)}; {tables} as a table, {len(wrong)} wrong; extraction: "
        f"median {statistics.median(extract or [0]):.1f} s, longest {max(extract or [0]):.1f} s; "
        f"median {statistics.median(lines or [0]):g} lines of body"
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
