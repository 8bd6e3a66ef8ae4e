"""What a method of extraction is.

A method is asked once. It yields what it finds, and is told what became of each: the evidence, with
the words on which a program was wrong, and the findings. It returns how it ended.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.outcomes import Report

Known = tuple[Evidence, Findings]
Proposals = Generator[Proposal | LearntMachine, Known, Report]


class Method(Protocol):
    """One way from a network to programs: an entry of the registry `METHODS`.

    Attributes:
        name: of the method, in reports.
        family: the name under which its programs go, and by which `extraction.method` chooses it.
        needs: names of methods whose findings it uses; they are run before it.
        automatic: whether `extraction.method=auto` runs it.
    """

    name: str
    family: str
    needs: tuple[str, ...]
    automatic: bool

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        """Yields programs and machines, and returns how it ended."""
        ...
