"""Models that read whole words: what they are asked, what they keep, what they refuse."""

import itertools

import numpy as np
import pytest

from mips_jax import RequestError, distil_network, from_callable
from mips_jax.networks import WordTooLongError
from mips_jax.networks.causal.prefix_tree import PrefixTree


class Counting:
    """Sums modulo 3 that count what they are asked."""

    def __init__(self):
        self.calls, self.tokens, self.words = 0, 0, []

    def __call__(self, words):
        self.calls += 1
        self.tokens += words.size
        self.words += [tuple(word) for word in words.tolist()]
        return np.cumsum(words, axis=1) % 3


def sums(words):
    return np.cumsum(words, axis=1) % 3


def every_word(letters, length):
    return np.array(list(itertools.product(range(letters), repeat=length)))[:, :, None]


@pytest.mark.parametrize("high", [2, 2000])  # children in a table, and in a dictionary
def test_the_tree_numbers_prefixes_once(high):
    tree = PrefixTree(((-1, high), (0, 1)))
    rng = np.random.default_rng(0)
    words = np.stack([rng.integers(-1, 3, (300, 6)), rng.integers(0, 2, (300, 6))], axis=-1)
    nodes = np.zeros((300, 7), np.int64)
    for t in range(6):
        nodes[:, t + 1] = tree.step(nodes[:, t], tree.codes(words[:, t]))
    prefixes = {tuple(map(tuple, word[:t])) for word in words for t in range(7)}
    assert tree.count == len(prefixes) == len(np.unique(nodes))
    path, codes = tree.paths(nodes[:, 6])
    assert (path == nodes[:, 1:]).all()
    assert (tree.inputs(codes) == words).all()
    assert (tree.depth(nodes) == np.arange(7)).all()


def test_outputs_are_those_of_the_function_and_kept():
    model = Counting()
    network = from_callable(model, input_max=2, head="number")
    words = every_word(3, 5)
    assert (network.run(words)[1] == sums(words[:, :, 0])[:, :, None]).all()
    asked = model.calls
    assert (network.run(words)[1] == sums(words[:, :, 0])[:, :, None]).all()
    assert model.calls == asked


def test_a_word_that_was_read_tells_of_its_prefixes():
    model = Counting()
    network = from_callable(model, input_max=2, head="number")
    network.run(every_word(3, 5))
    asked = model.calls
    network.run(every_word(3, 3))
    assert model.calls == asked


def test_a_probe_tree_costs_one_pass_for_each_leaf():
    model = Counting()
    network = from_callable(model, input_max=2, head="number")
    words = every_word(3, 4)
    states = network.run(words)[0][:, -1]
    before = model.tokens
    probes = every_word(3, 3)
    network.prefetch(states, probes)
    asked = model.tokens - before
    assert asked == len(words) * len(probes) * 7  # 27 leaves of each state, each of 7 tokens
    for probe in probes:
        after = states
        for letter in probe:
            after = network.step(after, np.broadcast_to(letter, (len(states), 1)))
            network.outputs(after)
    assert model.tokens - before == asked


def test_words_are_read_in_batches_of_bounded_size():
    model = Counting()
    network = from_callable(model, input_max=2, head="number")
    network.run(np.random.default_rng(0).integers(0, 3, (3000, 200, 1)))
    assert model.tokens <= 3000 * 200 + 1000
    assert model.calls > 3000 * 200**2 // (1 << 22)


def test_begin_tokens_and_a_vocabulary():
    seen = []

    def model(tokens):
        seen.append(tokens)
        return np.cumsum(tokens, axis=1) % 100

    network = from_callable(
        model, vocabulary=[7, 5], input_min=10, begin=[1, 2], head="number", longest=4
    )
    assert network.input_range == ((10, 11),)
    hidden, outputs = network.run(np.array([[[10], [11]]]))
    assert outputs.ravel().tolist() == [10, 15]
    assert seen[-1].tolist() == [[1, 2, 7, 5]]
    assert network.outputs(network.initial[None]).tolist() == [[3]]  # after the beginning
    assert network.represent(hidden[0]).shape[0] == 2


def test_entries_choose_classes_and_their_values():
    logits = np.array([[0.0, 5.0, 1.0, 4.0], [9.0, 0.0, 8.0, 0.0]])
    network = from_callable(
        lambda words: logits[words], input_max=1, entries=[2, 3], class_values=[20, 30]
    )
    assert network.run(np.array([[[0], [1]]]))[1].ravel().tolist() == [30, 20]


def test_sets_of_allowed_letters():
    odds = np.log([[0.5, 0.45, 0.05], [0.98, 0.01, 0.01]])
    words = np.array([[[0], [1]]])
    network = from_callable(lambda w: odds[w], input_max=1, head="allowed", threshold=0.2)
    assert network.run(words)[1][0].tolist() == [[1, 1, 0], [1, 0, 0]]
    network = from_callable(lambda w: odds[w], input_max=1, head="yes_no", threshold=-0.75)
    assert network.run(words)[1][0].tolist() == [[1, 0, 0], [1, 0, 0]]


def test_several_letters_a_step():
    network = from_callable(
        lambda words: np.cumsum(words[:, :, 0] * words[:, :, 1], axis=1),
        input_min=[0, -1],
        input_max=[3, 1],
        head="number",
    )
    words = np.random.default_rng(0).integers([0, -1], [4, 2], (50, 6, 2))
    wanted = np.cumsum(words[:, :, 0] * words[:, :, 1], axis=1)
    assert (network.run(words)[1][:, :, 0] == wanted).all()


def test_a_model_that_writes_after_the_last_letter_only():
    network = from_callable(
        lambda words: words.sum(axis=1) % 2, input_max=1, head="number", every_step=False
    )
    words = every_word(2, 5)
    assert (network.run(words)[1][:, :, 0] == np.cumsum(words[:, :, 0], axis=1) % 2).all()


def test_a_word_beyond_the_limit_is_refused():
    network = from_callable(sums, input_max=2, head="number", longest=5)
    network.run(every_word(3, 5))
    with pytest.raises(WordTooLongError, match=r"a word of 6 steps.*up to 5 \(network.longest\)"):
        network.run(every_word(3, 6))


def test_no_word_beyond_the_limit_is_ever_read():
    longest = []

    def model(words):
        longest.append(words.shape[1])
        return sums(words)

    network = from_callable(model, input_max=2, head="number", longest=12)
    found = distil_network(network)
    assert max(longest) == 12
    assert found.solved
    assert max(claim.length for claim in found.claims if claim.count) == 12
    assert "every length" not in found.verification.summary
    proof = found.verification.claim("proof")
    assert proof.reason == (
        "the model reads whole words of up to 12 letters: none tells of longer ones"
    )
    assert "up to 12 letters" in found.source


def test_a_model_of_any_length_is_never_proven_at_every_length():
    found = distil_network(from_callable(sums, input_max=2, head="number"))
    assert found.solved
    assert not found.verification.proven_equal_to_network
    words = every_word(3, 6)
    assert (found.program.run(words)[:, :, 0] == sums(words[:, :, 0])).all()


def test_the_shortest_word_on_which_a_model_fails():
    """Sums modulo 3 that are one too many from the 15th letter on."""

    def model(words):
        return (np.cumsum(words, axis=1) + (np.arange(words.shape[1]) >= 14)) % 3

    network = from_callable(model, input_max=2, head="number", longest=60, trained_length=10)
    found = distil_network(network)
    words = every_word(3, 6)
    assert (found.program.run(words)[:, :, 0] == sums(words[:, :, 0])).all()
    assert not found.solved
    wrong = [c for c in found.claims if c.disagreements]
    assert min(len(d.word) for c in wrong for d in c.disagreements) == 15
    assert "right to step 14" in found.reason


def raising(words):
    raise KeyError("no such thing\nmore")


WRONG = {
    "raises": (raising, {}, "raised KeyError: 'no such thing"),
    "NaN": (lambda w: np.where(w > 0, np.nan, 0.0), {}, "returned NaN or infinite numbers on"),
    "shape": (lambda w: np.zeros((len(w), 3, 2, 1)), {}, "the shape [1, 3, 2, 1] on the 1 tokens"),
    "no numbers": (lambda w: w.astype(str), {}, "values on the 1 tokens"),
    "text": (lambda w: "nothing", {}, "values on the 1 tokens"),
    "both ways": (lambda w: w[:, ::-1], {}, "give network.every_step=false"),
    "chance": (lambda w: w + np.random.random(w.shape), {}, "is dropout on?"),
    "entries": (sums, {"entries": [0, 1]}, "network.entries names output 1, but"),
    "width": (
        lambda w: np.zeros((*w.shape, 2 if w.shape[1] < 3 else 3)),
        {"head": "class"},
        "how many there are must not change",
    ),
    "values": (
        lambda w: np.zeros((*w.shape, 2)),
        {"head": "class", "class_values": [1, 2, 3]},
        "network.class_values has 3 values, but there are 2 classes",
    ),
    "head": (sums, {"head": "classes"}, "network.head is 'classes'; allowed: class or number"),
    "longest": (sums, {"longest": 0}, "network.longest is 0; allowed: an integer, 1 to 10000"),
    "no range": (sums, {"input_max": None}, "network.input_max is missing"),
    "empty range": (sums, {"input_max": -1}, "the range 0..-1 is empty"),
    "tokens": (sums, {"vocabulary": [1, 1, 2]}, "[1, 1, 2]; allowed: one or more, all different"),
    "few tokens": (sums, {"vocabulary": [1]}, "has 1 tokens for the 3 letters 0..2"),
    "threshold": (sums, {"threshold": 0.5}, "network.threshold is given, but network.head is"),
    "unknown": (sums, {"heads": 1}, "there is no option heads of a model; allowed: input_min"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(case):
    model, options, said = WRONG[case]
    with pytest.raises(RequestError) as caught:
        network = from_callable(model, **{"input_max": 2, "head": "number", **options})
        network.run(every_word(3, 4))
    assert len(caught.value.problems) == 1
    assert said in caught.value.problems[0]


def test_a_letter_out_of_range_is_refused():
    network = from_callable(sums, input_max=2, head="number")
    with pytest.raises(RequestError, match=r"got the letter 3, but it reads 0\.\.2 only"):
        network.run(np.array([[[3]]]))


def brackets(tokens):
    """Logits of a language model of brackets (0 opens, 1 closes, 2 begins) to depth 3, and noise
    after a word that is none; entries: open, close, begin, end.
    """
    raw = np.full((*tokens.shape, 4), -9.0)
    for row, word in zip(raw, tokens.tolist()):
        depth, alive = 0, word[0] == 2
        for t, token in enumerate(word):
            if t:
                depth += 1 if token == 0 else -1
                alive = alive and token < 2 and 0 <= depth <= 3
            if alive:
                row[t, 0], row[t, 1], row[t, 3] = (0.0 if d else -9.0 for d in _allowed(depth))
            else:
                row[t] = np.random.default_rng(hash(tuple(word[: t + 1])) % 2**31).normal(size=4)
    return raw


def _allowed(depth):
    return depth < 3, depth > 0, depth == 0


@pytest.mark.slow
def test_a_language_model_within_its_language():
    options = {"input_max": 1, "begin": [2], "entries": [0, 1, 3], "head": "allowed"}
    options |= {"longest": 40, "trained_length": 20}
    network = from_callable(brackets, **options, only_allowed=True)
    words = network.own_words(200, 12, np.random.default_rng(0))
    wanted = []
    for word in words[:, :, 0].tolist():
        depth, row = 0, []
        for letter in word:
            depth = -9 if depth == 3 and letter == 0 else depth + (1 if letter == 0 else -1)
            depth = -9 if depth < 0 else depth
            row.append([int(v) for v in _allowed(depth)] if depth >= 0 else [0, 0, 0])
        wanted.append(row)
    assert (network.run(words)[1] == wanted).all()
    assert np.array(wanted)[:, -1].any(axis=1).mean() > 0.5  # most words are of the language
    found = distil_network(network)
    assert found.solved, found.reason
    assert (found.program.run(words) == wanted).all()
    assert any(
        claim.words == "of letters that the network allows, but for a few" and claim.count
        for claim in found.claims
    )


def test_only_allowed_needs_sets_with_an_output_for_each_letter():
    with pytest.raises(RequestError, match=r"network\.only_allowed is given, but network\.head is"):
        from_callable(sums, input_max=2, head="number", only_allowed=True)
    with pytest.raises(RequestError, match="writes 1 a step and reads 3 letters"):
        from_callable(sums, input_max=2, head="yes_no", only_allowed=True)
