"""Whole searches on tiny tasks: the smallest network, outcomes, resumption, refusals."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.sequences import Sequences
from mips_jax.training import (
    Condition,
    DeviceSettings,
    ModelSettings,
    TrainingSettings,
    load_member,
    save_member,
    train,
)
from tests.training.tiny import SETTINGS, running_or, running_sum


def test_affine_task_gets_the_smallest_affine_network():
    result = train(running_sum(2048, 0), running_sum(2048, 1), SETTINGS)
    assert (
        result.best.perfect
        and result.best.accuracy == 1.0
        and result.best.architecture.hidden_dim == 1
    )
    assert result.best.architecture.affine
    network = result.best.to_network(trained_length=6)
    fresh = running_sum(500, 2)
    np.testing.assert_array_equal(network.run(fresh.inputs)[1], fresh.outputs)
    assert network.trained_length == 6


@pytest.fixture(scope="module")
def or_result():
    return train(running_or(2048, 0), running_or(2048, 1), SETTINGS)


def test_every_member_ends_with_a_status_and_curves_line_up(or_result):
    assert or_result.best.perfect and or_result.best.architecture.hidden_dim == 1
    during = {Condition.ANNEALING, Condition.POLISHING}
    assert not {m.status for m in or_result.members} & during
    rounds, members = or_result.curves.steps.shape
    assert members == len(or_result.members) and rounds >= 1
    assert or_result.curves.sequence_accuracy.shape == (rounds, members)
    assert np.nanmax(or_result.curves.steps) == max(m.steps for m in or_result.members)


def test_same_seed_same_network_and_population_size_does_not_matter(or_result):
    again = train(running_or(2048, 0), running_or(2048, 1), SETTINGS)
    assert weights_equal(again.best.weights, or_result.best.weights)
    chunked = dataclasses.replace(SETTINGS, device=DeviceSettings(max_members_at_once=2))
    cut = train(running_or(2048, 0), running_or(2048, 1), chunked)
    assert [m.steps for m in cut.members] == [m.steps for m in or_result.members]
    assert weights_equal(cut.best.weights, or_result.best.weights, tolerance=1e-4)


def weights_equal(left, right, tolerance=0.0) -> bool:
    pairs = [(a, b) for part in left for a, b in zip(left[part], right[part])]
    return all(
        np.allclose(a[k], b[k], rtol=0, atol=tolerance)
        for a, b in pairs
        for k in ("weight", "bias")
    )


def test_masked_steps_do_not_matter():
    data = running_or(2048, 0)
    mask = np.ones(data.inputs.shape[:2], bool)
    mask[::2, 4:] = False
    outputs = np.where(mask[..., None], data.outputs, 99)
    masked = Sequences(data.inputs, outputs, mask)
    assert train(masked, masked, SETTINGS).best.perfect


def test_members_that_become_nonfinite_are_reported_and_replaced():
    wild = dataclasses.replace(SETTINGS, learning_rate=1e30, max_steps=200)
    result = train(running_or(512, 0), running_or(512, 1), wild)
    lost = [m for m in result.members if m.status == Condition.NONFINITE]
    assert lost and len(result.members) > 4
    assert result.best is None or not result.best.perfect


def test_settings_and_data_are_refused_with_every_problem_at_once():
    bad = TrainingSettings(members=0, learning_rate=-1.0, model=ModelSettings(cell="transformer"))
    with pytest.raises(RequestError) as refusal:
        train(running_or(64, 0), running_or(64, 1), bad)
    text = str(refusal.value)
    assert (
        "training.members is 0" in text
        and "training.learning_rate is -1.0" in text
        and "model.cell" in text
    )
    with pytest.raises(RequestError, match="empty"):
        train(running_or(64, 0)[:0], running_or(64, 1), SETTINGS)


def test_unlearnable_labels_end_with_the_most_accurate_member():
    data = running_or(256, 0)
    noise = Sequences(data.inputs, np.random.default_rng(0).integers(0, 2, data.outputs.shape))
    result = train(noise, noise, dataclasses.replace(SETTINGS, max_steps=100))
    assert result.best is not None and not result.best.perfect and result.best.accuracy < 0.5
    assert Condition.NOT_CONVERGED in {m.status for m in result.members}


def test_member_round_trip_and_foreign_checkpoints(tmp_path, or_result):
    save_member(tmp_path / "member", or_result.best, {"task": {"name": "or"}})
    member, config = load_member(tmp_path / "member")
    assert config == {"task": {"name": "or"}} and member.architecture == or_result.best.architecture
    assert weights_equal(member.weights, or_result.best.weights)
    with pytest.raises(RequestError, match="no such folder"):
        load_member(tmp_path / "nothing")
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "file").write_text("?")
    with pytest.raises(RequestError, match="delete that folder"):
        load_member(tmp_path / "junk")


def test_a_search_with_other_settings_is_refused(tmp_path):
    short = dataclasses.replace(SETTINGS, max_steps=50)
    train(running_or(256, 0), running_or(256, 1), short, checkpoint_dir=tmp_path)
    other = dataclasses.replace(short, seed=5)
    with pytest.raises(RequestError, match="other settings, data or seed"):
        train(running_or(256, 0), running_or(256, 1), other, checkpoint_dir=tmp_path)


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(tmp_path):
    run = [
        sys.executable,
        "-m",
        "tests.training.tiny",
        str(tmp_path / "broken"),
        str(tmp_path / "broken.npz"),
    ]
    root = Path(__file__).parents[2]
    killed = subprocess.run([*run, "3"], cwd=root, env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    subprocess.run([*run, "0"], cwd=root, check=True)
    whole = [
        sys.executable,
        "-m",
        "tests.training.tiny",
        str(tmp_path / "whole"),
        str(tmp_path / "whole.npz"),
        "0",
    ]
    subprocess.run(whole, cwd=root, check=True)
    broken, unbroken = np.load(tmp_path / "broken.npz"), np.load(tmp_path / "whole.npz")
    assert set(broken) == set(unbroken)
    for key in broken:
        np.testing.assert_array_equal(broken[key], unbroken[key])


def test_a_parity_is_not_learnt_as_a_count_where_a_smaller_network_knows_it():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2, (3_000, 8, 1))
    data = Sequences(words, words.cumsum(axis=1) % 2)
    model = ModelSettings(hidden_dims=(1, 2, 3), affine_transition=True)
    settings = TrainingSettings(model=model, members=2, max_steps=6_000)
    found = train(data[:2_500], data[2_500:], settings).best
    assert found.perfect and found.architecture.hidden_dim == 1
