"""The report of one run: program.py, summary.md and the figures; result.json comes last, so where
it is, all is.

Axes: B sequences, T time, I inputs a step, H hidden units, S states, A letters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mips_jax.extraction import Extraction
from mips_jax.inputs import InputRange, Inputs, random_words
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.programs import Program
from mips_jax.reporting import plots
from mips_jax.reporting.files import write_json, write_text
from mips_jax.reporting.summary import CandidateRow, MemberRow, RegisterRow, render_summary

if TYPE_CHECKING:  # a given network is reported on without loading jax
    from mips_jax.training import TrainingResult

DRAWN_SEQUENCES = 80  # sequences whose hidden states are drawn
MAX_STATES_DRAWN = 40  # a larger machine is not drawn
MAX_COLOURINGS = 6  # panels of the hidden-state figure


def write_report(
    folder: Path,
    result: Mapping,
    source: str | None,
    description: str = "",
    training: TrainingResult | None = None,
    network: Network | None = None,
    inputs: Inputs | None = None,
    extraction: Extraction | None = None,
    certificate: Mapping | None = None,
) -> None:
    """Fills the run folder.

    Args:
        folder: exists.
        result: content of result.json.
        source: the program, or None where there is none.
        description: of the task, one sentence.
        training: how networks were trained, where they were.
        network: the distilled one.
        inputs: of it.
        extraction: what was found in it.
        certificate: of the proof, where there is one; see docs/proofs.md.
    """
    if source is not None:
        write_text(folder / "program.py", source)
    if certificate is not None and source is not None:
        digest = hashlib.sha256(source.encode()).hexdigest()  # of the text with its evidence
        text = json.dumps({**certificate, "program": digest}, indent=None)
        write_text(folder / "certificate.json", text + "\n")
    figures = {
        caption: plots.save(figure, folder / name).name
        for caption, name, figure in _figures(training, network, inputs, extraction)
    }
    page = render_summary(
        result,
        source,
        candidate_rows(extraction),
        register_rows(extraction),
        member_rows(training),
        figures,
        description,
        extraction.statuses if extraction is not None else (),
    )
    write_text(folder / "summary.md", page)
    write_json(folder / "result.json", result)


def _figures(training, network, inputs, extraction):
    """(caption, file name, figure) of everything that there is to draw."""
    if training is not None and training.curves.steps.size:
        curves = training.curves
        yield (
            "Training",
            "training.png",
            plots.plot_training(
                curves.steps, curves.sequence_accuracy, curves.loss, chosen_index(training)
            ),
        )
    if network is not None and extraction is not None:
        hidden, colourings = hidden_states(
            network, inputs, extraction.program, extraction.machine, extraction.length
        )
        yield (
            "Hidden states",
            "hidden_states.png",
            plots.plot_hidden_states(hidden, colourings, network.initial),
        )
        machine = extraction.machine
        if machine is not None and machine.states <= MAX_STATES_DRAWN:
            yield (
                "The machine",
                "machine.png",
                plots.plot_automaton(machine.transition, machine.output, machine.letters),
            )


def hidden_states(
    network: Network,
    inputs: Inputs | InputRange,
    program: Program | None,
    machine: Mealy | None,
    length: int,
    sequences: int = DRAWN_SEQUENCES,
    seed: int = 0,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Hidden states on random sequences, and what to colour them by.

    Returns:
        hidden [B, T, H], and colourings: state of the machine, each register of the program, each
        output -> [B, T].
    """
    words = random_words(inputs, sequences, length, np.random.default_rng(seed))
    hidden, outputs = network.run(words)
    colourings: dict[str, np.ndarray] = {}
    if machine is not None:
        colourings["state"] = states_after(machine, words)
    if program is not None:
        colourings |= {
            f"register {name}": values for name, values in program.trace(words)[1].items()
        }
    colourings |= {
        f"output {o}" if outputs.shape[2] > 1 else "output": outputs[:, :, o]
        for o in range(outputs.shape[2])
    }
    return hidden, dict(list(colourings.items())[:MAX_COLOURINGS])


def states_after(machine: Mealy, inputs: np.ndarray) -> np.ndarray:
    """State of the machine after each input: [B, T, I] -> [B, T]."""
    return machine.trace(machine.index_of(inputs))


def chosen_index(training: TrainingResult) -> int | None:
    """Which member was distilled."""
    best = training.best
    for index, member in enumerate(training.members):
        if best is not None and (member.architecture, member.seed) == (
            best.architecture,
            best.seed,
        ):
            return index
    return None


def member_rows(training: TrainingResult | None) -> list[MemberRow]:
    """One row for each network that was trained."""
    if training is None:
        return []
    chosen = chosen_index(training)
    return [
        MemberRow(
            str(m.architecture), m.seed, m.status, m.steps, m.sequence_accuracy, index == chosen
        )
        for index, m in enumerate(training.members)
    ]


def candidate_rows(extraction: Extraction | None) -> list[CandidateRow]:
    """One row for each program that a method proposed, the one that was taken first."""
    candidates = extraction.candidates if extraction is not None else ()
    return [
        CandidateRow(c.method, c.description_length, c.fidelity, c.note, chosen=index == 0)
        for index, c in enumerate(candidates)
    ]


def register_rows(extraction: Extraction | None) -> list[RegisterRow]:
    """One row for each register of the program that was taken."""
    if extraction is None or extraction.program is None:
        return []
    initial = {register.name: register.initial for register in extraction.program.registers}
    return [
        RegisterRow(
            e.register,
            initial.get(e.register, ""),
            f"{e.kind}; an affine map of h explains "
            f"{e.recovered:.1%}{'; ' + e.meaning if e.meaning else ''}",
        )
        for e in extraction.encodings
    ]
