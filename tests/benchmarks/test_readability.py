"""What counts as a defect, and that each pair's network is its person's program."""

import numpy as np
import pytest

from benchmarks.readability import defects, nodes
from benchmarks.tasks import HELD_OUT, PAIRS, SECOND_HELD_OUT, network_of
from mips_jax.programs import compile_source
from mips_jax.tasks import TASKS

BITS = ((0, 1),)


def program(line: str) -> str:
    return f"def program(inputs):\n    for x in inputs:\n        {line}\n"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("y = " + "1 + " * 40 + "1", "wide"),
        ("y = 1 if x else 2 if y else 3 if z else 4", "nested"),
        ("y = (x < 1) == (y < 2)", "compared"),
        ("y = x == (x <= y)", "compared"),
        ("y = (x < 1) * 5", "boolean"),
        ("y = x * y", "boolean"),
        ("y = max(x == 1, y)", "boolean"),
        ("y = -(x == 1)", "boolean"),
    ],
)
def test_defects_are_counted(line, kind):
    assert {k: v > 0 for k, v in defects(program(line), BITS).items() if v} == {kind: True}


@pytest.mark.parametrize(
    "line",
    ["n += x == y", "y = (a > b) - (a < b)", "y = 2 * x", "y = 1 if x else 2 if y else 3"],
)
def test_what_people_write_is_no_defect(line):
    assert not any(defects(program(line), BITS).values())


def test_names_do_not_change_the_number_of_nodes():
    assert nodes(program("y = x + 1")) == nodes(program("longer = x + 1"))


@pytest.mark.parametrize("pair", PAIRS.values(), ids=list(PAIRS))
def test_persons_programs_are_free_of_defects(pair):
    assert not any(defects(pair.person, pair.input_range).values())


@pytest.mark.parametrize("task", [*PAIRS.values(), *TASKS.values(), *HELD_OUT.values()])
def test_a_tasks_network_does_what_the_task_says(task):
    inputs = task.test_sequences(20, 0).inputs
    assert (network_of(task).run(inputs)[1] == task.label(inputs)).all()


def test_a_state_that_changes_its_size_is_refused():
    task = SECOND_HELD_OUT["bounded_stack3"]
    with pytest.raises(TypeError, match="the state of bounded_stack3 changes its size"):
        network_of(task).run(task.test_sequences(5, 0).inputs)


def test_a_pair_is_labelled_by_its_person():
    pair = PAIRS["vending_machine"]
    word = [2, 1, 0, 0]
    assert pair.label(np.array([word])[:, :, None])[0].tolist() == [
        list(y) for y in compile_source(pair.person)(word)
    ]
