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
import time

import numpy as np

from mips_jax.extraction.traces import probe, record
from mips_jax.inputs import InputRange, Inputs, alphabet
from mips_jax.machines import Mealy, minimised
from mips_jax.networks import Network


@dataclasses.dataclass(frozen=True)
class AutomatonSettings:
    """Limits of the search for a finite machine.

    Attributes:
        letters: largest alphabet.
        states: most states.
        probes: most probe words.
        fresh_words: random words on which the machine must agree with the network.
        seconds: time limit.
    """

    letters: int = 400
    states: int = 3000
    probes: int = 400
    fresh_words: int = 2000
    seconds: float = 15.0


@dataclasses.dataclass(frozen=True)
class AutomatonResult:
    """What became of the search.

    Attributes:
        machine: the minimal machine, or None.
        status: `closed` (every transition leads to a known state within the words' length),
            `not_closed` (new states appear up to the last step: the network counts),
            `too_many_letters`, `inputs_depend_on_the_past`, `too_many_states`, `inconsistent`,
            `out_of_time`.
        hidden: [S, H] one hidden state of the network for each state.
        depth: steps after which the last new state was met.
        probes: number of probe words in use.
    """

    machine: Mealy | None
    status: str
    hidden: np.ndarray | None = None
    depth: int = 0
    probes: int = 0


def learn_automaton(
    network: Network,
    inputs: Inputs | InputRange,
    length: int,
    settings: AutomatonSettings,
    seed: int = 0,
) -> AutomatonResult:
    """The minimal Mealy machine that a network behaves like on words up to `length`.

    Args:
        network: the network.
        inputs: bounds of every input, and which letters occur.
        length: words up to this length are trusted (access and probe word together).
        settings: limits.
        seed: of the fresh words.
    """
    inputs = Inputs.of(inputs)
    if inputs.ordered:
        return AutomatonResult(None, "inputs_depend_on_the_past")
    letters = alphabet(inputs, settings.letters)
    if letters is None:
        return AutomatonResult(None, "too_many_letters")
    deadline = time.monotonic() + settings.seconds
    rng = np.random.default_rng(seed)
    probes: list[tuple[int, ...]] = [(a,) for a in _spread(len(letters), 40)]
    while True:
        result = _explore(network, letters, probes, length, settings, deadline)
        if result.machine is None:
            return result
        separating = _separating_word(network, result, length, settings, rng)
        if separating is None:
            indices = _fresh_words(len(letters), settings.fresh_words, length, rng)
            agrees = (
                result.machine.run(indices) == record(network, letters[indices]).outputs
            ).all()
            return dataclasses.replace(
                result,
                machine=minimised(result.machine),
                status="closed" if agrees else "inconsistent",
            )
        if time.monotonic() > deadline:
            return dataclasses.replace(result, machine=None, status="out_of_time")
        if separating in probes or len(probes) >= settings.probes:
            return dataclasses.replace(result, machine=None, status="inconsistent")
        probes.append(separating)


def _fresh_words(letters: int, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Letter indices [count, length]: a third of the words at random, two thirds with long runs,
    which carry counters far.
    """
    words = rng.integers(0, letters, (count, length))
    repeats = rng.random(words.shape) < np.array([0.0, 0.75, 0.95])[np.arange(count) % 3, None]
    for t in range(1, length):
        words[:, t] = np.where(repeats[:, t], words[:, t - 1], words[:, t])
    return words


def _spread(count: int, limit: int) -> list[int]:
    return sorted(set(np.linspace(0, count - 1, min(count, limit)).round().astype(int).tolist()))


def _explore(network, letters, probes, length, settings, deadline) -> AutomatonResult:
    """Breadth first over classes of hidden states."""
    horizon = max(len(p) for p in probes)
    signature = lambda hidden: _signatures(network, hidden, letters, probes)
    representative = [network.initial]
    classes = {signature(network.initial[None])[0]: 0}
    transition: list[np.ndarray] = []
    output: list[np.ndarray] = []
    level, depth = [0], 0
    count = len(letters)
    while level:
        if depth + 1 + horizon > length and depth > 0:
            return AutomatonResult(None, "not_closed", depth=depth, probes=len(probes))
        hidden = np.stack([representative[s] for s in level])
        following = network.step(
            np.repeat(hidden, count, axis=0), np.tile(letters, (len(level), 1))
        )
        outputs = network.outputs(following).reshape(len(level), count, -1)
        names = signature(following)
        next_level: list[int] = []
        for row in range(len(level)):
            targets = np.empty(count, np.int64)
            for a in range(count):
                name = names[row * count + a]
                if name not in classes:
                    classes[name] = len(representative)
                    representative.append(following[row * count + a])
                    next_level.append(classes[name])
                targets[a] = classes[name]
            transition.append(targets)
            output.append(outputs[row])
        if len(representative) > settings.states:
            return AutomatonResult(None, "too_many_states", depth=depth, probes=len(probes))
        if time.monotonic() > deadline:
            return AutomatonResult(None, "out_of_time", depth=depth, probes=len(probes))
        level, depth = next_level, depth + 1
    machine = Mealy(letters, np.stack(transition), np.stack(output))
    return AutomatonResult(machine, "closed", np.stack(representative), depth, len(probes))


def _signatures(network, hidden, letters, probes) -> list[bytes]:
    """The outputs after every probe word, as bytes, for hidden states [N, H]."""
    parts = [np.zeros((len(hidden), 0), np.int64)]
    by_prefix = _prefix_tree(probes)
    parts += _probe_tree(network, hidden, letters, by_prefix)
    table = np.concatenate(parts, axis=1)
    return [row.tobytes() for row in np.ascontiguousarray(table)]


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
    network, result: AutomatonResult, length, settings, rng
) -> tuple[int, ...] | None:
    """The shortest suffix found that tells apart two hidden states that the machine merged, or None
    when it agrees.

    A word on which machine and network differ is replayed from the representative of the state that
    the machine is in after each prefix; where the last output changes, the rest of the word is the
    separating suffix (Rivest and Schapire 1993).
    """
    machine = result.machine
    indices = _fresh_words(len(machine.letters), settings.fresh_words, length, rng)
    said = record(network, machine.letters[indices]).outputs
    wrong = (machine.run(indices) != said).any(axis=2)
    found: list[tuple[int, ...]] = []
    for w in np.flatnonzero(wrong.any(axis=1))[:30]:
        word = indices[w, : int(wrong[w].argmax()) + 1]
        states = [0]
        for letter in word[:-1]:
            states.append(int(machine.transition[states[-1], letter]))
        last = [
            probe(network, result.hidden[s][None], machine.letters[word[i:]])[0, -1]
            for i, s in enumerate(states)
        ]
        changes = [i for i in range(len(last) - 1) if (last[i] != last[i + 1]).any()]
        if changes:
            found.append(tuple(int(a) for a in word[changes[-1] + 1 :]))
    return min(found, key=len, default=None)
