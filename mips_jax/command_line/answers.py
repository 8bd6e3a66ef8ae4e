"""What a command answers: an exit code, and what it prints of a job, a refusal, a failure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.command_line.failures import (
    crash_message,
    environment_failure,
    kept_traceback,
    tell,
)
from mips_jax.command_line.leaving import shown_path
from mips_jax.errors import RequestError

if TYPE_CHECKING:  # imported where needed: `mips-jax --help` answers at once
    from mips_jax.command_line.jobs import Job, Outcome
    from mips_jax.reporting.claimed_folder import ClaimedFolder

SOLVED, NOT_SOLVED, WRONG_REQUEST, FAILED = 0, 1, 2, 3
PREEMPTED = 75  # EX_TEMPFAIL: start the same command again


def print_failure(error: Exception) -> None:
    """One message on stderr for an error that is no wrong request."""
    failure = environment_failure(error)
    tell(str(failure) if failure else crash_message(error, kept_traceback(None)))


def print_refusal(error: RequestError) -> None:
    """One message for a wrong request, on stderr."""
    if len(error.problems) == 1:
        tell(error.problems[0])
    else:
        lines = (f"  - {problem}" for problem in error.problems)
        tell("\n".join([f"{len(error.problems)} problems", *lines]))


def run_job(job: Job, claim: ClaimedFolder, brief: bool = False) -> int:
    """Runs a checked job in its run folder, prints what came out, and returns the exit code.

    Args:
        job: what to do.
        claim: the folder.
        brief: one line instead of the program (sweeps).
    """
    return print_outcome(job.run(claim), claim.path, brief)


def answer_again(claim: ClaimedFolder, brief: bool = False) -> int:
    """The answer that an earlier run with the same request has left in the folder."""
    from mips_jax.command_line.jobs import earlier_outcome

    tell("this request has been carried out before; add overwrite=true to do it again")
    return print_outcome(earlier_outcome(claim.path), claim.path, brief)


def print_outcome(outcome: Outcome, folder: Path, brief: bool) -> int:
    """Prints what came out of a job; returns the exit code."""
    if brief:
        print(outcome.headline, flush=True)
    else:
        program = outcome.source or "no program was found"
        print("\n".join([program.rstrip(), "", outcome.headline, shown_path(folder)]), flush=True)
    if outcome.nearly:
        tell(
            "the program follows the network on nearly all words of its length, not on all; "
            "result.json lists words on which it does not"
        )
    return SOLVED if outcome.solved or outcome.nearly else NOT_SOLVED
