"""Networks that do anything on their first steps."""

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.pipeline import distil_network
from mips_jax.verification import Outcome
from tests.extraction.perfect_networks import IntegerState

PULSES = ((-1, 1),) * 2


def pulsed() -> IntegerState:
    """Two cells that hold their last pulse; one that never had any shows something else at every
    step, and now and then what comes out is wrong.
    """

    def update(clock, history, p, q, x, y):
        history = (7 * history + 3 * x + y + 5) % 1009
        return clock + 1, history, np.where(x == 0, p, x), np.where(y == 0, q, y)

    def read(clock, history, p, q):
        unset = history % 3 - 1
        return np.where(p == 0, unset, p), np.where(q == 0, unset, q)

    return IntegerState([0, 1, 0, 0], update, read, 2)


@pytest.mark.slow
def test_what_it_does_from_then_on_is_a_short_program():
    found = extract(pulsed(), PULSES)
    assert found.best.transient == 5 and found.best.settled > 0.98 > found.best.fidelity
    words = np.random.default_rng(1).integers(-1, 2, (300, 50, 2))
    words[:, 0] = 1
    np.testing.assert_array_equal(found.program.run(words), pulsed().run(words)[1])


@pytest.mark.slow
def test_the_steps_that_are_left_unexplained_are_told():
    found = distil_network(pulsed(), PULSES)
    claims = [claim for claim in found.claims if claim.check == "settled"]
    assert [claim.length for claim in claims] == [10, 100]
    assert "after 5 steps" in claims[0].words and "after 5 steps" in found.reason
    # of whole words it has too many wrong to be called nearly right
    assert found.verdict.outcome is Outcome.DIFFERS_FROM_NETWORK and not found.solved
