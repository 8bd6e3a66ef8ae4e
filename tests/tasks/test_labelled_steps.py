"""Labels at some steps only: a step without one takes part in nothing but being read, and no claim
is made about it.

Axes: N sequences, T time.
"""

import dataclasses
import re

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.pipeline import distil_given
from mips_jax.programs import Program, Register, Var, call, compile_source, program_source
from mips_jax.sequences import Sample, Sequences
from mips_jax.symbols import Symbols
from mips_jax.tasks import example_task
from mips_jax.tasks.contradictions import find_contradictions
from mips_jax.tasks.coverage import coverage_notes
from mips_jax.training.packing import pack, scaling_of
from mips_jax.verification import step_accuracy, whole_sequence_accuracy
from mips_jax.verification.samples import compared, judged_at
from mips_jax.verification.verdict import chance_of
from mips_jax.verification.wording import summary

STATE = Var("state")
PARITY = Program(
    ("x",),
    (Register("state", 0, call("mod", call("add", STATE, Var("x")), 2)),),
    (Var("state", updated=True),),
)


def parity(count: int = 300, length: int = 8, seed: int = 0, share: float = 0.3) -> Sequences:
    """Right outputs where there is a label, nonsense everywhere else."""
    rng = np.random.default_rng(seed)
    inputs = rng.integers(0, 2, (count, length, 1))
    labelled = rng.random((count, length)) < share
    outputs = np.where(labelled[:, :, None], np.cumsum(inputs, axis=1) % 2, 77)
    return Sequences(inputs, outputs, None, labelled)


def task_of(given: Sequences, **more):
    return example_task(given.inputs, given.outputs, given.mask, labelled=given.labelled, **more)


def test_what_follows_the_last_label_is_left_out():
    given = parity()
    task = task_of(given)
    there = given.labelled.any(axis=1)
    assert len(task.given) == there.sum() < len(given)
    assert f"{(~there).sum()} sequences without any label are left out" in task.assumed
    ends = given.labelled.shape[1] - np.argmax(given.labelled[there][:, ::-1], axis=1)
    assert np.array_equal(task.given.steps, ends)
    assert task.given.labelled[np.arange(len(ends)), ends - 1].all()
    assert task.given.labels == given.labelled.sum() and (task.given.outputs < 2).all()


def test_examples_that_differ_after_their_last_label_only_stand_in_one_part():
    words = np.random.default_rng(0).permutation(64)[:, None] >> np.arange(6) & 1
    inputs = np.concatenate([words, words], axis=0)
    tails = np.concatenate([np.zeros((64, 2), int), np.ones((64, 2), int)])
    inputs = np.concatenate([inputs, tails], axis=1)[:, :, None]
    labelled = np.zeros(inputs.shape[:2], bool)
    labelled[:, 5] = True
    task = task_of(Sequences(inputs, np.cumsum(inputs, axis=1) % 2, None, labelled))
    parts = [
        {row.tobytes() for row in part.inputs}
        for part in (task.training, task.selection, task.judging)
    ]
    assert task.length == 6 and sum(map(len, parts)) == 64
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]


def test_labels_everywhere_are_as_without_a_mask():
    given = parity(share=2.0)
    plain = example_task(given.inputs, given.outputs)
    task = task_of(given)
    assert task.given.labelled is None and task.description == plain.description
    for part in ("training", "selection", "judging"):
        assert np.array_equal(getattr(task, part).inputs, getattr(plain, part).inputs)


@pytest.mark.parametrize(
    "labelled, message",
    [
        (np.zeros((30, 4), bool), "no step has a label, so there is nothing to learn"),
        (np.ones((30, 4)), r"labelled must be \(30, 4\) truth values, but is \(30, 4\) float64"),
        (np.arange(30)[:, None] < [9] * 4, "only 9 sequences with a label; at least 10 are needed"),
    ],
)
def test_wrong_labels(labelled, message):
    inputs = np.random.default_rng(0).integers(0, 9, (30, 4))
    with pytest.raises(RequestError, match=message):
        example_task(inputs, inputs, labelled=labelled)


def test_training_sees_labelled_steps_only():
    given = parity()
    packed = pack(given)
    assert np.array_equal(packed[:, -1].T > 0, given.labelled)
    scaling = scaling_of(given, keep_zero=False)
    right = given.outputs[given.labelled]
    assert np.allclose(scaling.output_shift, right.mean()) and right.max() == 1


def test_a_batch_without_a_label_among_what_counts_is_no_nan():
    import jax.numpy as jnp

    from mips_jax.training.member.objective import data_loss

    scaling = scaling_of(parity(), keep_zero=False)
    ones = jnp.ones((1, 4))
    loss, plain = data_loss(ones, 3 * ones, jnp.zeros(4), scaling, jnp.float32(0.0))
    assert float(loss) == float(plain) == 0.0


def test_contradictions_are_sought_among_labels():
    inputs = np.array([[1, 2]] * 4)[:, :, None]
    outputs = np.array([[0, 5], [0, 6], [0, 5], [0, 5]])[:, :, None]
    labelled = np.array([[1, 1], [0, 1], [0, 0], [1, 1]], bool)
    found = find_contradictions(Sequences(inputs, outputs, None, labelled))
    assert (found.labels, found.contradictory_labels, found.contradictory_sequences) == (5, 1, 1)
    none = find_contradictions(Sequences(inputs, outputs, None, labelled & (outputs[:, :, 0] != 6)))
    assert none.contradictory_labels == 0


def test_programs_are_judged_at_labelled_steps_only():
    given = parity()
    assert whole_sequence_accuracy(PARITY, given) == step_accuracy(PARITY, given) == 1.0
    wrong = given.outputs.copy()
    row, step = np.argwhere(given.labelled)[0]
    wrong[row, step] ^= 1
    changed = dataclasses.replace(given, outputs=wrong)
    assert whole_sequence_accuracy(PARITY, changed) == 1 - 1 / len(given)
    assert step_accuracy(PARITY, changed) == 1 - 1 / given.labels


def test_claims_say_how_many_labelled_steps_they_rest_on():
    given = parity(count=100)
    wrote = PARITY.run(given.inputs)
    claim = judged_at(
        compared(
            *("unseen", "program", "truth", "drawn"),
            given.inputs,
            wrote,
            given.outputs,
            given.judged,
            unseen=100,
        ),
        given,
    )
    assert (claim.labels, claim.count, claim.wrong) == (given.labelled.sum(), 100, 0)
    assert claim.holds_to is None  # of steps in between nothing is known
    assert f"judged at their {given.labels} labelled steps only" in summary([claim])
    padded = task_of(given).given
    assert judged_at(claim, padded).shortest == padded.steps.min() > 0
    everywhere = Sequences(given.inputs, wrote)
    assert judged_at(dataclasses.replace(claim, labels=None), everywhere).labels is None


def test_one_label_a_word_may_be_guessed_whatever_the_words_length():
    """Nine of ten words have the label 1: a guess meets 20 of them with 0.9^20."""
    lengths = np.arange(20) % 5 + 1
    mask = np.arange(5) < lengths[:, None]
    labelled = np.arange(5) == lengths[:, None] - 1
    outputs = np.where(labelled, (np.arange(20) % 10 > 0)[:, None], 0)[:, :, None]
    part = Sequences(np.zeros((20, 5, 1), int), outputs, mask, labelled)
    assert np.isclose(chance_of(Sample(part, np.ones(20, bool), False, "")), 0.9**20)


def test_the_report_names_steps_without_a_label():
    task = task_of(parity())
    notes = coverage_notes(task.given, task.judging)
    unlabelled = int(task.given.steps.sum()) - task.given.labels
    assert any(note.startswith(f"{unlabelled:,} of the") for note in notes)


# Symbols

BRACKETS = Symbols.of([("(", ")")], [("odd", "even")])


def test_programs_read_and_write_symbols():
    source = program_source(PARITY, "Parity.", BRACKETS)
    assert "ANSWERS[state]" in source
    assert compile_source(source)("())") == ["odd", "even", "odd"]
    with pytest.raises(KeyError):
        compile_source(source)("(x")


def test_an_integer_that_stands_for_no_symbol_is_written_as_it_is():
    total = call("add", STATE, Var("x"))
    counting = Program(("x",), (Register("state", 0, total),), (Var("state", updated=True),))
    source = program_source(counting, None, BRACKETS)
    assert compile_source(source)(")))") == ["even", 2, 3]


def test_several_inputs_and_outputs_of_which_some_are_symbols():
    both = Program(
        ("a", "b"), (), (call("add", Var("a"), Var("b")), call("max", Var("a"), Var("b")))
    )
    symbols = Symbols.of([("no", "yes"), None], [None, ("x", "y", "z")])
    run = compile_source(program_source(both, None, symbols))
    assert run([("yes", 2), ("no", 0), ("no", 7)]) == [(3, "z"), (0, "x"), (7, 7)]


def test_long_alphabets_are_wrapped():
    letters = tuple(f"token_{n}" for n in range(60))
    source = program_source(PARITY, None, Symbols.of([letters], [None]))
    assert max(map(len, source.splitlines())) <= 110
    assert compile_source(source)(["token_1", "token_2", "token_3"]) == [1, 1, 0]


def test_disagreements_are_told_in_symbols():
    """A network that is no parity, judged by labels that are: a word of symbols shows it."""
    from mips_jax.networks import MLPRNN

    copying = MLPRNN.from_layers(
        [(np.array([[0.0, 1.0]]), np.zeros(1))], [(np.ones((1, 1)), np.zeros(1))], 8
    )
    task = task_of(parity(count=500), symbols=BRACKETS)
    found = distil_given(copying, task)
    assert not found.solved and re.search(r"after the inputs \['[()]'", found.reason)
    claim = found.verification.claim("unseen")
    assert set("".join(claim.disagreements[0].word)) <= {"(", ")"}
    assert claim.disagreements[0].wrote in ("odd", "even")
    assert claim.labels == task.judging_sample(0, 0).sequences.labels
