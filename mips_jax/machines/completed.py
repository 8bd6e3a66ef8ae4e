"""A machine that need only be right on the words of a grammar, made as small as that allows.

What it does elsewhere nobody asks, so states and letters that do not contradict each other become
one (the folding of Oncina and Garcia's inference, 1992, on a table with holes).

Axes: S states, A letters, G states of the grammar, O outputs a step.
"""

from __future__ import annotations

import numpy as np

from mips_jax.inputs.grammar import NOT_ALLOWED, Grammar
from mips_jax.machines.mealy import Mealy, minimised

_MERGED = 600  # states of the largest machine that is made smaller
_FREE = -1  # a next state that nobody asks for


def completed(machine: Mealy, grammar: Grammar) -> Mealy:
    """A small machine that writes the same on every word of the grammar.

    Args:
        machine: over the grammar's letters.
        grammar: which words count.
    """
    table = _Partial.of(machine, grammar)
    if len(table.following) <= _MERGED:
        table = table.with_states_merged()
    table = table.with_letters_merged()
    return minimised(table.filled(machine.letters))


class _Partial:
    """Transitions [S, A], `_FREE` where nobody asks; outputs [S, A, O] where `asked` [S, A]."""

    def __init__(self, following: np.ndarray, output: np.ndarray, asked: np.ndarray):
        self.following, self.output, self.asked = following, output, asked

    @classmethod
    def of(cls, machine: Mealy, grammar: Grammar) -> _Partial:
        """The reachable pairs of a state of the machine and one of the grammar."""
        pairs, number = [(0, 0)], {(0, 0): 0}
        rows = []
        for state, form in pairs:
            row = np.full(len(machine.letters), _FREE)
            for a in np.flatnonzero(grammar.following[form] != NOT_ALLOWED):
                after = int(machine.transition[state, a]), int(grammar.following[form, a])
                if after not in number:
                    number[after] = len(pairs)
                    pairs.append(after)
                row[a] = number[after]
            rows.append(row)
        states, forms = np.array(pairs).T
        asked = grammar.following[forms] != NOT_ALLOWED
        following = np.array(rows)
        last = ~asked.any(axis=1)  # nothing comes any more: which state it is nobody asks
        following[asked & last[following]] = _FREE
        kept = np.flatnonzero(~last) if not last[0] else np.arange(len(last))
        renumbered = np.cumsum(~last) - 1
        following = np.where(following == _FREE, _FREE, renumbered[following])
        return cls(following[kept], machine.output[states][kept], asked[kept])

    def with_states_merged(self) -> _Partial:
        """Each state becomes one with the first that it does not contradict."""
        leader = np.arange(len(self.following))
        table = self
        for state in range(1, len(leader)):
            for other in range(state):
                if leader[state] != state or leader[other] != other:
                    continue
                folded = table._folded(leader, other, state)
                if folded is not None:
                    table, leader = folded
                    break
        kept = np.unique(leader)
        number = np.zeros(len(leader), np.int64)
        number[kept] = np.arange(len(kept))
        following = np.where(table.following == _FREE, _FREE, number[leader[table.following]])
        return _Partial(following[kept], table.output[kept], table.asked[kept])

    def _folded(self, leader: np.ndarray, one: int, other: int):
        """(table, leaders) with two states made one, and all that follows from it; None where they
        contradict each other.
        """
        following, output, asked = (a.copy() for a in (self.following, self.output, self.asked))
        leader, open_ = leader.copy(), [(one, other)]
        while open_:
            first, second = sorted(int(leader[s]) for s in open_.pop())
            if first == second:
                continue
            both = asked[first] & asked[second]
            if (output[first] != output[second])[both].any():
                return None
            leader[leader == second] = first
            goes = (following[first] != _FREE) & (following[second] != _FREE)
            open_ += zip(following[first][goes].tolist(), following[second][goes].tolist())
            new = asked[second] & ~asked[first]
            output[first][new] = output[second][new]
            asked[first] |= asked[second]
            free = following[first] == _FREE
            following[first][free] = following[second][free]
        return _Partial(following, output, asked), leader

    def with_letters_merged(self) -> _Partial:
        """Each letter does what the first one does that it does not contradict."""
        following, output, asked = (a.copy() for a in (self.following, self.output, self.asked))
        leaders: list[int] = []
        of = np.arange(following.shape[1])
        for a in range(following.shape[1]):
            for b in leaders:
                goes = (following[:, a] != _FREE) & (following[:, b] != _FREE)
                both = asked[:, a] & asked[:, b]
                same = (output[:, a] == output[:, b]).all(axis=1)
                if (following[:, a] == following[:, b])[goes].all() and same[both].all():
                    free = following[:, b] == _FREE
                    following[free, b] = following[free, a]
                    new = asked[:, a] & ~asked[:, b]
                    output[new, b] = output[new, a]
                    asked[:, b] |= asked[:, a]
                    of[a] = b
                    break
            else:
                leaders.append(a)
        return _Partial(following[:, of], output[:, of], asked[:, of])

    def filled(self, letters: np.ndarray) -> Mealy:
        """What nobody asks for stays in its state, and writes what its letter mostly writes."""
        stay = np.broadcast_to(np.arange(len(self.following))[:, None], self.following.shape)
        following = np.where(self.following == _FREE, stay, self.following)
        output = self.output.copy()
        for a in range(output.shape[1]):
            seen = output[self.asked[:, a], a]
            usual = np.zeros(output.shape[2], np.int64)
            if len(seen):
                rows, counts = np.unique(seen, axis=0, return_counts=True)
                usual = rows[counts.argmax()]
            output[~self.asked[:, a], a] = usual
        return Mealy(letters, following, output)
