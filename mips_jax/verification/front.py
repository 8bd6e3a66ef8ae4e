"""The trade-off between size and faithfulness: every program that no other betters in both, each
beside the network on the same words.

Axes: N words, T time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mips_jax.inputs import Inputs, random_words
from mips_jax.networks import Network
from mips_jax.programs import Program
from mips_jax.verification.claims import Claim
from mips_jax.verification.running import FLOAT64, run_network
from mips_jax.verification.samples import (
    WITH_RUNS,
    compared,
    drawn_otherwise,
    how_drawn,
    words_with_runs,
)
from mips_jax.verification.settings import VerificationSettings

WORDS = 256  # of each length and distribution
_PURPOSE = 20  # of the seed: these words are no others' words


@dataclasses.dataclass(frozen=True)
class Tradeoff:
    """One program of the front.

    Attributes:
        program: the program.
        note: how it was found.
        bits: its description length.
        claims: its agreement with the network on uniformly drawn words of the training length,
            twice that and the long one, and on words with long runs; each lists the shortest words
            on which they differ.
    """

    program: Program
    note: str
    bits: float
    claims: tuple[Claim, ...]


def measured_front(
    programs: Sequence[tuple[Program, str, float]],
    network: Network,
    inputs: Inputs,
    length: int,
    settings: VerificationSettings,
) -> tuple[Tradeoff, ...]:
    """The programs with what is measured of each; the smallest first.

    Args:
        programs: (program, how it was found, bits).
        network: what they are compared with.
        inputs: that it reads.
        length: of the training words; twice that and the long length follow, unless which letters
            occur depends on the past.
        settings: the seed of the words and the long length.
    """
    if not programs:
        return ()
    claims: list[list[Claim]] = [[] for _ in programs]
    for shown, words in _words(inputs, length, settings, network.within):
        expected, _, numbers = run_network(network, words)
        for own, (program, _, _) in zip(claims, programs):
            wrote = program.run(words)
            claim = compared(
                "front",
                "program",
                "network",
                shown,
                words,
                wrote,
                expected,
                arithmetic=FLOAT64,
                numbers=numbers,
            )
            own.append(claim)
    found = [
        Tradeoff(program, note, bits, tuple(own))
        for (program, note, bits), own in zip(programs, claims)
    ]
    return tuple(sorted(found, key=lambda one: one.bits))


def _words(
    inputs: Inputs,
    length: int,
    settings: VerificationSettings,
    within: Callable[[int], int],
) -> Iterator[tuple[str, np.ndarray]]:
    """(how they are drawn, words [N, T, I]), none longer than `within` allows."""
    rng = np.random.default_rng((settings.seed, _PURPOSE))
    if inputs.ordered:
        yield how_drawn(inputs), random_words(inputs, WORDS, length, rng)
        return
    for steps in dict.fromkeys(map(within, (length, 2 * length, settings.long_factor * length))):
        yield how_drawn(inputs), random_words(inputs.uniform, WORDS, steps, rng)
        if (likely := drawn_otherwise(inputs)) is not None:
            yield likely, random_words(inputs, WORDS, steps, rng)
        yield WITH_RUNS, words_with_runs(inputs, WORDS, steps, rng)
