"""Devices: a population sharded over 8 devices, side by side or in turn, in one process or two.

Differently shaped programs round differently and training amplifies that, so searches are compared
over 20 steps, to 2e-3; members side by side are another program than members in turn, and are
compared to 1e-2.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mips_jax.models import Architecture
from mips_jax.training.population import launches, micro_batch_size

ROOT = Path(__file__).parents[2]


def launch(*arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "XLA_FLAGS": "", "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.worker", *arguments], cwd=ROOT, env=environment
    )


def test_launches_deal_active_members_evenly():
    active = np.zeros(16, bool)
    active[[1, 2, 3, 4, 9]] = True
    ((rows, used),) = launches(active, devices=2, layout="map", at_once=100)
    assert sorted(rows[used]) == [1, 2, 3, 4, 9] and len(rows) == 16
    assert used[:8].sum() == 3 and used[8:].sum() == 2


def test_launches_cut_to_memory_and_never_drop_a_member():
    groups = launches(np.ones(10, bool), devices=2, layout="map", at_once=5)
    assert [len(rows) for rows, _ in groups] == [4, 4, 4]
    assert sorted(np.concatenate([rows[used] for rows, used in groups])) == list(range(10))


def test_few_members_side_by_side_use_a_quarter():
    active = np.arange(64) < 10
    ((rows, used),) = launches(active, devices=1, layout="vmap", at_once=1000)
    assert len(rows) == 16 and used.sum() == 10


def test_micro_batches_divide_the_batch():
    assert micro_batch_size(Architecture(4, 64, 2, 32, 2), 10, 128) == 128
    part = micro_batch_size(Architecture(4, 64, 2, 32, 2), 10, 4096)
    assert 4096 % part == 0 and part < 4096


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    path = tmp_path_factory.mktemp("population") / "one.npz"
    assert launch(str(path), "1").wait() == 0
    return np.load(path)


def compare(path, reference, tolerance=2e-3):
    found = np.load(path)
    assert set(found) == set(reference)
    for key in reference:
        np.testing.assert_allclose(
            found[key], reference[key], rtol=tolerance, atol=tolerance, err_msg=key
        )


@pytest.mark.slow
def test_eight_devices_equal_one(tmp_path, one_device):
    assert launch(str(tmp_path / "eight.npz"), "8").wait() == 0
    compare(tmp_path / "eight.npz", one_device)


@pytest.mark.slow
def test_side_by_side_equals_in_turn(tmp_path, one_device):
    assert launch(str(tmp_path / "vmap.npz"), "1", "vmap").wait() == 0
    compare(tmp_path / "vmap.npz", one_device, tolerance=1e-2)


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path, one_device):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    both = [launch(str(tmp_path / f"{i}.npz"), "1", "map", port, str(i)) for i in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    for i in range(2):
        compare(tmp_path / f"{i}.npz", one_device)
