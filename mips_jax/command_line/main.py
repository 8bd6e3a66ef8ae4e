"""The command line: `mips-jax task=Binary_Addition`, `mips-jax tasks`, `mips-jax benchmark`, and
sweeps with `-m`.

Exit codes: 0 solved, 1 ran but not solved (the best program and the reason are written all the
    same), 2 the request
itself was wrong (one message, nothing left behind). The path of the run folder is the last line on
stdout; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.errors import RequestError

if TYPE_CHECKING:  # imported where needed: `mips-jax --help` answers at once
    from omegaconf import DictConfig

    from mips_jax.command_line.composition import Composer, Request
    from mips_jax.command_line.jobs import Job

SOLVED, NOT_SOLVED, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130

HELP = """\
mips-jax: trains a small recurrent network on integer sequences and distils it into a short, verified Python program.

  mips-jax task=Binary_Addition                          a named task; `mips-jax tasks` lists them
  mips-jax task=file task.path=data.npz                  example sequences (.npz, .csv, .jsonl)
  mips-jax task=function task.target=package.module:function task.input_min=0 task.input_max=9
  mips-jax network=file network.path=net.npz network.input_min=0 network.input_max=99
                                                         a network that is already trained
  mips-jax -m task=Prev1,Prev2,Sum_All                   several tasks, one after the other; also 'task=glob(Div_*)'
  mips-jax tasks                                         the named tasks and what they do
  mips-jax benchmark                                     all named tasks, one table

options
  -m, --multirun          run every combination of comma-separated values
  --cfg job|hydra|all     print the composed config and stop
  --config-dir FOLDER     further yaml groups and experiments of your own
  --version               print the version and stop

groups (group=option, then group.key=value; --cfg job shows every key)
{groups}

Results are in the run folder, whose path is the last line printed: program.py, result.json, summary.md, figures and
the network as a checkpoint.
Exit code: 0 solved, 1 not solved, 2 wrong request.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code.

    Args:
        argv: the arguments, without the program's name; None = those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except RequestError as error:
        print_refusal(error)
        return WRONG_REQUEST
    except KeyboardInterrupt:
        print("mips-jax: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `mips-jax tasks | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOLVED


def print_refusal(error: RequestError) -> None:
    """One message for a wrong request, on stderr."""
    lines = (
        [f"mips-jax: {error.problems[0]}"]
        if len(error.problems) == 1
        else [
            f"mips-jax: {len(error.problems)} problems",
            *(f"  - {problem}" for problem in error.problems),
        ]
    )
    print("\n".join(lines), file=sys.stderr)


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["tasks"]:
        _no_more_arguments(arguments)
        return print_tasks()
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

    composer = Composer(options.config_dir)
    request = composer.request(options.overrides, options.multirun)
    if options.cfg:
        return print_config(composer, request, options.cfg)
    if options.multirun:
        code, _ = run_sweep(composer, request)
        print(shown_path(request.folder), flush=True)
        return code
    job = Job.from_config(request.configs[0])
    _check_writable(request.folder)
    return composer.run(request, functools.partial(run_job, job))


def run_sweep(composer: Composer, request: Request) -> tuple[int, list[dict]]:
    """Runs every job of a checked request; returns the worst exit code, and the results, of which
    it leaves a table.
    """
    from mips_jax.command_line.jobs import Job
    from mips_jax.reporting.files import write_text
    from mips_jax.reporting.sweep_table import csv_table, markdown_table, read_results

    for config in request.configs:
        Job.from_config(
            config
        )  # every file is read once here, so that no sweep fails halfway for a wrong request
    _check_writable(request.folder)
    code = max(composer.run_all(request, run_composed), default=SOLVED)
    results = read_results(request.folder)
    write_text(request.folder / "table.md", markdown_table(results))
    write_text(request.folder / "table.csv", csv_table(results))
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
            f"mips-jax {arguments[0]} takes no further arguments, but got {' '.join(arguments[1:])!r}"
        )


def _groups_text() -> str:
    """The groups in conf/ and their options."""
    import importlib.resources

    root = importlib.resources.files("mips_jax.conf")
    folders = sorted(
        (f for f in root.iterdir() if f.is_dir() and f.name not in ("hydra", "__pycache__")),
        key=lambda f: f.name,
    )
    return "\n".join(
        f"  {folder.name:<14}{', '.join(sorted(Path(f.name).stem for f in folder.iterdir() if '.yaml' in f.name))}"
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
    raises.
    """
    from mips_jax.command_line.composition import to_dataclass
    from mips_jax.command_line.jobs import Job

    try:
        return run_job(Job.from_config(to_dataclass(config)), brief=True)
    except RequestError as error:  # files have changed since the request was checked
        print_refusal(error)
        return WRONG_REQUEST
    except Exception:  # a sweep goes on; what went wrong is told, and kept beside the job's config
        folder = _run_folder()
        print(f"mips-jax: {shown_path(folder)} crashed\n{traceback.format_exc()}", file=sys.stderr)
        (folder / "traceback.txt").write_text(traceback.format_exc())
        return NOT_SOLVED


def run_job(job: Job, config: DictConfig | None = None, brief: bool = False) -> int:
    """Runs a checked job in the run folder that Hydra has made, prints what came out, and returns
    the exit code.

    Args:
        job: what to do.
        config: what Hydra passes; the job was made from it.
        brief: one line instead of the program (sweeps).
    """
    folder = _run_folder()
    fresh = {entry.name for entry in folder.iterdir()} <= {".hydra"}
    try:
        outcome = job.run(folder)
    except (
        RequestError
    ) as error:  # the request turned out to be wrong after all: leave nothing half-written
        if fresh:
            shutil.rmtree(folder)
            with contextlib.suppress(OSError):  # there are other runs beside it
                folder.parent.rmdir()
        print_refusal(error)
        return WRONG_REQUEST
    if brief:
        print(outcome.headline, flush=True)
    else:
        program = outcome.source or "no program was found"
        print("\n".join([program.rstrip(), "", outcome.headline, shown_path(folder)]), flush=True)
    return SOLVED if outcome.solved else NOT_SOLVED


def shown_path(folder: Path) -> str:
    """Relative to the current folder where it lies inside."""
    folder = folder.resolve()
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def _run_folder() -> Path:
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.output_dir)


def _check_writable(folder: Path) -> None:
    """Refuses a run folder that could not be made."""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryDirectory(dir=existing):
            pass
    except OSError as error:
        raise RequestError(
            f"the run folder {folder} cannot be made: {error.strerror} ({existing}); change hydra.run.dir"
        ) from None
