"""extract(network, input_range): the whole of extraction. Every method proposes programs; the
shortest faithful one wins.

Nothing but the network and the range of its inputs comes in: there is no argument through which
labels, a definition or a name could reach a method.

Axes: W words, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.extraction import automaton
from mips_jax.extraction.encodings import encodings
from mips_jax.extraction.linear import linear_program
from mips_jax.extraction.registers import search as registers
from mips_jax.extraction.registers.features import (
    Feature,
    distinct,
    history_features,
    network_features,
    with_holding,
)
from mips_jax.extraction.registers.joint import joint_features, on_words
from mips_jax.extraction.result import Candidate, Extraction
from mips_jax.extraction.settings import ExtractionSettings, problems
from mips_jax.extraction.traces import record
from mips_jax.inputs import InputRange, Inputs, input_names, narrow_words, random_words
from mips_jax.machines import Mealy, machine_program
from mips_jax.networks import Network
from mips_jax.programs import Lookup, Program, renamed, walk

_READER_NAMES = (
    ("after_", "state"),
    ("rank_", "state"),
    ("margin", "state"),
    ("until_", "count"),
    ("wait_", "count"),
    ("output", "value"),
    ("change_", "step"),
    ("register", "state"),
)
# Bits of an exact program below which no other set of registers is tried, and below which no deeper
# labels are looked for.
_SHORT, _MIDDLING = 60.0, 85.0


def extract(
    network: Network,
    input_range: Inputs | InputRange,
    settings: ExtractionSettings | None = None,
) -> Extraction:
    """Distils a network into programs.

    Args:
        network: any recurrent network as plain arrays.
        input_range: inclusive (low, high) for each input; `observed_inputs` makes one that knows
            which inputs occur.
        settings: limits and method.

    Raises:
        RequestError: the settings or the range are out of bounds or do not fit the network.
    """
    settings = ExtractionSettings() if settings is None else settings
    inputs = Inputs.of(input_range)
    _check(network, inputs.bounds, settings)
    return _Run(network, inputs, settings).result()


def _check(network: Network, input_range: InputRange, settings: ExtractionSettings) -> None:
    wrong = problems(settings)
    if len(input_range) != network.input_dim:
        wrong.append(
            f"the input range has {len(input_range)} inputs, the network reads {network.input_dim}"
        )
    if wrong:
        raise RequestError(*wrong)


class _Run:
    """One extraction: the recorded words, the candidates so far, the time left."""

    def __init__(self, network: Network, inputs: Inputs, settings: ExtractionSettings):
        self.network, self.inputs, self.settings = network, inputs, settings
        self.bounds = inputs.bounds
        self.start = time.monotonic()
        self.deadline = self.start + settings.seconds
        self.length = settings.length or network.trained_length or 10
        rng = np.random.default_rng(settings.seed)
        self.wide = record(network, random_words(inputs, settings.words, self.length, rng))
        self.narrow = record(network, narrow_words(inputs, settings.words, self.length, 6, rng))
        self.fresh = record(network, random_words(inputs, 2000, self.length, rng))
        self.rng = rng
        self.candidates: list[Candidate] = []
        self.statuses: list[tuple[str, str]] = []
        self.features: dict[str, Feature] = {}
        self.meanings: dict[str, str] = {}
        self.machine: Mealy | None = None

    def result(self) -> Extraction:
        for name, method in self._methods():
            if time.monotonic() > self.deadline:
                self.statuses.append((name, "not run: out of time"))
            else:
                self.statuses.append((name, method()))
        ranked = tuple(sorted(self.candidates, key=lambda c: c.score))
        held = encodings(ranked[0].program, self.wide, self.meanings, self.rng) if ranked else ()
        seconds = time.monotonic() - self.start
        return Extraction(
            ranked, self.machine, held, tuple(self.statuses), self.length, seconds, self.settings
        )

    def _methods(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """The methods to run, cheap ones first; a short exact program makes the rest unnecessary."""
        wanted = self.settings.method
        if wanted in ("auto", "linear"):
            yield "linear", self._linear
        if wanted in ("auto", "automaton", "registers") and not self._settled():
            yield "automaton", self._automaton
        if wanted in ("auto", "registers") and not self._settled():
            yield "registers", self._registers
        if wanted == "paper":
            yield "paper", self._paper

    def _settled(self) -> bool:
        return any(c.fidelity == 1.0 and c.method == "linear" for c in self.candidates)

    def _propose(self, method: str, program: Program, note: str = "") -> Candidate:
        known = next((c for c in self.candidates if c.program == program), None)
        if known is not None:
            return known
        agree = (program.run(self.fresh.words) == self.fresh.outputs).all(axis=(1, 2))
        if any(isinstance(node, Lookup) for e in _expressions(program) for node in walk(e)):
            method = "table" if method != "automaton" else method
        candidate = Candidate(
            method, program, program.description_length, float(agree.mean()), note
        )
        self.candidates.append(candidate)
        if 0.5 < candidate.fidelity < 1.0:
            self._learn_from(np.flatnonzero(~agree)[:60])
        return candidate

    def _learn_from(self, rows: np.ndarray) -> None:
        """Words on which a program was wrong join those that the next ones must fit; all fresh
        words are drawn anew.
        """
        self.wide = self.wide.joined(self.fresh.rows(rows))
        self.fresh = record(
            self.network, random_words(self.inputs, len(self.fresh.words), self.length, self.rng)
        )

    # -- methods
    # ------------------------------------------------------------------------------------------------------

    def _linear(self) -> str:
        program = linear_program(self.wide)
        if program is None:
            return "the outputs are not an affine function of the inputs"
        candidate = self._propose(
            "linear", program, "impulse response rounded to integers, minimal realization"
        )
        return f"found, fidelity {candidate.fidelity:.4f}"

    def _automaton(self) -> str:
        limits = automaton.AutomatonSettings(
            states=self.settings.states, seconds=max(1.0, 0.25 * self.settings.seconds)
        )
        learnt = automaton.learn_automaton(
            self.network, self.inputs, self.length, limits, self.settings.seed
        )
        if self.network.trained_length is None and self.settings.length is None:
            # nobody said how long the network's words were: a machine that is not closed yet may
            # close on longer ones
            for factor in (2, 4):
                if learnt.status == "not_closed":
                    learnt = automaton.learn_automaton(
                        self.network, self.inputs, factor * self.length, limits, self.settings.seed
                    )
        if learnt.machine is None or learnt.status != "closed":
            return learnt.status
        self.machine = learnt.machine
        if (
            learnt.machine.states > 1
            and learnt.machine.states * np.prod([high - low + 1.0 for low, high in self.bounds])
            <= 4000
        ):
            self._propose(
                "automaton",
                machine_program(learnt.machine, self.bounds),
                "states by behaviour, transition table",
            )
        return f"{learnt.status}: {learnt.machine.states} states, {learnt.probes} probe words"

    def _registers(self) -> str:
        settings = registers.RegisterSettings(
            largest_set=self.settings.largest_set, tolerance=self.settings.tolerance
        )
        # probing deeper names more states but leaves fewer steps: the shallow labels come first,
        # enumerated updates (0) last
        depths = dict.fromkeys(d for d in (1, 3, max(4, self.length // 2)) if d < self.length)
        proposed = considered = 0
        for depth in [*depths, 0]:
            known = self._shortest()
            if time.monotonic() > self.deadline or known < _MIDDLING:
                break
            if depth and known < np.inf:
                continue  # an exact but long program: only enumerated updates are likely to better it
            narrow, wide = self._feature_pair(depth) if depth else self._joint_pair()
            effort = 1.0 if known == np.inf else 0.5
            sets = registers.closed_sets(self.narrow, narrow, settings, self._share(0.1 * effort))
            considered += len(sets)
            exact = 0
            traces = (
                self.wide
            )  # counterexamples are for the next depth: the features are on these words
            for program, members in registers.programs(
                sets, traces, self.bounds, wide, settings, self._share(0.2 * effort)
            ):
                names = ", ".join(f.name for f in members.features) or "no registers"
                candidate = self._propose(self._kind(), self._named(program), f"registers: {names}")
                proposed += 1
                exact += candidate.fidelity == 1.0
                if self._shortest() < _SHORT or exact >= 2:
                    break
        return f"{considered} closed sets of features, {proposed} programs"

    def _shortest(self) -> float:
        """Bits of the shortest exact program that is not a transition table."""
        return min(
            (
                c.description_length
                for c in self.candidates
                if c.fidelity == 1.0 and c.method != "automaton"
            ),
            default=np.inf,
        )

    def _named(self, program: Program) -> Program:
        """Labels read off the network get the names of what they are for a reader: a state, a
        count, a value.
        """
        names: dict[str, str] = {}
        for register in program.registers:
            family = next(
                (new for old, new in _READER_NAMES if register.name.startswith(old)), register.name
            )
            free = (
                n
                for n in (family, *(f"{family}{i}" for i in range(2, 99)))
                if n not in names.values()
            )
            names[register.name] = next(free)
            if register.name in self.features:
                self.meanings[names[register.name]] = self.features[register.name].meaning
        return renamed(program, names)

    def _share(self, part: float) -> float:
        """When a stage that may take `part` of the budget must end."""
        return min(self.deadline, time.monotonic() + part * self.settings.seconds)

    def _kind(self) -> str:
        """`boolean` for two-letter inputs and outputs, else `lattice`: integer registers."""
        bits = all(low >= 0 and high <= 1 for low, high in self.bounds)
        return "boolean" if bits and set(np.unique(self.wide.outputs)) <= {0, 1} else "lattice"

    def _feature_pair(
        self, depth: int, digits: bool = False
    ) -> tuple[list[Feature], list[Feature]]:
        """The same features on the narrow and on the wide words; those that the hidden state does
        not hold are left out.

        Args:
            depth: letters in the longest probe word.
            digits: whether numbers that hold the whole history take part.
        """
        wide = history_features(self.wide, self.bounds) + network_features(
            self.network, self.wide, self.inputs, depth
        )
        narrow = history_features(self.narrow, self.bounds) + network_features(
            self.network, self.narrow, self.inputs, depth
        )
        wide = with_holding(wide, self.wide, self.rng)
        held = {f.name: f.held for f in wide}
        by_name = {f.name: f for f in narrow}
        usable = [
            f
            for f in wide
            if f.held > 0.3 and f.name in by_name and (digits or not f.group.startswith("digits"))
        ]
        while (
            complete := [f for f in usable if set(f.needs) <= {u.name for u in usable}]
        ) != usable:
            usable = complete
        narrow = distinct([dataclasses.replace(by_name[f.name], held=held[f.name]) for f in usable])
        names = {f.name for f in narrow}
        self.features |= {f.name: f for f in usable}
        return narrow, [f for f in usable if f.name in names]

    def _joint_pair(self) -> tuple[list[Feature], list[Feature]]:
        """The shallow features with registers from the joint search, on the narrow and on the wide
        words.
        """
        narrow, wide = self._feature_pair(1, digits=True)
        names = input_names(len(self.bounds))
        hints = () if self.machine is None else (self.machine.states,)
        found = joint_features(self.narrow, self.bounds, self._share(0.2), hints=hints)
        on_wide = with_holding(
            [on_words(f, self.wide.words, names) for f in found], self.wide, self.rng
        )
        held = {f.name for f in on_wide if f.held > 0.3}
        self.features |= {f.name: f for f in on_wide}
        return narrow + [f for f in found if f.name in held], wide + [
            f for f in on_wide if f.name in held
        ]

    def _paper(self) -> str:
        from mips_jax.extraction.baseline import distil_by_paper

        results = distil_by_paper(self.network, self.inputs, self.settings)
        for result in results:
            if result.program is not None:
                self._propose("paper", result.program, result.note)
        return "; ".join(r.status for r in results) or "nothing proposed"


def _expressions(program: Program):
    return [r.update for r in program.registers] + list(program.outputs)
