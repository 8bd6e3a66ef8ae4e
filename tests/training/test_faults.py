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
from mips_jax.training import DeviceSettings, ModelSettings, devices, memory, storage, train
from mips_jax.training.result import SearchOutcome
from mips_jax.training.search import pace
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
    whole = train(*arguments)
    stretches = lambda self, chunk, out_of_time: [(i, 7) for i in range(0, 49, 7)] + [(49, 1)]
    monkeypatch.setattr(pace.Pace, "stretches", stretches)
    pieces = train(*arguments)
    for one, other in zip(whole.best.weights["output"], pieces.best.weights["output"]):
        np.testing.assert_array_equal(one["weight"], other["weight"])


def test_a_time_limit_ends_a_long_chunk_and_progress_is_told_meanwhile():
    told = []
    settings = dataclasses.replace(SETTINGS, chunk_steps=1_000_000, time_limit_seconds=4.0)
    result = train(running_or(512, 0), running_or(512, 1), settings, progress=told.append)
    assert 0 < max(member.steps for member in result.members) < 1_000_000 and told


def test_systems_that_do_not_tell_their_cores_or_memory(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert devices.usable_cores() == os.cpu_count()
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert memory.physical_memory() > 0
    assert train(running_sum(256, 0), running_sum(256, 1), SETTINGS).best is not None


# -- checkpoints ---


def _write(path: Path, value: int) -> None:
    storage.replace(path, {"a": np.full(3, value)}, {"value": value})


def _value(path: Path) -> int:
    return storage.read(storage.recovered(path))[1]["value"]


class Killed(BaseException):
    """As by SIGKILL: nothing is tidied up."""


@pytest.mark.parametrize("killed_at", ["save", "first rename", "second rename", "removal"])
def test_a_kill_at_any_moment_of_a_save_leaves_a_complete_checkpoint(
    tmp_path, monkeypatch, killed_at
):
    path = tmp_path / "member"
    _write(path, 1)
    renames, real_rename = [], Path.rename

    def rename(self, target):
        if self.name in ("member", "member.new"):
            renames.append(target)
            if killed_at == ("first rename", "second rename")[len(renames) - 1]:
                raise Killed
        return real_rename(self, target)

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        if killed_at == "save":
            patch.setattr(storage, "write", killed)
        if killed_at == "removal":
            patch.setattr(storage.shutil, "rmtree", killed)
        with pytest.raises(Killed):
            _write(path, 2)
    assert _value(path) in (1, 2)
    _write(path, 3)
    assert _value(path) == 3


def test_of_generations_a_complete_one_is_there_at_every_moment(tmp_path, monkeypatch):
    for value in range(3):
        storage.write_generation(tmp_path, {"a": np.zeros(2)}, {"value": value})
    assert len(storage.generations(tmp_path)) == storage.KEPT

    def killed(*_):
        raise Killed

    monkeypatch.setattr(storage, "write", killed)
    with pytest.raises(Killed):
        storage.write_generation(tmp_path, {"a": np.zeros(2)}, {"value": 3})
    assert next(storage.readable_generations(tmp_path))[1]["value"] == 2
    newest = storage.generations(tmp_path)[0]
    for file in newest.rglob("*"):  # damaged: the older one serves
        if file.is_file():
            file.write_bytes(b"")
    assert next(storage.readable_generations(tmp_path))[1]["value"] == 1


def test_networks_that_fit_into_no_memory_are_refused_before_any_work():
    model = ModelSettings(hidden_dims=(1, 100_000))
    with pytest.raises(RequestError, match=r"model\.hidden_dims is \[1, 100000\].*GiB; allowed"):
        train(running_or(64, 0), running_or(64, 1), dataclasses.replace(SETTINGS, model=model))
