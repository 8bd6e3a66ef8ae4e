"""How far a program can be trusted: every check's claims on it, and the verdict that follows.

Ground truth is used here, after extraction, and nowhere in it.
"""

from __future__ import annotations

import dataclasses

from mips_jax.programs import Program
from mips_jax.sequences import Sequences
from mips_jax.validation import checked
from mips_jax.verification.case import Case
from mips_jax.verification.claims import Claim, How
from mips_jax.verification.registry import CHECKS
from mips_jax.verification.settings import VerificationSettings
from mips_jax.verification.verdict import (
    Verdict,
    chance_of,
    verdict_by_network,
    verdict_by_truth,
    verdict_on_integers,
)
from mips_jax.verification.wording import summary, tier


@dataclasses.dataclass(frozen=True, repr=False)
class Verification:
    """What is known of a program; figures and sentences are all read off the claims.

    Attributes:
        claims: what was measured, proven, refuted or not tried.
        verdict: what follows from them.
        length, long_length: the training length and the long one.
        notes: what of the given data judging could not reach, one sentence each.
    """

    claims: tuple[Claim, ...]
    verdict: Verdict
    length: int
    long_length: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Verification({self.verdict.outcome}; {self.summary})"

    def claim(self, check: str) -> Claim | None:
        """The first claim of a check."""
        return next((claim for claim in self.claims if claim.check == check), None)

    @property
    def solved(self) -> bool:
        return self.verdict.solved

    @property
    def summary(self) -> str:
        """The evidence in a few sentences."""
        return summary(self.claims)

    @property
    def test_accuracy(self) -> float | None:
        """Share of the judging sequences that are right at every step; None without a truth."""
        return self._agreement("unseen")

    @property
    def test_step_accuracy(self) -> float | None:
        """Share of their single outputs that are right."""
        claim = self.claim("unseen")
        return None if claim is None else claim.step_agreement

    @property
    def long_accuracy(self) -> float | None:
        """The same as `test_accuracy` at the long length; None without a truth there."""
        return self._agreement("long")

    @property
    def fidelity(self) -> float:
        """Share of words of the training length on which both agree at every step."""
        return self._agreement("fidelity") or 0.0

    @property
    def faithful_length(self) -> int:
        """Steps to which program and network agree on every word that was run."""
        sampled = [c for c in self.claims if c.check.startswith("fidelity") and c.count]
        wrong = [c.holds_to or 0 for c in sampled if c.wrong]
        return min(wrong) if wrong else max((c.length or 0 for c in sampled), default=0)

    @property
    def proven_equal_to_network(self) -> bool:
        """Whether program and network were proven to write the same at every length."""
        return any(c.how is How.PROVEN and c.length is None for c in self._proofs)

    @property
    def certificate(self) -> dict | None:
        """What `mips_jax.check` reads; its hash of the program is that of the bare text."""
        return next((c.certificate for c in self._proofs if c.certificate), None)

    @property
    def _proofs(self) -> list[Claim]:
        return [claim for claim in self.claims if claim.check == "proof"]

    def _proof_record(self) -> dict:
        """What is proven of the network itself; see docs/proofs.md."""
        proof = next((c for c in self._proofs if c.how is How.PROVEN), None)
        certificate = self.certificate
        return {
            "tier": tier(self.claims),
            "every_length": self.proven_equal_to_network,
            "up_to_steps": None if proof is None else proof.length,
            "arithmetic": None if proof is None else proof.arithmetic,
            "certificate": None if certificate is None else "certificate.json",
            "weights": None if certificate is None else certificate["network"]["sha256"],
        }

    def _agreement(self, check: str) -> float | None:
        claim = self.claim(check)
        return None if claim is None else claim.agreement

    def record(self) -> dict:
        """The content of result.json's `verification`: the older keys, all read off the claims."""
        unseen, long, fidelity = map(self.claim, ("unseen", "long", "fidelity"))
        machine, proof = self.claim("program=machine"), self.claim("proof")
        refuted = next((c for c in self._proofs if c.how is How.REFUTED), None)
        count = lambda claim: 0 if claim is None else claim.count
        proven = proof if self.proven_equal_to_network else None
        return {
            "summary": self.summary,
            "outcome": str(self.verdict.outcome),
            "test_accuracy": self.test_accuracy,
            "test_sequences": count(unseen),
            "test_unseen": 0 if unseen is None else unseen.unseen,
            "test_complete": bool(unseen and unseen.complete),
            "test_length": self.length,
            "test_step_accuracy": self.test_step_accuracy,
            "long_accuracy": self.long_accuracy,
            "long_sequences": count(long),
            "long_length": self.long_length,
            "fidelity": self.fidelity,
            "fidelity_sequences": count(fidelity),
            "fidelity_words": None if fidelity is None else fidelity.words,
            "faithful_length": self.faithful_length,
            "equals_machine": None if machine is None else _three_valued(machine),
            "network_equals_machine": False if refuted else (True if proven else None),
            "network_differs_after": _differs_after(refuted),
            "proof": None if proof is None else self._proof_record(),
            "network_margin": None if proven is None else proven.margin,
            "notes": list(self.notes),
        }


def _three_valued(claim: Claim) -> bool | None:
    return {How.PROVEN: True, How.REFUTED: False}.get(claim.how)


def _differs_after(proof: Claim | None) -> int | None:
    """Steps of the word that refutes the equality of network and machine, or None."""
    if proof is None or proof.how is not How.REFUTED:
        return None
    return len(proof.disagreements[0].word)


def verify(case: Case, notes: tuple[str, ...] = ()) -> Verification:
    """Runs every check on a case.

    Args:
        case: the program, and what it is held against.
        notes: what of the given data judging cannot reach.

    Raises:
        RequestError: a setting is out of range.
    """
    checked(case.settings, "verification", VerificationSettings)
    claims: tuple[Claim, ...] = ()
    for check in CHECKS.values():
        claims += tuple(check(case, claims))
    claims = tuple(claim.in_symbols(case.symbols) for claim in claims)
    return Verification(claims, _verdict(case, claims), case.length, case.long_length, notes)


def _verdict(case: Case, claims: tuple[Claim, ...]) -> Verdict:
    if case.truth is not None:
        return verdict_by_truth(claims, chance_of(case.truth.judging))
    return verdict_on_integers(
        [claim for claim in claims if claim.check == "integers"]
    ) or verdict_by_network(claims, case.settings.agreement)


def whole_sequence_accuracy(program: Program, sequences: Sequences) -> float:
    """Share of sequences that the program gets right at every (labelled) step."""
    right = (program.run(sequences.inputs) == sequences.outputs).all(axis=2)
    if sequences.judged is not None:
        right |= ~sequences.judged
    return float(right.all(axis=1).mean())


def step_accuracy(program: Program, sequences: Sequences) -> float:
    """Share of single (labelled) steps that the program gets right."""
    right = (program.run(sequences.inputs) == sequences.outputs).all(axis=2)
    return float(right.mean() if sequences.judged is None else right[sequences.judged].mean())
