"""Networks given as two Python functions."""

import jax.numpy as jnp
import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.networks import CallableNetwork, ClassHead


def test_one_example_at_a_time_equals_all_at_once():
    batched = CallableNetwork(lambda h, x: (2 * h + x) % 7, lambda h: h, initial=[0.0])
    alone = CallableNetwork(
        lambda h, x: [(2 * h[0] + x[0]) % 7], lambda h: [h[0]], initial=[0.0], batched=False
    )
    words = np.random.default_rng(0).integers(0, 2, (5, 9, 1))
    for ours, theirs in zip(batched.run(words), alone.run(words)):
        assert (ours == theirs).all()


def test_jax_functions_and_a_class_head():
    network = CallableNetwork(
        lambda h, x: jnp.roll(h, 1, axis=1),
        jnp.asarray,
        initial=[1.0, 0.0, 0.0],
        decoding=ClassHead((5, 6, 7)),
    )
    assert network.output_dim == 1 and network.hidden_dim == 3
    assert network.run(np.zeros((1, 4, 1), int))[1].ravel().tolist() == [6, 7, 5, 6]


@pytest.mark.parametrize(
    "step, readout, initial, message",
    [
        (
            lambda h, x: h[:, :1],
            lambda h: h,
            [0, 0],
            r"turned hidden states \(2, 2\) into \(2, 1\)",
        ),
        (
            lambda h, x: h,
            lambda h: h[0],
            [0, 0],
            r"the readout function turned hidden states \(2, 2\) into \(2,\)",
        ),
        (lambda h, x: h, lambda h: h, [[0, 0]], r"the initial state has shape \(1, 2\)"),
        (lambda h, x: h, lambda h: h, [np.nan], r"must be one vector of finite numbers"),
    ],
)
def test_functions_of_wrong_shape(step, readout, initial, message):
    with pytest.raises(RequestError, match=message):
        CallableNetwork(step, readout, initial).run(np.zeros((2, 3, 1), int))
