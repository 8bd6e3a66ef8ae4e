"""Hidden states and learning curves as plotly's figures, plain dictionaries as in plotly's
reference; the machine's are in `interactive_machine`.

Axes: B sequences, T time, H hidden units, R rounds, M members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from mips_jax.figures import percent
from mips_jax.reporting.curves import Member
from mips_jax.reporting.hidden_states import HiddenStates, as_numbers, principal_axes
from mips_jax.reporting.interactive_machine import menu
from mips_jax.reporting.letters import named
from mips_jax.symbols import Alphabet

MOST_POINTS = 4_000  # hidden states of a figure
LAST_LETTERS = 16  # of a word that are shown
MOST_MEMBERS = 200  # learning curves, the distilled network's among them
MOST_NAMED_COLOURS = 24  # states without an order; more are coloured by number
_PALETTE = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"),
    *("#bcbd22", "#17becf", "#0b3d91", "#f5b041", "#145a32", "#f1948a", "#5b2c6f", "#dc7633"),
    *("#000000", "#aed6f1", "#82e0aa", "#f9e79f", "#7b241c", "#d7bde2", "#34495e", "#a04000"),
)


def hidden_figure(states: HiddenStates) -> dict | None:
    """Hidden states as points to turn about, the word that led to each on pointing at it, coloured
    by whatever is chosen; None where no sequence stayed finite.

    Three or more units are drawn in their three directions of largest variance, two over time.
    """
    finite = np.isfinite(states.hidden).all(axis=(1, 2))
    length = states.hidden.shape[1]
    finite &= np.cumsum(finite) * length <= MOST_POINTS
    hidden, words = states.hidden[finite], states.words[finite]
    if not hidden.size:
        return None
    coordinates, axes = _coordinates(hidden, states.initial)
    texts = _words_so_far(words, states.symbols.inputs if states.symbols else ())
    colourings = {name: as_numbers(values)[finite] for name, values in states.colourings.items()}
    traces = [
        _points(coordinates[:-1], texts, name, values.ravel(), number == 0, states.label)
        for number, (name, values) in enumerate(colourings.items())
    ]
    start = _scatter(coordinates[-1:])
    start |= {
        "mode": "markers",
        "marker": {"symbol": "diamond", "size": 7, "color": "black"},
        "hovertext": ["before the first input"],
        "hoverinfo": "text",
    }
    kinds = [k == j for j in range(len(traces)) for k in range(len(traces))]
    buttons = [
        {
            "label": escape(name),
            "method": "restyle",
            "args": [{"visible": [*kinds[j * len(traces) :][: len(traces)], True]}],
        }
        for j, name in enumerate(colourings)
    ]
    scene: dict = dict(zip(("xaxis", "yaxis", "zaxis"), ({"title": {"text": a}} for a in axes)))
    scene |= {"camera": {"eye": {"x": 1.7, "y": 1.7, "z": 0.9}}} if len(axes) == 3 else {}
    layout = {
        "showlegend": False,
        "hovermode": "closest",
        "height": 620,
        "margin": {"l": 0 if len(axes) == 3 else 60, "r": 0, "t": 50, "b": 40},
        **({"scene": scene} if len(axes) == 3 else scene),
        **({"updatemenus": [menu(buttons)]} if len(buttons) > 1 else {}),
    }
    return {"data": [*traces, start], "layout": layout}


def _coordinates(hidden: np.ndarray, initial: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """[B T + 1, 2 or 3] where to draw hidden states and, last, the initial one; names of axes."""
    count, length, width = hidden.shape
    points = np.concatenate([hidden.reshape(-1, width), initial[None]])
    time = np.append(np.tile(np.arange(1, length + 1), count), 0)
    if width == 1:
        return np.column_stack([time, points]), ["step", "h1"]
    if width == 2:
        return np.column_stack([points, time]), ["h1", "h2", "step"]
    projected, share = principal_axes(points, 3)
    names = [f"direction {k + 1} ({percent(float(part))})" for k, part in enumerate(share)]
    return projected, names


def _scatter(coordinates: np.ndarray) -> dict:
    axes = dict(zip("xyz", coordinates.round(4).T.tolist()))
    return {"type": "scatter3d" if len(axes) == 3 else "scatter", **axes}


def _points(
    coordinates: np.ndarray,
    texts: Sequence[str],
    name: str,
    values: np.ndarray,
    visible: bool,
    label: Callable[[str, int], str],
) -> dict:
    marker: dict = {"size": 4 if coordinates.shape[1] == 3 else 7}
    if name == "state" and values.max(initial=0) < MOST_NAMED_COLOURS:
        marker["color"] = [_PALETTE[value] for value in values.tolist()]
    else:
        marker |= {
            "color": values.tolist(),
            "colorscale": "Viridis",
            "colorbar": {"title": {"text": escape(name)}},
        }
    said = [
        f"{text}<br>{escape(name)} {escape(label(name, value))}"
        for text, value in zip(texts, values.tolist())
    ]
    return {
        **_scatter(coordinates),
        "mode": "markers",
        "marker": marker,
        "hovertext": said,
        "hoverinfo": "text",
        "visible": visible,
    }


def _words_so_far(words: np.ndarray, signs: Sequence[Alphabet | None]) -> list[str]:
    """The word that led to each hidden state, of a long one its end."""
    count, length, width = words.shape
    letters = np.array(named(words.reshape(-1, width), signs), object).reshape(count, length)
    return [
        f"after {'... ' if t >= LAST_LETTERS else ''}"
        + escape(" ".join(word[max(0, t + 1 - LAST_LETTERS) : t + 1]))
        for word in letters.tolist()
        for t in range(length)
    ]


def curves_figure(members: Sequence[Member]) -> dict | None:
    """Loss and accuracy of every member over training, the distilled one on top; None without an
    evaluation.
    """
    drawn = sorted(members, key=lambda m: not m.chosen)[:MOST_MEMBERS][::-1]
    traces = []
    positive = all(value > 0 for m in drawn for value in m.loss if np.isfinite(value))
    for member in drawn:
        kept = np.isfinite(member.steps)
        for values, axis in ((member.loss, ""), (member.sequence_accuracy, "2")):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if kept.sum() < 2 else "lines",
                    "x": member.steps[kept].tolist(),
                    "y": [float(v) if np.isfinite(v) else None for v in values[kept]],
                    "xaxis": f"x{axis}",
                    "yaxis": f"y{axis}",
                    "name": escape(member.name),
                    "line": {
                        "color": "#1f77b4" if member.chosen else "#bbbbbb",
                        "width": 3 if member.chosen else 1,
                    },
                }
            )
    if not any(trace["x"] for trace in traces):
        return None
    layout = {
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {"namelength": -1},
        "height": 380,
        "margin": {"t": 30},
        "xaxis": {"domain": [0.0, 0.46], "title": {"text": "step"}},
        "yaxis": {"title": {"text": "loss"}, "type": "log" if positive else "linear"},
        "xaxis2": {"domain": [0.54, 1.0], "title": {"text": "step"}, "anchor": "y2"},
        "yaxis2": {
            "anchor": "x2",
            "title": {"text": "whole sequences right"},
            "range": [-0.03, 1.03],
            "tickformat": ".0%",
        },
    }
    return {"data": traces, "layout": layout}
