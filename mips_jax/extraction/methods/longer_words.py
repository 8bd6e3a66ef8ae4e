"""Finite machines that close on longer words only, where nobody said how long words are."""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings
from mips_jax.extraction.methods.automaton import closing
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report


class LongerWords:
    """The minimal Mealy machine, on words several times as long as was guessed."""

    name, family = "longer words", "automaton"
    needs: tuple[str, ...] = ("nearly finite",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        reports = {report.method: report.outcome for report in findings.reports}
        open_ = reports.get("automaton") is Outcome.NOT_CLOSED and findings.stand_in is None
        factors = evidence.tuning.automaton.longer
        if not open_ or not evidence.length_is_a_guess or not factors:
            return Report(self.name, Outcome.NO_USE)
        return (
            yield from closing(
                self.name, evidence, factors, budget, evidence.tuning.automaton.of_longer
            )
        )
