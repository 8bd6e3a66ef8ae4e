"""Networks that err now and then: the machine that they are on shorter words takes their place, and
programs are sought for it; only where the network itself has no exact program.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.budget import Budget
from mips_jax.extraction.automaton import learn_automaton
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.methods.joint import Joint
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.methods.registers import Registers
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.traces import record
from mips_jax.machines import Mealy, machine_program


class Erring:
    """Registers of the machine that a network nearly is."""

    name, family = "erring", "registers"
    needs: tuple[str, ...] = ("joint",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        reports = {report.method: report.outcome for report in findings.reports}
        if findings.shortest < float("inf"):
            return Report(self.name, Outcome.NOT_NEEDED)
        if reports.get("automaton") not in (Outcome.NOT_CLOSED, Outcome.INCONSISTENT):
            return Report(self.name, Outcome.NOTHING_TO_TRY)
        machine, agreement = _on_shorter_words(evidence, budget)
        if machine is None:
            return Report(self.name, Outcome.NOT_CLOSED)
        evidence, findings = yield LearntMachine(machine, agreement=agreement)
        bounds = evidence.inputs.bounds
        letters = np.prod([high - low + 1.0 for low, high in bounds])
        if machine.states > 1 and machine.states * letters <= evidence.tuning.automaton.cells:
            table = machine_program(machine, bounds)
            evidence, findings = yield Proposal(table, "the machine that it nearly is, as a table")
        if machine.states <= evidence.tuning.automaton.stand_in:
            yield from _programs_of_the_machine(evidence, findings, budget)
        figures = f"{machine.states} states, agreement {agreement:.4f}"
        return Report(self.name, Outcome.NEARLY_CLOSED, figures)


def _programs_of_the_machine(evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
    """What the methods for registers find when they ask the machine."""
    report = Report("registers", Outcome.NOT_NEEDED)
    for method in (Registers(), Joint()):
        proposals, answer = method.propose(evidence, findings, budget), None
        try:
            item = next(proposals)
            while True:
                answer = yield item
                item = proposals.send(answer)
        except StopIteration as end:
            report = end.value
        if answer is not None:
            evidence, findings = answer
    return report


def _on_shorter_words(evidence: Evidence, budget: Budget) -> tuple[Mealy | None, float]:
    """The machine that a network is on shorter words, where it errs only now and then on longer
    ones; and the share of these on which they agree.

    A network that counts has new states at every length, and no such machine.
    """
    tuning = evidence.tuning.automaton
    drawn = record(evidence.judge, evidence.words[0])  # without the words on which programs erred
    limits = dataclasses.replace(tuning, states=evidence.settings.states)
    for length in dict.fromkeys(int(share * evidence.length) for share in tuning.shorter):
        learnt = learn_automaton(
            evidence.network,
            evidence.inputs,
            length,
            limits,
            evidence.settings.seed,
            budget.share("automaton"),
        )
        if learnt.machine is None or learnt.outcome is not Outcome.CLOSED:
            continue
        wrote = learnt.machine.run(learnt.machine.index_of(drawn.words))
        same = (wrote == drawn.outputs).all(axis=(1, 2)).mean()
        if same >= tuning.nearly:
            return learnt.machine, float(same)
    return None, 0.0
