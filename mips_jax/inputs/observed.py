"""What examples of inputs show: which letters occur, and whether it depends on the past which may
come. Only inputs are looked at here, never a label.

Axes: N examples, T time, I inputs a step, A letters. A letter is the vector of one step's inputs.
"""

from __future__ import annotations

import itertools

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import shown, whole
from mips_jax.inputs.grammar import Grammar, between, local_language
from mips_jax.inputs.inputs import InputRange, Inputs, alphabet

# What never occurs although chance would have it this often is taken to be excluded: e^-25 by
# accident.
_EXPECTED = 25.0
_KEPT_EXAMPLES = 20_000  # of more examples, an even selection
_COUNTED_STEPS = 50_000  # single steps that are counted
_MOST_PAIRS = 4_096  # pairs of values that are counted for two inputs (or two steps)
_MOST_LETTERS = 1_000  # of an alphabet with start and end symbols
_SEED = 6000  # of words that a grammar is tried on


def observed_inputs(
    bounds: InputRange, inputs: np.ndarray, mask: np.ndarray | None = None
) -> Inputs:
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
    grammar = _local(letters, part, real_part) if ordered else None
    return Inputs(bounds, letters, examples, ends, ordered and grammar is None, grammar=grammar)


def inputs_like(bounds: InputRange, words: np.ndarray, ends: np.ndarray) -> Inputs:
    """`observed_inputs` of words that a user gives, which must lie within the bounds.

    Args:
        bounds: inclusive (low, high) of each input.
        words: [N, T, I].
        ends: [N] steps in each of them.

    Raises:
        RequestError: a word has an input out of bounds.
    """
    real = np.arange(words.shape[1]) < ends[:, None]
    for i, (low, high) in enumerate(bounds):
        out = ((words[:, :, i] < low) | (words[:, :, i] > high)) & real
        if out.any():
            n, t = np.argwhere(out)[0]
            raise RequestError(
                f"word {n + 1} has {words[n, t, i]} at step {t + 1}; allowed: {low} to {high} "
                "(network.input_min, network.input_max)"
            )
    return observed_inputs(bounds, words, real)


def words_between(bounds: InputRange, start: int | None = None, end: int | None = None) -> Inputs:
    """All words that begin with one symbol and end with another, which occur nowhere else.

    Args:
        bounds: inclusive (low, high) of the one input.
        start: the first symbol; None: any.
        end: the last symbol; None: any.

    Raises:
        RequestError: there are several inputs, very many letters, or a symbol is none of them.
    """
    problems, allowed = [], f"one input with at most {_MOST_LETTERS} values"
    letters = alphabet(Inputs.of(bounds), _MOST_LETTERS)
    if letters is None or letters.shape[1] != 1:
        raise RequestError(f"start and end symbols need {allowed}; the range is {list(bounds)}")
    known = letters[:, 0].tolist()
    for name, symbol in (("start", start), ("end", end)):
        if symbol is not None and not (whole(symbol) and int(symbol) in known):
            problems.append(f"{name} is {shown(symbol)}; allowed: {known[0]} to {known[-1]}")
    if start is not None and start == end:
        problems.append(f"start and end are both {start}; they must differ")
    if len(known) < 1 + (start is not None) + (end is not None):
        problems.append(f"the range {list(bounds)} has no letter beside start and end")
    if problems:
        raise RequestError(*problems)
    place = lambda symbol: None if symbol is None else known.index(int(symbol))
    return Inputs(bounds, grammar=between(letters, place(start), place(end)))


def _local(letters: np.ndarray | None, examples: np.ndarray, real: np.ndarray) -> Grammar | None:
    """The local language of the examples, where that is all that depends on the past."""
    if letters is None or len(letters) ** 2 > _MOST_PAIRS or not real[:, 0].all():
        return None
    both = np.concatenate([letters, examples[real]])
    codes = np.zeros(real.shape, np.int64)
    codes[real] = np.unique(both, axis=0, return_inverse=True)[1].ravel()[len(letters) :]
    grammar = local_language(letters, codes, real.sum(axis=1), _EXPECTED)
    if not grammar.endless:
        return None
    often = np.bincount(codes[real], minlength=len(letters)).astype(float)
    drawn = _drawn_alike(grammar, real, often)
    size = (len(letters),) * 2
    steps = np.broadcast_to(np.arange(real.shape[1]), real.shape)
    kept = not _only_drawn((steps, codes), (steps, drawn), real, (real.shape[1], len(letters)))
    for lag in range(1, real.shape[1]):
        seen, other = ((c[:, :-lag], c[:, lag:]) for c in (codes, drawn))
        kept = kept and not _only_drawn(seen, other, real[:, lag:], size)
    return grammar if kept else None


def _drawn_alike(grammar: Grammar, real: np.ndarray, often: np.ndarray) -> np.ndarray:
    """Words of the grammar [N, T] as long as the examples, letters as frequent as in them."""
    rng = np.random.default_rng(_SEED)
    ends = real.sum(axis=1)
    drawn = np.zeros(real.shape, np.int64)
    for length in np.unique(ends):
        rows = np.flatnonzero(ends == length)
        drawn[rows, :length] = grammar.walks(len(rows), int(length), rng, often)
    return drawn


def _only_drawn(seen, drawn, real: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a pair of codes that the examples exclude comes in the words that were drawn."""
    count = lambda pair: np.bincount(
        (pair[0] * size[1] + pair[1])[real], minlength=size[0] * size[1]
    ).reshape(size)
    seen, drawn = count(seen), count(drawn)
    expected = seen.sum(axis=1, keepdims=True) * seen.sum(axis=0) / max(1, seen.sum())
    return bool(((seen == 0) & (expected > _EXPECTED) & (drawn > 0)).any())


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
