"""The part of a machine in which it stays, on machines small enough to see it."""

import numpy as np

from mips_jax.machines import Mealy, bisimilar, recurrent_part


def test_a_latch_that_was_never_set_is_left_for_good():
    latch = Mealy.of(
        [0, 1, 2], [[0, 1, 2], [1, 1, 2], [2, 1, 2]], [[5, 1, 0], [1, 1, 0], [0, 1, 0]]
    )
    found = recurrent_part(latch)
    assert bisimilar(found, Mealy.of([0, 1, 2], [[0, 0, 1], [1, 0, 1]], [[1, 1, 0], [0, 1, 0]]))


def test_a_machine_that_comes_back_everywhere_has_no_smaller_part():
    assert recurrent_part(Mealy.of([0, 1], [[0, 1], [1, 0]], [[0, 1], [1, 0]])) is None


def test_where_the_first_letter_decides_for_good_there_are_two_parts():
    assert (
        recurrent_part(Mealy.of([0, 1], [[1, 2], [1, 1], [2, 2]], [[0, 1], [0, 0], [1, 1]])) is None
    )


def test_the_new_start_writes_most_like_the_old_one():
    transition = [[1, 2], [1, 2], [2, 1]]
    machine = Mealy.of([0, 1], transition, [[0, 7], [3, 3], [0, 8]])
    assert recurrent_part(machine).output[0].ravel().tolist() == [0, 8]
    assert np.array_equal(recurrent_part(machine).transition, [[0, 1], [1, 0]])
