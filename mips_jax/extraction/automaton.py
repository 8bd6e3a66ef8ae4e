"""Finite automata: Mealy machines found from a network's behaviour, minimised, compared.

States are classes of hidden states: two are one when their outputs agree after every probe word of
a growing set (the observation table of Angluin 1987, with hidden states in place of access words).
Words that tell two merged states apart join the set until the machine is deterministic and agrees
with the network on fresh words. A machine that is not closed within the words' length is
reported as such: the network counts, and needs integer registers.

Axes: S states, A letters, N hidden states, E probe words, I inputs, O outputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.machine_tuning import AutomatonTuning as AutomatonSettings
from mips_jax.extraction.outcomes import Outcome
from mips_jax.extraction.traces import record
from mips_jax.extraction.tuning import TUNING
from mips_jax.inputs import InputRange, Inputs, alphabet
from mips_jax.machines import Mealy, completed, minimised
from mips_jax.networks import Network
from mips_jax.networks.well_formed import well_formed

_STEPS_AT_ONCE = 2e7  # of a small network: some seconds, after which the clock is looked at
_NUMBERS_AT_ONCE = 2**24  # of hidden states that are held at once


@dataclasses.dataclass(frozen=True)
class AutomatonResult:
    """What became of the search.

    Attributes:
        machine: the minimal machine, or None.
        outcome: `CLOSED` (every transition leads to a known state within the words' length),
            `NOT_CLOSED` (new states appear up to the last step: the network counts),
            `TOO_MANY_LETTERS`, `INPUTS_DEPEND_ON_THE_PAST`, `TOO_MANY_STATES`, `INCONSISTENT`,
            `OUT_OF_WORK`.
        hidden: [S, H] one hidden state of the network for each state.
        depth: steps after which the last new state was met.
        probes: number of probe words in use.
        words: random words [W, T, I] on which the machine was compared with the network.
    """

    machine: Mealy | None
    outcome: Outcome
    hidden: np.ndarray | None = None
    depth: int = 0
    probes: int = 0
    words: tuple[np.ndarray, ...] = ()

    @property
    def status(self) -> str:
        """The outcome's name."""
        return self.outcome.name.lower()


def learn_automaton(
    network: Network,
    inputs: Inputs | InputRange,
    length: int,
    settings: AutomatonSettings = TUNING.automaton,
    seed: int = 0,
    share: Share | None = None,
) -> AutomatonResult:
    """The minimal Mealy machine that a network behaves like on words up to `length`.

    Args:
        network: the network.
        inputs: bounds of every input, and which letters occur.
        length: words up to this length are trusted (access and probe word together).
        settings: limits.
        seed: of the fresh words.
        share: steps of one hidden state that may be computed.
    """
    inputs, share = Inputs.of(inputs), share or Share()
    if inputs.ordered:
        return AutomatonResult(None, Outcome.INPUTS_DEPEND_ON_THE_PAST)
    letters = alphabet(inputs, settings.letters)
    if letters is None:
        return AutomatonResult(None, Outcome.TOO_MANY_LETTERS)
    network = well_formed(network, inputs.grammar)
    rng = np.random.default_rng(seed)
    probes: list[tuple[int, ...]] = [(a,) for a in _spread(len(letters), settings.first_probes)]
    words: list[np.ndarray] = []

    def compared(machine: Mealy) -> tuple[np.ndarray, np.ndarray]:
        """(words of letter indices, [W, T] where machine and network differ on them)."""
        indices = fresh_words(inputs, letters, settings.fresh_words, length, rng)
        if inputs.draw is not None:  # every other word is as the network would have it
            indices[::2] = machine.index_of(inputs.words(len(indices[::2]), length, rng))
        words.append(letters[indices])
        share.spend(indices.size * network.step_work)
        outputs = record(network, letters[indices]).outputs
        return indices, (machine.run(indices) != outputs).any(axis=2)

    while True:
        result = _explore(network, letters, probes, length, settings, share)
        result = dataclasses.replace(result, words=tuple(words))
        if result.machine is None:
            return result
        indices, wrong = compared(result.machine)
        separating = _separating_word(network, result, indices, wrong, settings.replayed)
        if separating is None:
            agrees = not compared(result.machine)[1].any()
            outcome = Outcome.CLOSED if agrees else Outcome.INCONSISTENT
            machine = minimised(result.machine)
            if inputs.grammar is not None:
                machine = completed(machine, inputs.grammar)
            return dataclasses.replace(result, machine=machine, outcome=outcome, words=tuple(words))
        if share.out:
            return dataclasses.replace(result, machine=None, outcome=Outcome.OUT_OF_WORK)
        if separating in probes or len(probes) >= settings.probes:
            return dataclasses.replace(result, machine=None, outcome=Outcome.INCONSISTENT)
        probes.append(separating)


def fresh_words(
    inputs: Inputs, letters: np.ndarray, count: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Letter indices [count, length]: a third of the words at random, two thirds with long runs,
    which carry counters far.

    Args:
        inputs: which words count, and how likely letters are.
        letters: [A, I] the alphabet.
        count, length: of the words.
        rng: what draws.
    """
    weights = inputs.weights(letters)
    shares = np.array([0.0, 0.75, 0.95])[np.arange(count) % 3]
    if inputs.grammar is not None:
        return inputs.grammar.walks(count, length, rng, weights, shares)
    if (weights == weights[0]).all():
        words = rng.integers(0, len(weights), (count, length))
    else:
        words = rng.choice(len(weights), (count, length), p=weights)
    repeats = rng.random(words.shape) < shares[:, None]
    for t in range(1, length):
        words[:, t] = np.where(repeats[:, t], words[:, t - 1], words[:, t])
    return words


def _spread(count: int, limit: int) -> list[int]:
    return sorted(set(np.linspace(0, count - 1, min(count, limit)).round().astype(int).tolist()))


def _explore(network, letters, probes, length, settings, share: Share) -> AutomatonResult:
    """Breadth first over classes of hidden states."""
    horizon = max(len(p) for p in probes)
    tree = _prefix_tree(probes)
    cost = 1 + _branches(tree)  # steps for each hidden state that is met
    signature = lambda hidden: _signatures(network, hidden, letters, probes, tree)
    representative = [network.initial]
    classes = {signature(network.initial[None])[0]: 0}
    transition: list[np.ndarray] = []
    output: list[np.ndarray] = []
    level, depth = [0], 0
    count = len(letters)
    ended = lambda outcome: AutomatonResult(None, outcome, depth=depth, probes=len(probes))
    while level:
        if depth + 1 + horizon > length and depth > 0:
            return ended(Outcome.NOT_CLOSED)
        next_level: list[int] = []
        for part in _parts(level, count, cost, network):
            if share.guard.strikes():
                return ended(Outcome.OUT_OF_WORK)
            hidden = np.stack([representative[s] for s in part])
            following = network.step(
                np.repeat(hidden, count, axis=0), np.tile(letters, (len(part), 1))
            )
            share.spend(len(following) * cost * network.step_work)
            outputs = network.outputs(following).reshape(len(part), count, -1)
            targets = np.empty(len(following), np.int64)
            for row, name in enumerate(signature(following)):
                if name not in classes:
                    classes[name] = len(representative)
                    representative.append(following[row].copy())
                    next_level.append(classes[name])
                targets[row] = classes[name]
            transition += list(targets.reshape(len(part), count))
            output += list(outputs)
            if len(representative) > settings.states:
                return ended(Outcome.TOO_MANY_STATES)
        if share.out:
            return ended(Outcome.OUT_OF_WORK)
        level, depth = next_level, depth + 1
    machine = Mealy(letters, np.stack(transition), np.stack(output))
    return AutomatonResult(machine, Outcome.CLOSED, np.stack(representative), depth, len(probes))


def _parts(level: list[int], letters: int, cost: int, network: Network) -> Iterator[list[int]]:
    """States in groups that are read on from at once: in memory, and within some seconds.

    Args:
        level: states.
        letters: that each is read on with.
        cost: steps for each state that is met.
        network: which steps.
    """
    by_work = _STEPS_AT_ONCE / (letters * cost * network.step_work**2)
    by_memory = _NUMBERS_AT_ONCE / (letters * len(network.initial))
    size = max(1, int(min(by_work, by_memory)))
    for start in range(0, len(level), size):
        yield level[start : start + size]


def _branches(tree: dict) -> int:
    return sum(1 + _branches(below) for below in tree.values())


def _signatures(network, hidden, letters, probes, tree: dict) -> list[bytes]:
    """The outputs after every probe word, as bytes, for hidden states [N, H]."""
    prefetch(network, hidden, letters, probes)
    parts = [np.zeros((len(hidden), 0), np.int64)]
    parts += _probe_tree(network, hidden, letters, tree)
    table = np.concatenate(parts, axis=1)
    return [row.tobytes() for row in np.ascontiguousarray(table)]


def prefetch(network: Network, hidden: np.ndarray, letters: np.ndarray, probes) -> None:
    """Says that words of letter indices, of any lengths, will be read from states [N, H]."""
    for length in sorted({len(word) for word in probes}, reverse=True):
        words = np.array([word for word in probes if len(word) == length])
        network.prefetch(hidden, letters[words])


def _prefix_tree(probes) -> dict:
    tree: dict = {}
    for word in probes:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
    return tree


def _probe_tree(network, hidden, letters, tree: dict) -> list[np.ndarray]:
    """Outputs along every branch: a shared prefix is run once."""
    parts = []
    for letter, below in sorted(tree.items()):
        state = network.step(
            hidden, np.broadcast_to(letters[letter], (len(hidden), letters.shape[1]))
        )
        parts.append(network.outputs(state))
        if below:
            parts += _probe_tree(network, state, letters, below)
    return parts


def _separating_word(
    network, result: AutomatonResult, indices: np.ndarray, wrong: np.ndarray, replayed: int
) -> tuple[int, ...] | None:
    """The shortest suffix found that tells apart two hidden states that the machine merged, or None
    when it agrees.

    A word on which machine and network differ is replayed from the representative of the state that
    the machine is in after each prefix; where the last output changes, the rest of the word is the
    separating suffix (Rivest and Schapire 1993).
    """
    machine, hidden = result.machine, result.hidden
    if machine is None or hidden is None:
        return None
    found: list[tuple[int, ...]] = []
    for w in np.flatnonzero(wrong.any(axis=1))[:replayed]:
        word = indices[w, : int(wrong[w].argmax()) + 1]
        states = [0]
        for letter in word[:-1]:
            states.append(int(machine.transition[states[-1], letter]))
        last = last_outputs(network, hidden[states], machine.letters[word])
        changes = [i for i in range(len(last) - 1) if (last[i] != last[i + 1]).any()]
        if changes:
            found.append(tuple(int(a) for a in word[changes[-1] + 1 :]))
    return min(found, key=len, default=None)


def last_outputs(network: Network, hidden: np.ndarray, word: np.ndarray) -> np.ndarray:
    """[T, O] the last output of each suffix of a word [T, I], the suffix from step i on read from
    the i-th hidden state [T, H].
    """
    hidden = hidden.copy()
    for t, letter in enumerate(word):
        letters = np.broadcast_to(letter, (t + 1, len(letter)))
        hidden[: t + 1] = network.step(hidden[: t + 1], letters)
    return network.outputs(hidden)
