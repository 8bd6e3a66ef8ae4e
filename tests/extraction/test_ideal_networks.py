"""Every task we know, as a network that computes its definition exactly: extraction alone, without
any training error.

The network's hidden state is the definition's own state; extraction sees it as arrays only.
Slow as a whole: some minutes.
"""

import numpy as np
import pytest

from benchmarks.tasks import HELD_OUT
from mips_jax.extraction import extract
from mips_jax.networks import Network
from mips_jax.tasks import TASKS

NAMED = dict(TASKS)


class Ideal(Network):
    """A stepwise task as a network: hidden [B, H] is its state, then its last outputs."""

    def __init__(self, task):
        self._task, self._size = task, len(_flat(task.initial))
        self.trained_length, self.input_dim, self.output_dim = (
            task.length,
            task.input_dim,
            task.output_dim,
        )
        self.initial = np.array([*_flat(task.initial), *[0] * task.output_dim], np.float64)

    def step(self, hidden, inputs):
        state = _shaped(
            self._task.initial, iter(np.rint(hidden[:, : self._size]).astype(np.int64).T)
        )
        letters = inputs.astype(np.int64)
        state, output = self._task.step(
            state, letters[:, 0] if self.input_dim == 1 else tuple(letters.T)
        )
        values = [*_flat(state), *(output if self.output_dim > 1 else (output,))]
        return np.stack(
            [np.broadcast_to(np.asarray(v, np.float64), len(hidden)) for v in values], axis=1
        )

    def readout(self, hidden):
        return hidden[:, self._size :]


def _flat(state) -> list:
    if state is None:
        return []
    return (
        [value for part in state for value in _flat(part)]
        if isinstance(state, tuple | list)
        else [state]
    )


def _shaped(like, values):
    if like is None:
        return None
    return (
        tuple(_shaped(part, values) for part in like)
        if isinstance(like, tuple | list)
        else next(values)
    )


def _distilled_exactly(task) -> str:
    found = extract(Ideal(task), task.input_range)
    assert found.best is not None, found.statuses
    for sequences in (task.test_sequences(1000, 1), task.long_sequences(50, 10 * task.length, 2)):
        np.testing.assert_array_equal(
            found.program.run(sequences.inputs), sequences.outputs, err_msg=found.program.source
        )
    return found.best.method


@pytest.mark.parametrize(
    "name", ["Base_4_Addition", "Add_Mod_8", "Evens_Counter", "Div_5", "Newton_Spring"]
)
def test_some_named_tasks(name):
    assert _distilled_exactly(NAMED[name]) not in ("table", "automaton")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_all_named_tasks_are_exact_at_ten_times_the_length(name):
    assert _distilled_exactly(NAMED[name]) not in ("table", "automaton")


@pytest.mark.slow
@pytest.mark.parametrize("name", HELD_OUT)
def test_all_held_out_tasks_are_exact_at_ten_times_the_length(name):
    assert _distilled_exactly(HELD_OUT[name]) != "table"
