"""Linear recurrences read off hand-made networks: exact coefficients, and nothing for networks that
are not affine.
"""

import numpy as np
import pytest

from mips_jax.extraction.linear import impulse_response, linear_program
from mips_jax.extraction.traces import record
from mips_jax.inputs import random_words
from tests.extraction.perfect_networks import DIGIT, affine, in_other_basis, largest_seen, parity

RECURRENCES = {  # network, input range, truth on one word [T, I], registers of the program
    "sum": (affine([[1]], [1], [0], [1]), DIGIT, lambda x: x.cumsum(0), 1),
    "weighted sum": (
        affine([[2]], [1], [0], [1]),
        DIGIT,
        lambda x: _recurrence(x, lambda s, v: 2 * s + v),
        1,
    ),
    "current": (affine([[0]], [1], [0], [1]), DIGIT, lambda x: x, 0),
    "constant": (affine([[0]], [0], [0], [1], offset=-4), DIGIT, lambda x: 0 * x - 4, 0),
    "current with offset": (affine([[0]], [3], [0], [1], offset=-5), DIGIT, lambda x: 3 * x - 5, 0),
    "previous but one": (
        affine(np.eye(3, k=-1), [1, 0, 0], [0, 0, 0], [0, 0, 1]),
        DIGIT,
        lambda x: _shifted(x, 2),
        2,
    ),
    "difference": (
        affine(np.eye(2, k=-1), [1, 0], [0, 0], [1, -1]),
        ((-5, 5),),
        lambda x: x - _shifted(x, 1),
        1,
    ),
    "sum of three": (
        affine(np.eye(3, k=-1), [1, 0, 0], [0, 0, 0], [1, 1, 1]),
        DIGIT,
        lambda x: x + _shifted(x, 1) + _shifted(x, 2),
        2,
    ),
    "fall": (
        affine([[1, 1], [0, 1]], [1, 1], [0, 0], [1, 0]),
        DIGIT,
        lambda x: x.cumsum(0).cumsum(0),
        2,
    ),
    "drift": (affine([[1]], [1], [-2], [1]), DIGIT, lambda x: (x - 2).cumsum(0), 1),
    "fall with drift": (
        affine([[1, 1], [0, 1]], [1, 1], [-1, -1], [1, 0]),
        DIGIT,
        lambda x: (x - 1).cumsum(0).cumsum(0),
        2,
    ),
    "clock": (affine([[1]], [0], [1], [1]), DIGIT, lambda x: np.arange(1, len(x) + 1)[:, None], 1),
    "rotation": (affine([[0, -1], [1, 0]], [1, 0], [0, 0], [1, 1]), DIGIT, None, 2),
    "two in one out": (
        affine([[1]], [[2, -1]], [0], [1]),
        ((0, 9), (-3, 3)),
        lambda x: (2 * x[:, :1] - x[:, 1:]).cumsum(0),
        1,
    ),
    "two in two out": (
        affine([[1, 0], [0, 1]], [[1, 0], [0, 1]], [0, 0], [[1, 1], [1, -1]]),
        ((0, 9),) * 2,
        lambda x: np.c_[x.sum(1).cumsum(), (x[:, 0] - x[:, 1]).cumsum()],
        2,
    ),
}


def _shifted(x, lag):
    return np.r_[np.zeros((lag, x.shape[1]), np.int64), x[:-lag]]


def _recurrence(x, update):
    out, s = [], 0
    for (v,) in x.tolist():
        s = update(s, v)
        out.append([s])
    return np.array(out, object)


def _traces(network, input_range, length=10, seed=0):
    return record(network, random_words(input_range, 400, length, np.random.default_rng(seed)))


@pytest.mark.parametrize("name", RECURRENCES)
@pytest.mark.parametrize("basis", [None, 3])
def test_the_recurrence_is_exact_at_every_length(name, basis):
    network, input_range, truth, registers = RECURRENCES[name]
    network = network if basis is None else in_other_basis(network, basis)
    program = linear_program(_traces(network, input_range))
    assert program is not None and len(program.registers) == registers
    words = random_words(input_range, 5, 100, np.random.default_rng(1))
    if truth is not None:
        for word, got in zip(words, program.run(words)):
            np.testing.assert_array_equal(got, truth(word))
    np.testing.assert_array_equal(
        program.run(words[:, :30]), RECURRENCES[name][0].run(words[:, :30])[1]
    )


def test_random_integer_systems():
    """Any integer system of small order is found again: all its Markov parameters agree."""
    for seed in (1, 4, 5):
        rng = np.random.default_rng(seed)
        order, width, outputs = (
            int(rng.integers(1, 4)),
            int(rng.integers(1, 3)),
            int(rng.integers(1, 3)),
        )
        network = affine(
            rng.integers(-1, 2, (order, order)),
            rng.integers(-2, 3, (order, width)),
            np.zeros(order),
            rng.integers(-2, 3, (outputs, order)),
            rng.integers(-3, 4, outputs).astype(float),
        )
        program = linear_program(
            _traces(in_other_basis(network, seed), ((-4, 6),) * width, length=12)
        )
        assert program is not None, seed
        words = rng.integers(-4, 7, (4, 40, width))
        np.testing.assert_array_equal(
            program.run(words).astype(float), network.run(words)[1].astype(float)
        )


def test_markov_parameters():
    response, free = impulse_response(_traces(affine([[2]], [3], [1], [1]), ((-3, 3),), length=6))
    assert response[:, 0, 0].tolist() == [3, 6, 12, 24, 48, 96] and free[:, 0].tolist() == [
        1,
        3,
        7,
        15,
        31,
        63,
    ]


@pytest.mark.parametrize(
    "network, input_range",
    [
        (parity(), ((0, 1),)),
        (largest_seen(), DIGIT),
        (affine([[0.5]], [1], [0], [1]), DIGIT),
        (affine([[1]], [0.4], [0], [1]), DIGIT),
    ],
)
def test_networks_that_are_not_integer_affine_give_nothing(network, input_range):
    assert linear_program(_traces(network, input_range)) is None


def test_too_few_words_to_tell_give_nothing():
    words = random_words(DIGIT, 12, 10, np.random.default_rng(0))
    assert impulse_response(record(affine([[1]], [1], [0], [1]), words)) is None
