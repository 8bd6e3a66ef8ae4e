"""Attacks that once ended in a wrong program reported as right, end to end."""

import numpy as np
import pytest

from mips_jax import MLPRNN, Sequences
from mips_jax.networks import CallableNetwork, GRUNetwork, LSTMNetwork
from mips_jax.pipeline import PipelineSettings, distil, distil_network
from mips_jax.pipeline.distillation import Distillation
from mips_jax.verification import How, Outcome, VerificationSettings

BIT = ((0, 1),)
QUICK = PipelineSettings(
    verification=VerificationSettings(fidelity_sequences=500, search_steps=20_000)
)


def layer(weight, bias):
    return np.atleast_2d(np.array(weight, float)), np.atleast_1d(np.array(bias, float))


def parity_clock(step: int) -> MLPRNN:
    """The parity of bits, upside down after some steps."""
    transition = [
        layer([[1, 0, -1], [-1, 0, 1], [0, 1, 0]], [0, 0, 1]),
        layer([[1, 1, 0], [0, 0, 1]], [0, 0]),
    ]
    output = [
        layer([[1, 0], [0, 1], [0, 1]], [0, -step, -step - 1]),
        layer([[1, -1, 1], [-1, 1, -1]], [0, 0]),
        layer([[1, 1]], [0]),
    ]
    return MLPRNN.from_layers(transition, output)


def says_nothing_wider(found: Distillation) -> None:
    """No text says more than the claims."""
    text = f"{found.source} {found.reason} {found.verification and found.verification.summary}"
    proven = any(c.how is How.PROVEN and c.equals == "network" for c in found.claims)
    assert proven or ("every length" not in text and "roven" not in text)


@pytest.mark.parametrize(
    "step",
    [pytest.param(12, marks=pytest.mark.slow), 120, pytest.param(1000, marks=pytest.mark.slow)],
)
def test_a_parity_that_turns_over_later_is_right_to_that_step(step):
    network = parity_clock(step)
    found = distil_network(network, BIT, settings=QUICK)
    if found.solved:  # the clock itself was found
        words = np.random.default_rng(0).integers(0, 2, (200, 3 * step, 1))
        np.testing.assert_array_equal(found.program.run(words), network.run(words)[1])
    else:
        assert f"right to step {step}" in found.reason
    says_nothing_wider(found)


def test_a_length_that_nothing_reached_is_not_claimed():
    found = distil_network(parity_clock(5000), BIT, settings=QUICK)
    longest = max(c.length for c in found.claims if c.check.startswith("fidelity"))
    assert longest == 100 and "up to length 100" in found.source
    says_nothing_wider(found)


GROWING = [layer([[1e200, 0, 1], [0, 1e200, 1]], [1, 1])], [layer([[1, -1]], [0])]
UNTRAINED = np.random.default_rng(0)


def lstm(units: int) -> LSTMNetwork:
    draw = lambda *shape: UNTRAINED.uniform(-1, 1, shape) / np.sqrt(units)
    cell = (draw(4 * units, 1), draw(4 * units, units), None, None)
    return LSTMNetwork.from_arrays([cell], [(0.02 * draw(1, units), np.zeros(1))])


NO_INTEGERS = {
    "NaN": lambda: MLPRNN.from_layers(*GROWING),
    "infinite": lambda: MLPRNN.from_layers([layer([[1e200, 1]], [1])], [layer([[1]], [0])]),
    "callable NaN": lambda: CallableNetwork(
        lambda h, x: h + x, lambda h: np.where(h > 3, np.nan, h), np.zeros(1)
    ),
    "three tenths": lambda: MLPRNN.from_layers([layer([[1, 1]], [0])], [layer([[0.3]], [0])]),
    "leaky": lambda: MLPRNN.from_layers([layer([[0.5, 1]], [0])], [layer([[1]], [0])]),
}


@pytest.mark.parametrize("name", NO_INTEGERS)
def test_what_writes_no_integers_gets_no_program(name):
    with np.errstate(all="ignore"):
        found = distil_network(NO_INTEGERS[name](), BIT, settings=QUICK)
    assert found.verdict.outcome is Outcome.NOT_INTEGERS and not found.solved
    assert found.program is None and found.reason


@pytest.mark.parametrize(
    "network",
    [
        lstm(64),
        MLPRNN.from_layers([layer([[0.5, 0.49]], [0])], [layer([[0.2]], [0])]),
        GRUNetwork.from_arrays(
            [(np.full((3, 1), 1e308), np.full((3, 1), 1e308), None, None)], [layer([[1]], [0])]
        ),
    ],
    ids=["untrained", "small", "overflow"],
)
def test_a_network_that_always_writes_the_same_is_not_solved(network):
    with np.errstate(all="ignore"):
        found = distil_network(network, BIT, settings=QUICK)
    assert found.verdict.outcome in (Outcome.CONSTANT, Outcome.NOT_INTEGERS)
    assert not found.solved and found.program is None


def _tiny(seed: int = 0) -> PipelineSettings:
    from mips_jax.training import DeviceSettings, ModelSettings, TrainingSettings

    training = TrainingSettings(
        model=ModelSettings(hidden_dims=(4,), depths=(2,), widths=(64,)),
        device=DeviceSettings(gradients="float32"),
        members=2,
        max_steps=1500,
        seed=seed,
    )
    return PipelineSettings(training, attempts=1)


@pytest.mark.slow
@pytest.mark.parametrize("count, seed", [(10, 0), (10, 1), (20, 0), (20, 4)])
def test_coin_flips_are_never_solved(count, seed):
    labels = np.random.default_rng(seed).integers(0, 2, (count, 1, 1))
    found = distil(Sequences(np.arange(count)[:, None, None], labels), settings=_tiny())
    assert not found.solved
    says_nothing_wider(found)


@pytest.mark.slow
def test_a_program_that_contradicts_given_alarms_says_so():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, (2000, 10))
    x[rng.choice(2000, 4, replace=False), 3] = 10
    y = np.where(np.maximum.accumulate(x == 10, axis=1), -1, x)
    found = distil(Sequences(x[:, :, None], y[:, :, None]), settings=_tiny())
    if found.program is None:
        return
    wrong = int((found.program.run(x[:, :, None])[:, :, 0] != y).any(axis=1).sum())
    assert found.solved == (wrong == 0)
    assert wrong == 0 or str(wrong) in found.reason or "of the" in found.reason
