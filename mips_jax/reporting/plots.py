"""Pictures of one run: training curves, hidden-state trajectories, and the machine as a graph.

Every function takes plain arrays and returns a matplotlib figure; `save` writes one. No display is
needed.

Axes: P population, E evaluations, B sequences, T time, H hidden units, S states, A letters of the
    alphabet.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mips_jax.reporting.files import write_bytes

MAX_LETTERS_ON_AN_EDGE = 4  # an edge with more shows the first few and how many there are
MAX_STATES_WITH_LARGE_CIRCLES = 12  # beyond, room is needed for the arrows
MAX_STATES_WITH_LETTERS = 24  # a larger machine is drawn without letters on its edges
MAX_INCHES = 13.0  # width of a machine's picture; a page in landscape
POINTS: dict[str, Any] = {"s": 14, "zorder": 2}  # of hidden states, above the trajectories
MAX_COLOURS_IN_LEGEND = 12  # more distinct values get a colour bar


def save(figure: Figure, path: Path) -> Path:
    """Writes the figure as PNG, whole or not at all, and returns its path."""
    FigureCanvasAgg(figure)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=130, bbox_inches="tight")
    return write_bytes(path, drawn.getvalue())


def plot_training(
    steps: np.ndarray,
    accuracy: np.ndarray,
    loss: np.ndarray,
    chosen: int | None = None,
    title: str = "Training",
) -> Figure:
    """Draws every member's loss and accuracy over training, the chosen one on top.

    Args:
        steps: [E, P] training steps that each member had taken at each evaluation; NaN where it was
            not running.
        accuracy: [E, P] fraction of whole sequences right, likewise.
        loss: [E, P] training loss, likewise.
        chosen: index of the member that was distilled, if one was.
        title: figure title.
    """
    steps, accuracy, loss = (np.asarray(array, float) for array in (steps, accuracy, loss))
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    for axes, curves, label in (
        (loss_axes, loss, "loss"),
        (accuracy_axes, accuracy, "whole sequences right"),
    ):
        for member in range(curves.shape[1]):
            if member != chosen:
                axes.plot(
                    steps[:, member], curves[:, member], color="0.6", linewidth=0.8, alpha=0.8
                )
        if chosen is not None:
            axes.plot(
                steps[:, chosen],
                curves[:, chosen],
                color="tab:blue",
                linewidth=2,
                label="distilled",
            )
            axes.legend(frameon=False, fontsize=8)
        axes.set_xlabel("step")
        axes.set_ylabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    finite = loss[np.isfinite(loss)]
    if finite.size and finite.min() > 0:
        loss_axes.set_yscale("log")
    accuracy_axes.set_ylim(-0.03, 1.03)
    figure.suptitle(title)
    return figure


def principal_axes(points: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Projects points on their directions of largest variance.

    Args:
        points: [N, H].
        dimensions: how many directions to keep (at most H are returned).

    Returns:
        The coordinates [N, min(dimensions, H)] and the share of the variance that each direction
        explains.
    """
    centred = points - points.mean(axis=0) if len(points) else points
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    variance = singular**2
    share = variance / max(variance.sum(), np.finfo(float).tiny)
    return centred @ directions[:dimensions].T, share[:dimensions]


def plot_hidden_states(
    hidden: np.ndarray,
    colourings: Mapping[str, np.ndarray],
    initial: np.ndarray | None = None,
    title: str = "Hidden states",
    max_lines: int = 12,
) -> Figure:
    """Draws hidden states as points, one panel for each colouring, with a few trajectories through
    them.

    One hidden unit is drawn over time, two directly, more in their first three principal
    directions.

    Args:
        hidden: [B, T, H] hidden state after each input.
        colourings: what to colour by (such as a state or a register) -> [B, T] integers.
        initial: [H] hidden state before the first input, marked with a cross where it is given.
        title: figure title.
        max_lines: sequences whose trajectory is drawn as a line.
    """
    hidden = np.asarray(hidden, float)
    finite = np.isfinite(hidden).all(
        axis=(1, 2)
    )  # a network may diverge on sequences that it was not trained on
    hidden, colourings = (
        hidden[finite],
        {name: _as_numbers(values)[finite] for name, values in colourings.items()},
    )
    start = np.zeros((1, 0)) if initial is None else np.asarray(initial, float)[None]
    coordinates, origin, names = _coordinates(hidden, start)
    paths = coordinates.reshape(*hidden.shape[:2], coordinates.shape[1])[:max_lines]
    columns = 2 if len(colourings) in (2, 4) else min(len(colourings), 3)
    rows = math.ceil(len(colourings) / columns)
    figure = Figure(figsize=(4.6 * columns, 4.2 * rows), layout="constrained")
    for position, (name, values) in enumerate(colourings.items(), start=1):
        three = coordinates.shape[1] == 3
        axes = figure.add_subplot(
            rows, columns, position, **({"projection": "3d"} if three else {})
        )
        for path in paths:
            axes.plot(*path.T, color="0.75", linewidth=0.6, zorder=1)
        axes.plot(*origin.T, "kx", markersize=9, markeredgewidth=2, zorder=5)
        _scatter_by_value(figure, axes, coordinates, values.reshape(-1), name)
        for direction, label in zip("xyz", names):
            axes.set(**{f"{direction}label": label})
        axes.tick_params(labelsize=7)
        axes.set_title(f"coloured by {name}", fontsize=10)
    figure.suptitle(title)
    return figure


def _as_numbers(values: np.ndarray) -> np.ndarray:
    """Integers of any size as int64, very large ones cut off."""
    values = np.asarray(values)
    return np.clip(values, -(2**62), 2**62).astype(np.int64) if values.dtype == object else values


def _coordinates(hidden: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Where to draw hidden states [B, T, H] and the initial one [1, H] (or none): [B T, D], [1, D],
    names of axes.
    """
    batch, time, width = hidden.shape
    flat = hidden.reshape(-1, width)
    if width == 1:
        steps = np.tile(np.arange(1, time + 1), batch)
        return (
            np.stack([steps, flat[:, 0]], axis=1),
            np.array([[0.0, *row] for row in start if len(row)]).reshape(-1, 2),
            ["step", "$h_1$"],
        )
    if width == 2:
        return flat, start.reshape(-1, 2), ["$h_1$", "$h_2$"]
    all_points = np.concatenate([flat, start]) if start.size else flat
    projected, share = principal_axes(all_points, 3)
    return (
        projected[: len(flat)],
        projected[len(flat) :],
        [f"direction {k + 1} ({part:.0%})" for k, part in enumerate(share)],
    )


def _scatter_by_value(
    figure: Figure, axes: Axes, coordinates: np.ndarray, values: np.ndarray, name: str
) -> None:
    distinct = np.unique(values)
    if len(distinct) <= MAX_COLOURS_IN_LEGEND:
        named = (
            len(distinct) <= 10 and name == "state"
        )  # states have no order; registers and outputs do
        palette = (
            colormaps["tab10"](np.arange(len(distinct)))
            if named
            else colormaps["viridis"](np.linspace(0, 0.93, len(distinct)))
        )
        for colour, value in zip(palette, distinct):
            style = POINTS | {"color": colour, "label": str(value)}
            axes.scatter(*coordinates[values == value].T, **style)
        if len(distinct):
            axes.legend(
                title=name.removeprefix("register "),
                fontsize=7,
                title_fontsize=7,
                markerscale=1.5,
                loc="best",
            )
    else:
        points = axes.scatter(*coordinates.T, **POINTS | {"c": values, "cmap": "viridis"})
        figure.colorbar(points, ax=axes, shrink=0.7, label=name)


def plot_automaton(
    transitions: np.ndarray,
    outputs: np.ndarray,
    letters: Sequence[npt.ArrayLike],
    initial: int = 0,
    title: str = "The machine",
) -> Figure:
    """Draws a finite-state machine as a graph; the initial state has a bold ring.

    Args:
        transitions: [S, A] next state of state s on letter a.
        outputs: [S, A] or [S, A, O] what is written on that transition (Mealy), or [S] in that
            state (Moore).
        letters: [A] the letters, as they are shown.
        initial: index of the state before the first input.
        title: figure title.
    """
    transitions, outputs = np.asarray(transitions), np.asarray(outputs)
    states, mealy = transitions.shape[0], outputs.ndim > 1
    graph = _graph(transitions, outputs, letters)
    place = _layout(graph)
    width = min(4.0 + 0.35 * states, MAX_INCHES)
    figure = Figure(figsize=(width + 0.8, width if states > 2 else 2.8), layout="constrained")
    axes = figure.add_subplot()
    _draw_edges(axes, graph, place, with_letters=states <= MAX_STATES_WITH_LETTERS)
    networkx.draw_networkx_nodes(
        graph,
        place,
        ax=axes,
        node_size=_node_size(states),
        node_color="#dce9f7",
        edgecolors=["black" if state == initial else "0.3" for state in graph],
        linewidths=[3.2 if state == initial else 1.0 for state in graph],
    )
    written = "" if mealy else "\nwrites {}"
    names = {s: f"{s}" + written.format(_shown(outputs[s])) for s in graph}
    networkx.draw_networkx_labels(graph, place, names, ax=axes, font_size=8)
    axes.set_title(
        f"{title}: {states} state{'s' * (states != 1)}, "
        f"{'input/output' if mealy else 'input'} on the arrows; bold ring: start",
        fontsize=9,
    )
    axes.margins(0.18)
    axes.set_aspect("equal", adjustable="datalim")
    axes.axis("off")
    return figure


def _graph(
    transitions: np.ndarray, outputs: np.ndarray, letters: Sequence[npt.ArrayLike]
) -> networkx.DiGraph:
    """One edge for all letters that lead from a state to another; its `text` names them."""
    mealy = outputs.ndim > 1
    texts: dict[tuple[int, int], list[str]] = {}
    for state, targets in enumerate(transitions.tolist()):
        for index, (letter, target) in enumerate(zip(letters, targets)):
            text = f"{_shown(letter)}/{_shown(outputs[state, index])}" if mealy else _shown(letter)
            texts.setdefault((state, target), []).append(text)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(transitions)))
    graph.add_edges_from((*edge, {"text": _edge_label(said)}) for edge, said in texts.items())
    return graph


def _layout(graph: networkx.DiGraph) -> dict[int, np.ndarray]:
    """Positions with the symmetric part of the graph in mind; a circle where that is degenerate."""
    if len(graph) <= 2:
        return {state: np.array([1.4 * state, 0.0]) for state in graph}
    undirected = networkx.Graph(graph.to_undirected())
    undirected.remove_edges_from(list(networkx.selfloop_edges(undirected)))
    if len(graph) <= 6 or not networkx.is_connected(undirected):
        return networkx.circular_layout(graph)
    return networkx.kamada_kawai_layout(undirected)


def _draw_edges(
    axes: Axes, graph: networkx.DiGraph, place: Mapping[int, np.ndarray], with_letters: bool
) -> None:
    """Arrows bent apart where there are two ways between two states, with their letters nearer to
    the source.
    """
    size = _node_size(len(graph))
    style = {"ax": axes, "connectionstyle": "arc3,rad=0.16", "node_size": size}
    networkx.draw_networkx_edges(graph, place, arrowsize=11, edge_color="0.35", **style)
    if with_letters:
        networkx.draw_networkx_edge_labels(
            graph,
            place,
            networkx.get_edge_attributes(graph, "text"),
            label_pos=0.38,
            font_size=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
            rotate=False,
            **style,
        )


def _node_size(states: int) -> int:
    """Area of a state's circle in square points."""
    return 1100 if states <= MAX_STATES_WITH_LARGE_CIRCLES else 350


def _edge_label(labels: Sequence[str]) -> str:
    if len(labels) <= MAX_LETTERS_ON_AN_EDGE:
        return ", ".join(labels) if sum(map(len, labels)) <= 16 else "\n".join(labels)
    return ", ".join(labels[:2]) + f" ...\n({len(labels)} letters)"


def _shown(value: npt.ArrayLike) -> str:
    """A letter or an output as text: `1`, `01` for (0, 1), `-1,3` where digits alone would be
    ambiguous.
    """
    parts = [
        int(part) if isinstance(part, bool) else part for part in np.atleast_1d(value).tolist()
    ]
    if all(isinstance(part, int) and 0 <= part <= 9 for part in parts):
        return "".join(map(str, parts))
    return ",".join(map(str, parts))
