"""How many networks of the named tasks are proven equal to their program, and on which words?

    python benchmarks/proofs.py --networks FOLDER [--seed 0] [--tasks A,B]

FOLDER holds one network a task (of train_all.py --out, or of `mips_jax.save_network`), trained with
base seed SEED. Each is distilled and its proof is tried; nothing is trained. Printed: the tier of
each (docs/proofs.md), how long judging took, how long the independent checker takes for the
certificate alone, and the counts. Baseline: float64 proofs of finite machines only, 22 of 62
networks of seed 0. Exit code 1 where the checker refuses a certificate.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

from benchmarks.distil_all import SEQUENCES, load_saved
from mips_jax import check
from mips_jax.pipeline import PipelineSettings, distil_given
from mips_jax.programs import program_source
from mips_jax.reporting.summary import table
from mips_jax.tasks import TASKS, get_task
from mips_jax.training import TrainingSettings

HEADER = ("task", "solved", "tier", "arithmetic", "judging s", "check s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0, help="base seed of their training")
    parser.add_argument("--tasks", default="", help="comma-separated names; default: all")
    options = parser.parse_args()
    rows, refused = [], 0
    for name in options.tasks.split(",") if options.tasks else list(TASKS):
        row, good = measured(name, options.networks, options.seed)
        rows.append(row)
        refused += not good
        print(*row, sep=" | ", file=sys.stderr, flush=True)
    print(table(HEADER, rows))
    print(verdict(rows, refused))
    return 1 if refused else 0


def measured(name: str, folder: Path, seed: int) -> tuple[tuple, bool]:
    """One row, and whether the checker accepts what it is given."""
    task = get_task(name)
    network = load_saved(folder / f"{name}.npz")
    trained_on = (task.training_sequences(SEQUENCES, seed), task.test_sequences(SEQUENCES, seed))
    settings = PipelineSettings(training=TrainingSettings(seed=seed))
    found = distil_given(network, task, settings, trained_on=trained_on)
    if found.verification is None or found.program is None:
        return (name, found.solved, "sampled only: no program", "", "", ""), True
    proof = found.verification.record()["proof"]
    certificate, seconds, good = found.verification.certificate, "", True
    if certificate is not None:
        started = time.perf_counter()
        try:
            check.check(certificate, program_source(found.program).encode())
        except Exception as error:
            good, proof["tier"] = False, f"REFUSED: {error}"
        seconds = f"{time.perf_counter() - started:.2f}"
    judging = f"{found.seconds.verify:.1f}"
    arithmetic = (proof["arithmetic"] or "").split(",")[0]
    return (name, found.solved, proof["tier"], arithmetic, judging, seconds), good


def verdict(rows: list[tuple], refused: int) -> str:
    """The counts in a few lines."""
    tiers = [row[2] for row in rows]
    every = sum(tier == "every word of every length" for tier in tiers)
    bounded = [tier for tier in tiers if tier.startswith("every word up to")]
    failing = sum("shortest failing" in tier for tier in bounded)
    checks = [float(row[5]) for row in rows if row[5]]
    return (
        f"{every} of {len(rows)} on every word of every length; {len(bounded)} on every word up to "
        f"a length, {failing} of them with the shortest failing word; "
        f"{len(rows) - every - len(bounded)} sampled only; {refused} certificates refused; check: "
        f"median {statistics.median(checks or [0]):.2f} s, longest {max(checks or [0]):.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
