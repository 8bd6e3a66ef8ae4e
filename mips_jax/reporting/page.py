"""report.html: one run as one file to look at, without network: program, evidence, and plotly's
figures of machine, hidden states and learning curves.

Texts are escaped by jinja2 (page) and before they are given to plotly (figures). Both libraries are
imported only when a page is made.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import importlib.util
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from mips_jax.errors import RequestError
from mips_jax.figures import percent
from mips_jax.reporting.evidence import disagreements, tiers
from mips_jax.reporting.files import write_text
from mips_jax.reporting.summary import state_of, trust_rows

NEEDED = ("plotly", "jinja2")
MOST_DISAGREEMENTS = 30  # rows; the rest is counted
_CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "scrollZoom": True,
    "showSendToCloud": False,  # else a button would send the data to plotly
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["lasso2d", "select2d"],
}


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page with figures.

    Attributes:
        key: its anchor.
        title: its heading.
        figures: plotly's, as dictionaries; None for what is too large to draw.
        note: what else is said.
    """

    key: str
    title: str
    figures: tuple[dict | None, ...]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class ProgramColumn:
    """A program beside others.

    Attributes:
        title: how it was found.
        figures: (what, figure).
        source: its Python.
    """

    title: str
    figures: tuple[tuple[str, str], ...]
    source: str


@dataclasses.dataclass(frozen=True, repr=False)
class Report:
    """A page.

    Attributes:
        title: of it.
        html: the whole of it.
    """

    title: str
    html: str

    def save(self, path: str | os.PathLike) -> Path:
        """Writes the page, whole or not at all, and returns the path."""
        return write_text(Path(path), self.html)

    def __repr__(self) -> str:
        size = len(self.html.encode("utf-8")) / 1e6
        return f"Report({self.title}: {size:.1f} MB of HTML; .save(path) writes it)"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style stays in it."""
        frame = "width: 100%; height: 800px; border: 1px solid #d5dde5"
        return f'<iframe style="{frame}" srcdoc="{escape(self.html)}"></iframe>'


def missing_libraries() -> str | None:
    """The one line that says how to get what a page needs; None where all is there."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    return f"report.html needs {' and '.join(missing)}: pip install {' '.join(missing)}"


def render_page(
    result: Mapping,
    source: str | None,
    description: str = "",
    sections: Sequence[Section] = (),
    programs: Sequence[ProgramColumn] = (),
    programs_title: str = "Programs considered",
) -> Report:
    """The page.

    Args:
        result: the content of result.json.
        source: the program, or None.
        description: of the task, in a sentence.
        sections: with figures; those without any figure or note are left out.
        programs: side by side.
        programs_title: heading of these.

    Raises:
        RequestError: plotly or jinja2 is not installed.
    """
    problem = missing_libraries()
    if problem is not None:
        raise RequestError(problem)
    from plotly.offline import get_plotlyjs

    words = disagreements(result)
    kept = [section for section in sections if section.note or any(section.figures)]
    html = _template().render(
        title=result["task"],
        description=description,
        result=result,
        state=state_of(result),
        reason=result.get("reason"),
        source=source,
        tiers=tiers(result.get("claims") or ()),
        claims=trust_rows(result),
        sections=[_drawn(section) for section in kept],
        disagreements=words[:MOST_DISAGREEMENTS],
        more_disagreements=max(0, len(words) - MOST_DISAGREEMENTS),
        programs=programs,
        programs_title=programs_title,
        plotlyjs=get_plotlyjs(),
    )
    return Report(str(result["task"]), html)


def agreement_rows(claims: Sequence[Mapping]) -> tuple[tuple[str, str], ...]:
    """A program's agreement with the network, a row for each kind of words."""
    return tuple(
        (f"length {c['length']}, {c['words']}", percent(c["agreement"]))
        for c in claims
        if c["agreement"] is not None
    )


@functools.cache
def _template():
    import jinja2

    text = importlib.resources.files("mips_jax.reporting").joinpath("report.html.jinja")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(text.read_text(encoding="utf-8"))


def _drawn(section: Section) -> dict:
    import plotly.io
    from markupsafe import Markup

    plots = [
        Markup(
            plotly.io.to_html(
                figure,
                config=_CONFIG,
                include_plotlyjs=False,
                full_html=False,
                validate=False,  # a test validates: it takes longer than all else
                div_id=f"{section.key}-{number}",
                default_height=f"{figure['layout']['height']}px",
            )
        )
        for number, figure in enumerate(section.figures)
        if figure is not None
    ]
    return {"key": section.key, "title": section.title, "note": section.note, "plots": plots}
