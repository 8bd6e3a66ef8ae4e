"""Two processes train one population: the first alone extracts and writes; both leave alike."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOB = (
    "task=Sum_All",
    "training=quick",
    "training_sequences=2048",
    "test_sequences=2048",
    "training.checkpoint_seconds=0",
    "training.device.distributed=true",
    "training.device.processes=2",
)


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def together(folder: Path, *more: str) -> list[tuple[int, str, str]]:
    """(exit code, stdout, stderr) of each of two processes that are given the same command, each in
    a folder of its own but for the run folder.
    """
    port, running = free_port(), []
    for process in range(2):
        here = folder / f"host_{process}"
        here.mkdir(exist_ok=True)
        own = (
            f"training.device.coordinator=127.0.0.1:{port}",
            f"training.device.process={process}",
            "hydra.run.dir=run",
        )
        command = [sys.executable, "-m", "mips_jax", *JOB, *more, *own]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=here, env=environment, **pipes))
    said = [one.communicate(timeout=500) for one in running]
    return [(one.returncode, *texts) for one, texts in zip(running, said)]


@pytest.mark.slow
def test_the_first_of_two_processes_extracts_and_writes_once(tmp_path):
    first, second = together(tmp_path)
    assert first[0] == second[0] == 0, first[2] + second[2]
    assert first[1].splitlines()[-1] == "run" and second[1] == ""
    assert list((tmp_path / "host_1").iterdir()) == [], "the second process has written nothing"
    run = tmp_path / "host_0" / "run"
    result = json.loads((run / "result.json").read_text())
    assert result["solved"] and (run / "checkpoint").is_dir() and (run / "program.py").is_file()
    again = together(tmp_path)  # answers from the folder: nobody waits for training
    assert [one[0] for one in again] == [0, 0] and "carried out before" in again[0][2]


@pytest.mark.slow
def test_a_refusal_of_the_first_ends_the_second(tmp_path):
    (tmp_path / "host_0" / "run").mkdir(parents=True)
    (tmp_path / "host_0" / "run" / "program.py").write_text("mine")
    first, second = together(tmp_path)
    assert first[0] == 2 and "holds files that no run has made" in first[2]
    assert second[0] != 0
