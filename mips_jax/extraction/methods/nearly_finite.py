"""Networks that are nearly finite: the machine that words of several lengths agree on takes the
network's place at once.
"""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.stand_in import StandIn, persistent, ranked
from mips_jax.machines import Mealy, machine_program

WITHOUT_MACHINE = (
    Outcome.NOT_CLOSED,
    Outcome.INCONSISTENT,
    Outcome.TOO_MANY_STATES,
    Outcome.OUT_OF_WORK,
)


class NearlyFinite:
    """Machines by tolerant learning, each a program of the trade-off."""

    name, family = "nearly finite", "automaton"
    needs: tuple[str, ...] = ("automaton",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        reports = {report.method: report.outcome for report in findings.reports}
        if reports.get("automaton") not in WITHOUT_MACHINE:
            return Report(self.name, Outcome.NO_USE)
        machine, others = persistent(evidence, budget)
        if machine is None:
            return Report(self.name, Outcome.NOT_CLOSED)
        larger = tuple(m.machine for m in others if m.machine.states > machine.states)
        return (yield from standing_in(self.name, ranked([machine], evidence), evidence, larger))


def standing_in(
    name: str, found: list[StandIn], evidence: Evidence, larger: tuple[Mealy, ...] = ()
) -> Proposals:
    """The best machine takes the network's place; each is proposed as a table.

    Args:
        name: of the method.
        found: the best first.
        evidence: so far.
        larger: more faithful machines, for the trade-off alone.
    """
    best = found[0]
    yield LearntMachine(best.machine, agreement=best.agreement, larger=larger)
    for one in found:
        entries = one.machine.states * evidence.letters_in_range
        if one.machine.states > 1 and entries <= evidence.tuning.automaton.cells:
            table = machine_program(one.machine, evidence.inputs.bounds)
            yield Proposal(table, f"a machine of {one.machine.states} states that it nearly is")
    figures = f"{best.machine.states} states, agreement {best.agreement:.4f}"
    return Report(name, Outcome.NEARLY_CLOSED, figures)
