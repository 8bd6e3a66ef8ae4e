"""Networks that settle: on the first steps they write anything, and a short program says what they
do from then on.

A network that was trained on words which begin in a certain way (a pulse on every channel, a start
symbol) does anything on other words until it has seen enough. The machine that it nearly is has
states for all of that; the states in which every long word ends up are the ones that count.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, Proposal, first_outputs
from mips_jax.extraction.machine_network import MachineNetwork
from mips_jax.extraction.methods.joint import Joint
from mips_jax.extraction.methods.method import Proposals
from mips_jax.extraction.methods.of_machine import programs_of_the_machine
from mips_jax.extraction.methods.registers import Registers
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.running import run
from mips_jax.machines import Mealy, recurrent_part
from mips_jax.programs import Program


class Settled:
    """Registers of the states in which every long word ends up."""

    name, family = "settled", "registers"
    needs: tuple[str, ...] = ("erring",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        if findings.stand_in is None or findings.shortest < float("inf"):
            return Report(self.name, Outcome.NO_USE)
        part = settled_part(findings.stand_in)
        if part is None:
            return Report(self.name, Outcome.NO_USE)
        programs = _programs_of(part, evidence, budget)
        transient = evidence.length // 2
        for program, note in programs:
            fitted = with_fitted_start(program, evidence)
            yield Proposal(fitted, f"after a transient, {note}", transient=transient)
        if not programs:
            yield from programs_of_the_machine(evidence, findings, budget)
        figures = f"{part.states} of {findings.stand_in.states} states, {len(programs)} programs"
        return Report(self.name, Outcome.FOUND if programs else Outcome.NO_PROGRAM, figures)


def settled_part(machine: Mealy) -> Mealy | None:
    """The states in which every long word ends up, where they are fewer than all and what is
    written depends on them: a machine that ends in one state for good has given up, it has not
    settled.
    """
    part = recurrent_part(machine)
    if part is None or not (part.output != part.output[0]).any():
        return None
    return part


def _programs_of(part: Mealy, evidence: Evidence, budget: Budget) -> list[tuple[Program, str]]:
    """(program, how it was found): the shortest that is exact for a machine, if there is one."""
    start = first_outputs(evidence.judge)
    network = MachineNetwork(part, start, evidence.length)
    own = Evidence.of(network, evidence.inputs, evidence.settings, evidence.tuning)
    findings = Findings(machine=part)
    for method in (Registers(), Joint()):
        own, findings = run(method, own, findings, budget)
    exact = [c for c in findings.candidates if c.fidelity == 1.0]
    best = min(exact, key=lambda c: c.description_length, default=None)
    return [] if best is None else [(best.program, best.note)]


def with_fitted_start(program: Program, evidence: Evidence) -> Program:
    """The program with the initial values with which most of its outputs are the network's: one
    register after the other, from the values that it takes.
    """
    words, outputs = evidence.observed.words, evidence.observed.outputs
    taken = program.trace(words)[1]
    share = lambda one: float((one.run(words) == outputs).mean())
    for index, register in enumerate(program.registers):
        values = {register.initial, 0, *np.unique(taken[register.name]).tolist()}
        choices = [_started(program, index, int(v)) for v in sorted(values)]
        program = max(choices[: evidence.tuning.tolerant.starts], key=share)
    return program


def _started(program: Program, index: int, value: int) -> Program:
    registers = list(program.registers)
    registers[index] = dataclasses.replace(registers[index], initial=value)
    return dataclasses.replace(program, registers=tuple(registers))
