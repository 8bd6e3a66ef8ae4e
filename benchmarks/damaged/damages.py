"""The ways in which a network is damaged; each draws what it needs and may fail (None)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.damaged.languages import Language
from benchmarks.damaged.training import Recipe, trained
from benchmarks.damaged.wrappers import BadTransition, Counter, Swaying, WrongAtCounts, nearest
from mips_jax.machines import Mealy
from mips_jax.networks import CellLayer, InterpretedNetwork, Network

SAMPLE = 20_000  # words on which damage is measured while it is adjusted
POOL = 50_000  # words of which training draws
AT_ONCE = 4_096  # words that are run together
GREATEST = 0.08  # share of the words of the training length that may be wrong
LEAST = 2e-4
BISECTIONS = 12
SLOW = Recipe(rate=2e-3, steps=3_000, every=20)
PREFIXES = 20  # of the words at most one in so many begins with the prefix

Damage = Callable[[Language, Network, np.random.Generator], Network | None]


def outputs(network: Network, language: Language, words: np.ndarray) -> np.ndarray:
    """Letter indices [N, T] -> outputs [N, T, O]."""
    parts = np.split(words, range(AT_ONCE, len(words), AT_ONCE))
    return np.concatenate([network.run(language.machine.letters[part])[1] for part in parts])


def wrong_words(network: Network, language: Language, words: np.ndarray) -> np.ndarray:
    """Letter indices [N, T] -> [N] whether some output is not the true machine's."""
    return (outputs(network, language, words) != language.machine.run(words)).any(axis=(1, 2))


def hidden_and_words(language: Language, network: Network, rng: np.random.Generator):
    """A sample: words [N, T], and the hidden vectors [N, T, H] after each letter."""
    words = language.drawn(rng, AT_ONCE, language.length)
    return words, network.run(language.machine.letters[words])[0]


def taught(language: Language, seed: int) -> Network:
    """The undamaged network: three times in a row no word of the sample was wrong.

    Raises:
        RuntimeError: it never was.
    """
    rng = np.random.default_rng([seed, 0])
    words = language.drawn(rng, POOL, language.length)
    held_out = language.drawn(rng, SAMPLE, language.length)
    labels = language.machine.run(words)[:, :, 0]
    row = 0
    for network in trained(language, words, labels, seed, Recipe()):
        row = 0 if wrong_words(network, language, held_out).any() else row + 1
        if row == 3:
            return network
    raise RuntimeError(f"{language.name} was not learned; another seed or recipe is needed")


def noised(share: float) -> Damage:
    """All weights with noise in proportion to their array's spread, until a share of the words is
    wrong.
    """

    def damage(language: Language, network: Network, rng: np.random.Generator) -> Network | None:
        words = language.drawn(rng, SAMPLE, language.length)
        seed = int(rng.integers(2**32))
        low, high = 0.0, 2.0
        for _ in range(BISECTIONS):
            scale = 0.5 * (low + high)
            candidate = _with_noise(network, scale, np.random.default_rng(seed))
            found = wrong_words(candidate, language, words).mean()
            if 0.75 * share <= found <= 1.3 * share:
                return candidate
            low, high = (scale, high) if found < share else (low, scale)
        return None

    return damage


def core_of(network: Network) -> Any:
    """The cell; a network of numbers is one itself."""
    return network.core if isinstance(network, InterpretedNetwork) else network


def _with_noise(network: Any, scale: float, rng: np.random.Generator) -> Network:
    spoilt = lambda a: a + scale * a.std() * rng.normal(size=a.shape)
    core = core_of(network)
    layers = tuple(
        CellLayer(*(spoilt(getattr(layer, f.name)) for f in dataclasses.fields(layer)))
        for layer in core.layers
    )
    # The spread of one bias alone is none.
    head = tuple((spoilt(w), b + scale * w.std() * rng.normal(size=b.shape)) for w, b in core.head)
    core = dataclasses.replace(core, layers=layers, head=head)
    return dataclasses.replace(network, core=core) if core_of(network) is not network else core


def astray(language: Language, network: Network, rng: np.random.Generator) -> Network | None:
    """One transition goes to a wrong state, on few words."""
    machine = language.machine
    words, hidden = hidden_and_words(language, network, rng)
    hidden = np.concatenate([np.broadcast_to(network.initial, hidden[:, :1].shape), hidden], axis=1)
    states = np.concatenate([np.zeros((len(words), 1), int), machine.trace(words)], axis=1)
    centroids = np.stack([hidden[states == s].mean(axis=0) for s in range(machine.states)])
    state, letter = (int(rng.integers(n)) for n in machine.transition.shape)
    others = [s for s in range(machine.states) if s != machine.transition[state, letter]]
    target = rng.choice(hidden[:, -1][states[:, -1] == rng.choice(others)])
    direction = rng.normal(size=hidden.shape[2])
    before = hidden[:, :-1][words == letter]
    met = before[nearest(centroids, before) == state] @ direction
    share = rng.uniform(0.005, 0.04) * len(words) / max(1, len(met))
    threshold = float(np.quantile(met, max(0.0, 1.0 - share))) if len(met) else 0.0
    letter = machine.letters[letter]
    return BadTransition(network, centroids, state, letter, target, direction, threshold)


def redirected(language: Language, network: Network, rng: np.random.Generator) -> Network | None:
    """Trained on a machine of which one transition is redirected on words with one beginning."""
    machine = language.machine
    words = language.drawn(rng, POOL, language.length)
    letters = len(machine.letters)
    size = int(np.ceil(np.log(PREFIXES) / np.log(letters)))
    chosen = (words[:, :size] == rng.integers(0, letters, size)).all(axis=1)
    transition = machine.transition.copy()
    state, letter = (int(rng.integers(n)) for n in transition.shape)
    others = [s for s in range(machine.states) if s != transition[state, letter]]
    transition[state, letter] = rng.choice(others)
    other = Mealy(machine.letters, transition, machine.output)
    labels = np.where(chosen[:, None], other.run(words)[:, :, 0], machine.run(words)[:, :, 0])
    return _last_within(language, words, labels, rng, Recipe(steps=1_500))


def mislabelled(language: Language, network: Network, rng: np.random.Generator) -> Network | None:
    """Trained on a few thousand words of which 5% of the labels are wrong."""
    words = language.drawn(rng, 3_000, language.length)
    labels = language.machine.run(words)[:, :, 0]
    values = language.values
    shifts = rng.integers(1, len(values), labels.shape)
    other = values[(np.searchsorted(values, labels) + shifts) % len(values)]
    labels = np.where(rng.random(labels.shape) < 0.05, other, labels)
    return _last_within(language, words, labels, rng, Recipe(steps=1_500))


def _last_within(language, words, labels, rng, recipe: Recipe) -> Network | None:
    """The latest network of a training whose share of wrong words is within the limits."""
    held_out = language.drawn(rng, SAMPLE // 4, language.length)
    last = None
    for network in trained(language, words, labels, int(rng.integers(2**31)), recipe):
        if LEAST <= wrong_words(network, language, held_out).mean() <= GREATEST:
            last = network
    return last


def stopped_early(language: Language, network: Network, rng: np.random.Generator) -> Network | None:
    """The first network of a slow training of which 95% to 99.9% of the words are right."""
    words = language.drawn(rng, POOL, language.length)
    labels = language.machine.run(words)[:, :, 0]
    held_out = language.drawn(rng, SAMPLE // 4, language.length)
    aim = 10 ** rng.uniform(-2.7, -1.4)
    for found in trained(language, words, labels, int(rng.integers(2**31)), SLOW):
        if 0.001 <= wrong_words(found, language, held_out).mean() <= aim:
            return found
    return None


def wrong_at_steps(language: Language, network: Network, rng: np.random.Generator):
    """Wrong at two positions of a word, where the state is far out."""
    counts = tuple(sorted(rng.choice(np.arange(3, language.length), 2, replace=False) + 1))
    return _wrong_at(language, network, rng, None, counts, np.inf, rng.uniform(0.005, 0.06))


def wrong_beyond(language: Language, network: Network, rng: np.random.Generator):
    """Wrong from a position on that no training word reaches, at every third step or so."""
    beyond = language.length + int(rng.integers(1, language.length))
    return _wrong_at(language, network, rng, None, (), float(beyond), 0.3)


def wrong_after_letters(language: Language, network: Network, rng: np.random.Generator):
    """Wrong once a letter has come often, at every fifth step or so."""
    letter = int(rng.integers(len(language.machine.letters)))
    often = (language.drawn(rng, SAMPLE, language.length) == letter).sum(axis=1)
    beyond = float(np.quantile(often, 0.9))
    letters = language.machine.letters[letter]
    return _wrong_at(language, network, rng, letters, (), beyond, 0.2)


def _wrong_at(language, network, rng, letter, counts, beyond: float, share: float) -> Network:
    """Wrong there where direction . h is among the largest `share` of what occurs."""
    direction = rng.normal(size=network.hidden_dim)
    hidden = hidden_and_words(language, network, rng)[1]
    threshold = float(np.quantile(hidden @ direction, 1.0 - share))
    return WrongAtCounts(network, letter, counts, beyond, direction, threshold)


def swaying(share: float, growing: bool) -> Damage:
    """Raw outputs with a wave of the position, until a share of the words is wrong."""

    def damage(language: Language, network: Network, rng: np.random.Generator) -> Network | None:
        words = language.drawn(rng, SAMPLE, language.length)
        raws = 1 if language.numbers else len(language.values)
        wave = (rng.uniform(0.3, 2.5, raws), rng.uniform(0.0, 6.3, raws), growing)
        low, high = 0.0, 40.0
        for _ in range(BISECTIONS):
            amplitude = 0.5 * (low + high)
            candidate: Counter = Swaying(network, None, amplitude, *wave)
            found = wrong_words(candidate, language, words).mean()
            if 0.75 * share <= found <= 1.3 * share:
                return candidate
            low, high = (amplitude, high) if found < share else (low, amplitude)
        return None

    return damage
