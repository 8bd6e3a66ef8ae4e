"""extract() end to end on networks that are perfect by construction: the program is exact at ten
times the length.
"""

import dataclasses

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.extraction.automaton import AutomatonSettings, learn_automaton
from mips_jax.extraction.methods import METHODS
from mips_jax.inputs import random_words
from mips_jax.machines import equals_machine
from mips_jax.programs import compile_source
from tests.extraction.perfect_networks import (
    BIT,
    DIGIT,
    Embedded,
    IntegerState,
    affine,
    binary_addition,
    in_other_basis,
    largest_seen,
    parity,
)

PERFECT = {  # network, input range, most lines of text that its update may take (None: any)
    "parity": (IntegerState([0], lambda s, x: (s + x) % 2), BIT),
    "running maximum": (IntegerState([0], np.maximum), DIGIT),
    "smallest, range below zero": (IntegerState([0], np.minimum), ((-9, -2),)),
    "counter with reset": (IntegerState([0], lambda s, x: np.where(x == 0, 0, s + 1)), ((0, 2),)),
    "run length": (IntegerState([0, -1], lambda r, p, x: (np.where(x == p, r + 1, 1), x)), BIT),
    "clamped counter": (IntegerState([0], lambda s, x: np.clip(s + 2 * x - 1, 0, 3)), BIT),
    "window maximum": (
        IntegerState(
            [0] * 3, lambda a, b, c, x: (x, a, b), lambda a, b, c: np.maximum(a, np.maximum(b, c))
        ),
        DIGIT,
    ),
    "three steps ago": (
        IntegerState([0] * 4, lambda a, b, c, d, x: (x, a, b, c), lambda a, b, c, d: d),
        ((0, 99),),
    ),
    "sum modulo seven": (IntegerState([0], lambda s, x: (s + x) % 7), ((0, 6),)),
    "carry": (
        IntegerState(
            [0, 0], lambda c, d, a, b: ((a + b + c) // 2, (a + b + c) % 2), lambda c, d: d, 2
        ),
        BIT * 2,
    ),
    "two outputs": (
        IntegerState([0, 0], lambda s, d, a, b: (s + a, a - b), lambda s, d: (s, np.abs(d)), 2),
        ((0, 5),) * 2,
    ),
    "latch": (
        IntegerState([0], lambda s, a, b: np.where(a == 1, 1, np.where(b == 1, 0, s)), None, 2),
        BIT * 2,
    ),
    "pattern 1 0 1": (
        IntegerState(
            [0] * 3, lambda a, b, c, x: (x, a, b), lambda a, b, c: (a == 1) & (b == 0) & (c == 1)
        ),
        BIT,
    ),
    "majority of three inputs": (
        IntegerState([0], lambda s, a, b, c: a + b + c > 1, None, 3),
        BIT * 3,
    ),
    "path length": (IntegerState([0, 0], lambda s, p, x: (s + np.abs(x - p), x)), DIGIT),
    "changes": (IntegerState([0, 0], lambda m, p, x: (m + (x != p), x)), ((0, 2),)),
    "sum": (affine([[1]], [1], [0], [1]), ((-50, 50),)),
    "constant": (affine([[0]], [0], [0], [[0], [0]], offset=[7, -2]), DIGIT),
    "one letter only": (IntegerState([0], lambda s, x: s + x), ((4, 4),)),
    "half of the input": (
        affine([[0]], [1], [0], [0.5]),
        DIGIT,
    ),  # outputs exactly at .5 are rounded to the even integer
}


def _exact(program, network, input_range, length=100, count=60) -> bool:
    words = random_words(input_range, count, length, np.random.default_rng(99))
    return bool((program.run(words) == network.run(words)[1]).all())


@pytest.mark.parametrize("name", PERFECT)
def test_programs_are_exact_at_ten_times_the_length(name):
    network, input_range = PERFECT[name]
    found = extract(network, input_range)
    assert found.best is not None, found.statuses
    assert found.best.fidelity == 1.0 and found.best.method not in ("table", "automaton"), (
        found.best
    )
    assert _exact(found.program, network, input_range), found.program.source
    assert len(found.program.source.splitlines()) <= 12
    _prints_what_it_does(found.program, input_range)


def _prints_what_it_does(program, input_range):
    word = random_words(input_range, 1, 30, np.random.default_rng(7))[0]
    inputs = [tuple(letter) if len(letter) > 1 else letter[0] for letter in word.tolist()]
    wanted = [
        tuple(map(int, row)) if len(row) > 1 else int(row[0]) for row in program.run(word[None])[0]
    ]
    assert compile_source(program.source)(inputs) == wanted


@pytest.mark.parametrize("name", ["parity", "counter with reset", "carry"])
def test_how_the_state_is_held_does_not_matter(name):
    network, input_range = PERFECT[name]
    sources = {
        extract(n, input_range).program.source
        for n in (network, Embedded(network, 0, seed=1), Embedded(network, 3, seed=2))
    }
    assert len(sources) == 1


MLPS = {
    "parity": (parity(), BIT),
    "carry": (binary_addition(), BIT * 2),
    "maximum": (largest_seen(), DIGIT),
    "fall": (affine([[1, 1], [0, 1]], [1, 1], [-1, -1], [1, 0]), ((-10, 10),)),
    "spring": (affine([[0, 1], [-1, 1]], [1, 1], [0, 0], [1, 0]), ((-10, 10),)),
    "two steps ago": (affine(np.eye(3, k=-1), [1, 0, 0], [0, 0, 0], [0, 0, 1]), DIGIT),
}


@pytest.mark.parametrize("name", MLPS)
def test_a_change_of_hidden_basis_changes_no_program(name):
    network, input_range = MLPS[name]
    first = extract(network, input_range).program
    for seed in (1, 2):
        changed = in_other_basis(network, seed)
        words = random_words(input_range, 50, 10, np.random.default_rng(0))
        np.testing.assert_array_equal(changed.run(words)[1], network.run(words)[1])
        assert extract(changed, input_range).program.source == first.source
    assert _exact(first, network, input_range)


def test_the_same_seed_gives_the_same_result():
    network, input_range = PERFECT["run length"]
    first, second = (extract(network, input_range, ExtractionSettings(seed=3)) for _ in range(2))
    plain = lambda found: [
        (c.method, c.program, c.description_length, c.fidelity) for c in found.candidates
    ]
    assert plain(first) == plain(second) and first.encodings == second.encodings


def test_other_seeds_give_an_equivalent_program():
    network, input_range = PERFECT["clamped counter"]
    for seed in (1, 2):
        program = extract(network, input_range, ExtractionSettings(seed=seed)).program
        machine = learn_automaton(network, input_range, 10, _automaton_limits()).machine
        assert equals_machine(program, machine) is True


def _automaton_limits():
    return AutomatonSettings()


def test_the_report_says_what_was_tried_and_how_registers_are_held():
    found = extract(Embedded(PERFECT["running maximum"][0], seed=4), DIGIT)
    assert found.statuses[0][0] == "linear" and all(text for _, text in found.statuses)
    assert found.machine.states == 10 and found.length == 10 and found.seconds >= 0
    (encoding,) = found.encodings
    assert (
        encoding.kind == "direction"
        and encoding.recovered > 0.999
        and encoding.held > 0.99
        and encoding.register in found.program.source
    )
    assert [c.score for c in found.candidates] == sorted(c.score for c in found.candidates)
    for candidate in found.candidates:
        assert (
            0 <= candidate.fidelity <= 1
            and candidate.description_length == candidate.program.description_length
        )


def test_register_that_the_state_holds_only_in_a_curve():
    class Curved(IntegerState):
        def step(self, hidden, inputs):
            plain = np.round(np.cbrt(hidden))
            return super().step(plain, inputs) ** 3

        def readout(self, hidden):
            return np.round(np.cbrt(hidden))

    found = extract(Curved([0], lambda s, x: np.clip(s + 2 * x - 1, -4, 4)), BIT)
    assert _exact(found.program, PERFECT["parity"][0], BIT) is False
    assert found.best.fidelity == 1.0 and found.encodings[0].kind == "curve"


@pytest.mark.parametrize(
    "method, name",
    [
        ("linear", "sum"),
        ("automaton", "parity"),
        ("registers", "running maximum"),
        ("registers", "carry"),
    ],
)
def test_one_method_alone(method, name):
    network, input_range = PERFECT[name]
    found = extract(network, input_range, ExtractionSettings(method=method))
    assert found.best.fidelity == 1.0 and _exact(found.program, network, input_range)
    if method != "registers":
        of_the_family = {m.name for m in METHODS.values() if m.family == method}
        assert {m for m, _ in found.statuses} == of_the_family


def test_a_method_that_does_not_apply_gives_no_program_and_a_reason():
    found = extract(PERFECT["parity"][0], BIT, ExtractionSettings(method="linear"))
    assert (
        found.program is None
        and found.best is None
        and found.candidates == ()
        and found.encodings == ()
    )
    assert "not an affine function" in dict(found.statuses)["linear"]


@pytest.mark.parametrize(
    "input_range, settings, text",
    [
        (BIT * 2, None, "the input range has 2 inputs, the network reads 1"),
        (((3, 1),), None, "input 0: the range 3..1 is empty"),
        (
            BIT,
            ExtractionSettings(method="magic"),
            "extraction.method is 'magic'; allowed: auto, linear",
        ),
        (BIT, ExtractionSettings(seconds=0), "extraction.seconds is 0; allowed"),
        (
            BIT,
            ExtractionSettings(words=5, tolerance=0.5),
            "extraction.tolerance is 0.5; allowed: 0 to 0.05",
        ),
        (BIT, ExtractionSettings(length=1), "extraction.length is 1; allowed: null, or 2 to"),
    ],
)
def test_wrong_requests_are_refused(input_range, settings, text):
    with pytest.raises(RequestError, match=text.replace("(", r"\(")):
        extract(parity(), input_range, settings)


def test_all_problems_of_a_request_are_reported_together():
    with pytest.raises(RequestError) as error:
        extract(parity(), BIT * 2, ExtractionSettings(seconds=-1, states=0))
    assert len(error.value.problems) == 3


def test_the_length_of_the_words_can_be_chosen():
    network = dataclasses.replace(parity(), trained_length=None)
    assert extract(network, BIT).length == 10
    assert extract(network, BIT, ExtractionSettings(length=17)).length == 17
