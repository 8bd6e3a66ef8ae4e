"""Question: is the true machine found in a network that is nearly right, and is what is said of the
two true?

    python -m benchmarks.nearly_right --cache FOLDER [--only NAMES] [--jobs 2] [--fresh 1000000]

Forty networks (GRU, LSTM, Elman; 8 to 32 units) of twelve known machines of 2 to 12 states are
damaged: weights noised until 0.1%, 1% or 5% of the words are wrong somewhere; one transition bad on
few words; trained on wrong labels, or not to the end; outputs that depend on the position or on how
often a letter came. 92% at least of the uniform words of the training length stay right, and no
machine one edit away from the true one explains the network better: else it is drawn again.

`recovered`: the program writes what the true machine does, on all short words and on 2,000 of five
times the training length. `bound holds`: at least as many fresh words agree with the network as the
claim `fidelity` says (99% confidence). Every listed disagreement is put to the network once more.
The exit code is 1 where fewer than 36 of 40 are recovered, fewer than 38 of 40 bounds hold, or a
disagreement is not confirmed. Networks are made once and then read from --cache (empty the folder
when the benchmark has changed).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import multiprocessing
import os
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # one core for each job
    os.environ.setdefault(variable, "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import numpy as np  # noqa: E402

from benchmarks.damaged.cases import CASES, Case, made, undamaged  # noqa: E402
from benchmarks.damaged.damages import wrong_words  # noqa: E402
from benchmarks.damaged.judging import LONG, Judged, judged  # noqa: E402
from benchmarks.damaged.languages import LANGUAGES  # noqa: E402
from mips_jax import ExtractionSettings  # noqa: E402
from mips_jax.pipeline import PipelineSettings, distil_network  # noqa: E402

RECOVERED, HOLD, OF = 36, 38, 40
SLOW = 10.0  # seconds of a core, from which on it is said how long a network took
SHOWN = 20_000  # words on which the shares that are printed are measured, a tenth of them long


@dataclasses.dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        case: which network.
        wrong, wrong_long: share of its words that are wrong, at the training length and at five
            times that.
        seconds: of distilling.
        outcome: of the verdict.
        judged: what it is worth.
    """

    case: Case
    wrong: float
    wrong_long: float
    seconds: float
    outcome: str
    judged: Judged

    def __str__(self) -> str:
        case, j = self.case, self.judged
        share = lambda value: "   -   " if value is None else f"{value:.5f}"
        holds = "holds" if j.bound_holds else "FAILS"
        count = "?" if j.states is None else str(j.states)
        return (
            f"{case.number:2d} {case.language.name:14s} {case.language.cell:5s} "
            f"{case.damage:19s} wrong {self.wrong:7.3%}, {self.wrong_long:6.1%} long  "
            f"{self.seconds:6.1f} s  recovered {'yes' if j.recovered else 'NO ':3s} "
            f"{count:>3s} states of {case.language.machine.states:2d}  "
            f"bound {share(j.bound)} measured {share(j.measured)} {holds}  {self.outcome}"
            + (f", {j.unconfirmed} UNCONFIRMED" if j.unconfirmed else "")
        )


def run_one(case: Case, cache: Path, fresh: int, limit: float | None) -> Row:
    """Makes, distils and judges one network."""
    language = case.language
    network = made(case, cache)
    rng = np.random.default_rng([case.number, 0])
    lengths = ((SHOWN, language.length), (SHOWN // 10, LONG * language.length))
    shares = [
        float(wrong_words(network, language, language.drawn(rng, *sizes)).mean())
        for sizes in lengths
    ]
    extraction = ExtractionSettings() if limit is None else ExtractionSettings(seconds=limit)
    began = time.perf_counter()
    settings = PipelineSettings(extraction=extraction)
    found = distil_network(network, language.input_range, "network", settings)
    seconds = time.perf_counter() - began
    worth = judged(found, network, language, fresh, case.number)
    outcome = str(found.verdict.outcome)
    if found.solved and worth.measured is not None and worth.measured < 1.0:
        outcome += " (but it is not always followed)"
    return Row(case, *shares, seconds, outcome, worth)


def prepare(name: str, cache: Path) -> float:
    """Trains what is not there yet; the processor's seconds that it took."""
    began = time.process_time()
    undamaged(LANGUAGES[name], cache)
    return time.process_time() - began


def prepare_case(case: Case, cache: Path) -> float:
    """Damages what is not there yet; the processor's seconds that it took."""
    began = time.process_time()
    made(case, cache)
    return time.process_time() - began


def run_all(chosen: list[Case], options: argparse.Namespace) -> list[Row]:
    """All rows, each printed as it comes."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        began = time.perf_counter()
        names = dict.fromkeys(case.language.name for case in chosen)
        for _ in pool.map(prepare, names, [options.cache] * len(names)):
            pass
        for case, took in zip(
            chosen, pool.map(prepare_case, chosen, [options.cache] * len(chosen))
        ):
            if took > SLOW:
                print(f"{case.name}: made in {took:.0f} s", flush=True)
        print(f"{len(chosen)} networks made in {time.perf_counter() - began:.0f} s", flush=True)
        if options.prepare:
            return []
        running = [
            pool.submit(run_one, case, options.cache, options.fresh, options.seconds)
            for case in chosen
        ]
        rows = []
        for future in concurrent.futures.as_completed(running):
            rows.append(future.result())
            print(rows[-1], flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder of the networks")
    parser.add_argument("--only", help="numbers, or parts of `language, damage`; commas between")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fresh", type=int, default=1_000_000, help="words of each measurement")
    parser.add_argument("--seconds", type=float, help="extraction.seconds, in place of the default")
    parser.add_argument("--prepare", action="store_true", help="only make the networks")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    wanted = options.only.split(",") if options.only else [""]
    chosen = [
        case
        for case in CASES
        if any(
            part == str(case.number) or (not part.isdigit() and part in case.name)
            for part in wanted
        )
    ]
    if not chosen:
        parser.error(f"--only {options.only} names none of the {len(CASES)} networks")
    rows = run_all(chosen, options)
    if options.prepare:
        return 0
    recovered = sum(row.judged.recovered for row in rows)
    hold = sum(row.judged.bound_holds for row in rows)
    unconfirmed = sum(row.judged.unconfirmed for row in rows)
    print(f"{unconfirmed} listed disagreements not confirmed")
    print(f"recovered {recovered} of {len(rows)}, bound holds {hold} of {len(rows)}")
    few = recovered * OF < RECOVERED * len(rows) or hold * OF < HOLD * len(rows)
    return int(few or unconfirmed > 0)


if __name__ == "__main__":
    sys.exit(main())
