"""An interrupted search saves its last round, and goes on from there to the same networks."""

import dataclasses

import numpy as np
import pytest

from mips_jax.interrupts import Preempted
from mips_jax.training import storage, train
from tests.training.tiny import SETTINGS, running_or, running_sum

LONG_BETWEEN = dataclasses.replace(
    SETTINGS, checkpoint_seconds=1e6, max_steps=200, cycle_steps=200, polish_steps=0
)


@pytest.mark.parametrize("exception", [KeyboardInterrupt, Preempted, SystemExit])
def test_what_was_trained_up_to_the_interrupt_is_saved(exception, tmp_path):
    arguments = (running_or(512, 0), running_or(512, 1), LONG_BETWEEN)
    unbroken = train(*arguments)

    def interrupt(event):
        if event.work > 0:  # after the first round
            raise exception

    with pytest.raises(exception):
        train(*arguments, progress=interrupt, checkpoint_dir=tmp_path)
    _, saved = next(storage.readable_generations(tmp_path / "search"))
    assert {member["steps"] for member in saved["members"]} == {SETTINGS.chunk_steps}
    resumed = train(*arguments, checkpoint_dir=tmp_path)
    np.testing.assert_array_equal(unbroken.curves.loss, resumed.curves.loss)
    for one, other in zip(unbroken.best.weights["output"], resumed.best.weights["output"]):
        np.testing.assert_array_equal(one["weight"], other["weight"])


def test_the_start_of_affine_networks_is_a_choice_and_reported():
    sums = running_sum(512, 0), running_sum(512, 1)
    identified = train(*sums, SETTINGS)
    random = train(*sums, dataclasses.replace(SETTINGS, start="random"))
    assert identified.best.start == "identified" and random.best.start == "random"
    assert identified.best.architecture.affine
    first = lambda result: [member.architecture.hidden_dim for member in result.members][:4]
    assert first(identified) == [1, 1] and first(random) == [1, 1, 2, 2]
    gap = lambda result: result.curves.loss[0][~np.isnan(result.curves.loss[0])].min()
    assert gap(random) > gap(identified), "a fit of the data is ahead at first"
