"""Classes of letters in words: short, and exact on the alphabet, as Python itself confirms."""

import itertools
import re

import numpy as np
import pytest

from mips_jax.reporting.letters import Alphabet, named, ranges

NUMBERS = Alphabet(range(100))
PAIRS = list(itertools.product(range(10), repeat=2))
DIGITS = Alphabet(PAIRS)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("any", lambda x: True),
        ("7", lambda x: x == 7),
        ("3-7", lambda x: 3 <= x <= 7),
        ("0-49", lambda x: x < 50),
        ("> 96", lambda x: x > 96),
        ("!= 50", lambda x: x != 50),
        ("odd", lambda x: x % 2),
        ("x % 5 = 2", lambda x: x % 5 == 2),
        ("1, 50-52, 99", lambda x: x in (1, 50, 51, 52, 99)),
        ("2, 3 ... (25 of 100 letters)", lambda x: x > 1 and all(x % d for d in range(2, x))),
    ],
)
def test_numbers(text, rule):
    assert NUMBERS.described(x for x in range(100) if rule(x)) == text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("33", lambda a, b: a == b == 3),
        ("a + b < 10", lambda a, b: a + b < 10),
        ("a + b = 9", lambda a, b: a + b == 9),
        ("a < b", lambda a, b: a < b),
        ("a >= b", lambda a, b: a >= b),
        ("a - b > 3", lambda a, b: a - b > 3),
        ("a even", lambda a, b: a % 2 == 0),
        ("(a + b) % 3 = 1", lambda a, b: (a + b) % 3 == 1),
        ("a = 1, b < 5", lambda a, b: a == 1 and b < 5),
        ("3 <= a <= 5", lambda a, b: 3 <= a <= 5),
        ("26, 34, 43, 62", lambda a, b: a * b == 12),
    ],
)
def test_pairs(text, rule):
    assert DIGITS.described(i for i, pair in enumerate(PAIRS) if rule(*pair)) == text


def test_every_description_by_a_formula_is_exact():
    """Random classes of pairs: where the answer is a formula, Python reads it as that class."""
    rng = np.random.default_rng(0)
    formulas = 0
    for _ in range(300):
        a, b, c = rng.integers(-2, 3, 3)
        chosen = [i for i, (p, q) in enumerate(PAIRS) if a * p + b * q > 4 * c]
        text = DIGITS.described(chosen) if chosen else "any"
        if text != "any" and re.fullmatch(r"[ab0-9 +\-<>=!]+", text) and re.search("[ab]", text):
            python = re.sub(r"(?<![<>!])=", "==", text)
            assert chosen == [i for i, (p, q) in enumerate(PAIRS) if eval(python, {"a": p, "b": q})]
            formulas += 1
    assert formulas > 100


def test_what_is_written_is_a_feature_plus_a_constant():
    large = [i for i, pair in enumerate(PAIRS) if sum(pair) > 9]
    column = lambda rule: np.array([[rule(*PAIRS[i])] for i in large])
    assert DIGITS.written(large, column(lambda a, b: a + b - 10)) == "a + b - 10"
    assert DIGITS.written(large, column(lambda a, b: 9 - a)) == "9 - a"
    assert DIGITS.written(large, column(lambda a, b: 4)) == "4"
    assert DIGITS.written(large, column(lambda a, b: a * b)) is None


def test_no_two_letters_share_a_name():
    assert named(np.array([[1, 10], [11, 0]])) == ["(1,10)", "(11,0)"]
    assert named(np.array([[0, 1], [1, 0]])) == ["01", "10"]
    assert ranges([-3, -2, -1, 5]) == "-3 to -1, 5"


def test_texts_stay_as_they_are():
    words = Alphabet(["open", "close", "<b>"])
    assert words.described([0]) == "open" and words.described([0, 2]) == "open, <b>"
    assert words.described([0, 1, 2]) == "any"
