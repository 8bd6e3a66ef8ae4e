"""Grouping of rows and checks of determinism, against plain dictionaries."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from mips_jax.extraction.regression.table import distinct_rows, group_rows, grouped


def _random_table(seed: int):
    rng = np.random.default_rng(seed)
    columns = [
        rng.integers(-3, 4, 300),
        rng.integers(0, 2, 300) * 10**9,
        rng.choice([-(2**61), 0, 2**61], 300),
    ]
    return columns[: 1 + seed % 3], rng.integers(0, 3, 300)


@pytest.mark.parametrize("seed", range(6))
def test_groups_are_rows_that_agree(seed):
    columns, _ = _random_table(seed)
    keys = group_rows(columns, 300)
    rows = list(zip(*(c.tolist() for c in columns)))
    assert keys.count == len(set(rows)) == len(set(keys.codes.tolist()))
    assert len({(row, code) for row, code in zip(rows, keys.codes.tolist())}) == keys.count
    assert keys.codes.min() >= 0 and keys.codes.max() < keys.count
    first = distinct_rows(keys)
    np.testing.assert_array_equal(keys.codes[first], np.arange(keys.count))
    assert [rows.index(rows[i]) for i in first] == first.tolist()  # the first row of each group


@pytest.mark.parametrize("seed", range(6))
def test_conflicts_and_minority(seed):
    columns, target = _random_table(seed)
    keys = group_rows(columns, 300)
    seen: dict[int, list[int]] = defaultdict(list)
    for code, value in zip(keys.codes.tolist(), target.tolist()):
        seen[code].append(value)
    conflicts = [
        value != seen[code][0] for code, value in zip(keys.codes.tolist(), target.tolist())
    ]
    np.testing.assert_array_equal(keys.conflicts(target), conflicts)
    minority = keys.minority(target)
    for code, values in seen.items():
        kept = set(target[(keys.codes == code) & ~minority].tolist())
        assert len(kept) == 1
        assert Counter(values)[kept.pop()] == max(Counter(values).values())


def test_a_function_has_no_conflicts():
    x = np.random.default_rng(0).integers(-5, 6, 400)
    keys = grouped(x)
    assert not keys.conflicts(x**2 % 7).any() and not keys.minority(x**2 % 7).any()
    assert grouped(x**2).conflicts(x).any()


def test_without_columns_all_rows_are_one_group():
    keys = group_rows([], 5)
    assert keys.count == 1 and keys.conflicts(np.array([1, 1, 2, 1, 1])).tolist() == [
        False,
        False,
        True,
        False,
        False,
    ]
