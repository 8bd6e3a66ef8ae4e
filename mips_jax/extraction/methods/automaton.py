"""Finite machines: states by behaviour, and a transition table as a program of last resort."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.budget import Budget, Share
from mips_jax.extraction.automaton import AutomatonResult, learn_automaton
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.machines import machine_program


class Automaton:
    """The minimal Mealy machine that behaves like the network."""

    name = family = "automaton"
    needs: tuple[str, ...] = ()
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        return (yield from closing(self.name, evidence, (1,), budget))


def closing(
    name: str, evidence: Evidence, factors: tuple[int, ...], budget: Budget, fraction: float = 1.0
) -> Proposals:
    """The machine, and as a program its table.

    Args:
        name: of the method.
        evidence: so far.
        factors: the words are so many times as long as the evidence's, one after the other as long
            as the machine is not closed.
        budget: of work.
        fraction: of the work for machines that it may do.
    """
    learnt = _learnt(evidence, factors, budget.share("automaton", fraction))
    machine = learnt.machine if learnt.outcome is Outcome.CLOSED else None
    yield LearntMachine(machine, learnt.words)
    if machine is None:
        return Report(name, learnt.outcome)
    bounds = evidence.inputs.bounds
    cells = machine.states * evidence.letters_in_range
    if machine.states > 1 and cells <= evidence.tuning.automaton.cells:
        program = machine_program(machine, bounds)
        yield Proposal(program, "states by behaviour, transition table")
    figures = f"{machine.states} states, {learnt.probes} probe words"
    return Report(name, learnt.outcome, figures)


def _learnt(evidence: Evidence, factors: tuple[int, ...], share: Share) -> AutomatonResult:
    """The machine on words that grow as long as it is not closed."""
    limits = dataclasses.replace(evidence.tuning.automaton, states=evidence.settings.states)
    words: tuple[np.ndarray, ...] = ()
    for factor in factors:
        learnt = learn_automaton(
            evidence.network,
            evidence.inputs,
            evidence.network.within(factor * evidence.length),
            limits,
            evidence.settings.seed,
            share.part(share.limit / len(factors)),
        )
        words += learnt.words
        if learnt.outcome is not Outcome.NOT_CLOSED:
            break
    return dataclasses.replace(learnt, words=words)
