"""One sweep through every launcher that one machine can run: the same table."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mips_jax.command_line import keys
from mips_jax.command_line.main import WRONG_REQUEST, main
from mips_jax.reporting.runs import run_records

ROOT = Path(__file__).parents[2]
SWEEP = (
    "-m",
    "task=Prev1,Bitwise_Not,Sum_All",
    "training.seed=0,1",
    "training=quick",
    "training_sequences=2048",
    "test_sequences=2048",
    "verification.sequences=500",
)
LAUNCHERS = {  # launcher, the package of its plug-in
    "processes": "hydra_plugins.hydra_joblib_launcher",
    "local": "hydra_plugins.hydra_submitit_launcher",
    "ray": "hydra_plugins.hydra_ray_launcher",
}


def installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ImportError:
        return False


def swept(folder: Path, *more: str) -> subprocess.CompletedProcess:
    """The sweep in a process of its own, in a folder of its own."""
    command = [sys.executable, "-m", "mips_jax", *SWEEP, *more, f"hydra.sweep.dir={folder}"]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"},
    )


def rows(folder: Path) -> list[dict]:
    """What must not hang on the launcher: all but times, and where the sweep lies."""
    return [
        {key: value for key, value in record.items() if not key.startswith("seconds_")}
        | {"folder": Path(str(record["folder"])).name}
        for record in run_records(folder)
    ]


@pytest.fixture(scope="module")
def one_after_the_other(tmp_path_factory):
    """The sweep without a launcher."""
    folder = tmp_path_factory.mktemp("basic") / "sweep"
    ended = swept(folder)
    assert ended.returncode == 0, ended.stderr
    found = rows(folder)
    assert len(found) == 6 and all(row["solved"] for row in found)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_three_tasks_and_two_seeds_give_the_same_table(launcher, tmp_path, one_after_the_other):
    if not installed(LAUNCHERS[launcher]):
        extra = {"processes": "joblib", "local": "slurm"}.get(launcher, launcher)
        pytest.skip(f"hydra/launcher={launcher} needs: pip install 'mips_jax[{extra}]'")
    folder = tmp_path / "sweep"
    ended = swept(folder, f"hydra/launcher={launcher}")
    assert ended.returncode == 0, ended.stderr
    assert rows(folder) == one_after_the_other
    pytest.importorskip("pandas")
    import mips_jax

    frame = mips_jax.load_runs(folder)
    assert not frame[["task", "seed"]].duplicated().any() and len(frame) == 6
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/result.json")}
    again = swept(folder, f"hydra/launcher={launcher}")  # answers from itself
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("launcher", ["processes", "slurm", "local", "ray", "submitit_local"])
def test_a_missing_plug_in_names_its_pip_command(launcher, tmp_path):
    """In a process that finds no plug-in of Hydra."""
    code = (
        "import sys; sys.modules['hydra_plugins'] = None\n"
        "from mips_jax.command_line.main import main\n"
        f"sys.exit(main(['-m', 'task=Prev1,Sum_All', 'hydra/launcher={launcher}']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == WRONG_REQUEST, ended.stderr
    asked = {"processes": "joblib", "ray": "ray"}.get(launcher, "slurm")
    assert f"hydra/launcher={launcher} needs a plug-in of Hydra" in ended.stderr
    assert f"pip install 'mips_jax[{asked}]'" in ended.stderr and os.listdir(tmp_path) == []


def test_every_extra_that_is_named_is_in_setup_cfg():
    text = (ROOT / "setup.cfg").read_text()
    for extra in {*keys.EXTRAS.values(), "pandas", "tensorboard", "wandb", "mlflow"}:
        assert f"\n{extra} = " in text, extra


@pytest.mark.skipif(not installed("hydra_plugins.hydra_submitit_launcher"), reason="no submitit")
def test_a_slurm_job_asks_for_gpus_and_goes_on_after_its_time(monkeypatch, tmp_path, capfd):
    """What sbatch would be given, as submitit writes it for the composed launcher."""
    import submitit
    from submitit.slurm import slurm

    from mips_jax.command_line.composition import Composer

    chosen = [
        "task=named",
        "task.name=Prev1",
        "hydra/launcher=slurm",
        "hydra.launcher.gpus_per_node=2",
    ]
    launcher = Composer().compose([*chosen, "hydra.sweep.dir=s"]).hydra.launcher
    monkeypatch.setattr(slurm.SlurmExecutor, "affinity", classmethod(lambda cls: 2))
    executor = submitit.AutoExecutor(
        tmp_path, cluster="slurm", slurm_max_num_timeout=launcher.max_num_timeout
    )
    executor.update_parameters(
        timeout_min=launcher.timeout_min,
        gpus_per_node=launcher.gpus_per_node,
        slurm_signal_delay_s=launcher.signal_delay_s,
    )
    text = executor._executor._make_submission_file_text("command", "id")
    assert "--gpus-per-node=2" in text and "#SBATCH --signal=USR2@120" in text
    assert launcher.max_num_timeout == 5


def test_several_processes_and_a_sweep_need_a_launcher(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    asked = ["-m", "task=Prev1,Sum_All", "training.device.distributed=true"]
    assert main(asked) == WRONG_REQUEST
    assert "choose a launcher that starts them (hydra/launcher=slurm" in capfd.readouterr().err
    assert json.dumps(os.listdir(tmp_path)) == "[]"
