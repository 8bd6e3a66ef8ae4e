"""The paper's own method on our networks: which tasks it solves, beside what was published.

    python benchmarks/paper_method.py FOLDER [--published PEERS.csv] [--seconds 60]

FOLDER holds one network for each task, `<Task>.npz`, as `mips_jax.networks.save_network` writes
them. A task counts as solved when the program is right on every one of 10,000 fresh sequences of
the training length. PEERS.csv has the columns `task` and `mips` (1: solved by the published run).
"""

from __future__ import annotations

import argparse
import csv
import pathlib
import time

import numpy as np

from mips_jax.extraction.baseline import distil_by_paper, shortest
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.networks import load_network
from mips_jax.tasks import get_task


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--published", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    published = {}
    if options.published:
        with options.published.open() as rows:
            published = {row["task"]: int(row["mips"]) for row in csv.DictReader(rows)}
    print("| task | hidden | solved | long | published | method | seconds | why not |")
    print("|---|---|---|---|---|---|---|---|")
    solved = agreed = count = 0
    for path in sorted(options.folder.glob("*.npz")):
        task, network = get_task(path.stem), load_network(path)
        start = time.perf_counter()
        results = distil_by_paper(
            network, task.input_range, ExtractionSettings(seconds=options.seconds)
        )
        seconds = time.perf_counter() - start
        found = shortest(results)
        right = _right(found, task.test_sequences(10_000, 1))
        long = _right(found, task.long_sequences(200, 10 * task.length, 1))
        count += 1
        solved += right
        theirs = published.get(task.name)
        agreed += theirs == right
        method = found.method if found else "-"
        why = "" if right else "; ".join(r.status for r in results)
        print(
            f"| {task.name} | {network.hidden_dim} | {right:d} | {long:d} "
            f"| {'' if theirs is None else theirs} | {method} | {seconds:.1f} | {why} |",
            flush=True,
        )
    print(
        f"\n{solved} of {count} solved; published: {sum(published.values())} of {len(published)}; "
        f"same verdict on {agreed}."
    )


def _right(found, sequences) -> bool:
    """Whether the program is right on every sequence."""
    return found is not None and np.array_equal(
        found.program.run(sequences.inputs), sequences.outputs
    )


if __name__ == "__main__":
    main()
