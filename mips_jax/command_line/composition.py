"""From `key=value` arguments to plain configs, one for each job, or to one message with everything
that is wrong.

Nothing is written to disk here, so a request is fully checked before its run folder exists.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import fnmatch
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_automatic_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, Quote, QuotedString
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, flag_override
from omegaconf.errors import OmegaConfBaseException

from mips_jax.command_line.keys import (
    all_keys,
    check_plugins,
    check_processes,
    keys_outside_schema,
    missing_launcher,
)
from mips_jax.command_line.messages import explain, first_line, near, unknown_key
from mips_jax.command_line.schema import DOORS, Config, register
from mips_jax.errors import RequestError
from mips_jax.tasks import TASKS, get_task

# Beside their own errors, Hydra and OmegaConf let some of Python's escape for odd requests (a key
# of a group that is null).
COMPOSITION_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    AssertionError,
    AttributeError,
    TypeError,
    ValueError,
)


@dataclasses.dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
        overrides: the arguments as Hydra reads them.
        jobs: the arguments of each job, in the order in which they will run.
        configs: its config, likewise.
        folder: where results will go.
    """

    overrides: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...]
    configs: tuple[Config, ...]
    folder: Path


class Composer:
    """Hydra, seen as a function from arguments to plain configs.

    Args:
        config_dir: a folder with further groups and options (yaml), searched first.
    """

    def __init__(self, config_dir: str | None = None):
        register()
        search_path = create_automatic_config_search_path(None, None, "pkg://mips_jax.conf")
        if config_dir is not None:
            if not Path(config_dir).is_dir():
                raise RequestError(
                    f"--config-dir is {config_dir!r}, which is not a folder; give one that holds "
                    "yaml groups"
                )
            search_path.prepend(
                provider="command-line", path=f"file://{Path(config_dir).resolve()}"
            )
        GlobalHydra.instance().clear()  # several commands may run in one process (tests, notebooks)
        self.hydra = Hydra.create_main_hydra2("mips-jax", search_path)
        self._options: dict[str, list[str]] = {}
        self._parser = OverridesParser.create(self.hydra.config_loader)

    def request(self, arguments: Sequence[str], multirun: bool = False) -> Request:
        """Reads and checks all arguments.

        Raises:
            RequestError: with every problem that was found.
        """
        parsed = self._parse(arguments)
        _refuse_repeated(parsed)
        overrides = resolve_task_names(parsed)
        self._check_options(overrides)
        jobs = self._jobs(overrides) if multirun else [overrides]
        composed = self._composed_jobs(jobs)
        if not multirun and composed[0].hydra.mode == RunMode.MULTIRUN:
            raise RequestError(
                "hydra.mode is MULTIRUN, which is asked for with -m here; drop hydra.mode, and add "
                "-m"
            )
        configs = tuple(_checked(config) for config in composed)
        if multirun:
            check_processes(composed)
        folder = _folder(composed[0], "hydra.sweep.dir" if multirun else "hydra.run.dir")
        return Request(tuple(overrides), tuple(map(tuple, jobs)), configs, folder)

    def run(self, request: Request, job: Callable[[DictConfig], int]) -> int:
        """Runs the one job of a request in its run folder; returns its exit code, or raises what it
        has raised.
        """
        raised: list[Exception] = []

        def quiet(config: DictConfig) -> int | None:
            try:
                return job(config)
            except Exception as error:  # Hydra would print of it before passing it on
                raised.append(error)
                return None

        with _refusing():
            code = self.hydra.run("config", quiet, _fixed("hydra.run.dir", request)).return_value
        if raised:
            raise raised[0]
        return code

    def run_all(self, request: Request, job: Callable[[DictConfig], int]) -> list[int]:
        """Runs every job of a multirun through Hydra's sweeper and launcher; returns their exit
        codes. The job raises nothing.
        """
        with _refusing():
            batches = self.hydra.multirun("config", job, _fixed("hydra.sweep.dir", request))
            return [job_return.return_value for batch in batches or [] for job_return in batch]

    def compose(self, overrides: Sequence[str], mode: RunMode = RunMode.RUN) -> DictConfig:
        """The composed config with its `hydra` node; raises Hydra's own errors."""
        return self.hydra.compose_config(
            "config", list(overrides), mode, with_log_configuration=False
        )

    def options(self, group: str) -> list[str]:
        """The options of a group; none if there is no such group."""
        if group not in self._options:
            names = [] if "." in group else self.hydra.config_loader.get_group_options(group)
            self._options[group] = sorted(name for name in names if not name.startswith("_"))
        return self._options[group]

    def _parse(self, arguments: Iterable[str]) -> list[Override]:
        parsed, problems = [], []
        for argument in arguments:
            try:
                parsed.append(self._parser.parse_override(argument))
            except HydraException:
                problems.append(_unreadable(argument))
        if problems:
            raise RequestError(*problems)
        return parsed

    def _check_options(self, overrides: Sequence[str]) -> None:
        """Refuses options that a group does not have, naming those that it has."""
        problems = []
        for override in self._parse(overrides):
            options = self.options(override.key_or_group)
            if options and not override.is_delete() and override.value() is None:
                key = override.key_or_group
                problems.append(
                    f"{key} is null, but must be one of {', '.join(options)}; leave it out to have "
                    "none"
                )
                continue
            for value in _values(override) if options and not override.is_delete() else ():
                if value not in options:
                    key = override.key_or_group
                    allowed = f"must be one of {', '.join(options)}{near(value, options)}"
                    missing = missing_launcher(value) if key == "hydra/launcher" else None
                    problems.append(missing or f"{key} is {value!r}, but {allowed} (key: {key})")
        if problems:
            raise RequestError(*problems)

    def _jobs(self, overrides: Sequence[str]) -> list[list[str]]:
        """The arguments of each job of a sweep, in the order in which Hydra's basic sweeper runs
        them.
        """
        sweeper = self._composed(overrides, RunMode.MULTIRUN).hydra.sweeper
        parsed = self._parse(overrides)
        if not str(sweeper._target_).endswith(
            "BasicSweeper"
        ):  # it will choose the values: check what is fixed
            return [[_written(override) for override in parsed if not override.is_sweep_override()]]
        swept = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
        try:
            return [
                list(job)
                for job in BasicSweeper.split_arguments(self._parse(swept) + parsed, None)[0]
            ]
        except HydraException as error:
            raise RequestError(first_line(error)) from None

    def _composed_jobs(self, jobs: Sequence[Sequence[str]]) -> list[DictConfig]:
        """The config of each job; composing takes a while, so jobs that differ in the task's name
        only share it.
        """
        shared: dict[tuple[str, ...], DictConfig] = {}
        composed = []
        for job in jobs:
            rest = tuple(override for override in job if not override.startswith("task.name="))
            if rest not in shared:
                shared[rest] = self._composed(job)
            config = shared[rest]
            for override in set(job) - set(rest):
                config = config.copy()
                OmegaConf.update(config, "task.name", override.partition("=")[2])
            composed.append(config)
        return composed

    def _composed(self, overrides: Sequence[str], mode: RunMode = RunMode.RUN) -> DictConfig:
        try:
            composed = self.compose(overrides, mode)
            OmegaConf.resolve(without_hydra(composed))
        except COMPOSITION_ERRORS as error:
            raise RequestError(*self._problems(overrides, error)) from None
        check_plugins(composed)
        return composed

    def _problems(self, overrides: Sequence[str], error: Exception) -> list[str]:
        """Tries the arguments one by one on top of the groups, so that every wrong one is named."""
        parsed = self._parse(overrides)
        chosen = [_written(override) for override in parsed if self.options(override.key_or_group)]
        try:
            keys = all_keys(without_hydra(self.compose(chosen)))
        except COMPOSITION_ERRORS as group_error:
            return [explain(group_error)]
        problems = []
        for override in parsed:
            argument = _written(override)
            if argument not in chosen:
                try:
                    OmegaConf.resolve(without_hydra(self.compose([*chosen, argument])))
                except COMPOSITION_ERRORS as single_error:
                    problems.append(explain(single_error, override.key_or_group, keys))
        return problems or [explain(error, known_keys=keys)]


def _fixed(key: str, request: Request) -> list[str]:
    """The arguments with the folder as it was checked: a time stamp in it must not be taken anew by
    every job.
    """
    kept = [override for override in request.overrides if not override.startswith(f"{key}=")]
    folder = QuotedString(text=str(request.folder), quote=Quote.single)
    return [*kept, f"{key}={folder.with_quotes()}"]


def _folder(composed: DictConfig, key: str) -> Path:
    """Where results will go, as the config says it."""
    try:
        folder = OmegaConf.select(composed, key, throw_on_missing=True)
    except COMPOSITION_ERRORS as error:
        raise RequestError(f"{key} cannot be read: {first_line(error)}; change {key}") from None
    if not isinstance(folder, str) or not folder.strip() or "${" in folder or "\0" in folder:
        raise RequestError(f"{key} is {folder!r}; allowed: the path of a folder, without ${{")
    return Path(folder)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Turns Hydra's own errors about launchers, sweepers and callbacks into refusals."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ImportError) as error:
        raise RequestError(f"{first_line(error)}; change the keys of hydra") from error


def _checked(composed: DictConfig) -> Config:
    """The composed config as dataclasses; refuses keys outside the schema, which `+key=value`
    brings in.
    """
    config = without_hydra(composed)
    unknown = keys_outside_schema(config)
    if unknown:
        known = [key for key in all_keys(config) if key not in unknown]
        raise RequestError(*(unknown_key(key, known) for key in unknown))
    return to_dataclass(config)


def to_dataclass(composed: DictConfig) -> Config:
    """The composed config as plain dataclasses: what leaves the world of Hydra.

    Raises:
        RequestError: naming every key that has no value yet.
    """
    config = without_hydra(composed)
    missing: dict[str, list[str]] = {}
    for key in sorted(OmegaConf.missing_keys(config)):
        missing.setdefault(key.rpartition(".")[0], []).append(key)
    if missing:
        raise RequestError(
            *(
                f"missing: {', '.join(keys)}; add "
                f"{' '.join(f'{key}=...' for key in keys)}{_purpose(config, group)}"
                for group, keys in missing.items()
            )
        )
    job = OmegaConf.to_object(config)
    assert isinstance(job, Config)  # the schema's root
    return job


def without_hydra(composed: DictConfig) -> DictConfig:
    """A copy of the composed config without the `hydra` node, which is no part of the schema."""
    copy = composed.copy()
    if "hydra" in copy:
        with flag_override(copy, ["struct", "readonly"], False):
            del copy["hydra"]
    return copy


def resolve_task_names(overrides: Iterable[Override]) -> list[str]:
    """Rewrites `task=<Name>[,<Name>...]` (any case; glob(Add_*) too) to `task=named task.name=...`.

    Raises:
        RequestError: names that no task has, each with near matches.
    """
    rewritten: list[str] = []
    problems: list[str] = []
    for override in overrides:
        names = (
            _values(override)
            if override.key_or_group == "task" and not override.is_delete()
            else []
        )
        if set(names) <= set(DOORS):
            rewritten.append(_written(override))
            continue
        found = []
        for name in names:
            try:
                found.append(get_task(name).name)
            except RequestError as error:
                problems.extend(error.problems)
        rewritten += ["task=named", f"task.name={','.join(found)}"]
    if problems:
        raise RequestError(*problems)
    return rewritten


def _written(override: Override) -> str:
    """The argument that an override was read from."""
    return override.input_line or ""


def _values(override: Override) -> list[str]:
    """The values that an argument gives to a group, as text; a glob over tasks stands for the names
    that match.
    """
    value = override.value()
    if isinstance(value, Glob):
        if override.key_or_group != "task":
            return []
        patterns = [pattern.casefold() for pattern in value.include]
        return [
            name for name in TASKS if any(fnmatch.fnmatch(name.casefold(), p) for p in patterns)
        ] or value.include
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    return [v.text if isinstance(v, QuotedString) else str(v) for v in values if v is not None]


def _unreadable(argument: str) -> str:
    if argument.casefold() in {name.casefold() for name in TASKS}:
        return f"cannot read {argument!r}; did you mean task={get_task(argument).name}?"
    return (
        f"cannot read {argument!r}; arguments are key=value, lists key=[1,2], and text with signs "
        "in it \"key='a=b'\""
    )


def _refuse_repeated(overrides: Iterable[Override]) -> None:
    counts = collections.Counter(override.key_or_group for override in overrides)
    repeated = [key for key, count in counts.items() if count > 1]
    if repeated:
        raise RequestError(
            *(
                f"{key} is given {counts[key]} times; give it once ({key}=a,b with -m for several "
                "jobs)"
                for key in repeated
            )
        )


def _purpose(config: DictConfig, group: str) -> str:
    """What a group is for, from its schema's docstring."""
    schema = OmegaConf.get_type(config, group)
    return f" ({group}: {schema.__doc__})" if schema and schema.__doc__ else ""
