"""Joint search: registers with enumerated updates, beside the shallow labels; last, and only where
no short exact program is known.
"""

from __future__ import annotations

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.methods.registers import Pair, Search, Work, feature_pair, report
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.registers.features import with_holding
from mips_jax.extraction.registers.joint import joint_features, on_words
from mips_jax.inputs import input_names

_PURPOSE = 1000  # of random numbers; apart from the depths of `feature_pair`


class Joint:
    """Registers whose updates are enumerated before anybody knows what they mean."""

    name, family = "joint", "registers"
    needs: tuple[str, ...] = ("registers",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        choice = evidence.tuning.choice
        if findings.shortest < choice.middling_bits:
            return Report(self.name, Outcome.NOT_NEEDED)
        known = findings.exact_table or findings.shortest < float("inf")
        effort = choice.second_effort if known else 1.0
        search = Search(_pair(evidence, findings, budget))
        _, findings = yield from search.proposals(evidence, findings, Work.of(budget, effort))
        return report(self.name, search.sets, search.proposed, findings)


def _pair(evidence: Evidence, findings: Findings, budget: Budget) -> Pair:
    """The shallow features with registers from the joint search, on the narrow and on the wide
    words.
    """
    bounds, tuning = evidence.inputs.bounds, evidence.tuning
    narrow, wide = feature_pair(evidence, 1, digits=True)
    machine = findings.machine or findings.stand_in
    hints = () if machine is None else (machine.states,)
    share = budget.share("joint")
    found = joint_features(evidence.narrow, bounds, share, tuning.joint, hints)
    names = input_names(len(bounds))
    on_wide = with_holding(
        [on_words(f, evidence.wide.words, names) for f in found],
        evidence.wide,
        evidence.rng(_PURPOSE),
        tuning.features.held_sample,
    )
    held = {f.name for f in on_wide if f.held > tuning.features.held}
    return (
        narrow + [f for f in found if f.name in held],
        wide + [f for f in on_wide if f.name in held],
    )
