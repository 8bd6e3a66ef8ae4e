"""Every block of docs/extending.md works as it stands, and what it registers is used."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

import mips_jax
from mips_jax.errors import RequestError
from mips_jax.extraction.methods import METHODS
from mips_jax.extraction.registers.features import FEATURES
from mips_jax.models import CELLS
from mips_jax.networks.files.readers import READERS as NETWORK_READERS
from mips_jax.tasks import TASKS
from mips_jax.tasks.files.readers import READERS
from mips_jax.tracking import TRACKERS, TrackingSettings, check, opened
from mips_jax.tracking.tracker import TrackedRun
from mips_jax.training import ModelSettings, PressureSettings, train
from mips_jax.training.member import PENALTIES
from mips_jax.training.optimizers import OPTIMIZERS
from mips_jax.verification import CHECKS
from mips_jax.verification.case import Case
from tests.training.tiny import SETTINGS, running_sum

REGISTRIES = (
    TASKS,
    READERS,
    NETWORK_READERS,
    CHECKS,
    METHODS,
    FEATURES,
    CELLS,
    PENALTIES,
    OPTIMIZERS,
    TRACKERS,
)
PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.*?)\n.*?```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
MAX_LINES_OF_A_BLOCK = 16  # not counting blank ones: ten that say it, imports, its use


@pytest.fixture
def after_the_page(tmp_path, monkeypatch):
    """What is known after all blocks were run; the registries are as before when the test ends."""
    monkeypatch.chdir(tmp_path)
    before = [(registry, dict(registry)) for registry in REGISTRIES]
    known: dict = {}
    try:
        for title, block in SECTIONS:
            exec(compile(block, f"docs/extending.md: {title}", "exec"), known)
        yield known
    finally:
        for registry, entries in before:
            registry.clear()
            registry.update(entries)


def test_each_block_is_short():
    assert [title for title, _ in SECTIONS] == [
        *("A task", "A reader of files", "A reader of networks", "A network", "A tracker"),
        *("A check", "A method of extraction"),
        *("A family of features", "A cell to train", "A penalty", "An optimizer"),
    ]
    for title, block in SECTIONS:
        assert len(list(filter(str.strip, block.splitlines()))) <= MAX_LINES_OF_A_BLOCK, title


def test_what_the_page_registers_is_used(after_the_page, capsys):
    found = mips_jax.extract(after_the_page["Saturating"](), ((0, 1),))
    inputs = np.ones((1, 6, 1), int)
    assert found.program.run(inputs)[0, :, 0].tolist() == [1, 2, 3, 3, 3, 3]
    case = Case(found.program, after_the_page["Saturating"](), mips_jax.Inputs.of(((0, 1),)), 10)
    claims = {claim.check: claim for claim in mips_jax.verify(case).claims}
    assert claims["never negative"].holds
    chosen = mips_jax.ExtractionSettings(method="copying")
    copied = mips_jax.extract(after_the_page["Saturating"](), ((0, 1),), chosen)
    assert [c.method for c in copied.candidates] == ["copying"]
    assert mips_jax.get_task("DOUBLED_SUM").name == "Doubled_Sum"
    assert READERS["pairs"].read is after_the_page["read_pairs"]


def test_the_page_s_tracker_is_told(after_the_page, tmp_path):
    settings = TrackingSettings(trackers=("beep",))
    check(settings)
    with opened(settings, TrackedRun("a", tmp_path, {}), print) as tracked:
        tracked.metrics({"best_accuracy": 0.5}, 10)
        assert (tmp_path / "beeps.txt").read_text() == "10: 50.0% right"
        tracked.finish({"outcome": "solved"})
    assert (tmp_path / "beeps.txt").read_text() == "solved"


def test_what_the_page_registers_for_training_trains(after_the_page):
    data = running_sum(500, 0), running_sum(100, 1)
    settings = dataclasses.replace(
        SETTINGS,
        model=ModelSettings(cell="relu_elman", hidden_dims=(4,), depths=(1,), widths=(8,)),
        optimizer="sign_descent",
        pressure=PressureSettings(more={"l2": 1e-3}, from_start=True),
        max_steps=100,
    )
    result = train(*data, settings)
    network = result.best.to_network(6)
    hidden, _ = network.run(data[1].inputs)
    assert network.nonlinearity == "relu" and (hidden >= 0).all() and hidden.max() > 0
    wrong = dataclasses.replace(settings, pressure=PressureSettings(more={"l3": 1.0}))
    with pytest.raises(RequestError, match=r"training\.pressure\.more names l3; allowed: l1, "):
        train(*data, wrong)
