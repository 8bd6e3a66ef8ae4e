"""Networks that err now and then: the machine that they are on shorter words takes their place, and
programs are sought for it; only where the network itself has no exact program.
"""

from __future__ import annotations

import math

import numpy as np

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.methods.joint import Joint
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.methods.registers import Registers
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.tolerant_automaton import nearly_machines
from mips_jax.extraction.traces import record
from mips_jax.machines import Mealy, machine_program

_WITHOUT_MACHINE = (
    Outcome.NOT_CLOSED,
    Outcome.INCONSISTENT,
    Outcome.TOO_MANY_STATES,
    Outcome.OUT_OF_WORK,
)


class Erring:
    """Registers of the machine that a network nearly is."""

    name, family = "erring", "registers"
    needs: tuple[str, ...] = ("joint",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        reports = {report.method: report.outcome for report in findings.reports}
        if findings.shortest < float("inf"):
            return Report(self.name, Outcome.NOT_NEEDED)
        if reports.get("automaton") not in _WITHOUT_MACHINE:
            return Report(self.name, Outcome.NOTHING_TO_TRY)
        machine, agreement = _stand_in(evidence, budget)
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


def _stand_in(evidence: Evidence, budget: Budget) -> tuple[Mealy | None, float]:
    """The machine that is worth its size, and the share of words on which the network agrees.

    Networks err more on longer words: machines are sought from shorter ones, too, and compared on
    words of the whole length.
    """
    tuning = evidence.tuning
    drawn = record(evidence.judge, evidence.words[0])  # without the words on which programs erred
    best: tuple[float, Mealy | None, float] = (math.inf, None, 0.0)
    lengths = (evidence.length, *(int(s * evidence.length) for s in tuning.automaton.shorter))
    for length in dict.fromkeys(n for n in lengths if n > 1):
        share = budget.share("tolerant", 1.0 / len(lengths))
        for nearly in nearly_machines(
            evidence.judge, evidence.inputs, length, tuning.tolerant, evidence.settings.seed, share
        ):
            machine = nearly.machine
            wrote = machine.run(machine.index_of(drawn.words))
            agreement = float((wrote == drawn.outputs).all(axis=(1, 2)).mean())
            entries = machine.states * len(machine.letters)
            size = tuning.tolerant.entry_price * entries * math.log2(machine.states + 1)
            score = size + tuning.tolerant.error_price * (1.0 - agreement)
            if score < best[0]:
                best = (score, machine, agreement)
    return best[1:]
