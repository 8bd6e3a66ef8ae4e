"""Verification: proofs and refutations against machines, accuracies with masks, what counts as
solved.
"""

import dataclasses
import functools

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.figures import percent
from mips_jax.inputs import Inputs
from mips_jax.machines import equals_machine, product
from mips_jax.networks import MLPRNN, CallableNetwork, ClassHead
from mips_jax.programs import Const, Lookup, Program, Register, Var, call, program_source
from mips_jax.reporting.summary import trust_rows
from mips_jax.sequences import Sample, Sequences, first_occurrences
from mips_jax.tasks.judging import all_words
from mips_jax.verification import (
    CHECKS,
    Case,
    Claim,
    How,
    Outcome,
    Truth,
    VerificationSettings,
    error_bound,
    problems,
    step_accuracy,
    verify,
    whole_sequence_accuracy,
)
from mips_jax.verification.proofs import for_the_checker
from tests.extraction.perfect_networks import BIT, DIGIT, IntegerState, affine, machine, parity
from tests.verification.tricky_networks import ClockedParity, Password

X, S = Var("x"), Var("s")
NEW = Var("s", updated=True)
PARITY = Program(("x",), (Register("s", 0, call("xor", S, X)),), (NEW,))
PARITY_MACHINE = machine([[0, 1], [1, 0]], [[0, 1], [1, 0]])
QUICK = VerificationSettings(sequences=500, long_sequences=50, fidelity_sequences=500)


def test_equality_with_a_machine_is_proven():
    assert equals_machine(PARITY, PARITY_MACHINE) is True
    unequal_sizes = machine(
        [[1, 2], [0, 3], [3, 0], [2, 1]], [[0, 1], [0, 1], [1, 0], [1, 0]]
    )  # not minimal
    assert equals_machine(PARITY, unequal_sizes) is True
    assert (
        equals_machine(Program(("x",), (), (call("add", X, 1),)), machine([[0, 0]], [[1, 2]]))
        is True
    )
    modulo = Program(
        ("x",),
        (Register("s", 0, call("mod", call("add", call("mul", 2, S), X), 5)),),
        (call("eq", NEW, 0),),
    )
    table = [[(2 * r + b) % 5 for b in (0, 1)] for r in range(5)]
    assert equals_machine(modulo, machine(table, [[t == 0 for t in row] for row in table])) is True


@pytest.mark.parametrize(
    "program",
    [
        Program(
            ("x",), (Register("s", 1, call("xor", S, X)),), (NEW,)
        ),  # wrong from the first step
        Program(("x",), (Register("s", 0, call("xor", S, X)),), (S,)),  # one step late
        Program(
            ("x",),
            (Register("s", 0, call("add", S, X)),),
            (call("if", call("lt", NEW, 40), call("mod", NEW, 2), 0),),
        ),  # wrong after 40 ones
        Program(("x",), (), (X,)),
    ],
)
def test_one_separating_word_of_any_length_refutes(program):
    assert equals_machine(program, PARITY_MACHINE) is False


def test_a_proof_that_does_not_end_is_no_proof(monkeypatch):
    counter = Program(("x",), (Register("s", 0, call("add", S, X)),), (call("mod", NEW, 2),))
    monkeypatch.setattr(product, "_LARGEST_PRODUCT", 2000)
    assert (
        equals_machine(counter, PARITY_MACHINE) is None
    )  # it is right, but its registers know no bound
    doubling = Program(("x",), (Register("s", 1, call("mul", 2, S)),), (call("gt", NEW, 0),))
    assert equals_machine(doubling, machine([[0, 0]], [[1, 1]])) is None


def test_two_inputs_and_two_outputs():
    carry = machine(
        [[0, 0, 0, 1], [0, 1, 1, 1]],
        np.array([[[0, 0], [1, 0], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 1], [1, 1]]]),
        letters=[[0, 0], [0, 1], [1, 0], [1, 1]],
    )
    total = call("add", call("add", Var("a"), Var("b")), S)
    adder = Program(
        ("a", "b"), (Register("s", 0, call("floordiv", total, 2)),), (call("mod", total, 2), NEW)
    )
    assert equals_machine(adder, carry) is True
    assert equals_machine(dataclasses.replace(adder, outputs=adder.outputs[::-1]), carry) is False


def test_accuracy_counts_whole_sequences_and_single_steps():
    inputs = np.array([[[1], [0], [1]], [[1], [1], [1]], [[0], [0], [0]], [[1], [0], [0]]])
    right = PARITY.run(inputs)
    wrong = right.copy()
    wrong[1, 2] += 1
    wrong[3, 0] += 1
    assert whole_sequence_accuracy(PARITY, Sequences(inputs, right)) == 1.0
    assert whole_sequence_accuracy(PARITY, Sequences(inputs, wrong)) == 0.5
    assert step_accuracy(PARITY, Sequences(inputs, wrong)) == 10 / 12


def test_padded_steps_count_for_nothing():
    inputs = np.zeros((3, 4, 1), np.int64)
    outputs = np.zeros((3, 4, 1), np.int64)
    outputs[0, 3] = 9  # padded
    outputs[1, 1] = 9  # not padded
    mask = np.array([[True, True, True, False], [True, True, False, False], [True] * 4])
    assert whole_sequence_accuracy(PARITY, Sequences(inputs, outputs, mask)) == 2 / 3
    assert step_accuracy(PARITY, Sequences(inputs, outputs, mask)) == 8 / 9
    assert whole_sequence_accuracy(PARITY, Sequences(inputs, outputs)) == 1 / 3


def _sequences(network, input_range, count, length, seed):
    words = np.random.default_rng(seed).integers(
        *np.array(input_range).T + np.array([[0], [1]]), (count, length, len(input_range))
    )
    return Sequences(words, network.run(words)[1])


def _sample(network, input_range, count, length, seed):
    words = np.random.default_rng(seed).integers(
        *np.array(input_range).T + np.array([[0], [1]]), (count, length, len(input_range))
    )
    words = words[first_occurrences(words)]
    drawn = Sequences(words, network.run(words)[1])
    return Sample(drawn, np.ones(len(drawn), bool), False, "uniformly drawn")


def _verified(program, network=None, input_range=BIT, truth=None, machine=None):
    network = network or parity()
    source = truth or network
    sample = _sample(source, input_range, 500, 10, 1)
    known = Truth(
        sample,
        _sequences(source, input_range, 300, 10, 3),
        "sequences of training and selection",
        _sequences(source, input_range, 50, 100, 2),
        lambda words: Sequences(words, source.run(words)[1]),
    )
    case = Case(program, network, Inputs.of(input_range), 10, machine, known, (), QUICK)
    return verify(case)


def _beside(program, network, input_range=BIT, settings=QUICK):
    """Verified with the network as the only judge."""
    return verify(Case(program, network, Inputs.of(input_range), 10, settings=settings))


def test_a_right_program_is_solved_and_its_evidence_is_in_figures():
    found = _verified(PARITY, machine=PARITY_MACHINE)
    assert found.solved and found.verdict.reason is None
    assert found.test_accuracy == found.long_accuracy == found.fidelity == 1.0
    assert found.faithful_length == found.long_length == 100
    assert found.record()["equals_machine"] is True
    unseen = found.claim("unseen")
    assert f"on 100% of {unseen.count} unseen sequences of length 10" in found.summary
    assert f"(at most {100 * unseen.error_bound:.1f}" in found.summary
    assert "machine" not in found.summary, "that is a note on the method, not on the network"


WRONG = [
    Program(("x",), (Register("s", 1, call("xor", S, X)),), (NEW,)),
    Program(("x",), (), (X,)),
    Program(("x",), (), (Const(0),)),
    Program(
        ("x",),
        (Register("s", 0, call("add", S, X)),),
        (call("if", call("eq", NEW, 9), 0, call("mod", NEW, 2)),),
    ),  # wrong once in a hundred
]


@pytest.mark.parametrize("program", WRONG, ids=str)
def test_a_wrong_program_is_never_solved(program):
    found = _verified(program, machine=PARITY_MACHINE)
    assert found.verdict.outcome is Outcome.WRONG_ON_UNSEEN and not found.solved
    assert found.test_accuracy < 1.0 and found.fidelity < 1.0
    assert found.record()["equals_machine"] in (False, None)
    assert "unseen sequences" in found.verdict.reason and "instead of" in found.verdict.reason
    assert "Right on 100%" not in found.summary and "roven" not in found.summary


def test_faithful_to_a_wrong_network_is_not_solved():
    upside_down = IntegerState([1], lambda s, x: (s + x) % 2)
    program = Program(("x",), (Register("s", 1, call("xor", S, X)),), (NEW,))
    found = _verified(program, upside_down, truth=parity())
    assert found.fidelity == 1.0 and found.test_accuracy == 0.0 and not found.solved


def test_where_both_differ_the_truth_says_who_is_right():
    always_one = Program(("x",), (), (Const(1),))
    found = _verified(always_one, parity(), truth=parity())
    words = found.claim("fidelity").disagreements
    assert words and all(d.truth == d.expected == 0 and d.wrote == 1 for d in words)
    upside_down = IntegerState([1], lambda s, x: (s + x) % 2)
    found = _verified(PARITY, upside_down, truth=parity())
    words = found.claim("fidelity").disagreements
    assert words and all(d.truth == d.wrote != d.expected for d in words)
    row = next(
        v
        for k, v in trust_rows({"claims": [c.record() for c in found.claims]})
        if k.startswith("program = network")
    )
    assert "(the program is right)" in row


def test_right_at_the_training_length_only_is_not_solved():
    clipped = Program(
        ("x",),
        (Register("s", 0, call("add", S, X)),),
        (call("if", call("lt", NEW, 12), call("mod", NEW, 2), 0),),
    )
    found = _verified(clipped)
    assert found.verdict.outcome is Outcome.WRONG_AT_LONG_LENGTH
    assert found.test_accuracy == 1.0 and found.long_accuracy < 0.5
    step = found.claim("long").holds_to
    assert 11 <= step < 60 and f"right to step {step}" in found.verdict.reason


def test_a_network_that_drifts_later_gives_a_faithful_program_and_the_length_is_told():
    """Perfect at the training length: the state leaks a thousandth a step, so the sum is off by one
    only much later.
    """
    leaky = affine([[0.999]], [1], [0], [1])
    found = extract(leaky, BIT)
    assert (
        found.best.fidelity == 1.0
        and str(found.program) == "total' = total + x  (total_0 = 0); y0 = total'"
    )
    truth = affine([[1]], [1], [0], [1])
    evidence = _verified(found.program, leaky, truth=truth)
    assert evidence.solved, "the sum goes on, the network does not"
    assert evidence.fidelity == 1.0 and 10 < evidence.faithful_length < 100
    assert f"to step {evidence.faithful_length}" in evidence.summary
    alone = _beside(found.program, leaky)
    assert alone.verdict.outcome is Outcome.DIFFERS_FROM_NETWORK
    assert alone.verdict.reason.startswith(f"right to step {alone.faithful_length}")


def test_without_a_truth_the_network_is_the_judge():
    found = _beside(PARITY, parity())
    assert found.solved and found.test_accuracy is None and found.long_accuracy is None
    assert found.record()["equals_machine"] is None
    assert not _beside(WRONG[1], parity()).solved


def test_large_values_and_tables_are_verified_too():
    network = IntegerState([0], lambda s, x: (3 * s + x) % 10)
    rows = tuple(tuple((3 * s + x) % 10 for x in range(10)) for s in range(10))
    table = Program(("x",), (Register("s", 0, Lookup("NEXT", rows, (S, X), (0, 0))),), (NEW,))
    assert _verified(table, network, DIGIT).solved
    doubling = Program(("x",), (Register("s", 0, call("add", call("mul", 2, S), X)),), (NEW,))
    short = dataclasses.replace(QUICK, long_factor=2)
    assert _beside(doubling, affine([[2]], [1], [0], [1]), settings=short).solved


# -- claims are no wider than their evidence ---


def test_what_training_has_seen_may_not_be_contradicted():
    """Right on all that judge, wrong on one of the given examples: it is told which."""
    late = Program(("x",), (Register("s", 0, call("xor", S, X)),), (call("mul", NEW, 1),))
    sample = _sample(parity(), BIT, 500, 10, 1)
    given = _sequences(parity(), BIT, 40, 10, 3)
    given.outputs[7, 4] += 5
    truth = Truth(sample, given, "given examples")
    found = verify(Case(late, parity(), Inputs.of(BIT), 10, truth=truth, settings=QUICK))
    assert found.verdict.outcome is Outcome.CONTRADICTS_EXAMPLES
    assert found.verdict.reason.startswith("it contradicts 1 of the 40 given examples (number 7)")
    assert "contradicts 1 of the 40 given examples" in found.summary
    assert found.claim("long").how is How.NOT_TRIED


def test_labels_that_a_guess_could_meet_judge_nothing():
    """Two coin flips that happen to be right are no evidence."""
    words = np.array([[[0]], [[1]]])
    drawn = Sequences(words, words)
    truth = Truth(Sample(drawn, np.ones(2, bool), False, "given"), drawn, "given examples")
    identity = Program(("x",), (), (X,))
    case = Case(identity, affine([[0]], [1], [0], [1]), Inputs.of(BIT), 1, truth=truth)
    found = verify(dataclasses.replace(case, settings=QUICK))
    assert found.verdict.outcome is Outcome.TOO_FEW_TO_JUDGE
    assert "a guess could be right on them" in found.verdict.reason


def test_all_there_are_is_said_where_it_is_so():
    words = all_words(BIT, 4)
    sample = Sample(Sequences(words, parity().run(words)[1]), np.zeros(16, bool), True, "drawn")
    truth = Truth(sample, sample.sequences, "sequences of training and selection")
    case = Case(PARITY, parity(), Inputs.of(BIT), 4, truth=truth, settings=QUICK)
    found = verify(case)
    claim = found.claim("unseen")
    assert claim.how is How.PROVEN and claim.error_bound == 0.0 and claim.unseen == 0
    assert "Right on all 16 sequences of length 4" in found.summary


@pytest.mark.parametrize("step", [11, 25, 60])
def test_a_late_clock_is_right_to_a_step_and_not_solved(step):
    """A network that inverts its output after some steps, as no random word of the training length
    tells.
    """

    network = ClockedParity(step)
    found = _beside(PARITY, network)
    assert found.fidelity == 1.0 and not found.solved
    assert found.verdict.reason.startswith(f"right to step {step}")


def test_a_password_is_found_by_the_search():
    found = _beside(PARITY, Password((1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1)))
    assert found.fidelity == 1.0 and not found.solved
    word = found.claim("search").disagreements[0]
    assert len(word.word) >= 18 and word.wrote != word.expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refuted(value):
    network = CallableNetwork(lambda h, x: h + x, lambda h: h * 0 + value, np.zeros(1))
    found = _beside(Program(("x",), (), (Const(0),)), network)
    assert found.verdict.outcome is Outcome.NOT_INTEGERS
    assert "NaN or infinite" in found.verdict.reason


def test_nobody_agrees_with_what_is_no_number():
    """A class head makes class 0 of NaN logits; that is no output that a program could write."""
    step = lambda h, x: np.stack([(h[:, 0] + x[:, 0]) % 2, h[:, 1] + 1], axis=1)
    logits = lambda h: np.where(h[:, 1:] >= 4, np.nan, -((h[:, :1] - np.arange(2)) ** 2))
    network = CallableNetwork(step, logits, [0.0, 0.0], decoding=ClassHead((0, 1)))
    program = Program(("x",), (Register("s", 0, call("xor", S, X)),), (NEW,))
    found = _beside(program, network)
    assert found.verdict.outcome is Outcome.NOT_INTEGERS
    claims = [c for c in found.claims if c.check.startswith("fidelity")]
    assert claims and all(c.how is How.REFUTED and c.holds_to == 3 for c in claims)
    assert all(c.disagreements[0].expected is None for c in claims)
    assert "on 0% of" in found.summary


def test_raw_outputs_that_are_no_integers_are_refuted():
    third = Program(("x",), (Register("s", 0, call("add", S, X)),), (call("floordiv", NEW, 3),))
    found = _beside(third, affine([[1]], [0.3], [0], [1]))
    assert found.verdict.outcome is Outcome.NOT_INTEGERS
    assert "from the nearest integer on average" in found.verdict.reason


def test_a_check_is_one_function_and_one_line(monkeypatch):
    """A new kind of evidence, registered here alone."""
    claim = Claim("mine", "program", "network", "none", None, How.NOT_TRIED, reason="a toy")
    monkeypatch.setitem(CHECKS, "mine", lambda case, claims: [claim])
    assert _beside(PARITY, parity()).claim("mine") is claim


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_makes_claims_that_say_what_they_rest_on(check):
    claims = _verified(PARITY, machine=PARITY_MACHINE).claims + _beside(PARITY, parity()).claims
    for claim in claims:
        assert claim.subject and claim.equals
        limited = claim.check == "proof" and claim.length is not None  # why not every length
        limited = limited and claim.how is How.PROVEN
        assert bool(claim.reason) is (claim.how is How.NOT_TRIED or limited)
        if claim.how is How.MEASURED and claim.equals != "integers" and claim.check != "search":
            assert claim.count > 0 and 0.0 < claim.error_bound < 1.0
        assert claim.unseen <= max(claim.distinct, claim.count)
    made = CHECKS[check](Case(PARITY, parity(), Inputs.of(BIT), 10, settings=QUICK), claims)
    assert all(isinstance(claim, Claim) for claim in made)


def test_a_network_is_checked_as_it_is_deployed():
    """The parity of bits in float64; in float32 the large bias swallows the state (attack A6)."""
    big = float(2**24)
    transition = [
        ([[0, 1], [1, 0]], [big, 0]),
        ([[1, -1], [-1, 1]], [-big, big]),
        ([[2, 2], [2, 2]], [-0.5, -1.5]),
        ([[1, -1]], [0]),
    ]
    network = MLPRNN.from_layers(transition, [([[1]], [0])])
    found = _beside(PARITY, network)
    assert found.fidelity == 1.0 and not found.solved
    assert found.verdict.reason.startswith("right in float32 arithmetic to step 0")
    assert "float32" in found.summary


def test_a_word_on_which_program_and_machine_differ_is_put_to_the_network():
    """A pair of letters that no sample holds: the machine knows it, the program does not."""
    letters = 60
    table = np.zeros((2, letters), int)
    table[0, 30], output = 1, np.zeros((2, letters), int)
    output[1, 31] = 7
    network = IntegerState([0], lambda s, x: (x == 30) * 1 + 2 * ((s % 2 == 1) & (x == 31)))
    network.readout = lambda h: 7.0 * (h[:, :1] >= 2)
    machine_of_it = machine(table, output, letters=[[x] for x in range(letters)])
    zero = Program(("x",), (), (Const(0),))
    settings = dataclasses.replace(QUICK, search_steps=0, fidelity_sequences=1, long_factor=1)
    inputs = Inputs.of(((0, letters - 1),))
    found = verify(Case(zero, network, inputs, 2, machine_of_it, settings=settings))
    words = [d.word for c in found.claims if c.check == "search" for d in c.disagreements]
    assert words == [(30, 31)] and not found.solved


def test_bounds_on_error_rates():
    """Against the binomial distribution itself."""
    from scipy.stats import binom

    for wrong, count in ((0, 10), (0, 10_000), (3, 200), (50, 100)):
        bound = error_bound(wrong, count)
        assert abs(binom.cdf(wrong, count, bound) - 0.01) < 1e-9
    assert error_bound(5, 5) == 1.0 and error_bound(0, 0) == 1.0


@pytest.mark.parametrize(
    "value, text",
    [
        (1.0, "100%"),
        (0.99996, "99.99%"),
        (0.9999999, "99.99%"),
        (0.5, "50%"),
        (0.0, "0%"),
        (0.123456, "12.34%"),
    ],
)
def test_percentages_never_round_up_to_everything(value, text):
    assert percent(value) == text


def test_settings_out_of_range_are_named():
    assert problems(VerificationSettings()) == []
    assert problems(VerificationSettings(proof_seconds=0)) == []
    assert problems(VerificationSettings(proof_seconds=float("nan"))) == [
        "verification.proof_seconds is nan; allowed: a finite number, 0 or more"
    ]
    assert problems(VerificationSettings(sequences=0, seed=-1)) == [
        "verification.sequences is 0; allowed: 1 to 10000000",
        "verification.seed is -1; allowed: 0 to 2000000000",
    ]


def test_a_program_that_is_printed_with_a_list_leaves_no_certificate():
    names = [f"r{i}" for i in range(6)]
    shifted = tuple(Register(n, 0, b) for n, b in zip(names, [X, *map(Var, names)]))
    total = functools.reduce(lambda a, b: call("add", a, b), map(Var, names))
    window = Program(("x",), shifted, (total,))
    assert "window" in program_source(window)
    assert "window" not in program_source(window, lists=False)
    single = Program(("x",), (Register("s", 0, call("add", S, X)),), (NEW,))
    for program, kept in ((window, None), (single, {"kind": "any"})):
        case = Case(program, parity(), Inputs(((0, 1),)), 10)
        assert for_the_checker({"kind": "any"}, case) == kept
