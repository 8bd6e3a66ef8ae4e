"""Programs as a person would write them: a finite machine taken apart, and exact programs written
once more.
"""

from __future__ import annotations

import numpy as np

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, Proposal
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.plain import cells_of, programs_of, reading_of, rewritten, riddles_of
from mips_jax.extraction.result import TABLE, Candidate


class Cells:
    """Registers that inputs only set or copy, where the machine is so large that other searches
    for its registers are long.
    """

    name, family = "cells", "registers"
    needs: tuple[str, ...] = ("automaton",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        machine, tuning = findings.machine, evidence.tuning.plain
        if machine is None or machine.states < tuning.large:
            return Report(self.name, Outcome.NO_USE)
        found = 0
        for program, note in cells_of(machine):
            packed = 2 ** len(program.registers) <= machine.states  # each tells two halves apart
            plain = packed and reading_of(program, evidence.inputs.bounds) < tuning.settles
            yield Proposal(program, note, settles=plain)
            found += 1
            if plain:
                break
        return Report(
            self.name, Outcome.FOUND if found else Outcome.NO_PROGRAM, f"{found} programs"
        )


class Plain:
    """Programs with plain terms, guards and truths in the place of riddles and tables."""

    name, family = "plain", "registers"
    needs: tuple[str, ...] = ("automaton",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        known, tuning = _exact(findings), evidence.tuning.plain
        if known and known[0].score < tuning.easy and not _riddles(known[0], evidence):
            return Report(self.name, Outcome.NOT_NEEDED)
        words = np.concatenate(
            [traces.words[: tuning.words] for traces in (evidence.wide, evidence.narrow)]
        )
        gained = 0
        for candidate in known[: tuning.rewritten]:
            if budget.guard.strikes():
                break
            found = rewritten(
                candidate.program,
                words.astype(np.int64),
                evidence.inputs.bounds,
                findings.machine,
            )
            if found is not None:
                meanings = dict(candidate.meanings)
                _, findings = yield Proposal(found, f"{candidate.note}; written plainly", meanings)
                gained += 1
        parts = 0
        if findings.machine is not None:
            for program, note in self._parts(evidence, findings, budget):
                yield Proposal(program, note)
                parts += 1
        outcome = Outcome.FOUND if gained + parts else Outcome.NOT_NEEDED
        figures = (
            f"{gained} of {len(known[: tuning.rewritten])} programs, {parts} of the machine's parts"
        )
        return Report(self.name, outcome, figures)

    @staticmethod
    def _parts(evidence: Evidence, findings: Findings, budget: Budget):
        """Programs over the machine's parts that are easier to read than what is known."""
        known, tuning = _exact(findings), evidence.tuning.plain
        least = known[0].score if known else np.inf
        machine = findings.machine
        if machine is None:
            return
        small = machine.states * len(machine.letters) <= tuning.small
        if least < (tuning.easy if small else tuning.long) and not _riddles(known[0], evidence):
            return
        found = 0
        for program, note in programs_of(machine, least):
            reading = reading_of(program, evidence.inputs.bounds)
            if reading < least:
                least, found = reading, found + 1
                yield program, note
            if found == tuning.enough or least < tuning.easy or budget.guard.strikes():
                return


def _exact(findings: Findings) -> list[Candidate]:
    """Exact programs without tables, the easiest to read first."""
    exact = [c for c in findings.candidates if c.fidelity >= findings.standard]
    return [c for c in sorted(exact, key=lambda c: c.score) if c.method != TABLE]


def _riddles(candidate: Candidate, evidence: Evidence) -> bool:
    return riddles_of(candidate.program, evidence.inputs.bounds) > 0
