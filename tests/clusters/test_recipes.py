"""Every recipe of docs/clusters.md, as far as one machine goes: commands within commands compose
(tests/test_docs.py composes those that stand alone), scripts do what they say with a run in place
that only answers signals.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mips_jax.command_line import keys
from mips_jax.command_line.composition import Composer
from mips_jax.tasks import TASKS
from tests.clusters.test_launchers import installed

TEXT = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
BASH = [text for kind, text in BLOCKS if kind == "bash"]
SCRIPT = next(text for text in BASH if text.startswith("#!"))
COMMANDS = [
    match.group(0).rstrip('"')
    for text in BASH
    if text != SCRIPT
    for line in text.replace("\\\n", " ").splitlines()
    if (match := re.search(r"mips-jax .*", line))
]
WITHIN = [command for command in COMMANDS if f"\n{command}" not in "\n".join(BASH)]
PLUG_INS = {
    "processes": "hydra_plugins.hydra_joblib_launcher",
    "slurm": "hydra_plugins.hydra_submitit_launcher",
    "local": "hydra_plugins.hydra_submitit_launcher",
    "ray": "hydra_plugins.hydra_ray_launcher",
}


def composed(command: str):
    """The request that a command of the page makes."""
    words = shlex.split(command)[1:]
    chosen = [word.removeprefix("hydra/launcher=") for word in words if "/launcher=" in word]
    for name in chosen:
        if not installed(PLUG_INS[name]):
            pytest.skip(f"the plug-in of hydra/launcher={name} is not installed")
    return Composer().request([w for w in words if w != "-m"], multirun="-m" in words)


@pytest.mark.parametrize("command", WITHIN)
def test_every_command_within_another_composes(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = composed(command)
    names = {config.task.name for config in request.configs}
    assert names <= set(TASKS) and (len(request.configs) > 1) == (" -m " in command)


def test_the_page_has_a_recipe_for_each_kind_of_machine():
    assert len(COMMANDS) >= 7
    for word in ("#SBATCH --array", "queued-resources create", "kind: Job", "hydra/launcher=ray"):
        assert word in TEXT
    for extra in keys.EXTRAS.values():
        assert f"mips_jax[{extra}" in TEXT, extra


@pytest.fixture
def stand_in(tmp_path):
    """An environment with programs that write down how they are called; the run leaves with 75 on
    SIGUSR1, and by itself after a while.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in (
        ("mips-jax", "trap 'exit 75' USR1\ntouch started\nfor i in $(seq 100); do sleep 0.1; done"),
        ("scontrol", ""),
    ):
        path = programs / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >> calls\n{body}\n')
        path.chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SWEEP": "/shared"}


def test_the_array_script_hands_the_warning_on_and_queues_the_job_again(tmp_path, stand_in):
    environment = {**stand_in, "SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_ID": "77"}
    (tmp_path / "job.sh").write_text(SCRIPT)
    running = subprocess.Popen(["bash", "job.sh"], cwd=tmp_path, env=environment)
    for _ in range(200):
        if (tmp_path / "started").exists():
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGUSR1)  # to the script alone, as Slurm does with B:
    assert running.wait(30) == 75
    assert (tmp_path / "calls").read_text().splitlines() == [
        "mips-jax task=Add_Mod_4 hydra.run.dir=/shared/Add_Mod_4",
        "scontrol requeue 77",
    ]


def test_every_pod_of_the_kubernetes_job_takes_its_task(tmp_path, stand_in):
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load(next(text for kind, text in BLOCKS if kind == "yaml"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    variables = {one["name"]: one["value"] for one in container["env"]}
    (tmp_path / "bin" / "mips-jax").write_text('#!/bin/bash\necho "$*" >> calls\n')
    for index in range(job["spec"]["completions"]):
        subprocess.run(
            [*container["command"], *container["args"]],
            cwd=tmp_path,
            env={**stand_in, **variables, "JOB_COMPLETION_INDEX": str(index)},
            check=True,
        )
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [f"task=Add_Mod_{n} hydra.run.dir=/sweep/Add_Mod_{n}" for n in (3, 4, 5)]
    for call in calls:
        assert len(composed(f"mips-jax {call}").configs) == 1


def test_a_pod_s_index_is_read_from_its_environment(monkeypatch):
    words = ["training.device.distributed=true", "training.device.processes=3"]
    (index,) = re.findall(r"'(training\.device\.process=\$\{oc\.env:\w+\})'", TEXT)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "2")
    device = Composer().request(["task=Prev1", *words, index]).configs[0].training.device
    assert (device.process, device.processes, device.distributed) == (2, 3, True)


@pytest.mark.skipif(not installed("submitit"), reason="submitit is not installed")
@pytest.mark.slow
def test_submitit_starts_a_job_again_that_was_told_its_time_is_up(tmp_path):
    """submitit's local executor in place of Slurm: the launcher's checkpoint is asked for."""
    import submitit
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import LocalLauncher

    launcher = LocalLauncher(submitit_folder=str(tmp_path))
    again = launcher.checkpoint(["task=Prev1"], "hydra.sweep.dir", 0, "id", {})
    assert isinstance(again, submitit.helpers.DelayedSubmission)
    assert again.function is launcher and again.args[0] == ["task=Prev1"]
    json.dumps(again.args[0])
