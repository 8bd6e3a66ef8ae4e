"""What the methods for registers find when they ask the machine that stands in for a network."""

from __future__ import annotations

from collections.abc import Generator

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.methods.joint import Joint
from mips_jax.extraction.methods.method import Known, Proposals
from mips_jax.extraction.methods.registers import Registers
from mips_jax.extraction.outcomes import Outcome, Report


def programs_of_the_machine(evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
    """Proposals of these methods, one after the other; the last one's report."""
    report = Report("registers", Outcome.NOT_NEEDED)
    for method in (Registers(), Joint()):
        proposals = method.propose(evidence, findings, budget)
        report, known = yield from followed(proposals)
        evidence, findings = known or (evidence, findings)
    return report


def followed(
    proposals: Proposals,
) -> Generator[Proposal | LearntMachine, Known, tuple[Report, Known | None]]:
    """Yields what another generator yields; returns its report and the last that was known."""
    known: Known | None = None
    try:
        item = next(proposals)
        while True:
            known = yield item
            item = proposals.send(known)
    except StopIteration as end:
        return end.value, known
