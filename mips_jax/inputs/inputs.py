"""The words that are put to a network: random ones from a range, or those on which it was trained.

A network has learned what its training inputs demand. On inputs that they leave out (other vectors
than the one-hot ones, a digit beyond its alternating base, a sum that no example reaches) it does
anything at all, and that would hide what it has learned. So where examples are known, words are
theirs. Only inputs are looked at here, never a label.

Axes: N examples, W words, T time, I inputs a step, A letters. A letter is the vector of one step's
    inputs.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown, whole
from mips_jax.inputs.grammar import Grammar

InputRange = tuple[tuple[int, int], ...]  # inclusive (low, high) of each input
# A network may be asked about wider inputs than a file or a function may have: words are int64.
WIDEST_INPUT = 2**62


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a network or a task: their bounds, and what is known of those that occur.

    Attributes:
        bounds: inclusive (low, high) of each input.
        letters: [A, I] all letters that occur, or None: every letter within the bounds does.
        examples: [N, T, I] words as they occur, or None where none are known.
        ends: [N] steps in each of them.
        ordered: whether it depends on what came before which letters may come.
        kinds: [A] kind of each letter of the `alphabet`, 0, 1, ...; letters are drawn by kind first
            where they are known: each kind is as likely, and each letter of a kind.
        grammar: which words count, over the letters of the `alphabet`; None: all, or (`ordered`)
            nobody knows.
        draw: what makes words (count, length, random numbers -> words, or None for those above)
            where the network itself says which are likely; any letter may come all the same.
    """

    bounds: InputRange
    letters: np.ndarray | None = None
    examples: np.ndarray | None = None
    ends: np.ndarray | None = None
    ordered: bool = False
    kinds: np.ndarray | None = None
    grammar: Grammar | None = None
    draw: Callable[[int, int, np.random.Generator], np.ndarray | None] | None = None

    @classmethod
    def of(cls, given: Inputs | InputRange) -> Inputs:
        """Inputs as they are, or all inputs within bounds.

        Raises:
            RequestError: the bounds are not pairs of integers, or one of the ranges is empty.
        """
        if isinstance(given, Inputs):
            return given
        wrong = input_range_problems(given, limit=WIDEST_INPUT)
        if wrong:
            raise RequestError(*wrong)
        return cls(tuple((int(low), int(high)) for low, high in given))

    @property
    def dim(self) -> int:
        """I, integers read a step."""
        return len(self.bounds)

    @property
    def restricted(self) -> bool:
        """Whether part of the range never occurs."""
        return self.ordered or self.letters is not None or self.grammar is not None

    @property
    def unseen(self) -> Inputs:
        """The same inputs without the examples, for words that were not trained on; not where the
        examples alone tell what may come.
        """
        if self.ordered:
            return self
        return dataclasses.replace(self, examples=None, ends=None)

    @property
    def uniform(self) -> Inputs:
        """The same inputs, every letter as likely as any other."""
        plain = self.kinds is None and self.draw is None
        return self if plain else dataclasses.replace(self, kinds=None, draw=None)

    @property
    def free(self) -> Inputs:
        """The same inputs, whatever the network itself takes for likely."""
        return self if self.draw is None else dataclasses.replace(self, draw=None)

    def weights(self, letters: np.ndarray) -> np.ndarray:
        """[A] probability of each letter of the alphabet [A, I]."""
        if self.kinds is None:
            return np.full(len(letters), 1.0 / len(letters))
        weights = 1.0 / np.bincount(self.kinds)[self.kinds]
        return weights / weights.sum()

    def like(self, inputs: np.ndarray, mask: np.ndarray | None = None) -> Inputs:
        """The same inputs, as other examples [N, T, I] show them."""
        ends = np.full(len(inputs), inputs.shape[1]) if mask is None else mask.sum(axis=1)
        return dataclasses.replace(self, examples=inputs.astype(np.int64), ends=ends)

    @property
    def given(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Words [N, T, I] and the steps [N] in each, or None where no examples are known."""
        if self.examples is None or self.ends is None or not len(self.examples):
            return None
        return self.examples, self.ends

    def halves(self, rng: np.random.Generator) -> tuple[Inputs, Inputs]:
        """Two with half of the examples each: for looking, and for judging."""
        if self.examples is None or self.ends is None or len(self.examples) < 2:
            return self, self.unseen
        order = rng.permutation(len(self.examples))
        first, second = np.sort(order[::2]), np.sort(order[1::2])
        part = lambda rows: dataclasses.replace(
            self, examples=self.examples[rows], ends=self.ends[rows]
        )
        return part(first), part(second)

    def words(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Words [W, length, I]: examples, each at most once, and random ones where these are too
        few or too short.

        Where letters depend on the past, W may be less than `count`, and an example that is too
        short goes on with another one.
        """
        own = None if self.draw is None else self.draw(count, length, rng)
        if own is not None:
            return own
        examples, ends = self.examples, self.ends
        if examples is None or ends is None:
            return self._any_letters(count, length, rng)
        if self.grammar is not None:  # an example that has ended cannot go on
            examples = examples[ends >= length]
            ends = np.full(len(examples), length)
        first = rng.permutation(len(examples))[:count]
        words = (
            np.empty((len(first), length, self.dim), np.int64)
            if self.ordered
            else self._any_letters(count, length, rng)
        )
        for word, row in zip(words, first):
            filled = 0
            while filled < length:
                part = examples[row, : ends[row]][: length - filled]
                word[filled : filled + len(part)] = part
                filled += len(part)
                if not self.ordered:
                    break
                row = rng.integers(len(examples))
        return words

    def runs(
        self, count: int, length: int, rng: np.random.Generator, shares: np.ndarray
    ) -> np.ndarray:
        """Words of the grammar [count, length, I] with long runs of one letter.

        Args:
            count, length: of the words.
            rng: what draws.
            shares: of steps that repeat the letter before, for one word after the other in turn.
        """
        assert self.grammar is not None
        grammar, repeat = self.grammar, shares[np.arange(count) % len(shares)]
        weights = self.weights(grammar.letters)
        return grammar.letters[grammar.walks(count, length, rng, weights, repeat)]

    def _any_letters(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Every letter independent, and uniform over those that occur (by kind first)."""
        if self.grammar is not None:
            weights = self.weights(self.grammar.letters)
            return self.grammar.letters[self.grammar.walks(count, length, rng, weights)]
        if self.kinds is not None:
            letters = alphabet(self, len(self.kinds))
            assert letters is not None
            drawn = rng.choice(len(letters), (count, length), p=self.weights(letters))
            return letters[drawn]
        if self.letters is not None:
            return self.letters[rng.integers(0, len(self.letters), (count, length))]
        low, high = np.array(self.bounds, np.int64).T
        return rng.integers(low, high + 1, (count, length, self.dim))


def input_names(count: int) -> tuple[str, ...]:
    """Names of the inputs in programs."""
    if count == 1:
        return ("x",)
    return tuple("abcdefgh"[:count]) if count <= 8 else tuple(f"x{i}" for i in range(count))


def random_words(
    inputs: Inputs | InputRange, count: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Words [count, length, I]: examples where some are known, else letters independent and uniform
    over those that occur.
    """
    return Inputs.of(inputs).words(count, length, rng)


def narrow_words(
    inputs: Inputs | InputRange, count: int, length: int, letters: int, rng: np.random.Generator
) -> np.ndarray:
    """Words over a few letters of each input, so that the same (state, letter) is seen often.

    The letters of a wide input are its bounds and neighbours of zero; narrow inputs keep their
    whole range.
    """
    inputs = Inputs.of(inputs)
    if inputs.grammar is not None:
        return _narrow_walks(inputs.grammar, inputs, count, length, letters**inputs.dim, rng)
    if inputs.kinds is not None:
        some = _representatives(inputs, letters**inputs.dim)
        return some[rng.integers(0, len(some), (count, length))]
    wide = any(high - low + 1 > letters for low, high in inputs.bounds)
    if inputs.draw is not None and not wide:
        return inputs.words(count, length, rng)
    if inputs.examples is not None and (inputs.ordered or not wide):
        return inputs.words(count, length, rng)
    columns = [_narrowed(low, high, letters) for low, high in inputs.bounds]
    every = inputs.letters
    if every is not None:
        allowed = [np.isin(column, narrow) for column, narrow in zip(every.T, columns)]
        few = every[np.all(allowed, axis=0)]
        if len(few) < min(letters, len(every)):
            few = every[_spread_rows(len(every), letters**2)]
        return few[rng.integers(0, len(few), (count, length))]
    drawn = [narrow[rng.integers(0, len(narrow), (count, length))] for narrow in columns]
    return np.stack(drawn, axis=-1)


def _narrow_walks(
    grammar: Grammar,
    inputs: Inputs,
    count: int,
    length: int,
    few: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Words of a grammar over a few letters: of each role in it, and of each kind, some."""
    roles = np.unique(grammar.following, axis=1, return_inverse=True)[1].ravel()
    groups = roles if inputs.kinds is None else roles * (inputs.kinds.max() + 1) + inputs.kinds
    weights = np.zeros(len(groups))
    weights[_first_of_each(groups, few)] = 1.0
    return grammar.letters[grammar.walks(count, length, rng, weights)]


def _first_of_each(groups: np.ndarray, limit: int) -> np.ndarray:
    """Indices: the first of each group [A], then further ones of each, up to a limit."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    limit = max(limit, len(starts))
    return np.sort(order[np.argsort(place, kind="stable")][:limit])


def _representatives(inputs: Inputs, limit: int) -> np.ndarray:
    """[few, I] letters: the first of each kind, then further ones of each, up to a limit."""
    assert inputs.kinds is not None
    letters = alphabet(inputs, len(inputs.kinds))
    assert letters is not None
    return letters[_first_of_each(inputs.kinds, limit)]


def _narrowed(low: int, high: int, letters: int) -> np.ndarray:
    if high - low + 1 <= letters:
        return np.arange(low, high + 1)
    close = [v for v in (0, 1, 2, -1, -2, 3, -3, 4, 5) if low <= v <= high][: letters // 2 + 1]
    spread = np.linspace(low, high, letters - len(close)).round().astype(int)
    return np.unique(np.r_[close, spread])


def _spread_rows(count: int, limit: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int))


def alphabet(inputs: Inputs | InputRange, limit: int) -> np.ndarray | None:
    """All letters [A, I] in lexicographic order, or None when there are more than `limit` (or it
    depends on the past).
    """
    inputs = Inputs.of(inputs)
    if inputs.ordered or (inputs.letters is not None and len(inputs.letters) > limit):
        return None
    if inputs.letters is not None:
        return inputs.letters
    if math.prod(high - low + 1 for low, high in inputs.bounds) > limit:
        return None
    ranges = (range(low, high + 1) for low, high in inputs.bounds)
    return np.array(list(itertools.product(*ranges)), np.int64)


def probe_letters(inputs: Inputs | InputRange, limit: int = 8) -> np.ndarray:
    """A few letters to probe with: all of a small alphabet, else zero, the bounds and their
    combinations.
    """
    inputs = Inputs.of(inputs)
    every = alphabet(inputs, limit)
    if every is not None:
        return every
    if inputs.kinds is not None:
        return _representatives(inputs, limit)
    if inputs.letters is not None:
        return _safest(inputs.letters, inputs, limit)
    rows = [
        [min(max(0, low), high) for low, high in inputs.bounds],
        [low for low, _ in inputs.bounds],
        [high for _, high in inputs.bounds],
        [min(max(1, low), high) for low, high in inputs.bounds],
    ]
    return np.unique(np.array(rows, np.int64), axis=0)


def _safest(letters: np.ndarray, inputs: Inputs, limit: int) -> np.ndarray:
    """Those of all letters that may stand at as many steps as possible, few and spread."""
    examples, ends = inputs.examples, inputs.ends
    if inputs.ordered and examples is not None and ends is not None:
        here = np.arange(examples.shape[1]) < ends[:, None]
        steps = np.broadcast_to(np.arange(examples.shape[1]), here.shape)[here]
        _, which = np.unique(examples[here], axis=0, return_inverse=True)
        seen = np.zeros((len(letters), examples.shape[1]), bool)
        seen[which.ravel(), steps] = True
        letters = letters[seen.sum(axis=1) == seen.sum(axis=1).max()]
    return letters[_spread_rows(len(letters), limit)]


def input_range_problems(given: Any, name: str = "input_range", limit: int = WIDEST) -> list[str]:
    """What is wrong with an input range, one inclusive (low, high) for each input."""
    form = f"((low, high), ...), one pair of integers within ±{limit} for each input"
    try:
        pairs = [tuple(pair) for pair in given]
    except TypeError:
        return [f"{name} is {shown(given)}; allowed: {form}"]
    if isinstance(given, str) or not pairs:
        return [f"{name} is {shown(given)}; allowed: {form}"]
    found = []
    for i, pair in enumerate(pairs):
        if len(pair) != 2 or not all(whole(v) and abs(int(v)) <= limit for v in pair):
            found.append(f"{name} is {shown(pair)} for input {i}; allowed: {form}")
        elif pair[0] > pair[1]:
            found.append(
                f"input {i}: the range {pair[0]}..{pair[1]} is empty (low must not exceed high)"
            )
    return found
