"""report.html is one file that needs nothing else, says what result.json says, and lets no text
from outside become HTML; plotly itself confirms its figures.
"""

import dataclasses
import html.parser
import json
import re

import numpy as np
import plotly.graph_objects
import pytest

from mips_jax.errors import RequestError
from mips_jax.machines import Mealy
from mips_jax.reporting import interactive, interactive_machine, page
from mips_jax.reporting.curves import COLUMNS, Member, curves_csv
from mips_jax.reporting.evidence import disagreements, tiers
from mips_jax.reporting.hidden_states import HiddenStates
from mips_jax.reporting.machine_graph import machine_graph
from tests.reporting import machine_runs

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
CLAIM = {
    "check": "fidelity",
    "subject": "program",
    "equals": "network",
    "words": "uniformly drawn",
    "length": 10,
    "how": "measured",
    "count": 4096,
    "distinct": 1024,
    "unseen": 1024,
    "agreement": 1.0,
    "error_bound": 0.00101,
    "wrong": 0,
    "holds_to": 10,
    "margin": None,
    "arithmetic": None,
    "disagreements": [],
    "reason": None,
}
WRONG = CLAIM | {
    "check": "search",
    "how": "refuted",
    "length": 3,
    "count": 0,
    "agreement": None,
    "error_bound": None,
    "disagreements": [
        {"word": [1, 0, 1], "wrote": 1, "expected": 0, "row": None},
        {"word": [1], "wrote": 2, "expected": 3, "row": None},
    ],
}


class Page(html.parser.HTMLParser):
    """Elements with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data):
        if not self._open:
            self.text += data


def figures(shown):
    drawn = shown.drawn
    return {
        "graph": interactive_machine.machine_figure(drawn),
        "table": interactive_machine.table_figure(drawn),
        "hidden": interactive.hidden_figure(shown.states),
        "curves": interactive.curves_figure(members()),
    }


def members():
    nan = float("nan")
    steps, loss = np.array([100.0, 200.0, nan]), np.array([0.5, nan, nan])
    known = (steps, loss, np.array([0.1, 1.0, nan]), np.array([0.5, 1.0, nan]))
    return [Member("H=2", 0, "perfect", True, *known), Member("H=3", 1, "stopped", False, *known)]


@pytest.mark.parametrize("states", [2, 24, 200])
def test_plotly_accepts_every_figure(states):
    for name, figure in figures(machine_runs.shown(states)).items():
        assert figure is not None, name
        plotly.graph_objects.Figure(figure)  # raises where a property or a value is none of its


@pytest.mark.parametrize("states", [2, 24, 200])
def test_the_page_is_one_file_with_all_parts(states):
    report = machine_runs.shown(states, claims=[CLAIM, WRONG]).report()
    assert len(report.html.encode()) < 6e6
    seen = Page(report.html)
    anchors = {attrs.get("id") for _, attrs in seen.elements}
    assert {"program", "evidence", "machine-0", "hidden-0", "programs", "disagreements"} <= anchors
    assert ("machine-1" in anchors) == (states > 24)
    linked = [v for _, a in seen.elements for k, v in a.items() if k in ("src", "href")]
    assert linked == ["data:,"]
    drawn = re.findall(r"\"showSendToCloud\": ?(true|false)", report.html)
    assert drawn == ["false"] * (2 + (states > 24))  # no button sends data anywhere
    assert "total += x" in seen.text and f"A machine of {states} states" in seen.text
    assert "program = network on 100% of 4,096 words of length 10" in seen.text


def test_evidence_is_four_lines_by_how_it_is_known():
    proven = CLAIM | {"how": "proven", "length": None, "count": 0, "words": "every word"}
    proven |= {"arithmetic": "float64"}
    left = CLAIM | {"how": "not tried", "reason": "no ReLU network", "count": 0, "length": None}
    lines = tiers([CLAIM, WRONG, proven, left])
    assert [how for how, _ in lines] == ["proven", "measured", "refuted", "not tried"]
    assert lines[0][1] == "program = network on every length, every word, in float64 arithmetic"
    assert lines[2][1] == "program = network fails on a word of length 3, uniformly drawn"
    assert lines[3][1].endswith("no ReLU network")
    assert lines[1][1] == (
        "program = network on 100% of 4,096 words of length 10, uniformly drawn "
        "(at most 0.11% wrong, 99% confidence)"
    )
    known = CLAIM | {"unseen": 0, "equals": "examples", "words": "given examples"}
    assert tiers([known])[1][1].endswith("of length 10, given examples")  # worth nothing beyond
    whole = CLAIM | {"equals": "integers", "words": "all words run", "unseen": 0}
    assert "4,096 outputs of length 10" in tiers([whole])[1][1]
    many = [CLAIM, CLAIM | {"length": 100, "count": 768, "agreement": 0.5}]
    assert tiers(many)[1][1].endswith(", and on at least 50% of 768 others to length 100")
    refuted = [WRONG | {"length": n} for n in range(7)]
    assert tiers(refuted)[2][1].endswith("; and 3 more")


def test_disagreements_are_the_shortest_first():
    rows = disagreements({"claims": [WRONG, WRONG]})
    assert rows == [
        ("program and network", "1", "2", "3"),
        ("program and network", "1 0 1", "1", "0"),
    ]


def test_no_text_from_outside_becomes_html():
    """Names, reasons, notes and letters that are HTML: the same elements as with harmless ones."""

    def page_of(text):
        drawn = machine_graph(np.array([[0, 1], [1, 0]]), np.zeros((2, 2), int), [text, "b"])
        one = Member(text, 0, text, True, *[np.array([1.0])] * 4)
        word = {"word": [text], "wrote": text, "expected": text, "row": None}
        claim = WRONG | {"words": text, "reason": text, "disagreements": [word], "subject": text}
        left = claim | {"how": "not tried"}
        sections = [
            page.Section("machine", text, (interactive_machine.machine_figure(drawn, text),), text),
            page.Section("table", text, (interactive_machine.table_figure(drawn),)),
            page.Section("curves", text, (interactive.curves_figure([one]),)),
            page.Section("hidden", text, (interactive.hidden_figure(states_named(text)),)),
        ]
        column = page.ProgramColumn(text, ((text, text),), text)
        result = {"task": text, "solved": False, "reason": text, "claims": [claim, left]}
        return page.render_page(result | {"method": text}, text, text, sections, [column], text)

    harmless, evil = Page(page_of("plain").html), Page(page_of(EVIL).html)
    assert evil.elements == harmless.elements
    assert evil.text.count(EVIL) == harmless.text.count("plain") > 10
    figures_only = page_of(EVIL).html.split("</style>")[1].split("<body>")[1]
    assert "<img" not in figures_only
    # what plotly is given is escaped once more, since it reads HTML in texts
    for data in re.findall(r"Plotly\.newPlot\(\s*\"[^\"]+\",\s*(\[.*?\]),\s*\{", figures_only):
        assert "<img" not in json.dumps(json.loads(data))


def states_named(text):
    hidden = np.random.default_rng(0).normal(size=(3, 4, 3))
    numbers = np.zeros((3, 4), int)
    return HiddenStates(
        numbers[:, :, None], hidden, numbers[:, :, None], np.zeros(3), numbers, {text: numbers}
    )


def test_a_machine_that_is_too_large_for_a_graph_has_a_table():
    table = np.random.default_rng(0).integers(0, 1000, (1000, 3))
    drawn = machine_graph(table, table % 2, np.arange(3))
    assert interactive_machine.machine_figure(drawn) is None
    figure = interactive_machine.table_figure(drawn)
    assert np.shape(figure["data"][0]["z"]) == (1000, 3)


def test_programs_from_small_to_faithful_stand_side_by_side():
    sides = [
        {"note": "small", "bits": 9.4, "source": "x = 1", "claims": [CLAIM | {"agreement": 0.5}]},
        {"note": "", "bits": 90.0, "source": "y = 2", "claims": [CLAIM]},
    ]
    shown = machine_runs.shown(2)
    with_front = dataclasses.replace(shown, result=shown.result | {"front": sides})
    seen = Page(with_front.report().html)
    assert "From small to faithful" in seen.text and "x = 1" in seen.text and "y = 2" in seen.text
    text = " ".join(seen.text.split())
    assert "small bits9length 10, uniformly drawn50%" in text
    assert "Programs considered" not in seen.text
    sections = [tag for tag, _ in seen.elements if tag == "section"]
    assert len(sections) == 2


def test_what_is_too_large_for_a_page_is_said():
    shown = machine_runs.shown(2)
    large = np.random.default_rng(0).integers(0, 60_000, (60_000, 4))
    machine = Mealy.of(np.arange(4), large, large)
    extraction = dataclasses.replace(shown.extraction, machine=None, stand_in=machine)
    shown = dataclasses.replace(shown, extraction=extraction, network=None)
    text = Page(shown.report().html).text
    assert "Mealy(60000 states, 4 letters" in text and "is too large for a page" in text
    assert "The machine that the network nearly is" in text


def test_letters_that_do_the_same_are_one_entry_of_the_filter():
    pairs = np.array([(a, b) for a in range(10) for b in range(10)])
    total = pairs.sum(axis=1) + np.array([[0], [1]])
    drawn = machine_graph(total // 10, total % 10, pairs)
    (menu,) = interactive_machine.machine_figure(drawn)["layout"]["updatemenus"]
    names = [button["label"] for button in menu["buttons"]]
    assert len(names) == 1 + 19 and "a + b = 9" in names
    for button in menu["buttons"]:  # one pair of traces, and the states
        assert sum(button["args"][0]["visible"]) == 3


def test_arrows_point_from_state_to_state():
    drawn = machine_graph(np.array([[1], [1]]), np.zeros((2, 1), int), [0])
    arrows = interactive_machine.machine_figure(drawn)["data"][1]
    assert arrows["hovertext"] == ["0 \u2192 1<br>0/0", "1 \u2192 1<br>0/0"]
    np.testing.assert_allclose(arrows["angle" if "angle" in arrows else "marker"]["angle"][0], 90.0)


def test_hidden_states_carry_their_words():
    shown = machine_runs.shown(2)
    figure = interactive.hidden_figure(shown.states)
    first = figure["data"][0]
    words = shown.states.words[:, :, 0]
    assert first["type"] == "scatter3d" and len(first["x"]) == 800
    for point in (0, 9, 437):
        row, step = divmod(point, 10)
        word = " ".join(map(str, words[row, : step + 1]))
        state = words[row, : step + 1].sum() % 2
        assert first["hovertext"][point] == f"after {word}<br>state {state}"


def test_diverging_words_are_left_out():
    states = machine_runs.shown(2).states
    states.hidden[:79] = np.nan
    assert len(interactive.hidden_figure(states)["data"][0]["x"]) == 10
    states.hidden[:] = np.inf
    assert interactive.hidden_figure(states) is None


def test_curves_as_csv():
    lines = curves_csv(members()).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1:3] == ["0,H=2,0,perfect,1,100,0.5,0.1,0.5", "0,H=2,0,perfect,1,200,,1.0,1.0"]
    assert len(lines) == 5


def test_a_missing_library_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(page, "NEEDED", ("no_such_a", "no_such_b"))
    with pytest.raises(RequestError, match="pip install no_such_a no_such_b"):
        page.render_page({"task": "T", "solved": False}, None)


def test_a_report_shows_itself_in_a_frame(tmp_path):
    report = machine_runs.shown(2, EVIL).report()
    shown = Page(report._repr_html_())
    assert [tag for tag, _ in shown.elements] == ["iframe"]
    assert shown.elements[0][1]["srcdoc"] == report.html
    assert report.save(tmp_path / "r.html").read_text(encoding="utf-8") == report.html
    assert len(repr(report)) < 200


def test_one_state_and_one_letter_need_no_filter():
    drawn = machine_graph(np.array([[0]]), np.array([[5]]), np.array([[0]]))
    figure = interactive_machine.machine_figure(drawn)
    assert "updatemenus" not in figure["layout"]
    plotly.graph_objects.Figure(figure)
    assert Mealy.of([0], [[0]], [[5]]).states == drawn.states
