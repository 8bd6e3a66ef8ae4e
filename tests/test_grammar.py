"""Which letters may follow on which: drawn words, local languages, networks and machines beside
them.
"""

import itertools

import numpy as np
import pytest

from mips_jax import RequestError, words_between
from mips_jax.extraction import extract
from mips_jax.extraction.automaton import learn_automaton
from mips_jax.extraction.machine_network import MachineNetwork
from mips_jax.inputs.grammar import between, local_language
from mips_jax.inputs.observed import observed_inputs
from mips_jax.machines import Mealy, completed
from mips_jax.networks.well_formed import WellFormed
from mips_jax.pipeline import distil_network
from mips_jax.verification.samples import words_with_runs

RNG = np.random.default_rng(3)
LETTERS = np.arange(5)[:, None]  # 0 begins, 4 ends


def counts(word) -> bool:
    """The truth: begins with 0, ends with 4, neither anywhere else."""
    return word[0] == 0 and word[-1] == 4 and not {0, 4} & set(word[1:-1])


def parity_of_twos(fuzzy: bool) -> Mealy:
    """Whether the 2s are odd in number; with `fuzzy`, 0 and 4 inside a word do strange things."""
    following, output = np.zeros((6, 5), int), np.zeros((6, 5, 1), int)
    for state, x in itertools.product(range(6), range(5)):
        odd, seen = state % 2, state // 2
        odd = odd ^ (x == 2)
        if fuzzy and ((x == 0 and seen) or x == 4):
            seen = min(2, seen + 1)
        elif x == 0:
            seen = 1
        following[state, x] = 2 * seen + odd
        output[state, x] = odd if seen < 2 or not fuzzy else 1 - odd
    return Mealy(LETTERS, following, output)


def test_words_between_two_symbols():
    grammar = between(LETTERS, 0, 4)
    assert grammar.endless
    for length in (2, 3, 9):
        words = grammar.walks(400, length, RNG, np.ones(5))
        assert all(counts(word) for word in words.tolist())
        assert grammar.allows(words).all()
    assert set(grammar.walks(400, 9, RNG, np.ones(5))[:, 1:-1].ravel()) == {1, 2, 3}
    every = np.array(list(itertools.product(range(5), repeat=4)))
    begins = [w[0] == 0 and 0 not in w[1:] and 4 not in w[:-1] for w in every]
    assert (grammar.allows(every) == begins).all()


def test_either_symbol_alone():
    starts = between(LETTERS, 0, None).walks(200, 5, RNG, np.ones(5))
    assert (starts[:, 0] == 0).all() and (starts[:, 1:] != 0).all() and (starts == 4).any()
    ends = between(LETTERS, None, 4).walks(200, 5, RNG, np.ones(5))
    assert (ends[:, -1] == 4).all() and (ends[:, :-1] != 4).all() and (ends[:, 0] == 0).any()


def test_long_runs_stay_within_the_grammar():
    words = words_with_runs(words_between(((0, 4),), 0, 4), 200, 50, RNG)[:, :, 0]
    assert all(counts(word) for word in words.tolist())
    assert (words[:, 2:] == words[:, 1:-1]).mean() > 0.6


def test_a_local_language_is_read_off_examples():
    words = between(LETTERS, 0, 4).walks(3_000, 8, RNG, np.ones(5))
    ends = RNG.integers(3, 9, 3_000)
    words[np.arange(3_000), ends - 1] = 4
    grammar = local_language(LETTERS, words, ends, 25.0)
    drawn = grammar.walks(500, 12, RNG, np.ones(5))
    assert all(counts(word) for word in drawn.tolist())


def test_few_examples_exclude_nothing():
    words = between(LETTERS, 0, 4).walks(12, 8, RNG, np.ones(5))
    assert not observed_inputs(((0, 4),), words[:, :, None]).restricted


def test_more_than_neighbours_is_no_grammar():
    words = RNG.integers(0, 3, (3_000, 9))
    for t in range(2, 9):  # never the same as two steps before
        words[:, t] = (words[:, t - 2] + RNG.integers(1, 3, 3_000)) % 3
    found = observed_inputs(((0, 2),), words[:, :, None])
    assert found.ordered and found.grammar is None


@pytest.mark.parametrize(
    "start, end, said",
    [
        (7, None, "start is 7; allowed: 0 to 4"),
        (0, 0, "start and end are both 0; they must differ"),
        ("a", 4, "start is 'a'"),
    ],
)
def test_symbols_that_are_none(start, end, said):
    with pytest.raises(RequestError, match=said):
        words_between(((0, 4),), start, end)


def test_symbols_need_one_input():
    with pytest.raises(RequestError, match="one input with at most 1000 values"):
        words_between(((0, 1), (0, 1)), 0, 1)


def test_a_network_gives_up_where_words_do_not_count():
    grammar = between(LETTERS, 0, 4)
    network = MachineNetwork(parity_of_twos(True), np.zeros(1), 8)
    beside = WellFormed(network, grammar)
    words = RNG.integers(0, 5, (500, 6))
    outputs, own = beside.run(words[:, :, None])[1][:, :, 0], network.run(words[:, :, None])[1]
    for t in range(6):
        counted = grammar.allows(words[:, : t + 1])
        assert (outputs[counted, t] == own[counted, t, 0]).all() and not outputs[~counted, t].any()


def test_a_machine_is_made_as_small_as_the_words_allow():
    grammar = between(LETTERS, 0, 4)
    small = completed(parity_of_twos(True), grammar)
    assert small.states == 2
    words = grammar.walks(500, 12, RNG, np.ones(5))
    np.testing.assert_array_equal(small.run(words), parity_of_twos(True).run(words))


@pytest.mark.parametrize("seed", range(20))
def test_completed_machines_are_right_on_all_words_that_count(seed):
    rng = np.random.default_rng(seed)
    states = int(rng.integers(2, 12))
    machine = Mealy(
        LETTERS, rng.integers(0, states, (states, 5)), rng.integers(0, 2, (states, 5, 1))
    )
    symbols = [(0, 4), (None, 4), (0, None)][seed % 3]
    grammar = between(LETTERS, *symbols)
    small = completed(machine, grammar)
    for length in (1, 2, 3, 7, 20):
        words = grammar.walks(300, length, rng, np.ones(5))
        np.testing.assert_array_equal(small.run(words), machine.run(words))


def test_learning_asks_about_words_that_count_only():
    network = MachineNetwork(parity_of_twos(True), np.zeros(1), 10)
    assert learn_automaton(network, ((0, 4),), 10).machine.states > 2
    learnt = learn_automaton(network, words_between(((0, 4),), 0, 4), 10)
    assert learnt.machine.states == 2


def test_what_lies_outside_the_words_is_no_part_of_the_program():
    network = MachineNetwork(parity_of_twos(True), np.zeros(1), 10)
    found = distil_network(network, words_between(((0, 4),), 0, 4))
    assert found.solved and found.program.description_length < 60
    claim = found.verification.claim("fidelity")
    assert claim.words == "drawn from the well-formed words"
    assert not found.verification.proven_equal_to_network  # proofs speak of all words
    word = np.array([[[0], [2], [1], [2], [2], [4]]])
    assert found.program.run(word)[0, :, 0].tolist() == [0, 1, 1, 0, 1, 0]


def test_examples_of_words_do_the_same_and_half_of_them_judge():
    network = MachineNetwork(parity_of_twos(True), np.zeros(1))
    words = between(LETTERS, 0, 4).walks(4_000, 8, RNG, np.ones(5))
    ends = np.full(4_000, 8)
    ends[::2] = 5
    words[::2, 4] = 4
    words[::2, 5:] = 0
    real = np.arange(8) < ends[:, None]
    found = distil_network(network, observed_inputs(((0, 4),), words[:, :, None], real))
    assert found.solved
    given = found.verification.claim("fidelity_given")
    assert given.count == 2_000 and given.agreement == 1.0
    assert found.extraction.length == 8  # as long as nearly all of the words


def test_programs_of_extract_are_judged_on_such_words():
    network = MachineNetwork(parity_of_twos(True), np.zeros(1), 10)
    best = extract(network, words_between(((0, 4),), 0, 4)).best
    assert best.fidelity == 1.0
