"""Letters that are the same to a network."""

import numpy as np

from mips_jax.extraction.letter_kinds import with_kinds
from mips_jax.extraction.tolerant_automaton import nearly_machines
from mips_jax.inputs import Inputs, narrow_words, random_words
from tests.extraction.perfect_networks import IntegerState

LETTERS = ((0, 19),)


def brackets() -> IntegerState:
    """18 opens, 19 closes, all else is a comment; what was closed too often stays wrong."""

    def step(depth, x):
        return np.where(depth < 0, depth, depth + (x == 18) - (x == 19))

    return IntegerState([0], step, lambda depth: depth == 0)


def test_comments_are_one_kind_and_each_bracket_is_one():
    inputs = with_kinds(brackets(), Inputs.of(LETTERS))
    assert inputs.kinds.tolist() == [0] * 18 + [1, 2]


def test_a_network_that_tells_all_letters_apart_keeps_uniform_words():
    total = IntegerState([0], lambda s, x: s + x)
    assert with_kinds(total, Inputs.of(LETTERS)).kinds is None
    deaf = IntegerState([0], lambda s, x: 1 - s)
    assert with_kinds(deaf, Inputs.of(LETTERS)).kinds is None
    assert with_kinds(brackets(), Inputs.of(((17, 19),))).kinds is None  # few letters


def test_each_kind_is_drawn_as_often():
    inputs = with_kinds(brackets(), Inputs.of(LETTERS))
    words = random_words(inputs, 2_000, 10, np.random.default_rng(0))
    shares = [(words < 18).mean(), (words == 18).mean(), (words == 19).mean()]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)
    assert len(np.unique(words)) == 20
    plain = random_words(inputs.uniform, 2_000, 10, np.random.default_rng(0))
    assert abs((plain >= 18).mean() - 0.1) < 0.02
    narrow = narrow_words(inputs, 500, 10, 5, np.random.default_rng(0))
    assert {18, 19} < set(np.unique(narrow).tolist()) and len(np.unique(narrow)) == 5


def test_a_machine_is_read_off_one_letter_of_each_kind_and_reads_all():
    latch = IntegerState([0], lambda s, x: np.where(x == 18, 1, np.where(x == 19, 0, s)))
    inputs = with_kinds(latch, Inputs.of(LETTERS))
    [found] = nearly_machines(latch, inputs, 10)
    assert found.machine.states == 2 and len(found.machine.letters) == 20
    words = np.random.default_rng(1).integers(0, 20, (200, 30, 1))
    wrote = found.machine.run(found.machine.index_of(words))
    np.testing.assert_array_equal(wrote, latch.run(words)[1])
