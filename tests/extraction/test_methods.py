"""What every method of the registry keeps to, and a method that is registered from here alone."""

import dataclasses

import numpy as np
import pytest

from mips_jax import budget as budget_module
from mips_jax.budget import Budget, Guard
from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.extraction.evidence import Evidence
from mips_jax.extraction.findings import Findings, LearntMachine, Proposal, has_table, judged
from mips_jax.extraction.methods import METHODS, chosen, names
from mips_jax.extraction.outcomes import Outcome, Report
from mips_jax.extraction.running import run
from mips_jax.extraction.tuning import TUNING
from mips_jax.inputs import Inputs
from mips_jax.programs import Program, Register, Var, call
from tests.extraction.perfect_networks import BIT, DIGIT, IntegerState, parity

SETTINGS = ExtractionSettings(words=200)


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


def _evidence(network, input_range) -> Evidence:
    return Evidence.of(network, Inputs.of(input_range), SETTINGS, TUNING)


def _budget() -> Budget:
    return Budget(dataclasses.asdict(TUNING.work), 1.0, Guard())


def test_methods_have_a_name_a_family_and_known_needs(method):
    assert METHODS[method.name] is method and method.family in names()
    order = list(METHODS)
    for needed in method.needs:
        assert order.index(needed) < order.index(method.name), "what is needed is run before"
    assert method in chosen(method.family)
    assert set(method.needs) <= {m.name for m in chosen(method.family)}
    assert (method in chosen("auto")) == method.automatic


@pytest.mark.parametrize(
    "network, input_range",
    [
        (parity(), BIT),
        (IntegerState([0], lambda s, x: np.where(x == 0, 0, s + 1)), ((0, 2),)),
        (IntegerState([0, 0], lambda s, d, a, b: (s + a, a - b), None, 2), ((0, 3),) * 2),
    ],
)
def test_methods_yield_programs_or_machines_and_return_how_they_ended(method, network, input_range):
    evidence, findings, items = _evidence(network, input_range), Findings(), []
    proposals = method.propose(evidence, findings, _budget())
    try:
        item = next(proposals)
        while True:
            items.append(item)
            evidence, findings = judged(item, method.family, evidence, findings)
            item = proposals.send((evidence, findings))
    except StopIteration as end:
        report = end.value
    assert all(isinstance(item, Proposal | LearntMachine) for item in items)
    assert isinstance(report, Report) and report.method == method.name
    assert isinstance(report.outcome, Outcome) and str(report).startswith(report.outcome.value)
    for candidate in findings.candidates:
        assert candidate.method == ("table" if has_table(candidate.program) else method.family)


def test_the_same_evidence_gives_the_same_findings(method):
    evidence = _evidence(IntegerState([0], np.maximum), DIGIT)
    first, second = (run(method, evidence, Findings(), _budget())[1] for _ in range(2))
    assert first.candidates == second.candidates and first.reports == second.reports


class Toy:
    """Proposes that the output is the input."""

    name = family = "toy"
    needs = ("linear",)
    automatic = False

    def propose(self, evidence, findings, budget):
        assert findings.reports[0].method == "linear"
        x = Var("x")
        program = Program(("x",), (Register("s", 0, x),), (Var("s", updated=True),))
        _, findings = yield Proposal(program, "a guess", {"s": "the last input"})
        return Report(self.name, Outcome.FOUND, f"fidelity {findings.latest.fidelity:.1f}")


def test_a_method_is_one_class_and_one_entry(monkeypatch):
    monkeypatch.setitem(METHODS, "toy", Toy())
    copying = IntegerState([0], lambda s, x: x)
    found = extract(copying, BIT, ExtractionSettings(method="toy"))
    assert [m for m, _ in found.statuses] == ["linear"], "an exact recurrence settles it"
    flipping = IntegerState([0], lambda s, x: x * x)
    found = extract(flipping, ((0, 3),), ExtractionSettings(method="toy"))
    assert dict(found.statuses)["toy"] == "found: fidelity 0.0"
    toy = next(c for c in found.candidates if c.method == "toy")
    assert toy.note == "a guess" and toy.meanings == (("s", "the last input"),)
    assert "toy" not in {m.name for m in chosen("auto")}


# -- tables


def test_a_program_with_a_transition_table_goes_under_table_however_it_was_found():
    found = extract(parity(), BIT, ExtractionSettings(method="automaton"))
    assert found.best.method == "table" and has_table(found.program)
    assert found.best.note == "states by behaviour, transition table"
    assert {m for m, _ in found.statuses} == {"automaton", "nearly finite", "longer words"}


@pytest.mark.parametrize("input_range, alphabet", [(BIT, "boolean"), (DIGIT, "integer")])
def test_registers_are_called_registers_and_their_alphabet_is_a_fact_of_its_own(
    input_range, alphabet
):
    best = extract(IntegerState([0], np.maximum), input_range).best
    assert best.method == "registers" and best.alphabet == alphabet


# -- the clock and the work


class Clock:
    """A clock that goes on by a fixed time whenever it is read."""

    def __init__(self, tick: float):
        self.tick, self.now = tick, 0.0

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now


def test_what_is_found_does_not_depend_on_how_fast_the_machine_is(monkeypatch):
    network = IntegerState([0], lambda s, x: np.clip(s + 2 * x - 1, 0, 3))
    found = []
    for tick in (0.0, 0.01):
        monkeypatch.setattr(budget_module, "time", Clock(tick))
        found.append(extract(network, BIT, ExtractionSettings(seconds=86_400)))
    assert found[0].candidates == found[1].candidates and found[0].statuses == found[1].statuses
    assert not found[0].struck and not found[1].struck


def test_a_guard_that_strikes_says_so(monkeypatch):
    monkeypatch.setattr(budget_module, "time", Clock(10.0))
    found = extract(IntegerState([0], np.maximum), DIGIT)
    assert found.struck and found.reports[-1].outcome is Outcome.OUT_OF_TIME
    assert "raise extraction.seconds" in found.statuses[-1][1]


def test_a_search_that_has_done_its_work_says_what_to_raise():
    counting = IntegerState([0], lambda s, a, b: (s + a + b) % 499, None, 2)
    little = ExtractionSettings(method="automaton", effort=0.01, length=80)
    found = extract(counting, DIGIT * 2, little)
    assert dict(found.statuses)["automaton"].endswith("raise extraction.effort")
    assert not found.struck


# -- words


def test_every_word_that_took_part_in_the_selection_is_told():
    class Rare(IntegerState):
        """Parity, but for one word in a hundred: programs are wrong there, and learn from it."""

        def readout(self, hidden):
            return hidden[:, :1] + (hidden[:, 1:] == 9)

    network = Rare([0, 0], lambda s, n, x: ((s + x) % 2, np.where(x == 1, n + 1, 0)))
    found = extract(network, BIT)
    assert len(found.words) >= 3
    for words in found.words:
        assert words.ndim == 3 and words.shape[2] == 1 and words.shape[1] >= found.length
    plain = extract(parity(), BIT, ExtractionSettings(method="linear"))
    assert [w.shape[0] for w in plain.words] == [800, 800, 2000]


def test_counterexamples_join_the_evidence_and_leave_the_old_one_as_it_was():
    evidence = _evidence(parity(), BIT)
    before = evidence.wide.words.shape[0]
    after = evidence.with_counterexamples(np.array([3, 5]))
    assert evidence.wide.words.shape[0] == before and len(evidence.words) == 3
    np.testing.assert_array_equal(after.wide.words[before:], evidence.fresh.words[[3, 5]])
    np.testing.assert_array_equal(after.words[-1], after.fresh.words)
    assert not np.array_equal(after.fresh.words, evidence.fresh.words)
    again = evidence.with_counterexamples(np.array([3, 5]))
    np.testing.assert_array_equal(again.fresh.words, after.fresh.words)


def test_every_outcome_that_is_no_success_ends_in_a_remedy():
    fine = {Outcome.FOUND, Outcome.CLOSED, Outcome.NOT_NEEDED}
    for outcome in set(Outcome) - fine:
        assert ";" in outcome.value, outcome
    assert str(Report("linear", Outcome.FOUND, "fidelity 1")) == "found: fidelity 1"


def test_judging_an_exact_linear_program_settles_the_request():
    total = IntegerState([0], lambda s, x: s + x)
    _, findings = run(METHODS["linear"], _evidence(total, DIGIT), Findings(), _budget())
    assert findings.settled and findings.shortest < np.inf
    assert findings.latest.program.registers[0].update == call("add", Var("total"), Var("x")) or (
        findings.latest.fidelity == 1.0
    )
