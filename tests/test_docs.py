"""Every block of code on every page is run, a page as one session in a folder of its own. Fast
tests run the Python of pages that train nothing, and compose every command; slow ones run the rest:
tutorials as they stand, other commands on little data. What one machine cannot run, or what would
run the tests within the tests, is listed here with the reason, and checked as far as it goes.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mips_jax.command_line.main import NOT_SOLVED, SOLVED, main
from mips_jax.networks import MLPRNN, save_network
from mips_jax.tasks import TASKS
from tests.pages import PAGES, ROOT, Block, anchors, blocks, commands, links, run

TRAINED = ROOT / "tests" / "data" / "networks" / "trained"
# Pages that are run as they stand, Python and commands in turn; they train, or take seconds.
SESSIONS = {"tutorial_data.md", "tutorial_network.md", "tutorial_hidden_states.md", "sweeps.md"}
SLOW = {"README.md"}  # whose Python trains; its commands are run one by one
# Pages whose Python has a test of its own, which runs every block of it.
OWN_TEST = {"extending.md": "test_extending.py", "report.md": "test_docs_report.py"}
ELSEWHERE = {  # first word of a command -> why it is not run here, and what is done instead
    "gcloud": "asks for a TPU of a cloud; tests/clusters/test_recipes.py composes what it sends",
    "srun": "asks for two nodes; tests/clusters/test_processes.py runs two processes",
    "make": "runs these very tests, or the benchmarks; its targets are checked",
    "python": "makes an environment or runs for minutes; that the module exists is checked",
    ".venv/bin/python": "the same, in that environment",
}
CLUSTER = (  # what a command of mips-jax asks for that one machine lacks: composed only
    *("launcher=slurm", "launcher=ray", "distributed=true", "/shared/"),
)
PLUG_INS = {
    "launcher=slurm": "hydra_submitit_launcher",
    "launcher=local": "hydra_submitit_launcher",
    "launcher=processes": "hydra_joblib_launcher",
    "launcher=ray": "hydra_ray_launcher",
}
NO_TRAINING = ("tasks", "check", "--cfg")
SMALL = ["debug=tiny", "report=false"]  # what shortens a command that trains


def of_kind(page: Path, kind: str) -> list:
    return [block for block in blocks(page) if block.kind == kind]


def page_commands() -> list:
    return [
        pytest.param(page, words, id=f"{page.stem}: {' '.join(words)}")
        for page in PAGES
        for block in of_kind(page, "bash")
        for words in commands(block)
    ]


def named(pages) -> list:
    return [pytest.param(page, id=page.name) for page in pages]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the files that the pages' commands name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    inputs = np.random.default_rng(0).integers(0, 10, (500, 10, 1))
    np.savez("data.npz", x=inputs, y=inputs.cumsum(axis=1))
    one = (np.ones((1, 1)), np.zeros(1))
    network = MLPRNN.from_layers([(np.ones((1, 2)), np.zeros(1))], [one], trained_length=10)
    save_network("net.npz", network)
    trials = [
        (trial, *x, sum(x) % 2) for trial in range(50) for x in inputs[trial, :, :1] % [[2, 3]]
    ]
    rows = ["trial,light,sound,choice", *(",".join(map(str, row)) for row in trials)]
    Path("trials.csv").write_text("\n".join(rows))
    Path("machine.dot").write_text(
        'digraph m { a -> b [label="0/1"]; a -> a [label="1/0"]; '
        'b -> a [label="0/0"]; b -> b [label="1/1"]; }'
    )
    Path("package").mkdir()
    Path("package/__init__.py").touch()
    Path("package/module.py").write_text("def function(words):\n    return words.cumsum(axis=1)\n")
    shutil.copytree(TRAINED.parent / "gpt2", "gpt2_folder")
    shutil.copy(TRAINED / "gru_tomita_4.safetensors", "recogniser.safetensors")
    return tmp_path


@pytest.fixture
def registries():
    """The tasks are as before when the test ends."""
    before = dict(TASKS)
    yield
    TASKS.clear()
    TASKS.update(before)


def missing_plug_in(words: list[str]) -> str | None:
    asked = [module for option, module in PLUG_INS.items() if any(option in w for w in words)]
    plugins = importlib.util.find_spec("hydra_plugins") is not None
    return next(
        (m for m in asked if not plugins or importlib.util.find_spec(f"hydra_plugins.{m}") is None),
        None,
    )


@pytest.mark.parametrize("page", named(PAGES))
def test_every_block_names_its_language_and_is_written_in_it(page):
    for block in blocks(page):
        assert block.kind in ("python", "bash", "text", "yaml", ""), (page.name, block.line)
        if block.kind == "python":
            ast.parse(block.text)
        if block.kind == "bash":
            done = subprocess.run(
                ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr


def test_every_block_without_a_language_is_no_command():
    """Commands stand in blocks of bash, where they are run."""
    for page in PAGES:
        for block in of_kind(page, ""):
            assert "mips-jax" not in block.text, (page.name, block.line)


@pytest.mark.parametrize(("page", "words"), page_commands())
def test_every_command_is_accepted(page, words, workplace, capfd):
    """As far as can be said without running it."""
    program = words[0]
    if program == "mips-jax":
        if missing_plug_in(words):
            pytest.skip(f"{missing_plug_in(words)} is not installed")
        if not set(NO_TRAINING) & set(words):
            assert main([*words[1:], "--cfg", "job"]) == SOLVED, capfd.readouterr().err
    elif program == "make":
        dry = subprocess.run(
            [*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert dry.returncode == 0, dry.stderr
    elif program in ("python", ".venv/bin/python"):
        module = words[words.index("-m") + 1] if "-m" in words else f"mips_jax.{words[1][:-3]}"
        assert importlib.util.find_spec(module), module
    else:
        assert program in ELSEWHERE, f"{page.name}: how is {program} to be tested?"


def why_not_run(words: list[str]) -> str | None:
    """Why a command of mips-jax is only composed; None where it is run."""
    if any(sign in word for word in words for sign in CLUSTER):
        return "asks for a cluster, or for an environment of its own"
    if words[1] == "check":
        return "tests/test_check.py runs it on a certificate"
    missing = missing_plug_in(words)
    return missing and f"{missing} is not installed"


def run_command(words: list[str], *more: str) -> None:
    """A command of mips-jax in a process of its own, in the folder of the test."""
    done = subprocess.run(
        [sys.executable, "-m", "mips_jax", *words[1:], *more],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.getcwd()}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=550,
    )
    allowed = (SOLVED, NOT_SOLVED) if more else (SOLVED,)
    assert done.returncode in allowed, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "words"),
    [
        p
        for p in page_commands()
        if p.values[1][0] == "mips-jax" and p.values[0].name not in SESSIONS
    ],
)
def test_every_command_runs(page, words, workplace):
    """On little data where it trains, so that it may find nothing."""
    if why_not_run(words):
        pytest.skip(why_not_run(words))
    run_command(words, *([] if set(NO_TRAINING) & set(words) else SMALL))


def run_python(page: Path, known: dict, block: Block) -> None:
    if "import torch" in block.text and importlib.util.find_spec("torch") is None:
        return  # the file that it would save is in the workplace
    run(block, known, page)


@pytest.mark.parametrize(
    "page", named(page for page in PAGES if page.name not in {*SLOW, *SESSIONS, *OWN_TEST})
)
def test_the_python_of_a_page_runs(page, workplace, registries):
    known: dict = {"__name__": "__main__"}
    for block in of_kind(page, "python"):
        run_python(page, known, block)


@pytest.mark.slow
@pytest.mark.parametrize("page", named(page for page in PAGES if page.name in {*SLOW, *SESSIONS}))
def test_a_page_runs_as_it_stands(page, workplace, registries):
    known: dict = {"__name__": "__main__"}
    for block in blocks(page):
        if block.kind == "python":
            run_python(page, known, block)
        for words in commands(block) if block.kind == "bash" and page.name in SESSIONS else ():
            run_command(words)


def test_the_lists_of_this_file_are_true():
    names = {page.name for page in PAGES}
    assert names >= {*SLOW, *SESSIONS, *OWN_TEST}
    for test in OWN_TEST.values():
        assert (ROOT / "tests" / test).is_file(), test
    used = {p.values[1][0] for p in page_commands()}
    assert set(ELSEWHERE) <= used, set(ELSEWHERE) - used


@pytest.mark.parametrize("page", named(PAGES))
def test_every_link_leads_to_a_file_and_a_heading(page):
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {path}"
        assert target.is_relative_to(ROOT), f"{page.name}: {path} leads out of the repository"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {path}#{anchor}"
