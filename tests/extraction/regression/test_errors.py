"""Sets of rows against errors of expressions: the packed answers are those of plain matrices."""

import numpy as np
import pytest

from mips_jax.extraction.regression.errors import Errors, packed


@pytest.mark.parametrize("rows", [1, 7, 8, 63, 64, 65, 200])
@pytest.mark.parametrize("expressions", [1, 64, 1500])
def test_sets_of_rows_on_which_an_expression_is_right(rows, expressions):
    rng = np.random.default_rng((rows, expressions))
    wrong = rng.random((expressions, rows)) < rng.random((expressions, 1)) ** 2
    chosen = rng.random((90, rows)) < rng.random((90, 1)) ** 2
    errors, sets = Errors(wrong), packed(chosen)
    right = ~(chosen[:, None] & wrong[None]).any(axis=2)
    assert (errors.avoided(sets) == right.any(axis=1)).all()
    for one, wanted in zip(sets, right):
        assert errors.right(one, 3).tolist() == np.flatnonzero(wanted)[:3].tolist()


def test_expressions_that_are_wrong_everywhere_avoid_only_the_empty_set():
    errors = Errors(np.ones((5, 10), bool))
    assert errors.avoided(packed(np.array([[False] * 10, [True] + [False] * 9]))).tolist() == [
        True,
        False,
    ]
