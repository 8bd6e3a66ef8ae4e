"""Running cases on several cores, and the table of what came out."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import multiprocessing
import time
import traceback

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.false_claims.cases import CATEGORIES, make
from benchmarks.false_claims.judging import false_claims
from benchmarks.false_claims.subject import Subject
from mips_jax import ExtractionSettings, RequestError
from mips_jax.pipeline import Distillation, PipelineSettings, distil, distil_network
from mips_jax.training import TrainingSettings


@dataclasses.dataclass(frozen=True)
class Row:
    """What came out of one case.

    Attributes:
        category: key of CATEGORIES.
        number: of the case.
        name: what it is.
        outcome: of the verdict; `refused` or `crashed` where there is none.
        reason: why it is not solved.
        false: what is false in what is said.
        seconds: of the whole case.
    """

    category: str
    number: int
    name: str
    outcome: str
    reason: str
    false: list[str]
    seconds: float

    @property
    def solved(self) -> bool:
        return self.outcome == "solved"


def settings(right: bool, seed: int) -> PipelineSettings:
    """Small budgets of time; the checks are the product's defaults."""
    steps, limit = (3_000, 30.0) if right else (1_000, 15.0)
    training = TrainingSettings(members=2, max_steps=steps, time_limit_seconds=limit, seed=seed)
    seconds = 20.0 if right else 6.0
    return PipelineSettings(training, ExtractionSettings(seconds=seconds), attempts=1)


def distilled(subject: Subject, right: bool, seed: int) -> Distillation:
    chosen = settings(right, seed)
    with np.errstate(all="ignore"):
        if subject.examples is not None:
            return distil(subject.examples, settings=chosen)
        return distil_network(subject.network, subject.bounds, "case", chosen)


def run_one(key: tuple[str, int], seed: int) -> Row:
    """Makes, distils and judges one case."""
    started = time.perf_counter()
    subject = make(*key, seed)
    try:
        found = distilled(subject, CATEGORIES[key[0]].right, seed)
        outcome, reason = str(found.verdict.outcome), found.reason or ""
        false = false_claims(found, subject, seed)
    except RequestError as error:
        outcome, reason, false = "refused", str(error), []
    except Exception:  # one crash must not hide what the other cases show
        outcome, reason, false = "crashed", traceback.format_exc(limit=-3), []
    return Row(*key, subject.name, outcome, reason, false, time.perf_counter() - started)


def run_all(keys: list[tuple[str, int]], seed: int, jobs: int) -> list[Row]:
    """All cases, in the order given; a line for each as it ends."""
    if jobs <= 1:
        return [_told(run_one(key, seed)) for key in keys]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        running = [pool.submit(run_one, key, seed) for key in keys]
        for future in concurrent.futures.as_completed(running):
            _told(future.result())
        return [future.result() for future in running]


def _told(row: Row) -> Row:
    label = f"{row.category} {row.number} ({row.name})"
    print(f"{row.seconds:6.1f} s  {label}: {row.outcome}; {row.reason}", flush=True)
    for text in row.false:
        print(f"          FALSE: {text}", flush=True)
    return row


def show(rows: list[Row]) -> tuple[int, int, int, int]:
    """Prints the table and what is amiss; (wrong cases, right ones solved, right ones, false)."""
    table = Table("category", "cases", "solved", "false claims", "not solved because", "seconds")
    for name, category in CATEGORIES.items():
        part = [row for row in rows if row.category == name]
        if not part:
            continue
        outcomes = collections.Counter(row.outcome for row in part if not row.solved)
        table.add_row(
            f"{'right' if category.right else 'wrong'}: {name}",
            str(len(part)),
            str(sum(row.solved for row in part)),
            str(sum(bool(row.false) for row in part)),
            ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common()),
            f"{sum(row.seconds for row in part):.0f}",
        )
    Console(width=150, highlight=False).print(table)
    right = [row for row in rows if CATEGORIES[row.category].right]
    for row in rows:
        if row.false or (CATEGORIES[row.category].right and not row.solved):
            what = "; ".join(row.false) or f"{row.outcome}: {row.reason}"
            print(f"{row.category} {row.number} ({row.name}): {what}")
    false = sum(bool(row.false) for row in rows)
    return len(rows) - len(right), sum(row.solved for row in right), len(right), false
