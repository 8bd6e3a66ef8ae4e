"""Where two things disagree, in a few words: after how many inputs, or after what.

A rule is chosen on one half of the words and measured on the other; what it does not explain there
is not said.

Axes: N words, T time, I inputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from mips_jax.figures import percent
from mips_jax.sequences import first_occurrences
from mips_jax.verification.claims import plain_letter

FEWEST = 20  # wrong steps in each half; fewer show no pattern
COVERED = 0.9  # share of the wrong steps that a rule must cover
EXPLAINED = 0.2  # share of the steps it is about that must be wrong
OFTEN = 10.0  # how many times as often as elsewhere
MOST_LETTERS = 12  # different letters that are counted one by one
_THRESHOLDS = 16  # of one number that are tried
_STEPS = 40_000  # that are looked at


@dataclasses.dataclass(frozen=True)
class Pattern:
    """What wrong steps have in common.

    Attributes:
        rule: the steps it is about, as "after at least 11 inputs 1".
        covered: share of the wrong steps that are such steps.
        explained: share of such steps that are wrong.
        words: words that this was measured on, none of which chose the rule.
    """

    rule: str
    covered: float
    explained: float
    words: int

    def __str__(self) -> str:
        return (
            f"{percent(self.covered)} of the wrong steps come {self.rule}, where "
            f"{percent(self.explained)} are wrong ({self.words:,} words that did not choose this)"
        )


def pattern_of(inputs: np.ndarray, agree: np.ndarray) -> Pattern | None:
    """The simplest rule that tells the steps that disagree from the others, or None.

    Args:
        inputs: [N, T, I] the words; of equal ones the first counts.
        agree: [N, T] bool.
    """
    count = max(2, _STEPS // max(1, agree.shape[1]))
    different = first_occurrences(inputs)[:count]  # else a word could choose and measure
    inputs, agree = inputs[different], agree[different]
    chosen, measured = slice(0, None, 2), slice(1, None, 2)
    wrong = ~agree
    if min(wrong[chosen].sum(), wrong[measured].sum()) < FEWEST:
        return None
    best: tuple[float, str, np.ndarray] | None = None
    for rule, number, least in _numbers(inputs):
        for threshold in _thresholds(number[chosen], wrong[chosen], least):
            score = _score(number[chosen] >= threshold, wrong[chosen])
            if best is None or score > best[0] + 0.01:  # the simpler comes first
                best = score, rule.format(threshold), number >= threshold
    if best is None:
        return None
    _, rule, about = best
    both = (about & wrong)[measured].sum()
    covered = float(both / wrong[measured].sum())
    explained = float(both / max(1, about[measured].sum()))
    elsewhere = float((~about & wrong)[measured].sum() / max(1, (~about)[measured].sum()))
    if covered < COVERED or explained < max(EXPLAINED, OFTEN * elsewhere):
        return None
    return Pattern(rule, covered, explained, len(inputs[measured]))


def _score(about: np.ndarray, wrong: np.ndarray) -> float:
    """Harmonic mean of what is covered and what is explained (the F-measure)."""
    both = (about & wrong).sum()
    return 2.0 * float(both) / max(1.0, float(about.sum() + wrong.sum()))


def _thresholds(number: np.ndarray, wrong: np.ndarray, least: int) -> list[int]:
    values = np.unique(number[wrong])
    values = values[values >= least]
    if len(values) > _THRESHOLDS:
        values = values[np.linspace(0, len(values) - 1, _THRESHOLDS).astype(int)]
    return values.tolist()


def _numbers(inputs: np.ndarray) -> Iterator[tuple[str, np.ndarray, int]]:
    """(what a threshold of it says, the number at each step [N, T], its least threshold)."""
    count, length = inputs.shape[:2]
    yield "after at least {} inputs", np.tile(np.arange(1, length + 1), (count, 1)), 2
    letters, codes = np.unique(inputs.reshape(count * length, -1), axis=0, return_inverse=True)
    codes = codes.reshape(count, length)
    same = np.concatenate([np.zeros((count, 1), bool), codes[:, 1:] == codes[:, :-1]], axis=1)
    yield "after a run of at least {} equal inputs", _longest(_runs(same, np.ones_like(same))), 2
    if len(letters) > MOST_LETTERS:
        return
    for code, letter in enumerate(letters):
        shown, is_letter = plain_letter(letter), codes == code
        seen = np.cumsum(is_letter, axis=1)
        yield f"after at least {{}} inputs {shown}", seen, 1
        yield f"after a run of at least {{}} inputs {shown}", _longest(_runs(same, is_letter)), 2
        yield f"at an input {shown}", is_letter.astype(np.int64), 1
    for first, second in np.ndindex(len(letters), len(letters)):
        pair = np.zeros((count, length), np.int64)
        pair[:, 1:] = (codes[:, :-1] == first) & (codes[:, 1:] == second)
        one, other = plain_letter(letters[first]), plain_letter(letters[second])
        yield f"once {one}, {other} has come", _longest(pair), 1
        lead = np.cumsum((codes == first).astype(np.int64) - (codes == second), axis=1)
        yield f"after {{}} more inputs {one} than {other}", _longest(lead), 2


def _runs(same: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """[N, T] how many equal inputs end here, where they count."""
    run = np.zeros(same.shape, np.int64)
    for t in range(same.shape[1]):
        before = run[:, t - 1] if t else 0
        run[:, t] = counted[:, t] * (same[:, t] * before + 1)
    return run


def _longest(number: np.ndarray) -> np.ndarray:
    """The largest value so far: what has happened stays so."""
    return np.maximum.accumulate(number, axis=1)
