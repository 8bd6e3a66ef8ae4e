"""What once crashed training, lost its data, or gave a wrong reason."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.sequences import Sequences
from mips_jax.training import DeviceSettings, ModelSettings, checkpoint, devices, train
from mips_jax.training import search as search_module
from mips_jax.training.result import SearchOutcome
from tests.training.tiny import SETTINGS, running_or, running_sum

ROOT = Path(__file__).parents[2]
HALF = dataclasses.replace(
    SETTINGS,
    model=ModelSettings(hidden_dims=(1,), depths=(2,), widths=(64,)),
    device=DeviceSettings(gradients="bfloat16"),
    max_steps=100,
    cycle_steps=100,
    polish_steps=0,
)


def test_sequences_of_one_step_train_with_bfloat16_gradients():
    """XLA on CPU has no bfloat16 product outside of a loop."""
    inputs = np.random.default_rng(0).integers(0, 2, (500, 1, 2))
    one = Sequences(inputs, inputs[:, :, :1] ^ inputs[:, :, 1:])
    assert train(one, one, HALF).best is not None


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["JAX_ENABLE_X64=1", "JAX_DEFAULT_PRNG_IMPL=rbg", ""])
def test_the_environment_changes_no_weight(variable, tmp_path):
    code = (
        "import numpy as np\n"
        "from tests.training.test_faults import HALF\n"
        "from tests.training.tiny import running_or\n"
        "from mips_jax.training import train\n"
        "best = train(running_or(512, 0), running_or(512, 1), HALF).best\n"
        "print(best.seed, best.weights['transition'][0]['weight'].sum().hex())\n"
    )

    def said(extra: dict) -> str:
        environment = {**os.environ, **extra}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        ).stdout

    name, _, value = variable.partition("=")
    assert said({name: value} if name else {}) == said({})


def test_a_time_limit_that_ends_training_at_once_is_named_as_such():
    settings = dataclasses.replace(SETTINGS, time_limit_seconds=1e-6)
    result = train(running_sum(256, 0), running_sum(256, 1), settings)
    assert result.best is None and result.outcome is SearchOutcome.OUT_OF_TIME
    assert "raise training.time_limit_seconds" in result.outcome.remedy


def test_a_search_that_finds_nothing_says_so():
    settings = dataclasses.replace(SETTINGS, max_steps=50, cycle_steps=50)
    result = train(running_or(256, 0), running_or(256, 1), settings)
    if not result.best.perfect:
        assert result.outcome is SearchOutcome.NOT_PERFECT


def test_a_long_chunk_in_pieces_gives_the_same_weights(monkeypatch):
    settings = dataclasses.replace(SETTINGS, max_steps=100, cycle_steps=100)
    arguments = (running_or(512, 0), running_or(512, 1), settings)
    whole, told = train(*arguments), []
    monkeypatch.setattr(search_module, "PIECE_FLOPS", 1.0)
    pieces = train(*arguments, progress=told.append)
    assert len(told) > len(whole.curves.steps), "progress is told between pieces"
    for one, other in zip(whole.best.weights["output"], pieces.best.weights["output"]):
        np.testing.assert_array_equal(one["weight"], other["weight"])
    np.testing.assert_allclose(whole.curves.loss, pieces.curves.loss, rtol=1e-4)


def test_a_time_limit_ends_a_long_chunk(monkeypatch):
    monkeypatch.setattr(search_module, "PIECE_FLOPS", 1.0)
    settings = dataclasses.replace(SETTINGS, chunk_steps=1_000_000, time_limit_seconds=0.5)
    result = train(running_or(512, 0), running_or(512, 1), settings)
    assert 0 < max(member.steps for member in result.members) < 1_000_000


def test_systems_that_do_not_tell_their_cores_or_memory(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert devices.usable_cores() == os.cpu_count()
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert devices.physical_memory() == 8 * 2**30
    assert train(running_sum(256, 0), running_sum(256, 1), SETTINGS).best is not None


# -- checkpoints ---


def _write(path: Path, value: int) -> None:
    meta = {"format": checkpoint.FORMAT, "value": value}
    checkpoint._write(path, {"a": np.full(3, value)}, meta)


def _value(path: Path) -> int:
    return checkpoint._read(path)[1]["value"]


@pytest.mark.parametrize("killed_at", ["save", "first rename", "second rename", "removal"])
def test_a_kill_at_any_moment_of_a_save_leaves_a_complete_checkpoint(
    tmp_path, monkeypatch, killed_at
):
    path = tmp_path / "search"
    _write(path, 1)

    class Killed(BaseException):
        pass

    renames = []
    real_rename, real_remove = Path.rename, checkpoint.shutil.rmtree

    def rename(self, target):
        renames.append(target)
        if killed_at == ("first rename", "second rename")[len(renames) - 1]:
            raise Killed
        return real_rename(self, target)

    def remove(folder, **options):
        if killed_at == "removal" and len(renames) == 2:
            raise Killed
        return real_remove(folder, **options)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(checkpoint.shutil, "rmtree", remove)
    if killed_at == "save":
        monkeypatch.setattr(checkpoint, "_replace", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        _write(path, 2)
    monkeypatch.undo()
    assert _value(path) == (2 if killed_at == "removal" else 1)
    _write(path, 3)
    assert _value(path) == 3


def test_there_is_a_complete_checkpoint_at_every_moment_of_many_saves(tmp_path):
    """Looked at from another thread while they go on."""
    import threading

    path, missing, done = tmp_path / "search", [], threading.Event()
    _write(path, 0)

    def look():
        while not done.is_set():
            if not checkpoint._complete(path).is_dir() and not checkpoint._complete(path).is_dir():
                missing.append(True)

    watcher = threading.Thread(target=look)
    watcher.start()
    for value in range(1, 6):
        _write(path, value)
    done.set()
    watcher.join()
    assert not missing and _value(path) == 5


def test_networks_that_fit_into_no_memory_are_refused_before_any_work():
    model = ModelSettings(hidden_dims=(1, 100_000))
    with pytest.raises(RequestError, match=r"model\.hidden_dims is \[1, 100000\].*GiB there are"):
        train(running_or(64, 0), running_or(64, 1), dataclasses.replace(SETTINGS, model=model))
