"""What there is to show of one run, and each way of showing it: pictures, the page, files.

Axes: B sequences, T time, I inputs a step, H hidden units, S states, A letters.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from mips_jax.errors import RequestError
from mips_jax.extraction import Extraction
from mips_jax.figures import percent
from mips_jax.inputs import InputRange, Inputs
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.programs import program_source
from mips_jax.reporting import curves, plots
from mips_jax.reporting.found import Found
from mips_jax.reporting.hidden_states import HiddenStates, hidden_states
from mips_jax.reporting.interactive import curves_figure, hidden_figure
from mips_jax.reporting.interactive_machine import (
    filtered_classes,
    machine_figure,
    table_figure,
)
from mips_jax.reporting.machine_graph import MachineGraph, machine_graph
from mips_jax.reporting.page import (
    ProgramColumn,
    Report,
    Section,
    agreement_rows,
    render_page,
)
from mips_jax.reporting.record import result_record
from mips_jax.symbols import Symbols

if TYPE_CHECKING:  # a given network is reported on without loading jax
    from mips_jax.training import TrainingResult

MAX_STATES_DRAWN = 40  # a larger machine has no picture of its own
MOST_TRANSITIONS = 200_000  # of a machine that is looked at at all
MOST_PROGRAMS = 6  # side by side
FEW_STATES = 24  # a larger machine has its table beside the graph
PICTURES = ("machine", "hidden_states", "training")


@dataclasses.dataclass(frozen=True, eq=False)
class Shown:
    """One run.

    Attributes:
        result: content of result.json.
        source: the program, or None where there is none.
        description: of the task, one sentence.
        training: how networks were trained, where they were.
        network: the distilled one.
        inputs: of it.
        extraction: what was found in it.
        certificate: of a proof, where there is one; see docs/proofs.md.
        symbols: what inputs and outputs stand for, where they are no numbers.
    """

    result: Mapping
    source: str | None
    description: str = ""
    training: TrainingResult | None = None
    network: Network | None = None
    inputs: Inputs | InputRange | None = None
    extraction: Extraction | None = None
    certificate: Mapping | None = None
    symbols: Symbols | None = None

    @classmethod
    def of(cls, found: Found) -> Shown:
        """What there is to show of a result; of several attempts, the one that was best."""
        return cls(
            result_record(found),
            found.source,
            found.description,
            next((t for t in found.trainings if t.best is found.member), None),
            found.network,
            found.inputs,
            found.extraction,
            None if found.verification is None else found.verification.certificate,
            found.symbols,
        )

    @functools.cached_property
    def members(self) -> list[curves.Member]:
        """All networks that were trained, with their learning curves."""
        return curves.members(self.training)

    @functools.cached_property
    def machine(self) -> Mealy | None:
        """The machine that the network is, or nearly is."""
        if self.extraction is None:
            return None
        return self.extraction.machine or self.extraction.stand_in

    @functools.cached_property
    def drawn(self) -> MachineGraph | None:
        """The machine, named and laid out; None without one, or where it is too large."""
        if self.machine is None or self.machine.transition.size > MOST_TRANSITIONS:
            return None
        machine = self.machine
        return machine_graph(machine.transition, machine.output, machine.letters, self.symbols)

    @functools.cached_property
    def states(self) -> HiddenStates | None:
        """Hidden states on random words of the length that was looked at."""
        if self.network is None or self.extraction is None or self.inputs is None:
            return None
        program = self.extraction.program
        return hidden_states(
            self.network,
            self.inputs,
            program,
            self.machine,
            self.extraction.length,
            symbols=self.symbols,
        )

    def pictures(self) -> Iterator[tuple[str, str, plots.Picture]]:
        """(caption, name, picture) of everything that there is to draw."""
        captions = {"training": "Training", "hidden_states": "Hidden states"}
        for what in reversed(PICTURES):
            picture = self._picture(what)
            if picture is not None:
                yield captions.get(what, "The machine"), what, picture

    def picture(self, what: str | None = None) -> plots.Picture:
        """One picture: `machine`, `hidden_states` or `training`; the first of them that there is
        where none is named.

        Raises:
            RequestError: there is no such picture.
        """
        if what is not None and what not in PICTURES:
            raise RequestError(f"no picture is called {what!r}; allowed: {', '.join(PICTURES)}")
        for name in PICTURES if what is None else (what,):
            picture = self._picture(name)
            if picture is not None:
                return picture
        missing = "nothing to draw" if what is None else f"no picture of {what}"
        raise RequestError(f"{self.result['task']} has {missing}: {self._why_no_picture(what)}")

    def report(self) -> Report:
        """The page.

        Raises:
            RequestError: plotly or jinja2 is not installed.
        """
        front = self.result.get("front") or ()
        return render_page(
            self.result,
            self.source,
            self.description,
            [self._machine_section(), *self._other_sections()],
            self._front_columns() if front else self._candidate_columns(),
            "From small to faithful" if front else "Programs considered",
        )

    def _picture(self, what: str) -> plots.Picture | None:
        ways: dict[str, Callable[[], plots.Picture | None]] = {
            "machine": self._machine_picture,
            "hidden_states": self._hidden_picture,
            "training": self._training_picture,
        }
        return ways[what]()

    def _machine_picture(self) -> plots.Picture | None:
        if self.drawn is None or self.drawn.states > MAX_STATES_DRAWN:
            return None
        return plots.plot_machine(self.drawn, title=self._machine_title)

    def _hidden_picture(self) -> plots.Picture | None:
        if self.states is None:
            return None
        return plots.plot_hidden_states(
            self.states.hidden,
            self.states.colourings,
            self.states.initial,
            label=self.states.label,
        )

    def _training_picture(self) -> plots.Picture | None:
        training = self.training
        if training is None or not training.curves.steps.size:
            return None
        found = training.curves
        return plots.plot_training(
            found.steps, found.sequence_accuracy, found.loss, curves.chosen_index(training)
        )

    @property
    def _machine_title(self) -> str:
        stands_in = self.extraction is not None and self.extraction.machine is None
        return f"The machine{' that the network nearly is' * (stands_in and bool(self.machine))}"

    def _why_no_picture(self, what: str | None) -> str:
        if what == "machine" and self.machine is not None:
            return (
                f"{self.machine.states} states are too many for one (at most {MAX_STATES_DRAWN}); "
                "see report()"
            )
        reasons = {
            "machine": "no finite machine was found in the network",
            "hidden_states": "there is no network that programs were looked for in",
            "training": "nothing was trained",
        }
        return reasons.get(what or "", "there is no network")

    def _machine_section(self) -> Section:
        drawn = self.drawn
        if drawn is None:
            said = "No finite machine was found in it."
            if self.machine is not None:
                said = f"{self.machine!r} is too large for a page; machine.json has it."
            return Section("machine", self._machine_title, (), said)
        graph = machine_figure(drawn)
        large = graph is None or drawn.states > FEW_STATES
        table = table_figure(drawn) if large else None
        note = []
        if graph is None:
            note.append(f"{drawn.states} states and their transitions are too many for a graph.")
            note.append("The table has them." if table else "machine.json has them.")
        elif len(filtered_classes(drawn)) < len(drawn.classes):
            kept = len(filtered_classes(drawn))
            note.append(f"The first {kept} of {len(drawn.classes)} classes can be chosen.")
        return Section("machine", self._machine_title, (graph, table), " ".join(note))

    def _other_sections(self) -> Iterator[Section]:
        if self.states is not None:
            yield Section("hidden", "Hidden states", (hidden_figure(self.states),))
        yield Section("curves", "Learning curves", (curves_figure(self.members),))

    def _front_columns(self) -> list[ProgramColumn]:
        front = self.result["front"][:MOST_PROGRAMS]
        return [
            ProgramColumn(
                one["note"] or "program",
                (("bits", f"{one['bits']:.0f}"), *agreement_rows(one["claims"])),
                one["source"],
            )
            for one in front
        ]

    def _candidate_columns(self) -> list[ProgramColumn]:
        candidates = self.extraction.candidates if self.extraction is not None else ()
        return [
            ProgramColumn(
                f"{c.method} (taken)" if not number else c.method,
                (
                    ("bits", f"{c.description_length:.0f}"),
                    ("agrees with the network", percent(c.fidelity)),
                    *((("found", c.note),) if c.note else ()),
                ),
                program_source(c.program, None, self.symbols),
            )
            for number, c in enumerate(candidates[:MOST_PROGRAMS])
        ]
