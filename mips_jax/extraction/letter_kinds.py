"""Letters that a network takes for the same, by behaviour: so that the others are not drowned.

Among 28 letters of which two are brackets, uniform words hardly ever open two and close them again.
Two letters are of one kind where the network writes the same after either, from hidden states all
over, whatever follows. Words are then drawn by kind first: what matters is met as often as what
does not.

Axes: N hidden states, A letters, K probe words, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.machine_tuning import KindTuning
from mips_jax.extraction.tolerant_automaton import behaviour, first_probes
from mips_jax.extraction.traces import record
from mips_jax.extraction.tuning import TUNING
from mips_jax.inputs import Inputs, alphabet
from mips_jax.networks import Network
from mips_jax.networks.well_formed import well_formed

_PURPOSE = 5000  # of random numbers


def with_kinds(
    network: Network, inputs: Inputs, seed: int = 0, tuning: KindTuning = TUNING.kinds
) -> Inputs:
    """The inputs, with the kinds of their letters where many of them are the same to the network.

    Args:
        network: the network.
        inputs: that it reads.
        seed: of the words and probes.
        tuning: limits.
    """
    letters = None if inputs.ordered else alphabet(inputs, tuning.most_letters)
    if letters is None or len(letters) < tuning.fewest_letters:
        return inputs
    network = well_formed(network, inputs.grammar)
    rng = np.random.default_rng((seed, _PURPOSE))
    kinds = np.zeros(len(letters), np.int64)
    for _ in range(tuning.rounds):  # words by the kinds found so far reach states that tell more
        drawn = dataclasses.replace(inputs, kinds=kinds)
        finer = _kinds(network, drawn, letters, rng, tuning)
        if finer.max() == kinds.max():
            break
        kinds = finer
    if kinds.max() + 1 > tuning.most_of_all * len(letters) or not kinds.any():
        return inputs
    return dataclasses.replace(inputs, kinds=kinds)


def _kinds(
    network: Network,
    inputs: Inputs,
    letters: np.ndarray,
    rng: np.random.Generator,
    tuning: KindTuning,
) -> np.ndarray:
    """[A] number of each letter's kind, in the order of their first letters."""
    length = network.trained_length or tuning.length
    if network.longest is not None:
        length = max(1, min(length, network.longest - tuning.longest_probe - 1))
    words = inputs.words(tuning.words, length, rng)
    hidden = record(network, words).hidden[:, :-1].reshape(-1, network.hidden_dim)
    states = hidden[rng.integers(0, len(hidden), tuning.states)]
    states[0] = network.initial
    weights, longest = inputs.weights(letters), 2 * tuning.longest_probe
    probes = first_probes(weights, longest, tuning.probing, rng)
    rows = []
    for letter in letters:
        after = network.step(states, np.broadcast_to(letter, (len(states), letters.shape[1])))
        own = network.outputs(after).astype(np.int64)
        rows.append(np.concatenate([own, behaviour(network, after, letters, probes)], axis=1))
    leaders: list[np.ndarray] = []
    kinds = np.empty(len(letters), np.int64)
    for a, row in enumerate(rows):
        apart = [float((row != leader).any(axis=1).mean()) for leader in leaders]
        kinds[a] = int(np.argmin(apart)) if apart else 0
        if not apart or min(apart) > tuning.tolerance:
            kinds[a] = len(leaders)
            leaders.append(row)
    return kinds
