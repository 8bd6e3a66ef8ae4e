"""The check that proves: claims about words of every length, or of every length up to a number.

Axes: T time, I inputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.inputs import alphabet
from mips_jax.programs import program_source
from mips_jax.verification.case import Case
from mips_jax.verification.claims import Claim, Disagreement, How, plain_letter, plain_word
from mips_jax.verification.enclosures.prove import ARITHMETICS, Proven, prove
from mips_jax.verification.enclosures.search import ProofSettings
from mips_jax.verification.running import FLOAT64, run_network

_LETTERS = 4096  # more are not taken one by one


def refuted(claim: Claim, case: Case, word: np.ndarray) -> Claim:
    """The claim, refuted by a word [T, I]."""
    wrote = plain_letter(case.program.run(word[None])[0, -1])
    expected = plain_letter(run_network(case.network, word[None])[0][0, -1])
    found = Disagreement(plain_word(word), wrote, expected)
    return dataclasses.replace(
        claim, how=How.REFUTED, holds_to=len(word) - 1, disagreements=(found,), wrong=1
    )


def proven_for_all(case: Case, claims: tuple[Claim, ...]) -> list[Claim]:
    """That the network writes what the program writes: on every word of every length, or of as
    many steps as can be proven. A word on which they differ is a claim of its own.
    """
    words = "every word over the inputs that occur" if case.inputs.restricted else "every word"
    base = Claim("proof", "program", "network", words, None, How.NOT_TRIED, arithmetic=FLOAT64)
    reason = _out_of_question(case)
    if reason:
        return [dataclasses.replace(base, reason=reason)]
    letters = alphabet(case.inputs, _LETTERS)
    equal = any(claim.check == "program=machine" and claim.how is How.PROVEN for claim in claims)
    machine = case.machine if equal else None
    if machine is None or letters is None or not np.array_equal(letters, machine.letters):
        machine = None
    limits = ProofSettings(case.settings.proof_work, case.settings.proof_seconds)
    found = prove(case.network, case.program, case.inputs.bounds, letters, machine, limits)
    return _of_proof(base, case, found)


def _out_of_question(case: Case) -> str:
    """Why no proof is tried; empty where one is."""
    if not case.network.recurrent:
        return case.beyond_reach
    if case.inputs.ordered or case.inputs.grammar is not None:
        return "not attempted: which inputs may come depends on those before"
    return ""


def for_the_checker(certificate: dict, case: Case) -> dict | None:
    """The certificate, where the program is printed as the check has followed it: not where it
    keeps registers in a list, or reads symbols.
    """
    printed = program_source(case.program, symbols=case.symbols)
    return certificate if printed == program_source(case.program, lists=False) else None


def _of_proof(base: Claim, case: Case, found: Proven) -> list[Claim]:
    claims = []
    if found.certificate is None:
        claims.append(dataclasses.replace(base, reason=found.reason))
    else:
        claim = dataclasses.replace(
            base,
            how=How.PROVEN,
            length=found.steps,
            margin=found.margin,
            error_bound=0.0,
            arithmetic=ARITHMETICS[found.bits],
            reason=found.reason,
            certificate=for_the_checker(found.certificate, case),
        )
        claims.append(claim)
    if found.word is not None:
        claims.append(refuted(dataclasses.replace(base, reason=None), case, found.word))
    return claims
