"""The words that are put to a network: random ones from a range, or those on which it was trained.

A network has learned what its training inputs demand. On inputs that they leave out (other vectors
than the one-hot ones, a digit beyond its alternating base, a sum that no example reaches) it does
anything at all, and that would hide what it has learned. So where examples are known, words are
theirs. Only inputs are looked at here, never a label.

Axes: N examples, W words, T time, I inputs a step, A letters. A letter is the vector of one step's
    inputs.
"""

from __future__ import annotations

import itertools

import numpy as np

InputRange = tuple[tuple[int, int], ...]  # inclusive (low, high) of each input
_EXPECTED = 25.0  # what never occurs although chance would have it this often is taken to be excluded: e^-25 by accident
_KEPT_EXAMPLES = 20_000  # of more examples, an even selection
_COUNTED_STEPS = 50_000  # single steps that are counted
_MOST_PAIRS = 4_096  # pairs of values that are counted for two inputs (or two steps)


class ObservedInputs(tuple):
    """An input range, like any other, with examples of the inputs on which a network was trained.

    Attributes:
        examples: [N, T, I] words as they occur.
        ends: [N] steps in each of them.
        letters: [A, I] all letters that occur, or None: every letter in range does.
        ordered: whether it depends on what came before which letters may come.
    """

    def __new__(
        cls,
        bounds: InputRange,
        examples: np.ndarray,
        ends: np.ndarray,
        letters: np.ndarray | None,
        ordered: bool,
    ):
        made = super().__new__(cls, bounds)
        made.examples, made.ends, made.letters, made.ordered = examples, ends, letters, ordered
        return made

    def __getnewargs__(self):
        return tuple(self), self.examples, self.ends, self.letters, self.ordered

    @property
    def restricted(self) -> bool:
        """Whether part of the range never occurs."""
        return self.ordered or self.letters is not None

    @property
    def unseen(self) -> InputRange:
        """The same inputs without the examples, for words that were not trained on; not where the
        examples alone tell what may come.
        """
        if self.ordered:
            return self
        return (
            ObservedInputs(tuple(self), self.examples[:0], self.ends[:0], self.letters, False)
            if self.restricted
            else tuple(self)
        )

    def like(self, inputs: np.ndarray, mask: np.ndarray | None = None) -> ObservedInputs:
        """The same inputs, as other examples [N, T, I] show them."""
        ends = np.full(len(inputs), inputs.shape[1]) if mask is None else mask.sum(axis=1)
        return ObservedInputs(
            tuple(self), inputs.astype(np.int64), ends, self.letters, self.ordered
        )

    def words(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Words [W, length, I]: examples, each at most once, and random ones where these are too
        few or too short.

        Where letters depend on the past, W may be less than `count`, and an example that is too
        short goes on with another one.
        """
        first = rng.permutation(len(self.examples))[:count]
        words = (
            np.empty((len(first), length, len(self)), np.int64)
            if self.ordered
            else self._any_letters(count, length, rng)
        )
        for word, row in zip(words, first):
            filled = 0
            while filled < length:
                part = self.examples[row, : self.ends[row]][: length - filled]
                word[filled : filled + len(part)] = part
                filled += len(part)
                if not self.ordered:
                    break
                row = rng.integers(len(self.examples))
        return words

    def _any_letters(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
        if self.letters is None:
            return random_words(tuple(self), count, length, rng)
        return self.letters[rng.integers(0, len(self.letters), (count, length))]


def observed_inputs(
    bounds: InputRange, inputs: np.ndarray, mask: np.ndarray | None = None
) -> ObservedInputs:
    """A range with examples of its inputs, and what of it occurs where they leave part of it out.

    Args:
        bounds: inclusive (low, high) of each input.
        inputs: [N, T, I] inputs of examples.
        mask: [N, T], False beyond the end of an example; None: all have T steps.
    """
    real = np.ones(inputs.shape[:2], bool) if mask is None else mask
    kept = np.s_[:: max(1, len(inputs) // _KEPT_EXAMPLES)]
    examples, ends = inputs[kept].astype(np.int64), real[kept].sum(axis=1)
    counted = np.s_[:: max(1, examples.shape[0] * examples.shape[1] // _COUNTED_STEPS)]
    part, real_part = examples[counted], real[kept][counted]
    ordered = _depends_on_time(part, real_part) or _depends_on_past(part, real_part)
    restricted = ordered or _leaves_letters_out(bounds, part[real_part])
    letters = _distinct_letters(inputs[real]) if restricted else None
    return ObservedInputs(bounds, examples, ends, letters, ordered)


def _distinct_letters(letters: np.ndarray) -> np.ndarray:
    """Rows of letters [N, I], each once, in lexicographic order."""
    low, high = (bound.astype(np.int64) for bound in (letters.min(axis=0), letters.max(axis=0)))
    sizes = high - low + 1
    if np.prod(sizes.astype(float)) > 2.0**62:
        return np.unique(letters, axis=0).astype(np.int64)
    _, first = np.unique(
        np.ravel_multi_index((letters - low).T, sizes), return_index=True
    )  # far faster than by rows
    return letters[first].astype(np.int64)


def _leaves_letters_out(bounds: InputRange, letters: np.ndarray) -> bool:
    """Whether values of an input, or combinations of two inputs, never occur in letters [N, I]."""
    columns = letters.T
    if any(
        len(c) > _EXPECTED * (high - low + 1) > _EXPECTED * len(np.unique(c))
        for (low, high), c in zip(bounds, columns)
    ):
        return True
    codes = [_codes(column) for column in columns]
    return any(_excluded(a, b) for a, b in itertools.combinations(codes, 2))


def _depends_on_time(inputs: np.ndarray, real: np.ndarray) -> bool:
    """Whether some value never occurs at some step."""
    steps = np.broadcast_to(np.arange(inputs.shape[1]), real.shape)[real]
    return any(
        _excluded(_codes(steps), _codes(inputs[:, :, i][real])) for i in range(inputs.shape[2])
    )


def _depends_on_past(inputs: np.ndarray, real: np.ndarray) -> bool:
    """Whether some value never follows, k steps later, on some value of the same or of another
    input.
    """
    values = [_codes(inputs[:, :, i]) for i in range(inputs.shape[2])]
    for lag in range(1, inputs.shape[1]):
        both = real[:, lag:]  # an example that has the later step has the earlier one
        before = [(codes[:, :-lag][both], size) for codes, size in values]
        after = [(codes[:, lag:][both], size) for codes, size in values]
        if any(_excluded(a, b) for a, b in itertools.product(before, after)):
            return True
    return False


def _codes(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Values of any shape numbered from 0 on, and how many different ones there are."""
    distinct, codes = np.unique(values, return_inverse=True)
    return codes.reshape(values.shape), len(distinct)


def _excluded(first: tuple[np.ndarray, int], second: tuple[np.ndarray, int]) -> bool:
    """Whether two columns of codes [N] leave out a pair that they would often show if they were
    independent.
    """
    (a, a_size), (b, b_size) = first, second
    if len(a) == 0 or a_size * b_size > _MOST_PAIRS:
        return False
    pairs = np.bincount(a * b_size + b, minlength=a_size * b_size).reshape(a_size, b_size)
    expected = pairs.sum(axis=1, keepdims=True) * pairs.sum(axis=0) / len(a)
    return bool(((pairs == 0) & (expected > _EXPECTED)).any())


def input_names(count: int) -> tuple[str, ...]:
    """Names of the inputs in programs."""
    return (
        ("x",)
        if count == 1
        else tuple("abcdefgh"[:count])
        if count <= 8
        else tuple(f"x{i}" for i in range(count))
    )


def random_words(
    input_range: InputRange, count: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Words [count, length, I], every entry independent and uniform over its range; of observed
    inputs, their examples.
    """
    if isinstance(input_range, ObservedInputs):
        return input_range.words(count, length, rng)
    low, high = np.array(input_range).T
    return rng.integers(low, high + 1, (count, length, len(input_range)))


def narrow_words(
    input_range: InputRange, count: int, length: int, letters: int, rng: np.random.Generator
) -> np.ndarray:
    """Words over a few letters of each input, so that the same (state, letter) is seen often.

    The letters of a wide input are its bounds and neighbours of zero; narrow inputs keep their
    whole range.
    """
    wide = any(high - low + 1 > letters for low, high in input_range)
    if isinstance(input_range, ObservedInputs) and (input_range.ordered or not wide):
        return input_range.words(count, length, rng)
    columns = [_narrowed(low, high, letters) for low, high in input_range]
    if isinstance(input_range, ObservedInputs) and input_range.restricted:
        every = input_range.letters
        inside = np.all(
            [np.isin(column, allowed) for column, allowed in zip(every.T, columns)], axis=0
        )
        few = (
            every[inside]
            if inside.sum() >= min(letters, len(every))
            else every[_spread_rows(len(every), letters**2)]
        )
        return few[rng.integers(0, len(few), (count, length))]
    return np.stack(
        [allowed[rng.integers(0, len(allowed), (count, length))] for allowed in columns], axis=-1
    )


def _narrowed(low: int, high: int, letters: int) -> np.ndarray:
    if high - low + 1 <= letters:
        return np.arange(low, high + 1)
    close = [v for v in (0, 1, 2, -1, -2, 3, -3, 4, 5) if low <= v <= high][: letters // 2 + 1]
    spread = np.linspace(low, high, letters - len(close)).round().astype(int)
    return np.unique(np.r_[close, spread])


def _spread_rows(count: int, limit: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int))


def alphabet(input_range: InputRange, limit: int) -> np.ndarray | None:
    """All letters [A, I] in lexicographic order, or None when there are more than `limit` (or it
    depends on the past).
    """
    if isinstance(input_range, ObservedInputs) and input_range.restricted:
        return (
            None if input_range.ordered or len(input_range.letters) > limit else input_range.letters
        )
    sizes = [high - low + 1 for low, high in input_range]
    if np.prod([float(s) for s in sizes]) > limit:
        return None
    return np.array(
        list(itertools.product(*(range(low, high + 1) for low, high in input_range))), np.int64
    )


def probe_letters(input_range: InputRange, limit: int = 8) -> np.ndarray:
    """A few letters to probe with: all of a small alphabet, else zero, the bounds and their
    combinations.
    """
    every = alphabet(input_range, limit)
    if every is not None:
        return every
    if isinstance(input_range, ObservedInputs) and input_range.restricted:
        return _safest(input_range, limit)
    rows = []
    for choose in ("zero", "low", "high", "one"):
        rows.append(
            [
                {
                    "zero": min(max(0, low), high),
                    "low": low,
                    "high": high,
                    "one": min(max(1, low), high),
                }[choose]
                for low, high in input_range
            ]
        )
    return np.unique(np.array(rows, np.int64), axis=0)


def _safest(inputs: ObservedInputs, limit: int) -> np.ndarray:
    """Letters that may stand at as many steps as possible, few and spread."""
    letters = inputs.letters
    if inputs.ordered:
        here = np.arange(inputs.examples.shape[1]) < inputs.ends[:, None]
        steps = np.broadcast_to(np.arange(inputs.examples.shape[1]), here.shape)[here]
        _, which = np.unique(inputs.examples[here], axis=0, return_inverse=True)
        seen = np.zeros((len(letters), inputs.examples.shape[1]), bool)
        seen[which.ravel(), steps] = True
        letters = letters[seen.sum(axis=1) == seen.sum(axis=1).max()]
    return letters[_spread_rows(len(letters), limit)]
