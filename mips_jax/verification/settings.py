"""How much is tested: one dataclass, a meaning and a range for every field."""

from __future__ import annotations

import dataclasses

_LEAST = {"seed": 0, "proof_seconds": 0, "proof_work": 0, "search_steps": 0}


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
        agreement: lower bound on the share of words, 0 to 1, from which on a given network that the
            program does not follow everywhere counts as nearly followed.
        seed: of all words, >= 0.
        proof_work: edges whose image is computed in the search for a proof that the network equals
            the machine read off it, in units of a network of 64 units, >= 0; 0: no such proof.
        proof_seconds: the same search ends after this time on a slow machine, >= 0; the result says
            so when it does.
    """

    sequences: int = 10_000
    long_sequences: int = 1_000
    long_factor: int = 10
    fidelity_sequences: int = 4_096
    search_steps: int = 200_000
    agreement: float = 0.99
    seed: int = 0
    proof_work: int = 400_000
    proof_seconds: float = 60.0


def problems(settings: VerificationSettings) -> list[str]:
    """What is wrong with the settings, one sentence each (empty: nothing)."""
    found = [
        f"verification.{field.name} is {value}; allowed: {least} or more"
        for field in dataclasses.fields(settings)
        if not (value := getattr(settings, field.name)) >= (least := _LEAST.get(field.name, 1))
        and field.name != "agreement"
    ]
    if not 0 <= settings.agreement <= 1:
        found.append(f"verification.agreement is {settings.agreement}; allowed: 0 to 1")
    return found
