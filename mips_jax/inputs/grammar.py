"""Which letter may come after which: words as a network reads them, where not every word is one.

A network that was trained on words between a start and an end symbol does anything at all on
others. A grammar says which words count: a deterministic automaton, given by such symbols or read
off examples as a local (2-testable) language: the letters that come first, those that may follow on
each other, those that come last (McNaughton and Papert 1971).

Axes: N examples, W words, T time, I inputs a step, A letters, G states of the grammar.
"""

from __future__ import annotations

import dataclasses

import numpy as np

NOT_ALLOWED = -1


@dataclasses.dataclass(frozen=True, eq=False)
class Grammar:
    """A deterministic automaton of the words that count; its first state is the start.

    Attributes:
        letters: [A, I] in lexicographic order.
        following: [G, A] state after a letter, or `NOT_ALLOWED`.
        final: [G] whether a word may end there.
    """

    letters: np.ndarray
    following: np.ndarray
    final: np.ndarray

    def walks(
        self,
        count: int,
        length: int,
        rng: np.random.Generator,
        weights: np.ndarray,
        repeat: np.ndarray | None = None,
    ) -> np.ndarray:
        """Letter indices [count, length] of words that count.

        Args:
            count, length: of the words; a length at which no word may end gives words that go on.
            rng: what draws.
            weights: [A] of each letter, among those that may come.
            repeat: [count] share of steps that repeat the letter before, where it may come again.
        """
        alive = self._alive(length)
        words = np.empty((count, length), np.int64)
        states = np.zeros(count, np.int64)
        for t in range(length):
            usable = alive[length - t - 1][self.following] & (self.following != NOT_ALLOWED)
            chances = np.cumsum(usable * weights, axis=1)
            drawn = rng.random(count) * chances[states, -1]
            words[:, t] = (chances[states] <= drawn[:, None]).sum(axis=1)
            if repeat is not None and t:
                again = (rng.random(count) < repeat) & usable[states, words[:, t - 1]]
                words[again, t] = words[again, t - 1]
            states = self.following[states, words[:, t]]
        return words

    def _alive(self, length: int) -> list[np.ndarray]:
        """For each number of letters still to come, [G] from which states so many can."""
        found = [self.final]
        for _ in range(length):
            found.append(self._can_reach(found[-1]))
        if not found[-1][0]:  # no word of this length: any that has not yet come to its end
            found = [np.ones(len(self.final), bool)]
            for _ in range(length):
                found.append(self._can_reach(found[-1]))
        return found

    def _can_reach(self, targets: np.ndarray) -> np.ndarray:
        return (targets[self.following] & (self.following != NOT_ALLOWED)).any(axis=1)

    @property
    def endless(self) -> bool:
        """Whether there are words of every length."""
        reached = np.eye(1, len(self.final), dtype=bool)[0]
        for _ in range(len(reached)):  # so many steps go around a circle
            after = self.following[reached]
            reached = np.isin(np.arange(len(reached)), after[after != NOT_ALLOWED])
        return bool(reached.any())

    def index_of(self, letters: np.ndarray) -> np.ndarray:
        """Letters [B, I] -> [B] indices; all must be letters of the grammar."""
        if self.letters.shape[1] == 1 and len(self.letters) == np.ptp(self.letters) + 1:
            return letters[:, 0] - self.letters[0, 0]
        both = np.concatenate([self.letters, letters])
        codes = np.unique(both, axis=0, return_inverse=True)[1].ravel()
        return codes[len(self.letters) :]  # in lexicographic order, as the letters are

    def allows(self, words: np.ndarray) -> np.ndarray:
        """[W] bool: whether words [W, T] of letter indices are beginnings of words that count."""
        states = np.zeros(len(words), np.int64)
        for column in words.T:
            following = self.following[np.maximum(states, 0), column]
            states = np.where(states == NOT_ALLOWED, NOT_ALLOWED, following)
        return states != NOT_ALLOWED


def between(letters: np.ndarray, start: int | None, end: int | None) -> Grammar:
    """Words that begin with one letter and end with another, which occur nowhere else.

    Args:
        letters: [A, I].
        start: index of the first letter; None: any.
        end: index of the last letter; None: a word may end anywhere.
    """
    before, inside, after = 0, 1, 2
    following = np.full((3, len(letters)), NOT_ALLOWED)
    following[inside] = inside
    if end is not None:
        following[inside, end] = after
    following[before] = following[inside]
    if start is not None:
        following[inside, start] = NOT_ALLOWED
        following[before] = NOT_ALLOWED
        following[before, start] = inside
    return Grammar(letters, following, np.array([False, end is None, end is not None]))


def local_language(
    letters: np.ndarray, words: np.ndarray, ends: np.ndarray, expected: float
) -> Grammar:
    """The local language of examples: all that chance would have shown and that never came is not
    allowed.

    Args:
        letters: [A, I].
        words: [N, T] indices of letters.
        ends: [N] letters in each example, at least one.
        expected: how often chance must have shown something that never came.
    """
    count = len(letters)
    here = np.arange(words.shape[1]) < ends[:, None]
    often = np.bincount(words[here], minlength=count)
    share = often / often.sum()
    first = np.bincount(words[:, 0], minlength=count)
    last = np.bincount(words[np.arange(len(words)), ends - 1], minlength=count)
    pairs = np.zeros((count, count), np.int64)
    np.add.at(pairs, (words[:, :-1][here[:, 1:]], words[:, 1:][here[:, 1:]]), 1)
    by_chance = pairs.sum(axis=1, keepdims=True) * (pairs.sum(axis=0) / max(1, pairs.sum()))
    ended = here[:, 1:].sum() == 0
    never = (pairs == 0) & ((by_chance > expected) | ended)
    # a letter after which nothing ever came, and one that came first only, however often
    never |= ((pairs.sum(axis=1) == 0) & (often > expected))[:, None]
    never |= ((pairs.sum(axis=0) == 0) & (often > expected))[None, :]
    starts = (first > 0) | (len(words) * share <= expected)
    finals = (last > 0) | (len(words) * share <= expected)
    table = np.concatenate([starts[None], ~never])  # state a + 1: after letter a
    following = np.where(table, np.arange(count) + 1, NOT_ALLOWED)
    return _merged(Grammar(letters, following, np.concatenate([[False], finals])))


def _merged(grammar: Grammar) -> Grammar:
    """States that allow the same words are one (Moore's refinement)."""
    classes = grammar.final.astype(np.int64)
    while True:
        after = np.where(grammar.following == NOT_ALLOWED, -1, classes[grammar.following])
        rows = np.concatenate([classes[:, None], after], axis=1)
        _, first, finer = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))  # numbered by their first state, the start being 0
        finer = order[finer.ravel()]
        if finer.max() == classes.max():
            break
        classes = finer
    leaders = np.sort(first)
    following = np.where(
        grammar.following[leaders] == NOT_ALLOWED, -1, finer[grammar.following[leaders]]
    )
    return Grammar(grammar.letters, following, grammar.final[leaders])
