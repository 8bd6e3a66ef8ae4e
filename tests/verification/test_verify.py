"""Verification: proofs and refutations against machines, accuracies with masks, what counts as
solved.
"""

import dataclasses

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.figures import percent
from mips_jax.machines import equals_machine, product
from mips_jax.programs import Const, Lookup, Program, Register, Var, call
from mips_jax.sequences import Sequences
from mips_jax.verification import (
    VerificationSettings,
    problems,
    step_accuracy,
    verify,
    whole_sequence_accuracy,
)
from tests.extraction.perfect_networks import BIT, DIGIT, IntegerState, affine, machine, parity

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


def _verified(program, network=None, input_range=BIT, truth=None, machine=None):
    network = network or parity()
    truth = truth or network
    test, long = (
        _sequences(truth, input_range, 500, 10, 1),
        _sequences(truth, input_range, 50, 100, 2),
    )
    return verify(program, network, input_range, 10, test, long, machine, QUICK)


def test_a_right_program_is_solved_and_its_evidence_is_in_figures():
    found = _verified(PARITY, machine=PARITY_MACHINE)
    assert (
        found.solved
        and found.test_accuracy
        == found.long_accuracy
        == found.fidelity
        == found.test_step_accuracy
        == 1.0
    )
    assert (
        found.faithful_length == found.long_length == 100
        and found.equals_machine is True
        and found.machine_states == 2
    )
    assert (
        "100% of 500 unseen sequences of length 10" in found.summary
        and "at every length" in found.summary
    )


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
    assert (
        not found.solved
        and found.test_accuracy < 1.0
        and found.fidelity < 1.0
        and found.equals_machine in (False, None)
    )
    assert "100% of 500" not in found.summary and "proven" not in found.summary


def test_faithful_to_a_wrong_network_is_not_solved():
    upside_down = IntegerState([1], lambda s, x: (s + x) % 2)
    program = Program(("x",), (Register("s", 1, call("xor", S, X)),), (NEW,))
    found = _verified(program, upside_down, truth=parity())
    assert found.fidelity == 1.0 and found.test_accuracy == 0.0 and not found.solved


def test_right_at_the_training_length_only():
    clipped = Program(
        ("x",),
        (Register("s", 0, call("add", S, X)),),
        (call("if", call("lt", NEW, 12), call("mod", NEW, 2), 0),),
    )
    found = _verified(clipped)
    assert (
        found.solved
        and found.test_accuracy == 1.0
        and found.long_accuracy < 0.5
        and 11 <= found.faithful_length < 60
    )


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
    assert (
        evidence.solved and evidence.fidelity == 1.0 and evidence.long_accuracy == 1.0
    )  # the sum goes on, the network does not
    assert 10 < evidence.faithful_length < 100
    assert f"up to step {evidence.faithful_length}" in evidence.summary
    words = np.random.default_rng(0).integers(0, 2, (200, 100, 1))
    differs = (leaky.run(words)[1] != found.program.run(words)).any(axis=(0, 2))
    assert differs[evidence.faithful_length + 20 :].all()


def test_without_a_truth_the_network_is_the_judge():
    found = verify(PARITY, parity(), BIT, 10, None, None, None, QUICK)
    assert (
        found.solved
        and found.test_accuracy is None
        and found.long_accuracy is None
        and found.equals_machine is None
    )
    assert not verify(WRONG[1], parity(), BIT, 10, None, None, None, QUICK).solved


def test_large_values_and_tables_are_verified_too():
    network = IntegerState([0], lambda s, x: (3 * s + x) % 10)
    table = Program(
        ("x",),
        (
            Register(
                "s",
                0,
                Lookup(
                    "NEXT",
                    tuple(tuple((3 * s + x) % 10 for x in range(10)) for s in range(10)),
                    (S, X),
                    (0, 0),
                ),
            ),
        ),
        (NEW,),
    )
    assert _verified(table, network, DIGIT).solved
    tripling = affine([[3]], [1], [0], [1])
    assert verify(
        Program(("x",), (Register("s", 0, call("add", call("mul", 3, S), X)),), (NEW,)),
        tripling,
        DIGIT,
        10,
        None,
        None,
        None,
        QUICK,
    ).solved


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
        "verification.proof_seconds is nan; allowed: 0 or more"
    ]
    assert problems(VerificationSettings(sequences=0, seed=-1)) == [
        "verification.sequences is 0; allowed: 1 or more",
        "verification.seed is -1; allowed: 0 or more",
    ]
