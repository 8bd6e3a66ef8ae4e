"""A complete checkpoint at every moment, wherever a save is interrupted."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.training import storage

ROOT = Path(__file__).parents[2]


class Killed(BaseException):
    """Ends a save as a kill would: nothing after it is done."""


def replace(path: Path, value: int) -> None:
    storage.replace(path, {"a": np.full(3, value)}, {"value": value})


def generation(folder: Path, value: int) -> None:
    storage.write_generation(folder, {"a": np.full(3, value)}, {"value": value})


def newest(folder: Path) -> int:
    return next(storage.readable_generations(folder))[1]["value"]


def kill_at(monkeypatch, moment: int) -> None:
    """The moment-th rename or removal does not happen, nor does anything after it."""
    done = []

    def counted(real):
        def call(*arguments, **options):
            done.append(real)
            if len(done) >= moment:
                raise Killed
            return real(*arguments, **options)

        return call

    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    monkeypatch.setattr(storage.shutil, "rmtree", counted(shutil.rmtree))
    monkeypatch.setattr(storage, "write", counted(storage.write))


@pytest.mark.parametrize("moment", range(1, 6))
def test_a_network_takes_the_place_of_another_or_does_not(tmp_path, monkeypatch, moment):
    path = tmp_path / "checkpoint"
    replace(path, 1)
    (path / "attempt_0").mkdir()
    kill_at(monkeypatch, moment)
    try:
        replace(path, 2)
    except Killed:
        pass
    monkeypatch.undo()
    found = storage.read(storage.recovered(path))[1]["value"]
    assert found in (1, 2) and (found == 2 or (path / "attempt_0").exists())
    replace(path, 3)
    assert storage.read(path)[1]["value"] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("moment", range(1, 4))
def test_a_killed_save_loses_at_most_itself(tmp_path, monkeypatch, moment):
    for value in (1, 2):
        generation(tmp_path, value)
    kill_at(monkeypatch, moment)
    try:
        generation(tmp_path, 3)
    except Killed:
        pass
    monkeypatch.undo()
    assert newest(tmp_path) in (2, 3)
    generation(tmp_path, 4)
    assert newest(tmp_path) == 4 and len(list(tmp_path.iterdir())) == storage.KEPT


def test_a_damaged_generation_is_passed_over_and_all_damaged_are_refused(tmp_path):
    for value in (1, 2):
        generation(tmp_path, value)
    first, second = storage.generations(tmp_path)
    shutil.rmtree(first / "arrays")
    assert newest(tmp_path) == 1
    shutil.rmtree(second / "meta")
    with pytest.raises(RequestError, match="delete that folder"):
        newest(tmp_path)
    assert list(storage.readable_generations(tmp_path / "nothing")) == []


def test_there_is_a_complete_generation_at_every_moment_of_many_saves(tmp_path):
    """Looked at from another thread while they go on."""
    missing, done = [], threading.Event()
    generation(tmp_path, 0)

    def look():
        while not done.is_set():
            if not storage.generations(tmp_path):
                missing.append(True)

    watcher = threading.Thread(target=look)
    watcher.start()
    for value in range(1, 6):
        generation(tmp_path, value)
    done.set()
    watcher.join()
    assert not missing and newest(tmp_path) == 5


@pytest.mark.slow
def test_real_kills_while_saving(tmp_path):
    code = (
        "import sys, pathlib, numpy as np\n"
        "from mips_jax.training import storage\n"
        "for value in range(1, 10_000):\n"
        "    arrays = {'a': np.full(100_000, value)}\n"
        "    storage.write_generation(pathlib.Path(sys.argv[1]), arrays, {'value': value})\n"
        "    print(value, flush=True)\n"
    )
    said, rng = 0, np.random.default_rng(0)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3 * rng.random())
        os.kill(process.pid, signal.SIGKILL)
        lines = process.communicate()[0].split()
        said = int(lines[-1]) if lines else 1
        assert newest(tmp_path) in (said, said + 1)
