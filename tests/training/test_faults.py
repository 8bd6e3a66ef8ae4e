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
from mips_jax.training import (
    DeviceSettings,
    ModelSettings,
    SearchOutcome,
    SearchTuning,
    devices,
    memory,
    storage,
    train,
)
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


def test_a_long_chunk_in_pieces_gives_the_same_weights():
    settings = dataclasses.replace(SETTINGS, max_steps=100, cycle_steps=100)
    arguments = (running_or(512, 0), running_or(512, 1), settings)
    whole, told = train(*arguments), []
    single_steps = SearchTuning(stretch_seconds=1e-9)
    pieces = train(*arguments, tuning=single_steps, progress=told.append)
    assert len(told) >= len(whole.curves.steps)
    for one, other in zip(whole.best.weights["output"], pieces.best.weights["output"]):
        np.testing.assert_array_equal(one["weight"], other["weight"])
    np.testing.assert_array_equal(whole.curves.loss, pieces.curves.loss)


def test_a_time_limit_ends_a_long_chunk_and_what_was_learned_by_then_counts(tmp_path):
    settings = dataclasses.replace(SETTINGS, chunk_steps=1_000_000, time_limit_seconds=2.0)
    arguments = (running_or(512, 0), running_or(512, 1), settings)
    told = []
    result = train(*arguments, checkpoint_dir=tmp_path, progress=told.append)
    assert 0 < max(member.steps for member in result.members) < 1_000_000
    assert result.best is not None
    assert result.best.perfect or result.outcome is SearchOutcome.OUT_OF_TIME
    saved = next(storage.readable_generations(tmp_path / "search"))[1]
    assert {member["steps"] for member in saved["members"]} == {0}, "it resumes before the chunk"


def test_progress_is_told_within_a_long_chunk(monkeypatch):
    monkeypatch.setattr("mips_jax.training.search.run.SECONDS_BETWEEN_REPORTS", 0.0)
    settings = dataclasses.replace(SETTINGS, max_steps=100, cycle_steps=100, chunk_steps=100)
    told, tuning = [], SearchTuning(stretch_seconds=1e-9)
    result = train(
        running_or(512, 0), running_or(512, 1), settings, tuning=tuning, progress=told.append
    )
    assert len(told) > 10 * len(result.curves.steps)


def test_systems_that_do_not_tell_their_cores_or_memory(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert devices.usable_cores() == os.cpu_count()
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert memory.physical_memory() == 8 * 2**30
    assert train(running_sum(256, 0), running_sum(256, 1), SETTINGS).best is not None


def test_networks_that_fit_into_no_memory_are_refused_before_any_work():
    model = ModelSettings(hidden_dims=(1, 100_000))
    with pytest.raises(
        RequestError, match=r"model\.hidden_dims is \[1, 100000\].*half of this machine's memory"
    ):
        train(running_or(64, 0), running_or(64, 1), dataclasses.replace(SETTINGS, model=model))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen on Linux only")
def test_the_number_of_devices_and_cores_changes_no_weight():
    """Among several devices; a machine of one core gets two."""
    code = (
        "import sys, jax\n"
        "if sys.argv[1] != '0': jax.config.update('jax_num_cpu_devices', int(sys.argv[1]))\n"
        "from tests.training.test_faults import HALF\n"
        "from tests.training.tiny import running_modulo\n"
        "from mips_jax.training import train\n"
        "result = train(running_modulo(512, 0), running_modulo(512, 1), HALF)\n"
        "print(result.best.seed, result.best.weights['transition'][0]['weight'].sum().hex())\n"
        "print([m.seed for m in result.members], result.curves.loss.sum().hex())\n"
    )

    def said(devices: str, cores: int) -> str:
        chosen = sorted(os.sched_getaffinity(0))[:cores]
        limit = f"import os; os.sched_setaffinity(0, {chosen})\n"
        command = [sys.executable, "-c", limit + code, devices]
        result = subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        return result.stdout

    assert said("0", 1) == said("0", 64) == said("3", 64)
