"""Sweeps: many jobs, here or on a cluster, each in a folder of its own, and one table of all.

A sweep that is started again in its folder answers what is finished from there, and goes on with
the rest.
"""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax import interrupts
from mips_jax.command_line.answers import (
    FAILED,
    SOLVED,
    WRONG_REQUEST,
    answer_again,
    print_failure,
    print_refusal,
    run_job,
)
from mips_jax.command_line.leaving import how, leaving_in_order
from mips_jax.errors import RequestError

if TYPE_CHECKING:  # imported where needed: `mips-jax --help` answers at once
    from omegaconf import DictConfig

    from mips_jax.command_line.composition import Composer, Request


def run_sweep(composer: Composer, request: Request, again: str) -> tuple[int, list[dict]]:
    """Runs every job of a checked request; returns the worst exit code, and the results, of which
    it leaves a table. An interrupted sweep leaves the table of what is finished.

    Args:
        composer: of the request.
        request: has been checked.
        again: the command that goes on where the sweep is interrupted.
    """
    from mips_jax.command_line.jobs import Job
    from mips_jax.reporting.claimed_folder import claimed

    for config in request.configs:  # every file is read once here: no sweep fails halfway for it
        Job.from_config(config)
    decides = [a for a in request.overrides if not a.startswith(("overwrite=", "hydra"))]
    with claimed(request.folder, {"sweep": decides}, request.configs[0].overwrite) as claim:
        try:
            code = max(composer.run_all(request, run_composed), default=SOLVED)
        except KeyboardInterrupt as interrupt:
            with contextlib.suppress(OSError):
                done = sum(run["finished"] for run in write_tables(request.folder)[0])
            jobs = f"{done} of {len(request.jobs)} jobs are finished"
            message = f"{how(interrupt)}; {jobs}; go on with: {again}"
            raise type(interrupt)(message) from None
        except RequestError:
            raise
        except Exception:  # of the launcher: a machine is gone, say
            with contextlib.suppress(OSError):
                write_tables(request.folder)
            raise
        results = write_tables(request.folder)[1]
        claim.finish()
    return code, results


def write_tables(folder: Path) -> tuple[list[dict], list[dict]]:
    """Writes table.md and table.csv of a sweep; returns its runs (see `run_records`) and the
    results of those that are finished.
    """
    from mips_jax.reporting.files import write_text
    from mips_jax.reporting.runs import csv_table, run_records
    from mips_jax.reporting.sweep_table import markdown_table, read_results

    runs, results = run_records(folder), read_results(folder)
    write_text(folder / "table.md", markdown_table(results, runs))
    write_text(folder / "table.csv", csv_table(runs))
    return runs, results


def run_composed(config: DictConfig) -> int:
    """One job of a multirun, as Hydra's launcher calls it, here or on another machine; raises
    nothing but interrupts, so that the sweep goes on.
    """
    from mips_jax.command_line.composition import to_dataclass
    from mips_jax.command_line.jobs import Job
    from mips_jax.reporting.claimed_folder import claimed
    from mips_jax.tracking.log import logged

    try:
        folder, again = _folder_and_sweep()
        job = Job.from_config(to_dataclass(config))
        if job.follows():
            return job.follow()
        with (
            job.leading(FAILED) as passed_on,
            _told_of_signals(),
            claimed(folder, job.identity, job.config.overwrite, (".hydra",)) as claim,
            logged(claim.path),
            leaving_in_order(claim, again),
        ):
            if claim.answered:
                return passed_on(answer_again(claim, brief=True))
            return passed_on(run_job(job, claim, brief=True))
    except RequestError as error:  # files have changed since the request was checked
        print_refusal(error)
        return WRONG_REQUEST
    except Exception as error:
        print_failure(error)
        return FAILED


def _told_of_signals() -> contextlib.AbstractContextManager[None]:
    """Signals end a job as they end a run, unless its launcher (submitit) has taken them."""
    taken = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    return contextlib.nullcontext() if taken else interrupts.as_exceptions()


def _folder_and_sweep() -> tuple[Path, str]:
    """The job's folder, and what is said of going on."""
    from hydra.core.hydra_config import HydraConfig

    hydra = HydraConfig.get()
    return Path(hydra.runtime.output_dir), f"the same sweep with hydra.sweep.dir={hydra.sweep.dir}"
