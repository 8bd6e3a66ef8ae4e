"""The command line: `mips-jax task=Binary_Addition`, `mips-jax tasks`, `mips-jax benchmark`, and
sweeps with `-m`.

Exit codes: 0 solved; 1 ran but not solved (the best program and the reason are written all the
same); 2 the request was wrong (one message, nothing left behind); 3 the environment failed: disk,
device, memory, interrupted (one message, and what the next run can go on from is kept). The path of
the run folder is the last line on stdout; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax import interrupts
from mips_jax.command_line.checking import check_folder, shown_path
from mips_jax.command_line.failures import (
    crash_message,
    environment_failure,
    kept_traceback,
    tell,
)
from mips_jax.errors import EnvironmentFailure, RequestError

if TYPE_CHECKING:  # imported where needed: `mips-jax --help` answers at once
    from omegaconf import DictConfig

    from mips_jax.command_line.composition import Composer, Request
    from mips_jax.command_line.jobs import Job, Outcome
    from mips_jax.reporting.claimed_folder import ClaimedFolder

SOLVED, NOT_SOLVED, WRONG_REQUEST, FAILED = 0, 1, 2, 3

HELP = """\
mips-jax: trains a small recurrent network on integer sequences and distils it into a short,
verified Python program.

  mips-jax task=Binary_Addition                          a named task; `mips-jax tasks` lists them
  mips-jax task=file task.path=data.npz                  example sequences (.npz, .csv, .jsonl)
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
interrupted).
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
        return FAILED
    except BrokenPipeError:  # the reader of our output has gone, as in `mips-jax tasks | head`
        _drop_output()
        return SOLVED
    except Exception as error:
        print_failure(error)
        _drop_output()
        return FAILED


def print_failure(error: Exception) -> None:
    """One message on stderr for an error that is no wrong request."""
    failure = environment_failure(error)
    tell(str(failure) if failure else crash_message(error, kept_traceback(None)))


def _drop_output() -> None:
    """What is still to be written to stdout is lost: nobody reads it, or it cannot be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_refusal(error: RequestError) -> None:
    """One message for a wrong request, on stderr."""
    if len(error.problems) == 1:
        tell(error.problems[0])
    else:
        lines = (f"  - {problem}" for problem in error.problems)
        tell("\n".join([f"{len(error.problems)} problems", *lines]))


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

    composer = Composer(options.config_dir)
    request = composer.request(options.overrides, options.multirun)
    if options.cfg:
        return print_config(composer, request, options.cfg)
    if options.multirun:
        code, _ = run_sweep(composer, request)
        print(shown_path(request.folder), flush=True)
        return code
    job = Job.from_config(request.configs[0])
    with (
        claimed(request.folder, job.identity, job.config.overwrite) as claim,
        leaving_in_order(claim),
    ):
        if claim.answered:
            return answer_again(claim)
        return composer.run(request, lambda config: run_job(job, claim))


def run_sweep(composer: Composer, request: Request) -> tuple[int, list[dict]]:
    """Runs every job of a checked request; returns the worst exit code, and the results, of which
    it leaves a table.
    """
    from mips_jax.command_line.jobs import Job
    from mips_jax.reporting.claimed_folder import claimed
    from mips_jax.reporting.files import write_text
    from mips_jax.reporting.sweep_table import csv_table, markdown_table, read_results

    for config in request.configs:  # every file is read once here: no sweep fails halfway for it
        Job.from_config(config)
    asked = {"sweep": [override for override in request.overrides if "overwrite=" not in override]}
    with claimed(request.folder, asked, request.configs[0].overwrite) as claim:
        code = max(composer.run_all(request, run_composed), default=SOLVED)
        results = read_results(request.folder)
        write_text(request.folder / "table.md", markdown_table(results))
        write_text(request.folder / "table.csv", csv_table(results))
        claim.finish()
    return code, results


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
    return parser.parse_intermixed_args(arguments)


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
    from mips_jax.reporting.sweep_table import rich_table, verdict

    options = _parse_options(arguments)
    overrides = [
        "hydra.sweep.dir='outputs/benchmark/${now:%Y-%m-%d_%H-%M-%S-%f}'",
        *options.overrides,
    ]
    if not any(override.startswith("task=") for override in overrides):
        overrides.append("task=glob(*)")
    composer = Composer(options.config_dir)
    request = composer.request(overrides, multirun=True)
    if options.cfg:
        return print_config(composer, request, options.cfg)
    code, results = run_sweep(composer, request)
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(rich_table(results))
    print("\n".join(["", verdict(results), shown_path(request.folder)]), flush=True)
    return code


def run_composed(config: DictConfig) -> int:
    """One job of a multirun, as Hydra's launcher calls it, here or on another machine; never
    raises, so that the sweep goes on.
    """
    from mips_jax.command_line.composition import to_dataclass
    from mips_jax.command_line.jobs import Job
    from mips_jax.reporting.claimed_folder import claimed

    try:
        folder = _run_folder()
        job = Job.from_config(to_dataclass(config))
        with (
            claimed(folder, job.identity, job.config.overwrite, (".hydra",)) as claim,
            leaving_in_order(claim),
        ):
            if claim.answered:
                return answer_again(claim, brief=True)
            return run_job(job, claim, brief=True)
    except RequestError as error:  # files have changed since the request was checked
        print_refusal(error)
        return WRONG_REQUEST
    except Exception as error:
        print_failure(error)
        return FAILED


@contextlib.contextmanager
def leaving_in_order(claim: ClaimedFolder) -> Iterator[None]:
    """However a run fails, nothing half-written stays; what the next one can go on from does."""
    try:
        yield
    except RequestError:  # the request turned out to be wrong after all
        claim.discard()
        raise
    except BrokenPipeError:  # all is written, only nobody reads what is printed
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {_left_behind(claim)}") from None
    except Exception as error:
        failure = environment_failure(error)
        if failure is None:
            claim.clear()
            raise EnvironmentFailure(crash_message(error, kept_traceback(claim.path))) from error
        raise EnvironmentFailure(str(failure), _left_behind(claim)) from error


def _left_behind(claim: ClaimedFolder) -> str:
    """Clears up, and says what the next run can go on from."""
    with contextlib.suppress(OSError):  # a disk that cannot be written to is left as it is
        claim.abandon()
    if not claim.resumable:
        return "nothing was kept"
    folder = shown_path(claim.path)
    return f"the same command with hydra.run.dir='{folder}' goes on from what was trained so far"


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


def _run_folder() -> Path:
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.output_dir)
