"""The command line: `mips-jax task=Binary_Addition`, `mips-jax tasks`, `mips-jax benchmark`, and
sweeps with `-m`.

Exit codes: 0 solved; 1 ran but not solved (the best program and the reason are written all the
same); 2 the request was wrong (one message, nothing left behind); 3 the environment failed: disk,
device, memory, interrupted (one message, and what the next run can go on from is kept); 75
preempted (SIGUSR1: saved; the same command goes on). The path of the run folder is the last line on
stdout; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax import interrupts
from mips_jax.command_line.answers import (
    FAILED,
    NOT_SOLVED,
    PREEMPTED,
    SOLVED,
    WRONG_REQUEST,
    answer_again,
    print_failure,
    print_outcome,
    print_refusal,
    run_job,
)
from mips_jax.command_line.checking import check_folder
from mips_jax.command_line.failures import tell
from mips_jax.command_line.leaving import going_on, leaving_in_order, shown_path
from mips_jax.errors import RequestError

if TYPE_CHECKING:  # imported where needed: `mips-jax --help` answers at once
    from mips_jax.command_line.composition import Composer, Request

__all__ = ["FAILED", "NOT_SOLVED", "PREEMPTED", "SOLVED", "WRONG_REQUEST", "main", "print_outcome"]

HELP = """\
mips-jax: trains a small recurrent network on integer sequences and distils it into a short,
verified Python program.

  mips-jax task=Binary_Addition                          a named task; `mips-jax tasks` lists them
  mips-jax task=file task.path=data.csv                  example sequences, or a machine (DOT)
  mips-jax task=function task.target=package.module:function task.input_min=0 task.input_max=9
  mips-jax network=file network.path=net.npz network.input_min=0 network.input_max=99
                                                         a network that is already trained; with
                                                         task=... beside it, the task judges
  mips-jax -m task=Prev1,Prev2,Sum_All                   several tasks; also 'task=glob(Div_*)'
  mips-jax tasks                                         the named tasks and what they do
  mips-jax check FOLDER                                  checks the proof in a run folder
  mips-jax benchmark                                     all named tasks, one table

options
  -m, --multirun          run every combination of comma-separated values
  --cfg job|hydra|all     print the composed config and stop
  --config-dir FOLDER     further yaml groups and experiments of your own
  --version               print the version and stop

groups (group=option, then group.key=value; --cfg job shows every key)
{groups}

Results are in the run folder, whose path is the last line printed: program.py, result.json,
summary.md, figures and the network as a checkpoint. A folder that holds another result is refused,
unless overwrite=true is given; the same request in the same folder goes on where it was stopped.
Exit code: 0 solved, 1 not solved, 2 wrong request, 3 the environment failed (disk, device, memory,
interrupted), 75 preempted (SIGUSR1). What was interrupted or preempted is saved, and the message
says the command that goes on.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code and raises nothing.

    Args:
        argv: the arguments, without the program's name; None = those of the process.
    """
    if argv is not None:
        return _answered(list(argv))
    code = _answered(sys.argv[1:])
    interrupts.ignore()  # all is said: the process leaves with its code
    return code


def _answered(arguments: list[str]) -> int:
    try:
        with interrupts.as_exceptions():
            return _dispatch(arguments)
    except RequestError as error:
        print_refusal(error)
        return WRONG_REQUEST
    except KeyboardInterrupt as interrupt:
        tell(str(interrupt) or "interrupted; nothing was kept")
        interrupts.forget()
        return PREEMPTED if isinstance(interrupt, interrupts.Preempted) else FAILED
    except BrokenPipeError:  # the reader of our output has gone, as in `mips-jax tasks | head`
        _drop_output()
        return SOLVED
    except Exception as error:
        print_failure(error)
        _drop_output()
        return FAILED


def _drop_output() -> None:
    """What is still to be written to stdout is lost: nobody reads it, or it cannot be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["tasks"]:
        _no_more_arguments(arguments)
        return print_tasks()
    if arguments[:1] == ["check"]:
        return check_folder(arguments[1:])
    if arguments[:1] == ["benchmark"]:
        return run_benchmark(arguments[1:])
    options = _parse_options(arguments)
    if options.help:
        print(HELP.format(groups=_groups_text()), end="")
        return SOLVED
    if options.version:
        from importlib.metadata import version

        print(version("mips_jax"))
        return SOLVED
    return run(options)


def run(options: argparse.Namespace) -> int:
    """Checks the whole request first, then runs its jobs; returns the worst job's exit code."""
    from mips_jax.command_line.composition import Composer
    from mips_jax.command_line.jobs import Job
    from mips_jax.reporting.claimed_folder import claimed
    from mips_jax.tracking.log import logged

    composer = Composer(options.config_dir)
    request = composer.request(options.overrides, options.multirun)
    if options.cfg:
        return print_config(composer, request, options.cfg)
    if options.multirun:
        from mips_jax.command_line.sweeps import run_sweep

        again = going_on(options.arguments, "hydra.sweep.dir", request.folder)
        code, _ = run_sweep(composer, request, again)
        print(shown_path(request.folder), flush=True)
        return code
    job = Job.from_config(request.configs[0])
    if job.follows():
        return job.follow()
    again = going_on(options.arguments, "hydra.run.dir", request.folder)
    with (
        job.leading(FAILED) as passed_on,
        claimed(request.folder, job.identity, job.config.overwrite) as claim,
        logged(claim.path),
        leaving_in_order(claim, again),
    ):
        if claim.answered:
            return passed_on(answer_again(claim))
        return passed_on(composer.run(request, lambda config: run_job(job, claim)))


def print_config(composer: Composer, request: Request, part: str) -> int:
    """Shows the composed config, `part` of it being `job`, `hydra` or `all`; of a sweep, that of
    the first job.
    """
    if len(request.jobs) > 1:
        jobs = "".join(f"#   {' '.join(job)}\n" for job in request.jobs)
        print(f"# {len(request.jobs)} jobs; below is the config of the first\n{jobs}", end="")
    composer.hydra.show_cfg("config", list(request.jobs[0]), part, package=None, resolve=False)
    return SOLVED


def _parse_options(arguments: list[str]) -> argparse.Namespace:
    parser = _OptionParser(prog="mips-jax", add_help=False, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("--cfg", choices=("job", "hydra", "all"))
    parser.add_argument("--config-dir")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    return parser.parse_intermixed_args(arguments, argparse.Namespace(arguments=arguments))


class _OptionParser(argparse.ArgumentParser):
    def error(self, message: str):
        raise RequestError(f"{message}; see mips-jax --help")


def _no_more_arguments(arguments: list[str]) -> None:
    if len(arguments) > 1:
        raise RequestError(
            f"mips-jax {arguments[0]} takes no further arguments, but got "
            f"{' '.join(arguments[1:])!r}"
        )


def _groups_text() -> str:
    """The groups in conf/ and their options."""
    import importlib.resources

    root = importlib.resources.files("mips_jax.conf")
    folders = sorted(
        (f for f in root.iterdir() if f.is_dir() and f.name not in ("hydra", "__pycache__")),
        key=lambda f: f.name,
    )
    options = lambda folder: (f for f in folder.iterdir() if ".yaml" in f.name)
    return "\n".join(
        f"  {folder.name:<14}{', '.join(sorted(Path(f.name).stem for f in options(folder)))}"
        for folder in folders
    )


def print_tasks() -> int:
    """Lists the named tasks."""
    from rich.console import Console
    from rich.table import Table

    from mips_jax.tasks import TASKS

    table = Table(
        title=f"{len(TASKS)} tasks: mips-jax task=<name>",
        header_style="bold",
        box=None,
        title_justify="left",
    )
    for column in ("task", "inputs", "out", "length"):
        table.add_column(column, no_wrap=True)
    table.add_column("what it does")
    for task in TASKS.values():
        table.add_row(
            task.name,
            _range_text(task.input_range),
            str(task.output_dim),
            str(task.length),
            task.description,
        )
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    return SOLVED


def _range_text(input_range) -> str:
    """`2 x 0..1` for two inputs of the same range."""
    texts = [f"{low}..{high}" for low, high in input_range]
    return (
        f"{len(texts)} x {texts[0]}"
        if len(texts) > 1 and len(set(texts)) == 1
        else ", ".join(texts)
    )


def run_benchmark(arguments: list[str]) -> int:
    """All named tasks, or those of `task=...`, as one sweep with a table at its end; other
    arguments as for a sweep.
    """
    from rich.console import Console

    from mips_jax.command_line.composition import Composer
    from mips_jax.command_line.sweeps import run_sweep
    from mips_jax.reporting.sweep_table import rich_table, verdict

    options = _parse_options(arguments)
    overrides = list(options.overrides)
    if not any(override.startswith("hydra.sweep.dir=") for override in overrides):
        overrides.append("hydra.sweep.dir='outputs/benchmark/${now:%Y-%m-%d_%H-%M-%S-%f}'")
    if not any(override.startswith("task=") for override in overrides):
        overrides.append("task=glob(*)")
    composer = Composer(options.config_dir)
    request = composer.request(overrides, multirun=True)
    if options.cfg:
        return print_config(composer, request, options.cfg)
    again = going_on(["benchmark", *options.arguments], "hydra.sweep.dir", request.folder)
    code, results = run_sweep(composer, request, again)
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(rich_table(results))
    print("\n".join(["", verdict(results), shown_path(request.folder)]), flush=True)
    return code
