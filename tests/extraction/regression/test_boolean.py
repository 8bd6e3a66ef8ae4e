"""Boolean minimisation against truth tables, brute force over all covers, and known minimal
forms.
"""

import itertools

import numpy as np
import pytest

from mips_jax.extraction.regression.boolean import minimise as boolean
from mips_jax.extraction.regression.boolean.forms import polynomial
from mips_jax.extraction.regression.boolean.two_level import (
    minimum_cover,
    prime_implicants,
    sum_of_products,
)
from mips_jax.programs import Var, evaluate, expression_bits, expression_text, variables


def _values(expression, rows: np.ndarray, bits: int) -> np.ndarray:
    variables = {Var(f"b{i}"): rows >> i & 1 for i in range(bits)}
    return np.broadcast_to(evaluate(expression, variables), rows.shape)


def _formula(function, bits: int) -> str:
    """The text of the minimised formula, checked on every row."""
    rows = np.arange(1 << bits)
    wanted = np.array([bool(function([int(row >> i & 1) for i in range(bits)])) for row in rows])
    expression = boolean.minimise(np.flatnonzero(wanted), [], bits)
    np.testing.assert_array_equal(_values(expression, rows, bits), wanted)
    return expression_text(expression)


FORMULAS = [  # function of the bits, number of bits, the formula a person would write
    (lambda b: False, 2, "0"),
    (lambda b: True, 2, "1"),
    (lambda b: not b[1], 3, "not b1"),
    (lambda b: sum(b) > 1, 3, "b0 + b1 + b2 > 1"),
    (lambda b: sum(b) % 2, 10, " ^ ".join(f"b{i}" for i in range(10))),
    (lambda b: sum(b) >= 5, 10, " + ".join(f"b{i}" for i in range(10)) + " > 4"),
    (lambda b: sum(b) == 3, 9, " + ".join(f"b{i}" for i in range(9)) + " == 3"),
    (lambda b: b == b[::-1], 8, "b0 == b7 and b1 == b6 and b2 == b5 and b3 == b4"),
    (lambda b: b[1] if b[0] else b[2], 3, "b1 if b0 else b2"),
    (lambda b: 2 * b[0] + b[1] > b[2] + b[3], 4, "2 * b0 + b1 > b2 + b3"),
    (lambda b: (b[0] ^ b[1]) and (b[2] or not b[3]), 5, "b0 ^ b1 and (b2 or not b3)"),
]


@pytest.mark.parametrize("function, bits, formula", FORMULAS, ids=[f for *_, f in FORMULAS])
def test_finds_the_formula_a_person_would_write(function, bits, formula):
    assert _formula(function, bits) == formula


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6])
def test_agrees_with_random_partial_tables(bits):
    generator = np.random.default_rng(bits)
    for _ in range(25):
        table = generator.choice([0, 1, 2], 1 << bits, p=[0.35, 0.35, 0.3])
        expression = boolean.minimise(np.flatnonzero(table == 1), np.flatnonzero(table == 2), bits)
        values = _values(expression, np.arange(1 << bits), bits)
        assert ((values == table) | (table == 2)).all()


def test_dont_cares_shorten_the_formula():
    on, off = [0b0111, 0b1111], [0b0000, 0b1000]
    dont_care = sorted(set(range(16)) - set(on) - set(off))
    partial, full = boolean.minimise(on, dont_care, 4), boolean.minimise(on, [], 4)
    assert expression_bits(partial) < expression_bits(full)
    assert len({str(partial).count("Var")} & {1}) == 1  # a single variable suffices


def test_sum_of_products_is_minimal_by_brute_force():
    generator = np.random.default_rng(0)
    checked = 0
    while checked < 40:
        table = generator.integers(0, 3, 16)
        on, dont_care = np.flatnonzero(table == 1), np.flatnonzero(table == 2)
        if not on.size:
            continue
        masks, values = prime_implicants(on, dont_care, 4)
        if masks.size > 10:
            continue
        covers = (on[:, None] & masks) == values
        costs = np.bitwise_count(masks) + 1
        sizes = range(1, masks.size + 1)
        subsets = itertools.chain.from_iterable(
            itertools.combinations(range(masks.size), n) for n in sizes
        )
        cheapest = min(costs[list(s)].sum() for s in subsets if covers[:, s].any(1).all())
        found = sum_of_products(on, dont_care, 4)
        assert found.proven_minimal and found.cost == cheapest
        checked += 1


def test_prime_implicants_of_a_textbook_function():
    # f = sum m(0, 1, 2, 5, 6, 7) over three variables has six primes and a minimum of three (the
    # cyclic core).
    masks, values = prime_implicants(np.array([0, 1, 2, 5, 6, 7]), np.array([], int), 3)
    assert masks.size == 6 and all(int(m).bit_count() == 2 for m in masks)
    cover, proven = minimum_cover(
        (np.array([0, 1, 2, 5, 6, 7])[:, None] & masks) == values, np.full(6, 3)
    )
    assert len(cover) == 3 and proven


def test_ten_bits_and_more_are_covered():
    generator = np.random.default_rng(1)
    for bits in (10, 12):
        rows = np.arange(1 << bits)
        wanted = (rows % 5 == 0) ^ (generator.random(1 << bits) < 0.01)
        cover = sum_of_products(np.flatnonzero(wanted), [], bits)
        np.testing.assert_array_equal(cover.contains(rows), wanted)


def test_sparse_tables_of_many_variables():
    rows = np.random.default_rng(2).integers(0, 2, (300, 20))
    expression = boolean.minimise_table(rows, (rows[:, 3] & (1 - rows[:, 11])) | rows[:, 17])
    assert {v.name for v in variables(expression)} == {"b3", "b11", "b17"}
    every = np.array(list(itertools.product((0, 1), repeat=3)))
    values = evaluate(
        expression, {Var(name): every[:, i] for i, name in enumerate(("b3", "b11", "b17"))}
    )
    np.testing.assert_array_equal(values, (every[:, 0] & (1 - every[:, 1])) | every[:, 2])
    parity = boolean.minimise_table(rows, rows[:, 3:8].sum(1) % 2)
    assert expression_text(parity) == "b3 ^ b4 ^ b5 ^ b6 ^ b7"


def test_a_row_with_both_values_is_reported():
    with pytest.raises(boolean.ConflictError, match=r"\(1, 0\)"):
        boolean.minimise_table(np.array([[1, 0], [1, 0]]), np.array([0, 1]))


def test_polynomial_is_its_own_inverse():
    on = np.flatnonzero(np.random.default_rng(3).random(64) < 0.5)
    assert polynomial(np.array(polynomial(on, 6)), 6) == on.tolist()


def test_minimising_twice_changes_nothing():
    generator = np.random.default_rng(4)
    for _ in range(20):
        on = np.flatnonzero(generator.random(16) < 0.5)
        first = boolean.minimise(on, [], 4)
        again = boolean.minimise(np.flatnonzero(_values(first, np.arange(16), 4)), [], 4)
        assert again == first
