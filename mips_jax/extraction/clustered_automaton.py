"""Machines of any size for networks that are no machine at all: hidden states in clusters.

A network that counts softly, or remembers a number with errors, has as many states as words. What
it is about to write is a vector of a few dimensions all the same: its raw outputs now and after a
few probe words. Hidden states are put in clusters by that (k-means, as Omlin and Giles 1996 and
Wang et al. 2018 do with the hidden states themselves), and each cluster goes where its most central
member goes. The more clusters, the more faithful.

Axes: N hidden states, A letters, K probe words, R raw outputs, D dimensions, S clusters.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.cluster.vq import kmeans2

from mips_jax.budget import Share
from mips_jax.extraction.machine_tuning import ClusterTuning
from mips_jax.extraction.tolerant_automaton import NearlyMachine
from mips_jax.extraction.traces import record
from mips_jax.extraction.tuning import TUNING
from mips_jax.inputs import Inputs, alphabet
from mips_jax.machines import Mealy, completed, minimised
from mips_jax.networks import Network
from mips_jax.networks.well_formed import WellFormed, well_formed

_FAR = 1e3  # what one state of a grammar is away from another
_PURPOSE = 7000  # of random numbers


def clustered_machines(
    network: Network,
    inputs: Inputs,
    length: int,
    tuning: ClusterTuning = TUNING.clusters,
    seed: int = 0,
    share: Share | None = None,
) -> list[NearlyMachine]:
    """Machines of ever more states, each with the share of words on which it is the network.

    Args:
        network: the network.
        inputs: bounds of every input, and which letters occur.
        length: of the words.
        tuning: limits.
        seed: of words, probes and first clusters.
        share: steps of one hidden state that may be computed.
    """
    share = share or Share()
    letters = None if inputs.ordered else alphabet(inputs, tuning.letters)
    if letters is None:
        return []
    beside = well_formed(network, inputs.grammar)
    rng = np.random.default_rng((seed, _PURPOSE))
    view = _View(beside, letters, _probes(inputs.weights(letters), tuning, rng))
    room = share.limit / (view.cost * beside.step_work)
    words = inputs.words(max(2, int(min(tuning.hidden, room / 2) / length)), length, rng)
    hidden = record(beside, words).hidden.reshape(-1, len(beside.initial))
    hidden = np.concatenate([beside.initial[None], hidden])
    share.spend(len(hidden) * view.cost * beside.step_work)
    points = view.fitted(hidden, tuning.dimensions)
    fresh = inputs.words(tuning.fresh_words, length, rng)
    wrote = record(network, fresh).outputs
    found = []
    for count in tuning.clusters:
        if share.out or count * 2 > len(hidden):
            break
        share.spend(count * len(letters) * view.cost * beside.step_work)
        machine = _machine(view, hidden, points, count, rng)
        if inputs.grammar is not None:
            machine = completed(machine, inputs.grammar)
        same = (machine.run(machine.index_of(fresh)) == wrote).all(axis=2)
        found.append(NearlyMachine(machine, float(same.all(axis=1).mean()), 0.0, length, False))
    return found


def _probes(
    weights: np.ndarray, tuning: ClusterTuning, rng: np.random.Generator
) -> list[np.ndarray]:
    """The empty word, and random ones of growing length."""
    lengths = [0, *(1 + k * tuning.longest_probe // tuning.probes for k in range(tuning.probes))]
    return [rng.choice(len(weights), n, p=weights) for n in lengths]


class _View:
    """Hidden states as points: what the network is about to write.

    Args:
        network: what is looked at.
        letters: [A, I].
        probes: K words of letter indices.
    """

    def __init__(self, network: Network, letters: np.ndarray, probes: list[np.ndarray]):
        self.network, self.letters, self.probes = network, letters, probes
        self.cost = 1 + sum(map(len, probes))  # steps for each hidden state

    def fitted(self, hidden: np.ndarray, dimensions: int) -> np.ndarray:
        """[N, D] points of these hidden states; from now on others are seen in the same way."""
        raw = self._raw(hidden)
        width = raw.shape[1] // len(self.probes)
        self.scale = np.tile(np.maximum(raw[:, :width].std(axis=0), 1e-9), len(self.probes))
        self.center = (raw / self.scale).mean(axis=0)
        _, _, directions = np.linalg.svd(raw / self.scale - self.center, full_matrices=False)
        self.directions = directions[:dimensions].T
        return self._seen(raw, hidden)

    def __call__(self, hidden: np.ndarray) -> np.ndarray:
        """Hidden states [N, H] -> points [N, D]."""
        return self._seen(self._raw(hidden), hidden)

    def _seen(self, raw: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        points = (raw / self.scale - self.center) @ self.directions
        if not isinstance(self.network, WellFormed):
            return points
        return np.concatenate([points, _FAR * self.network.form(hidden)], axis=1)

    def _raw(self, hidden: np.ndarray) -> np.ndarray:
        """[N, K * R] raw outputs after each probe word, those of a class head about their mean."""
        columns = []
        for probe in self.probes:
            states = hidden
            for a in probe:
                letter = np.broadcast_to(self.letters[a], (len(states), self.letters.shape[1]))
                states = self.network.step(states, letter)
            raw = np.nan_to_num(self.network.readout(states))
            classes = raw.shape[1] > self.network.output_dim
            columns.append(raw - raw.mean(axis=1, keepdims=True) if classes else raw)
        return np.concatenate(columns, axis=1)


def _machine(
    view: _View, hidden: np.ndarray, points: np.ndarray, count: int, rng: np.random.Generator
) -> Mealy:
    """Clusters as states; each goes where its most central member goes. The first hidden state is
    the initial one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # clusters that have lost all members
        _, cluster = kmeans2(points, _spread_out(points, count, rng), minit="matrix")
    kept, cluster = np.unique(cluster, return_inverse=True)
    centers = np.stack([points[cluster == c].mean(axis=0) for c in range(len(kept))])
    away = ((points - centers[cluster]) ** 2).sum(axis=1)
    order = np.lexsort((away, cluster))
    central = order[np.flatnonzero(np.diff(cluster[order], prepend=-1))]
    states, letters = len(central), len(view.letters)
    after = view.network.step(
        np.repeat(hidden[central], letters, axis=0), np.tile(view.letters, (states, 1))
    )
    nearest = _nearest(view(after), centers).reshape(states, letters)
    output = view.network.outputs(after).reshape(states, letters, -1)
    first = int(cluster[0])  # the initial state comes first
    order = np.array([first, *(s for s in range(states) if s != first)])
    number = np.argsort(order)
    return minimised(Mealy(view.letters, number[nearest[order]], output[order]))


def _spread_out(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """[count, D] some of the points, far from each other (k-means++, Arthur and Vassilvitskii
    2007).
    """
    chosen = [int(rng.integers(len(points)))]
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count and away.any():
        chosen.append(int(rng.choice(len(points), p=away / away.sum())))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]


def _nearest(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """[N] the nearest center of each point."""
    return ((centers**2).sum(axis=1) - 2.0 * points @ centers.T).argmin(axis=1)
