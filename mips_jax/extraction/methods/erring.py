"""Networks that err now and then: the machine that they are on shorter words takes their place, and
programs are sought for it; only where the network itself has no exact program.
"""

from __future__ import annotations

import dataclasses

from mips_jax.budget import Budget
from mips_jax.extraction.automaton import learn_automaton
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.methods.nearly_finite import WITHOUT_MACHINE, standing_in
from mips_jax.extraction.methods.of_machine import followed, programs_of_the_machine
from mips_jax.extraction.methods.settled import settled_part
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.stand_in import StandIn, machines_at, ranked


class Erring:
    """Registers of the machine that a network nearly is."""

    name, family = "erring", "registers"
    needs: tuple[str, ...] = ("joint",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        reports = {report.method: report.outcome for report in findings.reports}
        if findings.shortest < float("inf"):
            return Report(self.name, Outcome.NOT_NEEDED)
        known_machine = findings.machine is not None or findings.stand_in is not None
        if known_machine or reports.get("automaton") not in WITHOUT_MACHINE:
            return Report(self.name, Outcome.NO_USE)
        found = _closed_on_shorter(evidence, budget) or _stand_ins(evidence, budget)
        if not found:
            return Report(self.name, Outcome.NOT_CLOSED)
        report, known = yield from followed(standing_in(self.name, found, evidence))
        if found[0].agreement < evidence.tuning.tolerant.worth:
            return report  # its registers would be nothing to go by
        machine = found[0].machine
        small = machine.states <= evidence.tuning.automaton.stand_in
        if small and known is not None and settled_part(machine) is None:
            evidence, findings = known
            yield from programs_of_the_machine(evidence, findings, budget)
        return report


def _closed_on_shorter(evidence: Evidence, budget: Budget) -> list[StandIn]:
    """A machine that closes on shorter words and is nearly the network on those of the whole
    length, or none: a network that counts has new states at every length.
    """
    tuning = evidence.tuning.automaton
    limits = dataclasses.replace(tuning, states=evidence.settings.states)
    share = budget.share("automaton")
    for length in dict.fromkeys(int(s * evidence.length) for s in tuning.shorter):
        part = share.part(share.limit / len(tuning.shorter))
        learnt = learn_automaton(
            evidence.network, evidence.inputs, length, limits, evidence.settings.seed, part
        )
        if learnt.machine is not None and learnt.outcome is Outcome.CLOSED:
            found = ranked([learnt.machine], evidence)
            if found[0].agreement >= tuning.nearly:
                return found
    return []


def _stand_ins(evidence: Evidence, budget: Budget) -> list[StandIn]:
    """Machines from words of several lengths, the best first: networks err more on longer words."""
    shorter = evidence.tuning.automaton.shorter
    lengths = [evidence.length, *(int(s * evidence.length) for s in shorter)]
    lengths = [n for n in dict.fromkeys(lengths) if n > 1]
    machines = []
    for length in lengths:
        found = machines_at(evidence, length, budget, 1.0 / len(lengths))
        machines += [nearly.machine for nearly in found]
    return ranked(machines, evidence)
