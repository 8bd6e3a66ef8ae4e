"""The machine that takes the place of a network that errs: which is worth its size.

Axes: W words, T time.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

from mips_jax.budget import Budget
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.tolerant_automaton import NearlyMachine, nearly_machines
from mips_jax.extraction.traces import record
from mips_jax.machines import Mealy, bisimilar


@dataclasses.dataclass(frozen=True, eq=False)
class StandIn:
    """A machine, and how far it is the network.

    Attributes:
        machine: minimal.
        agreement: share of random words of the whole length on which both agree throughout.
        score: bits of the table and of its errors; the lowest is the best.
    """

    machine: Mealy
    agreement: float
    score: float


def machines_at(
    evidence: Evidence, length: int, budget: Budget, share: float
) -> list[NearlyMachine]:
    """What the network nearly is on words of a length, from small to faithful."""
    work = budget.share("tolerant", share)
    seed, tuning = evidence.settings.seed, evidence.tuning.tolerant
    return nearly_machines(evidence.judge, evidence.inputs, length, tuning, seed, work)


def persistent(evidence: Evidence, budget: Budget) -> tuple[Mealy | None, list[NearlyMachine]]:
    """The machine that words of several lengths agree on, and all that were found.

    A network that counts has more states the longer its words are, and a machine that is exact on
    them; one that is nearly finite shows the same machine on words of different lengths, beside
    ever larger ones that are exact nowhere.
    """
    tuning = evidence.tuning.tolerant
    lengths = [int(share * evidence.length) for share in tuning.lengths]
    found: list[list[NearlyMachine]] = []  # at each length
    for length in dict.fromkeys(n for n in lengths if n > 1):
        machines = machines_at(evidence, length, budget, length / sum(lengths))
        whole = length == evidence.length
        if not machines or (machines[-1].agreement < tuning.holds and not whole):
            return None, []
        found.append(machines)
    leaders = [machines[-1] for machines in found[:-1]]  # the most faithful of shorter words
    lasting = [
        one
        for before, machines in zip(found[-3:-1], found[-2:])
        for one in machines
        if _among(one, before) and _among(one, leaders)
    ]
    shorter = found[-1] if found else []
    if not lasting or _exact_and_small(shorter, lasting, tuning.exact_growth):
        return None, []
    return ranked([m.machine for m in lasting], evidence)[0].machine, shorter


def _among(one: NearlyMachine, others: list[NearlyMachine]) -> bool:
    return any(
        one.whole and other.whole and bisimilar(one.machine, other.machine) for other in others
    )


def _exact_and_small(
    found: list[NearlyMachine], lasting: list[NearlyMachine], growth: float
) -> bool:
    """Whether some other machine is exact, and not much larger than those that last: a count."""
    largest = growth * max(m.machine.states for m in lasting)
    exact = [m for m in found if m.agreement == 1.0 and m.machine.states <= largest]
    return any(not _among(m, lasting) for m in exact)


def ranked(machines: Iterable[Mealy], evidence: Evidence) -> list[StandIn]:
    """The machines beside the network on the same words of the whole length; the best first."""
    tuning = evidence.tuning.tolerant
    drawn = record(evidence.judge, evidence.words[0])  # without the words on which programs erred
    found = []
    for machine in machines:
        wrote = machine.run(machine.index_of(drawn.words))
        agreement = float((wrote == drawn.outputs).all(axis=(1, 2)).mean())
        entries = machine.states * _different_letters(machine)
        size = tuning.entry_price * entries * math.log2(machine.states + 1)
        score = size + tuning.error_price * (1.0 - agreement)
        found.append(StandIn(machine, agreement, score))
    return sorted(found, key=lambda one: one.score)


def _different_letters(machine: Mealy) -> int:
    """How many letters it tells apart: a table names those that are the same only once."""
    columns = np.concatenate([machine.transition[:, :, None], machine.output], axis=2)
    return len(np.unique(np.moveaxis(columns, 1, 0).reshape(len(machine.letters), -1), axis=0))
