"""Networks that are no machine and have no program: the trade-off between size and faithfulness all
the same.
"""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.clustered_automaton import clustered_machines
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.tolerant_automaton import front
from mips_jax.machines import machine_program


class Clusters:
    """Hidden states in clusters, as machines."""

    name = family = "clusters"
    needs: tuple[str, ...] = ("automaton", "nearly finite")
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        tuning = evidence.tuning.clusters
        best = max((max(c.fidelity, c.settled) for c in findings.candidates), default=0.0)
        if findings.machine is not None or best >= tuning.enough:
            return Report(self.name, Outcome.NOT_NEEDED)
        machines = clustered_machines(
            evidence.judge,
            evidence.inputs,
            evidence.length,
            tuning,
            evidence.settings.seed,
            budget.share("tolerant"),
        )
        better = [m for m in front(machines) if m.agreement > best]
        if not better:
            return Report(self.name, Outcome.NOT_CLOSED)
        yield LearntMachine(None, larger=tuple(m.machine for m in better))
        outcomes = {report.method: report.outcome for report in findings.reports}
        lasts = outcomes.get("nearly finite") is Outcome.NEARLY_CLOSED
        # more states than the machine that words of every length show only tell how it errs
        for one in () if lasts else better:
            entries = one.machine.states * evidence.letters_in_range
            if entries <= evidence.tuning.automaton.cells:
                table = machine_program(one.machine, evidence.inputs.bounds)
                yield Proposal(table, f"{one.machine.states} clusters of hidden states")
        figures = ", ".join(f"{m.machine.states} states {m.agreement:.4f}" for m in better)
        return Report(self.name, Outcome.NEARLY_CLOSED, figures)
