"""Exact programs written once more, as a person would write them."""

from __future__ import annotations

import numpy as np

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, Proposal
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.plain import rewritten, riddles_of
from mips_jax.extraction.result import TABLE

_REWRITTEN = 3  # programs, the easiest to read first
_EASY = 48.0  # bits: a program without riddles that costs less is left as it is
_WORDS = 400  # of each kind, on which the rows of a step are collected


class Plain:
    """Programs with plain terms, guards and truths in the place of riddles."""

    name, family = "plain", "registers"
    needs: tuple[str, ...] = ()
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        exact = [c for c in findings.candidates if c.fidelity >= findings.standard]
        known = [c for c in sorted(exact, key=lambda c: c.score) if c.method != TABLE]
        if known and self._easy(known[0], evidence):
            return Report(self.name, Outcome.NOT_NEEDED)
        words = np.concatenate(
            [evidence.wide.words[:_WORDS], evidence.narrow.words[:_WORDS]]
        ).astype(np.int64)
        gained = 0
        for candidate in known[:_REWRITTEN]:
            found = rewritten(candidate.program, words, findings.machine)
            if found is not None:
                meanings = dict(candidate.meanings)
                yield Proposal(found, f"{candidate.note}; written plainly", meanings)
                gained += 1
        outcome = Outcome.FOUND if gained else Outcome.NOT_NEEDED
        return Report(self.name, outcome, f"{gained} of {len(known[:_REWRITTEN])} programs")

    @staticmethod
    def _easy(candidate, evidence: Evidence) -> bool:
        cheap = candidate.score < _EASY
        return cheap and not riddles_of(candidate.program, evidence.inputs.bounds)
