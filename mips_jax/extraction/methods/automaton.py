"""Finite machines: states by behaviour, and a transition table as a program of last resort."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.budget import Budget
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
        learnt = _learnt(evidence, budget)
        machine = learnt.machine if learnt.outcome is Outcome.CLOSED else None
        yield LearntMachine(machine, learnt.words)
        if machine is None:
            return Report(self.name, learnt.outcome)
        bounds = evidence.inputs.bounds
        cells = machine.states * np.prod([high - low + 1.0 for low, high in bounds])
        if machine.states > 1 and cells <= evidence.tuning.automaton.cells:
            program = machine_program(machine, bounds)
            yield Proposal(program, "states by behaviour, transition table")
        figures = f"{machine.states} states, {learnt.probes} probe words"
        return Report(self.name, learnt.outcome, figures)


def _learnt(evidence: Evidence, budget: Budget) -> AutomatonResult:
    """The machine; one that is not closed yet may close on longer words, where nobody said how long
    the network's were.
    """
    limits = dataclasses.replace(evidence.tuning.automaton, states=evidence.settings.states)
    factors = (1, *(limits.longer if evidence.length_is_a_guess else ()))
    words: tuple[np.ndarray, ...] = ()
    for factor in factors:
        learnt = learn_automaton(
            evidence.network,
            evidence.inputs,
            factor * evidence.length,
            limits,
            evidence.settings.seed,
            budget.share("automaton"),
        )
        words += learnt.words
        if learnt.outcome is not Outcome.NOT_CLOSED:
            break
    return dataclasses.replace(learnt, words=words)
