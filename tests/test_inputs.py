"""Which words are put to a network: all in range, or what occurs where part of the range does
not.
"""

import pickle

import numpy as np
import pytest

from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.inputs import (
    alphabet,
    narrow_words,
    probe_letters,
    random_words,
)
from mips_jax.inputs.observed import observed_inputs
from mips_jax.pipeline import distil_network
from tests.extraction.perfect_networks import IntegerState

RNG = np.random.default_rng(0)
ONE_HOT = np.eye(4, dtype=int)[RNG.integers(0, 4, (1000, 10))]
BITS = ((0, 1),) * 4


def test_all_of_a_range_needs_no_examples():
    """Uniform, rare and single values: what chance alone leaves out is not taken to be excluded."""
    for inputs, bounds in (
        (RNG.integers(0, 10, (4000, 10, 1)), ((0, 9),)),
        (RNG.integers(-50, 51, (500, 8, 2)), ((-50, 50), (-50, 50))),
        ((RNG.random((3000, 10, 3)) < 0.02).astype(int), ((0, 1),) * 3),
        (np.minimum(RNG.geometric(0.5, (3000, 10, 1)), 9), ((1, 9),)),
        (RNG.integers(0, 2, (40, 10, 5)), ((0, 1),) * 5),
    ):
        found = observed_inputs(bounds, inputs)
        assert found.bounds == bounds and not found.restricted
        assert found.unseen.examples is None and found.unseen.bounds == bounds


def test_words_are_the_examples_first():
    inputs = RNG.integers(0, 10, (400, 10, 1))
    found = observed_inputs(((0, 9),), inputs)
    known, of = (
        {tuple(row) for row in inputs[:, :, 0]},
        lambda words: [tuple(row) for row in words[:, :, 0]],
    )
    assert set(of(random_words(found, 300, 10, RNG))) <= known
    assert len(set(of(random_words(found, 300, 10, RNG)))) > 295, "each at most once"
    more = of(random_words(found, 1000, 10, RNG))
    assert set(more) > known and len(more) == 1000
    assert {row[:10] for row in of(random_words(found, 400, 25, RNG))} == known
    assert set(of(narrow_words(found, 300, 10, 10, RNG))) <= known, "narrow enough as it is"
    assert len(set(np.ravel(narrow_words(found, 300, 10, 6, RNG)))) <= 6


def test_letters_that_do_not_occur_are_never_put_to_the_network():
    found = observed_inputs(BITS, ONE_HOT)
    assert found.bounds == BITS and found.restricted and not found.ordered
    assert (random_words(found.unseen, 50, 30, RNG).sum(axis=2) == 1).all()
    np.testing.assert_array_equal(found.letters, np.eye(4)[::-1])
    for words in (random_words(found, 50, 30, RNG), narrow_words(found, 50, 30, 6, RNG)):
        assert words.shape == (50, 30, 4) and (words.sum(axis=2) == 1).all()
    np.testing.assert_array_equal(alphabet(found, 4), np.eye(4)[::-1])
    assert alphabet(found, 3) is None
    assert {tuple(letter) for letter in probe_letters(found, 2)} <= {
        tuple(letter) for letter in np.eye(4)
    }


def test_values_left_out_of_a_range():
    found = observed_inputs(((0, 100),), 10 * RNG.integers(0, 11, (1000, 10, 1)))
    assert found.letters.ravel().tolist() == list(range(0, 101, 10))
    assert set(random_words(found, 100, 10, RNG).ravel()) == set(range(0, 101, 10))


@pytest.mark.parametrize(
    "inputs",
    [
        RNG.integers(0, np.array([5, 3] * 5), (2000, 10))[:, :, None],  # depends on the step
        # never the same as two steps before
        (RNG.integers(0, 5, (2000, 2))[:, np.arange(10) % 2] + 2 * (np.arange(10) // 2))[:, :, None]
        % 5,
    ],
    ids=["step", "past"],
)
def test_inputs_that_depend_on_the_past_are_drawn_from_the_examples(inputs):
    found = observed_inputs(((0, 4),), inputs)
    assert found.ordered and alphabet(found, 100) is None
    known = {tuple(row) for row in inputs[:, :, 0]}
    for words in (random_words(found, 300, 10, RNG), narrow_words(found, 300, 10, 6, RNG)):
        assert {tuple(row) for row in words[:, :, 0]} <= known and len(words) == 300
    assert len(random_words(found, 5000, 10, RNG)) == 2000, "no more than there are"
    assert pickle.loads(pickle.dumps(found)).words(9, 10, RNG).shape == (9, 10, 1)
    assert found.like(inputs[:7]).words(99, 10, RNG).shape == (7, 10, 1)


def test_a_letter_that_never_follows_another_is_a_grammar():
    inputs = (np.cumsum(RNG.integers(1, 5, (2000, 10)), axis=1) % 5)[:, :, None]
    found = observed_inputs(((0, 4),), inputs)  # never twice the same
    assert not found.ordered and found.restricted and len(alphabet(found, 5)) == 5
    for words in (found.unseen.words(500, 40, RNG), narrow_words(found.unseen, 500, 40, 6, RNG)):
        assert (words[:, 1:] != words[:, :-1]).all()
        assert set(words.ravel()) == {0, 1, 2, 3, 4}
    assert pickle.loads(pickle.dumps(found)).words(9, 10, RNG).shape == (9, 10, 1)


def test_of_many_examples_an_even_selection_is_kept_but_every_letter():
    inputs = np.eye(4, dtype=np.int8)[RNG.integers(0, 3, (90_000, 3))]
    inputs[17, 2] = [0, 0, 0, 1]  # once in all
    found = observed_inputs(BITS, inputs)
    assert (
        20_000 <= len(found.examples) <= 30_000
        and found.examples.dtype == found.letters.dtype == np.int64
    )
    np.testing.assert_array_equal(found.letters, np.eye(4)[::-1])


def test_shorter_examples_go_on_with_others():
    inputs = RNG.integers(0, np.array([5, 3] * 5), (2000, 10))[:, :, None]
    mask = np.arange(10) < 2 * RNG.integers(1, 6, (2000, 1))
    found = observed_inputs(((0, 4),), np.where(mask[:, :, None], inputs, 4), mask)
    words = random_words(found, 2000, 10, RNG)[:, :, 0]
    assert words[:, 1::2].max() == 2 and words[:, ::2].max() == 4


def test_probes_are_letters_that_may_always_come():
    inputs = RNG.integers(0, np.array([5, 3] * 5), (2000, 10))[:, :, None]
    assert probe_letters(observed_inputs(((0, 4),), inputs)).ravel().tolist() == [0, 1, 2]


def one_hot_counter() -> IntegerState:
    """Counts the second of four one-hot channels modulo 3; anything else than one-hot inputs throws
    it off.
    """
    return IntegerState(
        [0], lambda s, *x: np.where(sum(x) == 1, (s + x[1]) % 3, (17 * s + 5) % 1009), input_dim=4
    )


def test_a_network_of_one_hot_inputs_is_distilled_on_one_hot_words():
    network = one_hot_counter()
    anything = RNG.integers(0, 2, (50, 100, 4))
    whole = extract(network, BITS, ExtractionSettings(method="automaton"))
    assert whole.program is None or (whole.program.run(anything) != network.run(anything)[1]).any()
    found = extract(network, observed_inputs(BITS, ONE_HOT))
    assert found.best.fidelity == 1.0 and found.machine.states == 3
    words = np.eye(4, dtype=int)[RNG.integers(0, 4, (50, 100))]
    np.testing.assert_array_equal(found.program.run(words), network.run(words)[1])


def test_a_given_network_is_judged_on_the_inputs_that_it_was_given_with():
    found = distil_network(one_hot_counter(), observed_inputs(BITS, ONE_HOT))
    assert found.solved and found.verification.fidelity == 1.0
    assert found.verification.claim("fidelity").words == "drawn from the inputs that occur"
