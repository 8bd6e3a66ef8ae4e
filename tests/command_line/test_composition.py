"""Every shipped yaml composes to the schema; names and sweeps become jobs as a user expects."""

import dataclasses
import importlib.util
import re
from pathlib import Path

import pytest

from mips_jax.command_line.composition import Composer
from mips_jax.command_line.jobs import Job
from mips_jax.command_line.loading import OF_WORDS
from mips_jax.command_line.schema import (
    Config,
    FileTask,
    NamedTask,
    NetworkChoice,
    PythonNetwork,
    run_name,
)
from mips_jax.errors import RequestError
from mips_jax.extraction import ExtractionSettings
from mips_jax.networks import CausalOptions, NetworkOptions
from mips_jax.pipeline import PipelineSettings
from mips_jax.tasks import TASKS
from mips_jax.training.settings import ModelSettings, TrainingSettings
from mips_jax.verification import VerificationSettings

CONF = Path(__file__).parents[2] / "conf"
OPTIONS = sorted(
    path.relative_to(CONF).with_suffix("").as_posix() for path in CONF.glob("*/**/*.yaml")
)
NEEDED = {
    "task/file": ["task.path=data.npz"],
    "task/function": ["task.target=itertools:accumulate", "task.input_min=0", "task.input_max=9"],
    "task/named": ["task.name=Prev1"],
    "network/file": ["network.path=net.npz"],
    "network/python": ["network.target=pkg.mod:fn"],
}
PLUG_INS = {
    "hydra/launcher/local": "hydra_plugins.hydra_submitit_launcher",
    "tracking/mlflow": "mlflow",
    "tracking/tensorboard": "tensorboardX",
    "tracking/wandb": "wandb",
    "hydra/launcher/slurm": "hydra_plugins.hydra_submitit_launcher",
    "hydra/launcher/processes": "hydra_plugins.hydra_joblib_launcher",
}


@pytest.fixture(scope="module")
def composer():
    return Composer()


def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def first_comment(option: str) -> str:
    comments = [
        line
        for line in (CONF / f"{option}.yaml").read_text().splitlines()
        if line.startswith("# ") and "@package" not in line
    ]
    assert comments, f"{option} has no comment"
    return comments[0]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_shipped_yaml_composes_to_the_schema(option, composer):
    if option in PLUG_INS and not installed(PLUG_INS[option]):
        pytest.skip(f"needs the plug-in {PLUG_INS[option]}")
    group, _, name = option.rpartition("/")
    arguments = [
        f"{group}={name}",
        *NEEDED.get(option, ["task=Prev1"] if group != "experiment" else []),
    ]
    for config in composer.request(arguments, multirun=" -m " in first_comment(option)).configs:
        assert isinstance(config, Config)
        if config.network is None and not isinstance(config.task, FileTask):
            Job.from_config(config)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_shipped_yaml_says_in_its_first_comment_how_it_is_used(option):
    if option.partition("/")[0] in ("experiment", "debug", "task", "network") or option.startswith(
        "hydra/"
    ):
        assert first_comment(option).startswith("# mips-jax "), (
            "the first comment is the command that uses it"
        )


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.partition("/")[0] in ("experiment", "debug")]
)
def test_the_command_in_the_first_comment_is_accepted(option, composer):
    command = re.match(r"# mips-jax (.*?)(  |$)", first_comment(option)).group(1).split()
    assert composer.request(
        [word for word in command if word != "-m"], multirun="-m" in command
    ).configs


def test_an_experiment_may_bring_its_own_sweep(composer):
    names = [
        config.task.name
        for config in composer.request(["experiment=first_steps"], multirun=True).configs
    ]
    assert len(names) == 12 and set(names) <= set(TASKS)


def test_without_choices_the_library_s_defaults_apply(composer):
    (config,) = composer.request(["task=Prev1"]).configs
    expected, settings = PipelineSettings(), config.pipeline_settings()
    assert dataclasses.asdict(settings.extraction) == dataclasses.asdict(ExtractionSettings())
    assert dataclasses.asdict(settings.verification) == dataclasses.asdict(VerificationSettings())
    as_lists = lambda value: (
        {k: as_lists(v) for k, v in value.items()}
        if isinstance(value, dict)
        else list(value)
        if isinstance(value, tuple)
        else value
    )
    assert as_lists(dataclasses.asdict(settings.training)) == as_lists(
        dataclasses.asdict(TrainingSettings())
    )
    for name in ("training_sequences", "test_sequences", "attempts"):
        assert getattr(settings, name) == getattr(expected, name)


def test_the_model_group_reaches_training(composer):
    (config,) = composer.request(["task=Prev1", "model=gru", "model.hidden_dims=[3]"]).configs
    model = config.pipeline_settings().training.model
    assert (
        isinstance(model, ModelSettings) and model.cell == "gru" and list(model.hidden_dims) == [3]
    )


def test_task_names_are_found_in_any_case_and_by_pattern(composer):
    (config,) = composer.request(["task=BINARY_addition"]).configs
    assert config.task == NamedTask("Binary_Addition")
    names = [
        config.task.name for config in composer.request(["task=glob(div_*)"], multirun=True).configs
    ]
    assert names == [name for name in TASKS if name.startswith("Div_")]


def test_a_sweep_is_every_combination(composer):
    request = composer.request(["task=prev1,SUM_all", "training.seed=1,2"], multirun=True)
    assert [(c.task.name, c.training.seed) for c in request.configs] == [
        ("Prev1", 1),
        ("Prev1", 2),
        ("Sum_All", 1),
        ("Sum_All", 2),
    ]


def test_an_experiment_can_be_overridden_from_the_command_line(composer):
    (config,) = composer.request(["experiment=binary_addition", "task=Prev2"]).configs
    assert config.task.name == "Prev2"


def test_one_s_own_config_folder_adds_experiments(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /task: named\ntask:\n  name: Sum_All\n"
    )
    (config,) = Composer(str(tmp_path)).request(["experiment=mine"]).configs
    assert config.task.name == "Sum_All"


def test_a_key_in_one_s_own_yaml_that_nobody_knows_is_refused(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "mine.yaml").write_text("max_stepz: 3\n")
    with pytest.raises(RequestError, match=r"training/mine\.yaml: Key 'max_stepz' not in"):
        Composer(str(tmp_path)).request(["task=Prev1", "training=mine"])


@pytest.mark.parametrize(
    "arguments, name",
    [
        (["task=sum_all"], "Sum_All"),
        (["task=file", "task.path='a folder/my data.csv'"], "my_data"),
        (["task=function", "task.target=pkg.mod:fn"], "fn"),
        (["network=file", "network.path=nets/gru.npz"], "gru"),
        (["network=python", "network.target=pkg.mod:fn"], "fn"),
    ],
)
def test_run_folders_are_named_after_what_is_distilled(arguments, name, composer):
    overrides = ["task=named", "task.name=Sum_All"] if arguments == ["task=sum_all"] else arguments
    assert run_name(composer.compose(overrides)) == name
    assert composer.request(arguments).folder.parent == Path("outputs") / name


def test_every_option_of_a_network_is_a_key_of_its_group():
    keys = [field.name for field in dataclasses.fields(NetworkChoice)]
    options = [field.name for field in dataclasses.fields(NetworkOptions)]
    whole_words = [field.name for field in dataclasses.fields(CausalOptions)]
    more = [name for name in whole_words if name not in options and name != "every_step"]
    assert keys == ["path", "memory_gib", *OF_WORDS, *options, *more]
    assert [f.name for f in dataclasses.fields(PythonNetwork)] == ["target", *whole_words]
