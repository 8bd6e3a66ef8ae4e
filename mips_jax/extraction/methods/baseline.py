"""The published method (Michaud et al. 2024) as it stands, for comparison only."""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.baseline import distil_by_paper
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, Proposal
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report


class Baseline:
    """Normalizers, integer autoencoders, Boolean or integer regression."""

    name = family = "paper"
    needs: tuple[str, ...] = ()
    automatic = False

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        share = budget.share("brute_force")
        results = distil_by_paper(evidence.network, evidence.inputs, evidence.settings, share)
        found = [(r.program, r.note) for r in results if r.program is not None]
        for program, note in found:
            yield Proposal(program, note)
        said = "; ".join(r.status for r in results)
        return Report(self.name, Outcome.FOUND if found else Outcome.NO_PROGRAM, said)
