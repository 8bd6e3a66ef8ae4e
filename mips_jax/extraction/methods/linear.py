"""Affine networks: the impulse response, rounded to integers, and its minimal realization."""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, Proposal
from mips_jax.extraction.linear import linear_program
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report

_NOTE = "impulse response rounded to integers, minimal realization"


class Linear:
    """Linear recurrences with integer coefficients."""

    name = family = "linear"
    needs: tuple[str, ...] = ()
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        program = linear_program(evidence.wide)
        if program is None:
            return Report(self.name, Outcome.NOT_AFFINE)
        _, findings = yield Proposal(program, _NOTE, settles=True)
        return Report(self.name, Outcome.FOUND, f"fidelity {findings.latest_fidelity:.4f}")
