"""Runs that are killed at any moment: nothing is lost, nothing is half-written, and what comes out
at last is what an unbroken run finds.
"""

import contextlib
import json
import os
import random
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mips_jax.command_line.main import FAILED, PREEMPTED, SOLVED, WRONG_REQUEST, main
from mips_jax.networks import MLPRNN, save_network
from mips_jax.reporting import files
from mips_jax.training import load_member, storage

REQUEST = ("task=Parity_All", "training=quick", "training.checkpoint_seconds=0.2")
STAGES = ("starting", "training", "extracting", "verifying", "reporting")
LONGEST = {"starting": 3.0, "training": 15.0, "extracting": 1.0, "verifying": 1.0, "reporting": 1.0}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
CODES = {
    signal.SIGKILL: -signal.SIGKILL,
    signal.SIGTERM: FAILED,
    signal.SIGINT: FAILED,
    signal.SIGUSR1: PREEMPTED,
}
REPORT = {"program.py", "summary.md", "result.json", "checkpoint", "hidden_states.png"}


def _started(folder: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "mips_jax", *REQUEST, *more, f"hydra.run.dir={folder}"]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": root},
    )


def _wait_for(running: subprocess.Popen, stage: str) -> str:
    """Reads stderr until the stage begins (or the process ends); what was read."""
    said = ""
    while stage != "starting" and f": {stage}" not in said:
        line = running.stderr.readline()
        if not line:
            break
        said += line
    return said


def _killed(folder: Path, number: int, stage: str, seconds: float) -> tuple[int, str, str] | None:
    """(exit code, stdout, stderr) of a run that gets a signal so long after a stage has begun; None
    where it has ended by itself before.
    """
    running = _started(folder)
    said = _wait_for(running, stage)
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.wait(seconds)
    too_late = running.poll() is not None
    running.send_signal(number)
    out, errors = running.communicate(timeout=300)
    if too_late:
        assert running.returncode == SOLVED, errors
        return None
    return running.returncode, out, said + errors


def _outcome(folder: Path) -> tuple[dict, str, list]:
    """What must not hang on how often a run was stopped: all but times and the commit."""
    result = json.loads((folder / "result.json").read_text())
    del result["seconds"], result["versions"]
    member, _ = load_member(folder / "checkpoint")
    layers = [layer[kind] for stack in member.weights.values() for layer in stack for kind in layer]
    return result, (folder / "program.py").read_text(), layers


def _steps(folder: Path) -> int:
    """Training steps, of all members together, that the next run goes on from."""
    searches = (folder / ".mips_jax" / "search").glob("attempt_*/search")
    newest = (next(storage.readable_generations(path), None) for path in searches)
    return sum(member["steps"] for saved in newest if saved for member in saved[1]["members"])


def _assert_in_order(folder: Path, number: int, code: int, out: str, errors: str) -> None:
    """After a signal: a whole result, or none and nothing of one; and one message that says how to
    go on.
    """
    assert "Traceback" not in errors, errors
    there = {path.name for path in folder.glob("*")} if folder.exists() else set()
    if "result.json" in there:
        assert {"program.py", "summary.md", "checkpoint"} <= there
        json.loads((folder / "result.json").read_text())
        return
    if code == -number and not folder.exists():
        return  # before Python had begun to listen
    assert code == CODES[number], errors
    if number == signal.SIGKILL:
        return
    assert not there & REPORT and not list(folder.glob(".*.tmp"))
    assert errors.count("mips-jax: ") == 1
    if _steps(folder):
        assert out.splitlines()[-1] == folder.name
        assert f"go on with: mips-jax {REQUEST[0]}" in errors
        assert f"hydra.run.dir={folder.name}" in errors


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """What a run finds that nobody disturbs."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    _, errors = (running := _started(folder)).communicate(timeout=300)
    assert running.returncode == SOLVED, errors
    return _outcome(folder)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_twenty_kills_change_nothing(stage, tmp_path, unbroken):
    """Four signals at each of five stages, at moments drawn from a seed, each of them to a run that
    goes on from what the one before has left; then the run may end.
    """
    moments, folder, steps = random.Random(stage), tmp_path / "run", 0
    for number in moments.sample(SIGNALS, len(SIGNALS)):
        seconds = moments.uniform(0.0, LONGEST[stage])
        while (ended := _killed(folder, number, stage, seconds)) is None:
            shutil.rmtree(folder)  # once more from the start, and sooner
            seconds, steps = seconds / 2, 0
        code, out, errors = ended
        _assert_in_order(folder, number, code, out, errors)
        if (folder / "result.json").exists():  # it was as good as done
            shutil.rmtree(folder)
            steps = 0
            continue
        kept = _steps(folder)
        assert kept >= steps, "training that was saved is lost"
        steps = kept
    _, errors = (running := _started(folder)).communicate(timeout=300)
    assert running.returncode == SOLVED, errors
    result, program, layers = _outcome(folder)
    assert (result, program) == unbroken[:2]
    for one, other in zip(layers, unbroken[2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list(folder.glob(".*.tmp")) and not (folder / ".mips_jax" / "search").exists()


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused_and_the_first_ends_untouched(tmp_path, unbroken):
    first = _started(tmp_path / "run")
    _wait_for(first, "training")
    _, errors = (second := _started(tmp_path / "run")).communicate(timeout=300)
    assert second.returncode == WRONG_REQUEST and "is in use by another run" in errors
    first.communicate(timeout=300)
    assert first.returncode == SOLVED and _outcome(tmp_path / "run")[:2] == unbroken[:2]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to work in, with a network that adds up its inputs."""
    monkeypatch.chdir(tmp_path)
    one = (np.ones((1, 1)), np.zeros(1))
    save_network("total.npz", MLPRNN.from_layers([(np.ones((1, 2)), np.zeros(1))], [one], 10))
    return tmp_path


TOTAL = (
    *("network=file", "network.path=total.npz", "network.input_min=-3", "network.input_max=9"),
    *("verification.search_steps=0", "verification.proof_work=0", "report=false"),
)


@pytest.mark.parametrize(
    "name, error",
    [
        *((name, "ENOSPC") for name in ("request.json", "program.py", "hidden_states.png")),
        *(("result.json", error) for error in ("ENOSPC", "EDQUOT", "EROFS", "EIO")),
    ],
)
def test_a_disk_that_fails_at_any_file_ends_in_one_message(
    workplace, capfd, monkeypatch, name, error
):
    """The one function that writes files is made to fail at one of them."""
    import errno

    number, write = getattr(errno, error), files.write_bytes

    def failing(path, content):
        if Path(path).name == name:
            raise OSError(number, os.strerror(number), str(path))
        return write(path, content)

    monkeypatch.setattr(files, "write_bytes", failing)
    monkeypatch.setattr("mips_jax.reporting.plots.write_bytes", failing)
    asked = (*TOTAL, "hydra.run.dir=run")
    assert main(asked) == FAILED
    out, errors = capfd.readouterr()
    assert errors.count("mips-jax: ") == 1 and os.strerror(number) in errors and out == ""
    assert not {path.name for path in Path("run").glob("*")} & REPORT
    monkeypatch.undo()
    os.chdir(workplace)
    assert main(asked) == SOLVED


def _on_a_disk(mounted: Path, options: str) -> subprocess.CompletedProcess:
    """A run on a file system of its own, in a name space of its own, which root may make; what lies
    in its folder at the end is on stdout.
    """
    mounted.mkdir()
    unshare = shutil.which("unshare")
    mount = f"mount -t tmpfs -o {options} tmpfs {mounted}"
    script = f"{mount} && {sys.executable} -m mips_jax {' '.join(REQUEST)} " + (
        f"hydra.run.dir={mounted}/run; code=$?; ls -A {mounted}/run 2>/dev/null; exit $code"
    )
    trial = [unshare or "unshare", "-rm", "sh", "-c"]
    if unshare is None or subprocess.call([*trial, mount], stderr=subprocess.DEVNULL):
        pytest.skip("no file system can be mounted here")
    return subprocess.run(
        [*trial, script],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [16, 64, 128, 400])
def test_a_full_disk_ends_in_one_message_and_leaves_no_half_report(tmp_path, kilobytes):
    ended = _on_a_disk(tmp_path / "disk", f"size={kilobytes}k")
    assert ended.returncode == FAILED, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.stderr.count("mips-jax: ") == 1, ended.stderr
    assert "make room" in ended.stderr or "No space left" in ended.stderr
    assert not set(ended.stdout.split()) & REPORT


@pytest.mark.slow
def test_a_read_only_disk_ends_in_one_message_before_anything_is_trained(tmp_path):
    ended = _on_a_disk(tmp_path / "disk", "ro")
    assert ended.returncode == FAILED, ended.stderr
    assert "Traceback" not in ended.stderr and "training" not in ended.stderr, ended.stderr
    assert ended.stderr.count("mips-jax: ") == 1 and "Read-only file system" in ended.stderr
    assert "hydra.run.dir" in ended.stderr and ended.stdout == ""


@pytest.mark.slow
def test_an_interrupted_sweep_says_how_to_go_on_and_skips_what_is_finished(workplace):
    asked = ["-m", *TOTAL, "extraction.seed=0,1,2,3,4", "hydra.sweep.dir=sweep"]
    command = [sys.executable, "-m", "mips_jax", *asked]
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root}
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    with selectors.DefaultSelector() as ready:
        ready.register(running.stdout, selectors.EVENT_READ)
        assert ready.select(120)
    while not list(Path("sweep").glob("1_*/result.json")) and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGUSR1)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == PREEMPTED, errors
    assert errors.count("of 5 jobs are finished; go on with: mips-jax -m network=file") == 1
    assert "hydra.sweep.dir=sweep" in errors and "Traceback" not in errors
    done = {path: path.stat().st_mtime_ns for path in Path("sweep").glob("*/result.json")}
    assert 2 <= len(done) < 5
    table = Path("sweep/table.csv").read_text().splitlines()
    assert len(table) >= 1 + len(done)
    again = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert again.returncode == SOLVED, again.stderr
    assert len(Path("sweep/table.csv").read_text().splitlines()) == 6
    assert {path: path.stat().st_mtime_ns for path in done} == done
