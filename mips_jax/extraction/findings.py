"""What is known so far: the candidates, the machine, how each method ended.

Findings never change; a method's proposal makes new ones.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.machine_network import MachineNetwork
from mips_jax.extraction.outcomes import Report
from mips_jax.extraction.plain import names_for, reading_of
from mips_jax.extraction.result import TABLE, Candidate
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.programs import Lookup, Program, Var, is_short, renamed, walk

# A program equals the machine if it errs at most this many times as often: errors are counted on
# other words.
_AS_FAITHFUL = 2.0
_UNSEEN = 3.0  # words that may be wrong where none was among as many


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A program that a method proposes.

    Attributes:
        program: the program.
        note: how it was found.
        meanings: what its registers are, in words, where known.
        settles: whether no other method could better it, if it is exact.
        transient: first steps on which the network does anything.
    """

    program: Program
    note: str = ""
    meanings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    settles: bool = False
    transient: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class LearntMachine:
    """A finite machine that a method found.

    Attributes:
        machine: the network's behaviour, or None where there is no such machine.
        words: random words [W, T, I] that it was compared with the network on.
        agreement: where the machine stands in for a network that errs: the share of the words of
            the whole length on which they agree.
        larger: machines that are more faithful, and too large to be the answer.
    """

    machine: Mealy | None
    words: tuple[np.ndarray, ...] = ()
    agreement: float | None = None
    larger: tuple[Mealy, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Findings:
    """What the methods so far have found.

    Attributes:
        candidates: every program proposed, in order.
        latest: what the last proposal became.
        machine: the finite machine that the network behaves like, when it has one.
        reports: how each method ended.
        settled: whether more methods are of no use.
        standard: fidelity from which on a program counts as exact: below 1 where the network errs.
        stand_in: the machine that takes the network's place, where the network errs.
        larger: machines that are more faithful than that one.
    """

    candidates: tuple[Candidate, ...] = ()
    latest: Candidate | None = None
    machine: Mealy | None = None
    reports: tuple[Report, ...] = ()
    settled: bool = False
    standard: float = 1.0
    stand_in: Mealy | None = None
    larger: tuple[Mealy, ...] = ()

    @property
    def shortest(self) -> float:
        """Bits of the shortest exact program that is no table; infinite without one."""
        exact = [c for c in self.candidates if c.fidelity >= self.standard and c.method != TABLE]
        return min((c.description_length for c in exact), default=math.inf)

    @property
    def exact_table(self) -> bool:
        """Whether a table is known that is exact."""
        return any(c.fidelity >= self.standard and c.method == TABLE for c in self.candidates)

    @property
    def latest_fidelity(self) -> float:
        """Of the last proposal; 0 before the first."""
        return 0.0 if self.latest is None else self.latest.fidelity

    @property
    def latest_exact(self) -> bool:
        """Whether the last proposal is as faithful as any can be."""
        return self.latest_fidelity >= self.standard

    def with_report(self, report: Report) -> Findings:
        return dataclasses.replace(self, reports=(*self.reports, report))


def judged(
    item: Proposal | LearntMachine, family: str, evidence: Evidence, findings: Findings
) -> tuple[Evidence, Findings]:
    """What is known once a program was compared with the network on fresh words; those on which it
    is wrong join the evidence.

    Args:
        item: what a method yielded.
        family: of the method, the name under which its programs go.
        evidence: so far.
        findings: so far.
    """
    if isinstance(item, LearntMachine):
        evidence = dataclasses.replace(evidence, words=evidence.words + item.words)
        if item.machine is None:
            larger = (*findings.larger, *item.larger)
            return evidence, dataclasses.replace(findings, larger=larger)
        if item.agreement is None:
            costly = evidence.judge.step_work > evidence.tuning.automaton.costly
            if costly or evidence.inputs.grammar is not None:
                evidence = _asking_the_machine(item.machine, evidence)
            return evidence, dataclasses.replace(findings, machine=item.machine)
        findings = dataclasses.replace(findings, larger=item.larger)
        return _standing_in(item.machine, item.agreement, evidence, findings)
    names = names_for(item.program)
    program, fresh = renamed(item.program, names), evidence.fresh
    known = next((c for c in findings.candidates if c.program == program), None)
    if known is not None:
        return evidence, dataclasses.replace(findings, latest=known)
    steps = (program.run(fresh.words) == fresh.outputs).all(axis=2)
    agree = steps.all(axis=1)
    candidate = Candidate(
        TABLE if has_table(program) else family,
        program,
        program.description_length,
        float(agree.mean()),
        item.note,
        evidence.alphabet,
        tuple((names.get(name, name), meaning) for name, meaning in item.meanings.items()),
        item.transient,
        float(steps[:, item.transient :].all(axis=1).mean()),
        reading_of(program, evidence.inputs.bounds),
    )
    words = evidence.tuning.words
    if words.learnable < candidate.fidelity < 1.0:
        evidence = evidence.with_counterexamples(np.flatnonzero(~agree)[: words.learnt])
    return evidence, dataclasses.replace(
        findings,
        candidates=(*findings.candidates, candidate),
        latest=candidate,
        settled=findings.settled or (item.settles and candidate.fidelity == 1.0),
    )


def _standing_in(
    machine: Mealy, agreement: float, evidence: Evidence, findings: Findings
) -> tuple[Evidence, Findings]:
    """From now on methods ask the machine, and programs that err no more than it count as exact."""
    standard = 1.0 - _AS_FAITHFUL * (1.0 - agreement) - _UNSEEN / len(evidence.words[0])
    findings = dataclasses.replace(findings, standard=standard, stand_in=machine)
    return _asking_the_machine(machine, evidence), findings


def _asking_the_machine(machine: Mealy, evidence: Evidence) -> Evidence:
    """Methods ask the machine from now on, unless it is too large for them."""
    if machine.states > evidence.tuning.automaton.stand_in:
        return evidence
    judge = evidence.judge
    return evidence.asking(MachineNetwork(machine, first_outputs(judge), judge.trained_length))


def first_outputs(network: Network) -> np.ndarray:
    """[O] float64: what a network shows before the first input."""
    return network.outputs(network.initial[None])[0].astype(np.float64)


def has_table(program: Program) -> bool:
    """Whether a constant table stands in an update or an output, other than a few numbers of which
    an input chooses one.
    """
    expressions = [*(r.update for r in program.registers), *program.outputs]
    tables = [node for e in expressions for node in walk(e) if isinstance(node, Lookup)]
    own = {Var(name) for name in program.inputs}
    return any(not is_short(table) or table.indices[0] not in own for table in tables)
