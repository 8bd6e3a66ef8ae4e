"""The machine as plotly's figures, plain dictionaries as in plotly's reference: a graph to zoom, to
point at and to filter by letter, and a table of all transitions.

Every text from outside is escaped: plotly reads a little HTML in texts.

Axes: S states, C classes of letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from mips_jax.reporting.machine_graph import MachineGraph

MOST_STATES = 300  # of a graph; a larger machine has its table only
MOST_EDGES = 3_000  # of a graph
MOST_FILTERS = 120  # classes of letters that can be chosen
MOST_FILTERED = 12_000  # edges of all filters together
MOST_CELLS = 40_000  # of a table
MOST_TEXTS = 80  # edges with their text beside them
_POINTS = (25, 9)  # of an arrow, in small graphs and in large ones
_HEAD = 0.62  # where on it its head is

Edge = tuple[int, int, str, str]  # from, to, text beside it, text on pointing at it
Place = Mapping[int, np.ndarray]


def machine_figure(drawn: MachineGraph, name: str = "") -> dict | None:
    """The graph; None where the machine is too large for one.

    Args:
        drawn: the machine.
        name: what is said above it.
    """
    edges = drawn.graph.number_of_edges()
    if drawn.states > MOST_STATES or edges > MOST_EDGES:
        return None
    place = {state: np.asarray(at, float) for state, at in drawn.place.items()}
    filters = filtered_classes(drawn)
    layers = [_all_edges(drawn), *(_edges_of(drawn, chosen) for chosen in filters)]
    traces = [trace for layer in layers for trace in _edge_traces(layer, place, drawn.states)]
    for trace in traces[2:]:
        trace["visible"] = False
    names = ["all letters", *(escape(drawn.alphabet.described(c)) for c in filters)]
    buttons = [
        {
            "label": label,
            "method": "restyle",
            "args": [{"visible": _only(k, len(layers))}],
        }
        for k, label in enumerate(names)
    ]
    layout = _layout(escape(name), drawn)
    if len(filters) > 1:
        layout["updatemenus"] = [menu(buttons)]
    return {"data": [*traces, _state_trace(drawn, place)], "layout": layout}


def filtered_classes(drawn: MachineGraph) -> list[tuple[int, ...]]:
    """Classes of letters that a reader can choose, as many as a page can hold."""
    return list(drawn.classes[: max(1, min(MOST_FILTERS, MOST_FILTERED // drawn.states))])


def menu(buttons: Sequence[dict]) -> dict:
    """A list to choose from, above the figure's left end."""
    return {
        "buttons": list(buttons),
        "x": 0.0,
        "xanchor": "left",
        "y": 1.02,
        "yanchor": "bottom",
        "showactive": True,
    }


def table_figure(drawn: MachineGraph) -> dict | None:
    """Next state by state and class of letters, coloured; None where there are too many cells."""
    if drawn.states * len(drawn.classes) > MOST_CELLS:
        return None
    first = [chosen[0] for chosen in drawn.classes]
    names = [escape(drawn.alphabet.described(chosen)) for chosen in drawn.classes]
    target = drawn.transition[:, first]
    texts = [
        [
            f"state {state}, {name}: to {target[state, k]}{_writes(drawn, state, first[k])}"
            for k, name in enumerate(names)
        ]
        for state in range(drawn.states)
    ]
    trace = {
        "type": "heatmap",
        "z": target.tolist(),
        "x": list(range(len(names))),
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": "next state"}},
    }
    shown = range(0, len(names), max(1, len(names) // 25))
    axis = {"tickvals": list(shown), "ticktext": [names[k] for k in shown]}
    layout = {
        "xaxis": {"title": {"text": "letters that do the same"}, **axis},
        "yaxis": {"title": {"text": "state"}, "autorange": "reversed"},
        "margin": {"t": 30},
        "height": 560,
    }
    return {"data": [trace], "layout": layout}


def _only(layer: int, layers: int) -> list[bool]:
    """Which traces are seen when one layer of edges is; the states always are."""
    return [k == layer for k in range(layers) for _ in range(2)] + [True]


def _all_edges(drawn: MachineGraph) -> list[Edge]:
    return [
        (source, target, text, f"{source} \u2192 {target}<br>{text}")
        for source, target in drawn.graph.edges
        for text in (_lines(drawn.text(source, target)),)
    ]


def _edges_of(drawn: MachineGraph, chosen: tuple[int, ...]) -> list[Edge]:
    """The transitions on one class of letters."""
    letter, name = chosen[0], escape(drawn.alphabet.described(chosen))
    found = []
    for state, target in enumerate(drawn.transition[:, letter].tolist()):
        text = f"{name}{_writes(drawn, state, letter)}"
        found.append((state, target, text, f"{state} \u2192 {target}<br>{text}"))
    return found


def _writes(drawn: MachineGraph, state: int, letter: int) -> str:
    written = drawn.written(state, letter)
    return f", writes {escape(written)}" if written else ""


def _lines(text: str) -> str:
    return "<br>".join(map(escape, text.splitlines()))


def _edge_traces(edges: Sequence[Edge], place: Place, states: int) -> list[dict]:
    """Lines, and the heads of their arrows, which answer to pointing."""
    both = {(source, target) for source, target, *_ in edges}
    centre = np.mean(list(place.values()), axis=0)
    along = np.linspace(0.0, 1.0, _POINTS[len(edges) > 4 * MOST_TEXTS])
    curves = [
        _curve(along, place[source], place[target], (target, source) in both, centre, states)
        for source, target, *_ in edges
    ]
    head = round(_HEAD * (len(along) - 1))
    heads = np.array([curve[head] for curve in curves])
    ahead = np.array([curve[head + 1] - curve[head - 1] for curve in curves])
    angle = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 1]))
    texts = len(edges) <= MOST_TEXTS
    lines = {
        "type": "scatter",
        "mode": "lines",
        "x": _broken(curve[:, 0] for curve in curves),
        "y": _broken(curve[:, 1] for curve in curves),
        "line": {"width": 1.2 if states <= 40 else 0.7, "color": "#8899aa"},
        "hoverinfo": "skip",
    }
    arrows = {
        "type": "scatter",
        "mode": "markers+text" if texts else "markers",
        "x": _rounded(heads[:, 0]),
        "y": _rounded(heads[:, 1]),
        "marker": {
            "symbol": "arrow",
            "size": 11 if states <= 40 else 7,
            "angle": _rounded(angle, 1),
            "color": "#445566",
        },
        "hovertext": [pointed for *_, pointed in edges],
        "hoverinfo": "text",
    }
    if texts:
        arrows |= {
            "text": [beside for _, _, beside, _ in edges],
            "textposition": "top center",
            "textfont": {"size": 11},
        }
    return [lines, arrows]


def _curve(
    t: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    bent: bool,
    centre: np.ndarray,
    states: int,
) -> np.ndarray:
    """Points of an arrow, at t from 0 to 1: a loop away from the centre, else a line, bent to its
    left where there is one back.
    """
    if np.array_equal(start, end):
        away = start - centre
        away = away / np.linalg.norm(away) if np.linalg.norm(away) > 1e-9 else np.array([0.0, 1.0])
        radius = min(0.1, 0.5 / np.sqrt(states))
        middle, turn = start + radius * away, 2 * np.pi * t
        across = np.array([-away[1], away[0]])
        return middle - radius * (np.cos(turn)[:, None] * away + np.sin(turn)[:, None] * across)
    along = end - start
    bend = 0.14 * np.array([-along[1], along[0]]) if bent else 0.0 * along
    t = t[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * (start + along / 2 + bend) + t**2 * end


def _state_trace(drawn: MachineGraph, place: Place) -> dict:
    count = drawn.states
    size = 38 if count <= 12 else 24 if count <= 60 else 14
    texts = [_lines(drawn.node_text(state)) for state in range(count)]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": _rounded(place[state][0] for state in range(count)),
        "y": _rounded(place[state][1] for state in range(count)),
        "text": texts,
        "textfont": {"size": 12 if count <= 12 else 9 if count <= 60 else 7},
        "marker": {
            "size": size,
            "color": "#dce9f7",
            "line": {
                "color": ["#000000" if not state else "#556677" for state in range(count)],
                "width": [3 if not state else 1 for state in range(count)],
            },
        },
        "hovertext": [_pointed(drawn, state) for state in range(count)],
        "hoverinfo": "text",
    }


def _pointed(drawn: MachineGraph, state: int) -> str:
    """What is said of a state: where it leads."""
    title = f"<b>state {state}</b>{' (start)' if not state else ''}"
    ways = sorted(drawn.graph.out_edges(state))
    lines = [f"\u2192 {target}: {_lines(drawn.text(state, target))}" for _, target in ways[:12]]
    more = [f"... and {len(ways) - 12} more"] if len(ways) > 12 else []
    return "<br>".join([title, *lines, *more])


def _layout(name: str, drawn: MachineGraph) -> dict:
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    states = f"{drawn.states} state{'s' * (drawn.states != 1)}"
    text = f"{name}{states}; {drawn.legend}; bold ring: start"
    return {
        "title": {"text": text, "font": {"size": 13}, "x": 0.5, "y": 0.02, "yanchor": "bottom"},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": "pan",
        "xaxis": hidden,
        "yaxis": {**hidden, "scaleanchor": "x", "scaleratio": 1},
        "height": 420 if drawn.states <= 2 else 680,
        "margin": {"l": 10, "r": 10, "t": 50, "b": 40},
        "plot_bgcolor": "white",
    }


def _broken(curves: Iterable[np.ndarray]) -> list[float | None]:
    """Many lines as one, None between them."""
    return [value for curve in curves for value in (*_rounded(curve), None)]


def _rounded(values: Iterable[float], digits: int = 3) -> list[float]:
    return [round(float(value), digits) for value in values]
