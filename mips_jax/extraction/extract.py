"""extract(network, input_range): the whole of extraction. Every method proposes programs; the
shortest faithful one wins.

Nothing but the network and the range of its inputs comes in: there is no argument through which
labels, a definition or a name could reach a method.
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from mips_jax.budget import Budget, Guard
from mips_jax.extraction.encodings import encodings
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings
from mips_jax.extraction.methods import chosen
from mips_jax.extraction.request import asked_inputs, check
from mips_jax.extraction.result import TABLE, Candidate, Extraction
from mips_jax.extraction.running import run
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.extraction.traces import record
from mips_jax.extraction.tuning import TUNING, Tuning
from mips_jax.inputs import InputRange, Inputs, random_words
from mips_jax.machines import Mealy, machine_program
from mips_jax.networks import Network

# What random numbers are for; apart from the methods' purposes.
_ENCODINGS, _COMPARISON = 2000, 3000


def extract(
    network: Network,
    input_range: Inputs | InputRange | None = None,
    settings: ExtractionSettings | None = None,
) -> Extraction:
    """Distils a network into programs.

    Args:
        network: any recurrent network as plain arrays.
        input_range: inclusive (low, high) for each input; `observed_inputs` makes one that knows
            which inputs occur; by default what the network is known to read.
        settings: limits and method.

    Raises:
        RequestError: the settings or the range are out of bounds or do not fit the network.
    """
    inputs = asked_inputs(network, input_range)
    return extract_tuned(
        network, inputs, ExtractionSettings() if settings is None else settings, TUNING
    )


def extract_tuned(
    network: Network,
    input_range: Inputs | InputRange,
    settings: ExtractionSettings,
    tuning: Tuning,
) -> Extraction:
    """`extract` with other numbers than those of the ledger."""
    inputs, started = Inputs.of(input_range), time.monotonic()
    check(network, inputs.bounds, settings)
    guard = Guard(settings.seconds)
    budget = Budget(dataclasses.asdict(tuning.work), settings.effort, guard)
    evidence, findings = Evidence.of(network, inputs, settings, tuning), Findings()
    for method in chosen(settings.method):
        if not findings.settled:
            evidence, findings = run(method, evidence, findings, budget)
    return _report(evidence, findings, guard, started)


def with_best(extraction: Extraction, network: Network, best: Candidate) -> Extraction:
    """The same with another of its candidates as the first, for reasons that lie outside."""
    if best is extraction.best:
        return extraction
    others = tuple(candidate for candidate in extraction.candidates if candidate is not best)
    rng = np.random.default_rng((extraction.settings.seed, _ENCODINGS))
    traces = record(network, extraction.words[0])
    held = encodings(best, traces, rng, TUNING)
    return dataclasses.replace(extraction, candidates=(best, *others), encodings=held)


def _report(evidence: Evidence, findings: Findings, guard: Guard, started: float) -> Extraction:
    ranked = tuple(sorted(findings.candidates, key=lambda c: c.score))
    larger: tuple[Candidate, ...] = ()
    if ranked and all(candidate.fidelity < 1.0 for candidate in ranked):
        larger = _tables(findings.larger, evidence)
        evidence, ranked, larger = _compared(evidence, ranked, larger)
    rng = evidence.rng(_ENCODINGS)
    held = encodings(ranked[0], evidence.observed, rng, evidence.tuning) if ranked else ()
    return Extraction(
        ranked,
        findings.machine,
        held,
        tuple((report.method, str(report)) for report in findings.reports),
        evidence.length,
        time.monotonic() - started,
        evidence.settings,
        evidence.words,
        guard.struck,
        findings.reports,
        findings.stand_in,
        larger,
    )


def _tables(machines: tuple[Mealy, ...], evidence: Evidence) -> tuple[Candidate, ...]:
    """Machines as programs."""
    found = []
    for machine in machines:
        if machine.states * evidence.letters_in_range <= evidence.tuning.automaton.cells_of_front:
            program = machine_program(machine, evidence.inputs.bounds)
            note = f"a machine of {machine.states} states that it nearly is"
            found.append(Candidate(TABLE, program, program.description_length, 0.0, note))
    return tuple(found)


def _compared(
    evidence: Evidence, candidates: tuple[Candidate, ...], larger: tuple[Candidate, ...]
) -> tuple[Evidence, tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Candidates none of which is exact, on the same words for all: chance must not choose."""
    count = evidence.tuning.choice.compared
    words = random_words(evidence.inputs, count, evidence.length, evidence.rng(_COMPARISON))
    outputs = record(evidence.judge, words).outputs
    share = lambda program: float((program.run(words) == outputs).all(axis=(1, 2)).mean())
    again = lambda group: tuple(dataclasses.replace(c, fidelity=share(c.program)) for c in group)
    evidence = dataclasses.replace(evidence, words=(*evidence.words, words))
    return evidence, tuple(sorted(again(candidates), key=lambda c: c.score)), again(larger)
