"""Words on which a network and its program differ, looked for where the network comes nearest to
another output.

Random words leave most of what a network can do alone. Here many hidden states are carried along
together; of those that one letter more leads to, each state of the program keeps the ones whose
output is nearest to another one, those that lie outermost in some direction, and some by chance. So
what drifts is driven on, and what is driven far enough fails. No ground truth is asked.

Axes: N hidden states carried along, A letters, H hidden units, R registers, O outputs, T time.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks import Network
from mips_jax.programs import Program, Var
from mips_jax.verification.enclosures.instructions import Instructions, instructions_of

_CARRIED = 400  # hidden states; fewer with more than ten letters
_DIRECTIONS = 40
_LONGEST = 1000  # steps of a word
_LETTERS = 400  # of more, so many are drawn at each step
_LARGEST = 2**40  # of registers


@dataclasses.dataclass
class _Carried:
    """States side by side, and how each was reached.

    Attributes:
        hidden: [N, H].
        registers: [N, R] of the program.
        ways: for each step so far, parents [N] among those before, and letters [N].
    """

    hidden: np.ndarray
    registers: np.ndarray
    ways: list[tuple[np.ndarray, np.ndarray]]

    def word(self, parent: int, letter: int) -> list[int]:
        """The letters that lead to a state, and one more."""
        found = [letter]
        for parents, letters in reversed(self.ways):
            found.append(int(letters[parent]))
            parent = int(parents[parent])
        return found[::-1]


def failing_word(
    network: Network,
    program: Program,
    letters: np.ndarray,
    steps: int,
    longest: int = _LONGEST,
    carried: int = _CARRIED,
) -> np.ndarray | None:
    """A word [T, I] on which the two differ at the last step and not before, or None.

    Args:
        network: with instructions.
        program: with integer registers.
        letters: [A, I].
        steps: of the network, at most: work.
        longest: letters of a word.
        carried: hidden states side by side.
    """
    rules = instructions_of(network)
    assert isinstance(rules, Instructions), rules
    rng = np.random.default_rng(0)
    start = [int(register.initial) for register in program.registers]
    now = _Carried(network.initial[None], np.array([start], np.int64).reshape(1, -1), [])
    while steps > 0 and len(now.ways) < longest:
        tried = np.arange(len(letters))
        if len(tried) > _LETTERS:
            tried = np.sort(rng.choice(tried, _LETTERS, replace=False))
        parents = np.repeat(np.arange(len(now.hidden)), len(tried))
        read = np.tile(tried, len(now.hidden))
        steps -= len(read)
        hidden = network.step(now.hidden[parents], letters[read])
        after, wanted = _written(program, now.registers[parents], letters[read])
        if after is None:
            return None
        lead = leads(rules, network, hidden, wanted)
        wrong = (network.outputs(hidden) != wanted).any(axis=1)
        if wrong.any():
            worst = int(np.where(wrong, lead, np.inf).argmin())
            found = letters[now.word(int(parents[worst]), int(read[worst]))]
            word = _confirmed(network, program, found)
            if word is not None:
                return word
        whole = np.isfinite(hidden).all(axis=1) & ~wrong
        most = max(20, min(carried, 10 * carried // len(tried)))
        kept = np.flatnonzero(whole)[_kept(hidden[whole], after[whole], lead[whole], most, rng)]
        now.ways.append((parents[kept], read[kept]))
        now = _Carried(hidden[kept], after[kept], now.ways)
        if not len(kept):
            return None
    return None


def leads(
    rules: Instructions, network: Network, hidden: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """How far outputs are from being another one: [N]; not above 0 where they are.

    Args:
        rules: of the network.
        network: that is read out.
        hidden: [N, H].
        wanted: [N, O].
    """
    raw = network.readout(hidden)
    if rules.classes is None:
        return 0.5 - np.abs(raw - wanted).max(axis=1)
    if len(rules.classes) != raw.shape[1]:  # one logit: a yes above its level
        raw = np.concatenate([np.broadcast_to(rules.readout[-1][3][:1], raw.shape), raw], axis=1)
    right = np.array(rules.classes) == wanted
    best = np.where(right, raw, -np.inf).max(axis=1)
    return best - np.where(right, -np.inf, raw).max(axis=1)


def _written(
    program: Program, registers: np.ndarray, read: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """Registers [N, R] and outputs [N, O] after a letter each; None where one grows too large."""
    values = {Var(name): read[:, i] for i, name in enumerate(program.inputs)}
    state = {r.name: registers[:, k] for k, r in enumerate(program.registers)}
    after, outputs = program.step(values, state)
    columns = [np.broadcast_to(after[r.name], len(read)) for r in program.registers]
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(read), 0), np.int64)
    if stacked.dtype == object or (stacked.size and np.abs(stacked).max() > _LARGEST):
        return None, outputs
    return stacked, np.asarray(outputs)


def _kept(hidden, registers, lead, most: int, rng) -> np.ndarray:
    """Indices of those that are carried on."""
    if len(hidden) <= most:
        return np.arange(len(hidden))
    spread = hidden.std(axis=0) + 1e-12
    directions = rng.normal(size=(hidden.shape[1], _DIRECTIONS)) / spread[:, None]
    _, group = np.unique(registers, axis=0, return_inverse=True)
    group = group.ravel()
    count = int(group.max()) + 1
    share = max(1, most // (3 * count))
    order = np.lexsort((lead, group))
    place = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    chosen = [order[place < share]]
    along = hidden @ directions
    for members in (np.flatnonzero(group == g) for g in rng.permutation(count)[:_DIRECTIONS]):
        some = along[members][:, : max(1, most // (3 * min(count, _DIRECTIONS)))]
        chosen.append(members[some.argmax(axis=0)])
    chosen.append(rng.choice(len(hidden), most // 3, replace=False))
    return np.unique(np.concatenate(chosen))


def _confirmed(network: Network, program: Program, word: np.ndarray) -> np.ndarray | None:
    """The word cut where the two first differ when it is run on its own, or None."""
    differ = (network.run(word[None])[1] != program.run(word[None])).any(axis=2)[0]
    return word[: int(np.argmax(differ)) + 1] if differ.any() else None
