"""The report of one run: program, page, pictures and files for other tools; result.json comes last,
so where it is, all is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.extraction import Extraction
from mips_jax.inputs import InputRange, Inputs
from mips_jax.networks import Network
from mips_jax.reporting.curves import chosen_index, curves_csv
from mips_jax.reporting.files import write_bytes, write_json, write_text
from mips_jax.reporting.page import missing_libraries
from mips_jax.reporting.shown import MAX_STATES_DRAWN, Shown
from mips_jax.reporting.summary import CandidateRow, MemberRow, RegisterRow, render_summary

if TYPE_CHECKING:  # a given network is reported on without loading jax
    from mips_jax.training import TrainingResult


def write_report(
    folder: Path,
    result: Mapping,
    source: str | None,
    description: str = "",
    training: TrainingResult | None = None,
    network: Network | None = None,
    inputs: Inputs | InputRange | None = None,
    extraction: Extraction | None = None,
) -> str | None:
    """Fills the run folder; see `write_shown`, and `Shown` for the arguments."""
    shown = Shown(result, source, description, training, network, inputs, extraction)
    return write_shown(folder, shown)


def write_shown(folder: Path, shown: Shown, with_page: bool = True) -> str | None:
    """Fills the run folder, every file whole or not at all.

    Args:
        folder: exists.
        shown: the run.
        with_page: whether report.html is wanted.

    Returns:
        How to get report.html, where a library that it needs is not installed; else None.
    """
    if shown.source is not None:
        write_text(folder / "program.py", shown.source)
        _write_certificate(folder, shown.source, shown.certificate)
    figures = {
        caption: picture.save(folder / f"{name}.png").name
        for caption, name, picture in shown.pictures()
    }
    _write_data(folder, shown)
    missing = missing_libraries() if with_page else None
    if with_page and missing is None:
        shown.report().save(folder / "report.html")
    page = render_summary(
        shown.result,
        shown.source,
        candidate_rows(shown.extraction),
        register_rows(shown.extraction),
        member_rows(shown.training),
        figures,
        shown.description,
        shown.extraction.statuses if shown.extraction is not None else (),
        list(_remarks(shown, with_page, missing)),
    )
    write_text(folder / "summary.md", page)
    write_json(folder / "result.json", shown.result)
    return missing


def _write_certificate(folder: Path, source: str, certificate: Mapping | None) -> None:
    """What the independent checker reads; it knows the program by its text with its evidence."""
    if certificate is None:
        return
    digest = hashlib.sha256(source.encode()).hexdigest()
    text = json.dumps({**certificate, "program": digest}, indent=None)
    write_text(folder / "certificate.json", text + "\n")


def _remarks(shown: Shown, with_page: bool, missing: str | None) -> Iterator[str]:
    """What is beside the pictures, and why one is not there."""
    machine = shown.machine
    if machine is not None and machine.states > MAX_STATES_DRAWN:
        yield (
            f"The machine has {machine.states} states, too many for a picture; `machine.dot` and "
            "`machine.json` hold it."
        )
    if with_page:
        yield f"{missing}." if missing else "The same to point at and to turn: `report.html`."


def _write_data(folder: Path, shown: Shown) -> None:
    """What other tools read."""
    if shown.states is not None:
        write_bytes(folder / "hidden_states.npz", shown.states.npz())
    if shown.machine is not None:
        write_text(folder / "machine.json", shown.machine.to_json() + "\n")
        write_text(folder / "machine.dot", shown.machine.to_dot(shown.symbols))
    if shown.members:
        write_text(folder / "curves.csv", curves_csv(shown.members))


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
