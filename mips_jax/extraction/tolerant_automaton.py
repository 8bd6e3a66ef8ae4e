"""The finite machine that a network nearly is: states by behaviour within a tolerance, transitions
by majority.

A network that errs now and then has more states by exact behaviour than anybody wants. Here two
hidden states are one where all but a small share of the probe words draw the same outputs from
them; several hidden states of each class, reached by different words, vote on where each letter
leads and on what is written. Words on which machine and network differ give further probe words
(Rivest and Schapire 1993), as long as that helps.

Axes: N hidden states, A letters, K probe words, S classes, O outputs a step.
"""

from __future__ import annotations

import collections
import dataclasses

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.automaton import fresh_words, last_outputs, prefetch
from mips_jax.extraction.machine_tuning import TolerantTuning
from mips_jax.extraction.traces import record
from mips_jax.extraction.tuning import TUNING
from mips_jax.inputs import Inputs, alphabet
from mips_jax.machines import Mealy, completed, minimised
from mips_jax.networks import Network
from mips_jax.networks.well_formed import well_formed

_ONE_OF_SO_MANY_IN_BLOCKS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class NearlyMachine:
    """One machine of the trade-off between size and faithfulness.

    Attributes:
        machine: minimal.
        agreement: share of fresh words of the length on which machine and network agree throughout.
        tolerance: share of probe words on which hidden states of one class may differ.
        length: of the words.
        whole: whether it was read off all words of the length: no state that was met stayed unread
            for want of work or of room.
    """

    machine: Mealy
    agreement: float
    tolerance: float
    length: int
    whole: bool = True


def nearly_machines(
    network: Network,
    inputs: Inputs,
    length: int,
    tuning: TolerantTuning = TUNING.tolerant,
    seed: int = 0,
    share: Share | None = None,
) -> list[NearlyMachine]:
    """Machines from small to faithful; none is larger and less faithful than another.

    Args:
        network: the network.
        inputs: bounds of every input, and which letters occur.
        length: of the words that count.
        tuning: limits.
        seed: of probe words and fresh words.
        share: steps of one hidden state that may be computed, for each tolerance.
    """
    share = share or Share()
    every = None if inputs.ordered else alphabet(inputs, tuning.letters)
    if every is None:
        return []
    kinds = np.arange(len(every)) if inputs.kinds is None else inputs.kinds
    letters = every[np.unique(kinds, return_index=True)[1]]  # one of each kind
    weights = np.bincount(kinds, weights=inputs.weights(every))
    rng = np.random.default_rng((seed, len(letters)))
    network = well_formed(network, inputs.grammar)
    drawn = _drawn_words(inputs, every, tuning.fresh_words, length, rng)
    wrote, fresh = record(network, every[drawn]).outputs, kinds[drawn]
    found: list[NearlyMachine] = []
    for tolerance in tuning.tolerances:
        part = share.part(share.limit / len(tuning.tolerances))
        probes = first_probes(weights, length, tuning, np.random.default_rng(seed))
        best: NearlyMachine | None = None
        for _ in range(tuning.rounds):
            classes = _explored(network, letters, probes, length, tolerance, tuning, part)
            machine = minimised(classes.machine(letters))
            wrong = (machine.run(fresh) != wrote).any(axis=2)
            agreement = 1.0 - float(wrong.any(axis=1).mean())
            if best is None or agreement > best.agreement:
                whole = Mealy(every, machine.transition[:, kinds], machine.output[:, kinds])
                if inputs.grammar is not None:
                    whole = completed(whole, inputs.grammar)
                best = NearlyMachine(whole, agreement, tolerance, length, classes.whole)
            if agreement == 1.0 or part.out:
                break
            new = _separating(network, classes, letters, fresh, wrong, tuning) - set(probes)
            if not new:
                break
            probes = [*probes, *sorted(new)]
        if best is not None:
            found.append(best)
    return front(found)


def _drawn_words(
    inputs: Inputs, letters: np.ndarray, count: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Letter indices [count, length]: three quarters as `fresh_words` draws them, a quarter of
    blocks a...ab...b of equal halves, which go far and come back (where every word counts).
    """
    words, weights = fresh_words(inputs, letters, count, length, rng), inputs.weights(letters)
    if inputs.grammar is not None:
        return words
    for word in words[::_ONE_OF_SO_MANY_IN_BLOCKS]:
        at = 0
        while at < length:
            half = int(rng.integers(1, max(2, length // 2 + 1)))
            for letter in rng.choice(len(weights), 2, p=weights):
                word[at : at + half] = letter
                at += half
    return words


def front(machines: list[NearlyMachine]) -> list[NearlyMachine]:
    """Those that no other betters in size and agreement both, the smallest first."""
    kept: list[NearlyMachine] = []
    for one in sorted(machines, key=lambda m: (m.machine.states, -m.agreement)):
        if not kept or one.agreement > kept[-1].agreement:
            kept.append(one)
    return kept


class _Classes:
    """Hidden states grouped by behaviour, and their votes."""

    def __init__(self, probes: int):
        self.leaders = np.zeros((0, probes), np.int64)
        self.members: list[list[np.ndarray]] = []
        self.votes: list[dict[int, collections.Counter]] = []
        self.written: list[dict[int, collections.Counter]] = []
        self.whole = True

    def assigned(self, codes: np.ndarray, most: float, limit: int) -> np.ndarray:
        """Class of each behaviour [N, K]; a new one where none is near, up to a limit."""
        result = np.empty(len(codes), np.int64)
        unique, back = np.unique(codes, axis=0, return_inverse=True)
        own = np.empty(len(unique), np.int64)
        for i in np.argsort(np.unique(back.ravel(), return_index=True)[1]):
            row = unique[i]
            away = (self.leaders != row).sum(axis=1)
            nearest = int(away.argmin()) if len(away) else -1
            if len(away) and (away[nearest] <= most or len(self.leaders) >= limit):
                self.whole &= bool(away[nearest] <= most)
                own[i] = nearest
                continue
            own[i] = len(self.leaders)
            self.leaders = np.concatenate([self.leaders, row[None]])
            self.members.append([])
            self.votes.append(collections.defaultdict(collections.Counter))
            self.written.append(collections.defaultdict(collections.Counter))
        result[:] = own[back.ravel()]
        return result

    def machine(self, letters: np.ndarray) -> Mealy:
        """By majority; a class that never voted on a letter stays where it is."""
        count = len(letters)
        outputs = next(iter(self.written[0].values())).most_common(1)[0][0]
        transition = np.empty((len(self.votes), count), np.int64)
        output = np.zeros((len(self.votes), count, len(outputs)), np.int64)
        for state, (votes, written) in enumerate(zip(self.votes, self.written)):
            for a in range(count):
                transition[state, a] = votes[a].most_common(1)[0][0] if votes[a] else state
                if written[a]:
                    output[state, a] = written[a].most_common(1)[0][0]
        return Mealy(letters, transition, output)


def _explored(
    network: Network,
    letters: np.ndarray,
    probes: list[tuple[int, ...]],
    length: int,
    tolerance: float,
    tuning: TolerantTuning,
    share: Share,
) -> _Classes:
    """Breadth first: every class is read on from by some of its members, with every letter."""
    classes = _Classes(len(probes))
    start = network.initial[None]
    most = tolerance * len(probes)
    classes.assigned(behaviour(network, start, letters, probes), most, tuning.states)
    classes.members[0].append(start[0])
    frontier, cost = [(True, 0, start[0])], 1 + sum(map(len, probes))
    for depth in range(length):
        if not frontier or (depth and share.out):
            classes.whole &= not any(first for first, _, _ in frontier)
            break
        room = max(1, tuning.frontier // len(letters))
        classes.whole &= not any(first for first, _, _ in frontier[room:])
        frontier = frontier[:room]
        states = np.array([hidden for _, _, hidden in frontier])
        share.spend(len(states) * len(letters) * cost * network.step_work)
        after = network.step(
            np.repeat(states, len(letters), axis=0), np.tile(letters, (len(states), 1))
        )
        names = behaviour(network, after, letters, probes)
        wrote = network.outputs(after)
        targets = classes.assigned(names, most, tuning.states)
        following = []
        for row, target in enumerate(targets.tolist()):
            source, a = frontier[row // len(letters)][1], row % len(letters)
            classes.votes[source][a][target] += 1
            classes.written[source][a][tuple(wrote[row].tolist())] += 1
            if len(classes.members[target]) < tuning.members:
                classes.members[target].append(after[row])
                following.append((len(classes.members[target]), target, after[row]))
        following.sort(key=lambda item: item[:2])  # classes that are new come first
        frontier = [(order == 1, target, hidden) for order, target, hidden in following]
    return classes


def first_probes(
    weights: np.ndarray, length: int, tuning: TolerantTuning, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Single letters, and random words; the letters [A] have these probabilities."""
    count = len(weights)
    singles = np.unique(np.linspace(0, count - 1, min(count, tuning.single_probes)).round())
    probes = [(int(a),) for a in singles]
    longest = max(2, min(tuning.longest_probe, length // 2))
    for _ in range(tuning.random_probes):
        word = rng.choice(count, int(rng.integers(2, longest + 1)), p=weights)
        probes.append(tuple(word.tolist()))
    return list(dict.fromkeys(probes))


def behaviour(
    network: Network, hidden: np.ndarray, letters: np.ndarray, probes: list[tuple[int, ...]]
) -> np.ndarray:
    """[N, K] int64: a code of the outputs that each probe word draws from each hidden state."""
    prefetch(network, hidden, letters, probes)
    codes = np.zeros((len(hidden), len(probes)), np.int64)
    order = sorted(range(len(probes)), key=lambda k: probes[k])
    stack: list[tuple[tuple[int, ...], np.ndarray, np.ndarray]] = []
    for k in order:
        word = probes[k]
        while stack and stack[-1][0] != word[: len(stack[-1][0])]:
            stack.pop()
        for n in range(len(stack[-1][0]) if stack else 0, len(word)):
            before, code = (
                (stack[-1][1], stack[-1][2]) if stack else (hidden, np.zeros(len(hidden), np.int64))
            )
            letter = np.broadcast_to(letters[word[n]], (len(hidden), letters.shape[1]))
            state = network.step(before, letter)
            for column in network.outputs(state).T:
                code = code * 1_000_003 + column + 12_345
            stack.append((word[: n + 1], state, code))
        codes[:, k] = stack[-1][2]
    return codes


def _separating(
    network: Network,
    classes: _Classes,
    letters: np.ndarray,
    words: np.ndarray,
    wrong: np.ndarray,
    tuning: TolerantTuning,
) -> set[tuple[int, ...]]:
    """Suffixes of words on which machine and network differ, that tell a hidden state from the
    leader of its class.
    """
    machine = classes.machine(letters)
    found = set()
    for w in np.flatnonzero(wrong.any(axis=1))[: tuning.replayed]:
        word = words[w, : int(wrong[w].argmax()) + 1]
        states = [0, *machine.trace(word[None])[0].tolist()][:-1]
        if not all(classes.members[state] for state in states):
            continue
        hidden = np.array([classes.members[state][0] for state in states])
        last = last_outputs(network, hidden, letters[word])
        changes = [i for i in range(len(last) - 1) if (last[i] != last[i + 1]).any()]
        if changes:
            found.add(tuple(word[changes[-1] + 1 :].tolist()))
    return {suffix for suffix in found if suffix}
