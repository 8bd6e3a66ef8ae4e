"""How much is tested: one dataclass, a meaning and a range for every field."""

from __future__ import annotations

import dataclasses
from dataclasses import field

from mips_jax.validation import bounds, seeds
from mips_jax.validation import problems as settings_problems

MOST_SEQUENCES = 10_000_000  # they are held in memory at one time


@dataclasses.dataclass
class VerificationSettings:
    """How much is tested.

    Attributes:
        sequences: different unseen sequences of the training length that the truth judges, >= 1
            (the contract of `solved` asks for 10,000, or all that there are).
        long_sequences: fresh sequences at the long length, >= 1.
        long_factor: the long length is this many times the training length, >= 1.
        fidelity_sequences: random words on which program and network are compared, >= 1.
        search_steps: steps of the network in the search for words on which it differs from the
            program, >= 0; 0: no such search.
        agreement: share of words, 0 to 1, from which on a given network that the program does not
            follow everywhere counts as nearly followed: a lower bound on it at the training length,
            the measured one at twice that.
        seed: of all words, >= 0.
        proof_work: edges whose image is computed in the search for a proof that the network equals
            the machine read off it, in units of a network of 64 units, >= 0; 0: no such proof.
        proof_seconds: the same search ends after this time on a slow machine, >= 0; the result says
            so when it does.
    """

    sequences: int = field(default=10_000, metadata=bounds(1, MOST_SEQUENCES))
    long_sequences: int = field(default=1_000, metadata=bounds(1, MOST_SEQUENCES))
    long_factor: int = field(default=10, metadata=bounds(1, 1_000))
    fidelity_sequences: int = field(default=4_096, metadata=bounds(1, MOST_SEQUENCES))
    search_steps: int = field(default=200_000, metadata=bounds(0))
    agreement: float = field(default=0.99, metadata=bounds(0, 1))
    seed: int = field(default=0, metadata=seeds())
    proof_work: int = field(default=400_000, metadata=bounds(0))
    proof_seconds: float = field(default=60.0, metadata=bounds(0))


def problems(settings: VerificationSettings) -> list[str]:
    """What is wrong with the settings, one sentence each (empty: nothing)."""
    return settings_problems(settings, "verification", VerificationSettings)
