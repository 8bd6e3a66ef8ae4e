"""Registers: sets of features that determine the outputs and their own next values, regressed.

Probing deeper names more states but leaves fewer steps, so shallow labels come first.
"""

from __future__ import annotations

import dataclasses

from mips_jax.budget import Budget, Share
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, Proposal
from mips_jax.extraction.methods.method import Known, Proposals
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.registers.closed_sets import closed_sets
from mips_jax.extraction.registers.feature import Feature, Kind, Prefixes
from mips_jax.extraction.registers.features import all_features, distinct, with_holding
from mips_jax.extraction.registers.regress import programs
from mips_jax.programs import Program, renamed

Pair = tuple[list[Feature], list[Feature]]  # the same features on the narrow and the wide words


class Registers:
    """Registers whose values are read off the network or follow from its inputs."""

    name = family = "registers"
    needs: tuple[str, ...] = ("automaton",)
    automatic = True

    def propose(self, evidence: Evidence, findings: Findings, budget: Budget) -> Proposals:
        sets = proposed = 0
        choice = evidence.tuning.choice
        effort = choice.second_effort if findings.exact_table else 1.0
        work = Work.of(budget, effort * choice.all_depths)
        for depth in _depths(evidence):
            if findings.shortest < float("inf"):
                break  # an exact but long program: only enumerated updates are likely to better it
            search = Search(feature_pair(evidence, depth))
            evidence, findings = yield from search.proposals(evidence, findings, work.part(budget))
            sets, proposed = sets + search.sets, proposed + search.proposed
        return report(self.name, sets, proposed, findings)


@dataclasses.dataclass(frozen=True)
class Work:
    """What searches for registers may do.

    Attributes:
        closed_sets, regression: shares of the budget of these names.
    """

    closed_sets: Share
    regression: Share

    @classmethod
    def of(cls, budget: Budget, fraction: float) -> Work:
        """So many times the budget."""
        return cls(budget.share("closed_sets", fraction), budget.share("regression", fraction))

    def part(self, budget: Budget) -> Work:
        """At most the budget, of what is left."""
        one = Work.of(budget, 1.0)
        return Work(
            self.closed_sets.part(one.closed_sets.limit), self.regression.part(one.regression.limit)
        )


class Search:
    """Closed sets of the given features, and the programs regressed from them.

    Args:
        pair: features on the narrow words, and the same on the wide ones.
    """

    def __init__(self, pair: Pair):
        self.narrow, self.wide = pair
        self.sets = self.proposed = 0

    def proposals(self, evidence: Evidence, findings: Findings, work: Work):
        """Yields programs until one is short enough; returns what is known then.

        Counterexamples are for the next features: these here are on the words of `evidence`.
        """
        tuning = dataclasses.replace(evidence.tuning, registers=evidence.registers)
        found = closed_sets(evidence.narrow, self.narrow, tuning.registers, work.closed_sets)
        self.sets, exact = len(found), 0
        known: Known = (evidence, findings)
        meanings = {f.name: f for f in self.wide}
        share = work.regression
        bounds = evidence.inputs.bounds
        for program, members in programs(found, evidence.wide, bounds, self.wide, share, tuning):
            known = yield _proposal(program, members.features, meanings)
            self.proposed += 1
            exact += known[1].latest_exact
            if known[1].shortest < tuning.choice.short_bits or exact >= tuning.choice.exact:
                break
        return known


def report(name: str, sets: int, proposed: int, findings: Findings) -> Report:
    """How a search for registers ended."""
    figures = f"{sets} closed sets of features, {proposed} programs"
    if not sets and not proposed:
        known = findings.shortest < float("inf")
        outcome = Outcome.NOT_NEEDED if known else Outcome.NOTHING_TO_TRY
        return Report(name, outcome)
    return Report(name, Outcome.FOUND if proposed else Outcome.NO_PROGRAM, figures)


def _depths(evidence: Evidence) -> list[int]:
    depths = (*evidence.tuning.choice.depths, max(4, evidence.length // 2))
    return list(dict.fromkeys(d for d in depths if d < evidence.length))


def feature_pair(evidence: Evidence, depth: int, digits: bool = False) -> Pair:
    """The same features on the narrow and on the wide words; those that the hidden state does not
    hold are left out.

    Args:
        evidence: the network and its runs.
        depth: letters in the longest probe word.
        digits: whether numbers that hold the whole history take part.
    """
    tuning = evidence.tuning.features
    on = lambda traces: all_features(
        Prefixes(evidence.network, traces, evidence.inputs, depth, tuning)
    )
    wide = with_holding(on(evidence.wide), evidence.wide, evidence.rng(depth), tuning.held_sample)
    held = {f.name: f.held for f in wide}
    by_name = {f.name: f for f in on(evidence.narrow)}
    usable = [
        f
        for f in wide
        if f.held > tuning.held and f.name in by_name and (digits or not f.in_group(Kind.DIGITS))
    ]
    while (complete := [f for f in usable if set(f.needs) <= {u.name for u in usable}]) != usable:
        usable = complete
    narrow = distinct([dataclasses.replace(by_name[f.name], held=held[f.name]) for f in usable])
    names = {f.name for f in narrow}
    return narrow, [f for f in usable if f.name in names]


def _proposal(
    program: Program, members: tuple[Feature, ...], features: dict[str, Feature]
) -> Proposal:
    """The program with names for a reader: labels read off the network are called after what they
    are for (a state, a count, a value).
    """
    shown: dict[str, str] = {}
    for register in program.registers:
        feature = features.get(register.name)
        family = (feature.shown if feature else "") or register.name
        numbered = (family, *(f"{family}{i}" for i in range(2, len(program.registers) + 2)))
        shown[register.name] = next(n for n in numbered if n not in shown.values())
    meanings = {shown[n]: features[n].meaning for n in shown if n in features}
    note = "registers: " + (", ".join(f.name for f in members) or "no registers")
    return Proposal(renamed(program, shown), note, meanings)
