"""extract() on networks that err on rare, long words: what they nearly are is found, and by how
much they miss it is told.
"""

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.extraction.automaton import learn_automaton
from mips_jax.extraction.machine_network import MachineNetwork
from mips_jax.extraction.methods.erring import Erring
from mips_jax.extraction.outcomes import Outcome
from mips_jax.inputs import Inputs
from mips_jax.machines import Mealy
from mips_jax.networks import CallableNetwork
from tests.extraction.perfect_networks import BIT, IntegerState, parity

DIGITS = ((0, 3),)
RARE = 1009  # histories are told apart by a remainder; one of so many errs


def erring(step, seen, start: int = 0) -> IntegerState:
    """A finite machine that writes one more where the history falls on a rare remainder, late."""

    def update(state, clock, history, x):
        return step(state, x), clock + 1, (7 * history + x + 3) % RARE

    def read(state, clock, history):
        return seen(state) + ((clock > 7) & (history % 211 == 5))

    return IntegerState([start, 0, 1], update, read)


@pytest.mark.parametrize(
    "step, seen, source",
    [
        (lambda s, x: (s + x) % 5, lambda s: s, "(state + x) % 5"),
        (lambda s, x: np.minimum(s + x, 6), lambda s: s, "min(6, state + x)"),
        (lambda s, x: np.where(x == 0, 0, np.minimum(s + 1, 3)), lambda s: s // 3, None),
    ],
)
def test_the_machine_is_found_beside_rare_errors(step, seen, source):
    network = erring(step, seen)
    found = extract(network, DIGITS)
    clean = IntegerState([0], step, seen)
    words = np.random.default_rng(1).integers(0, 4, (500, 60, 1))
    np.testing.assert_array_equal(found.program.run(words), clean.run(words)[1])
    assert 0.9 < found.best.fidelity < 1.0
    assert found.machine is None  # it is not the network's
    ended = {report.method: report.outcome for report in found.reports}
    assert Outcome.NEARLY_CLOSED in (ended["nearly finite"], ended["erring"])
    assert found.stand_in is not None


def test_a_counter_is_not_mistaken_for_a_machine():
    found = extract(IntegerState([0], lambda s, x: s + x), DIGITS)
    assert found.best.fidelity == 1.0 and found.machine is None
    counting = IntegerState([0], lambda s, x: s + (x == 1), lambda s: s % 7 == 6)
    assert extract(counting, DIGITS).best.fidelity == 1.0


def test_a_machine_takes_the_place_of_its_network():
    network = parity()
    machine = learn_automaton(network, Inputs.of(BIT), 10).machine
    stand_in = MachineNetwork(machine, np.zeros(1), 10)
    words = np.random.default_rng(0).integers(0, 2, (50, 20, 1))
    np.testing.assert_array_equal(stand_in.run(words)[1], network.run(words)[1])
    assert (stand_in.hidden_dim, stand_in.input_dim, stand_in.output_dim) == (3, 1, 1)
    two = Mealy.of(
        [[0, 0], [0, 1], [1, 0], [1, 1]], [[0, 0, 0, 0]], [[[0, 0], [0, 1], [1, 0], [1, 1]]]
    )
    copied = MachineNetwork(two, np.zeros(2)).run(words.reshape(50, 10, 2))[1]
    np.testing.assert_array_equal(copied, words.reshape(50, 10, 2))


def test_errors_on_every_other_word_leave_no_machine():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 2, 4096)
    step = lambda h, x: np.stack([(5 * h[:, 0] + x[:, 0] + 1) % 4096, h[:, 1] + 1], axis=1)
    read = lambda h: noise[h[:, :1].astype(int)] * (h[:, 1:] > 6)
    network = CallableNetwork(step, read, np.zeros(2), trained_length=10)
    found = extract(network, BIT)
    assert found.machine is None
    assert Erring.name in dict(found.statuses)
