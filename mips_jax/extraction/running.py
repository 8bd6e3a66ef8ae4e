"""One method run to its end: each proposal is judged before the method goes on."""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, judged
from mips_jax.extraction.methods.method import Method
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.networks import WordTooLongError


def run(
    method: Method, evidence: Evidence, findings: Findings, budget: Budget
) -> tuple[Evidence, Findings]:
    """What is known after one method."""
    if budget.guard.strikes():
        return evidence, findings.with_report(Report(method.name, Outcome.OUT_OF_TIME, "not run"))
    proposals = method.propose(evidence, findings, budget)
    try:
        item = next(proposals)
        while True:
            evidence, findings = judged(item, method.family, evidence, findings)
            item = proposals.send((evidence, findings))
    except StopIteration as end:
        report = end.value
    except WordTooLongError as error:
        report = Report(method.name, Outcome.OUT_OF_REACH, str(error))
    if budget.guard.struck:
        report = Report(method.name, Outcome.OUT_OF_TIME, str(report))
    return evidence, findings.with_report(report)
