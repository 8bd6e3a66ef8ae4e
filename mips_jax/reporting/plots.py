"""Pictures of one run: training curves, hidden-state trajectories, and the machine as a graph.

Every function takes plain arrays and returns a matplotlib figure that shows itself in a notebook;
`save` writes one. No display is needed.

Axes: P population, E evaluations, B sequences, T time, H hidden units, S states, A letters of the
    alphabet.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
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
from mips_jax.reporting.hidden_states import as_numbers, principal_axes
from mips_jax.reporting.machine_graph import MachineGraph, machine_graph

MAX_STATES_WITH_LARGE_CIRCLES = 12  # beyond, room is needed for the arrows
MAX_STATES_WITH_LETTERS = 24  # a larger machine is drawn without letters on its edges
MAX_INCHES = 14.0  # width of a machine's picture; a page in landscape
POINTS: dict[str, Any] = {"s": 14, "zorder": 2}  # of hidden states, above the trajectories
MAX_COLOURS_IN_LEGEND = 12  # more distinct values get a colour bar


class Picture(Figure):
    """A figure that shows itself in any notebook, whichever backend is in use."""

    def png(self, dpi: int = 130) -> bytes:
        """The figure as PNG, with so many pixels to the inch."""
        FigureCanvasAgg(self)
        written = io.BytesIO()
        self.savefig(written, format="png", dpi=dpi, bbox_inches="tight")
        return written.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png(dpi=80)

    def save(self, path: str | os.PathLike) -> Path:
        """Writes the figure as PNG, whole or not at all, and returns its path."""
        return write_bytes(Path(path), self.png())


def save(figure: Picture, path: Path) -> Path:
    """Writes the figure as PNG and returns its path."""
    return figure.save(path)


def plot_training(
    steps: np.ndarray,
    accuracy: np.ndarray,
    loss: np.ndarray,
    chosen: int | None = None,
    title: str = "Training",
) -> Picture:
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
    figure = Picture(figsize=(9, 3.4), layout="constrained")
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


def plot_hidden_states(
    hidden: np.ndarray,
    colourings: Mapping[str, np.ndarray],
    initial: np.ndarray | None = None,
    title: str = "Hidden states",
    max_lines: int = 12,
    label: Callable[[str, int], str] = lambda name, value: str(value),
) -> Picture:
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
        label: what a value of a colouring is called in the legend.
    """
    hidden = np.asarray(hidden, float)
    finite = np.isfinite(hidden).all(
        axis=(1, 2)
    )  # a network may diverge on sequences that it was not trained on
    hidden, colourings = (
        hidden[finite],
        {name: as_numbers(values)[finite] for name, values in colourings.items()},
    )
    start = np.zeros((1, 0)) if initial is None else np.asarray(initial, float)[None]
    coordinates, origin, names = _coordinates(hidden, start)
    paths = coordinates.reshape(*hidden.shape[:2], coordinates.shape[1])[:max_lines]
    columns = 2 if len(colourings) in (2, 4) else min(len(colourings), 3)
    rows = math.ceil(len(colourings) / columns)
    figure = Picture(figsize=(4.6 * columns, 4.2 * rows), layout="constrained")
    for position, (name, values) in enumerate(colourings.items(), start=1):
        three = coordinates.shape[1] == 3
        axes = figure.add_subplot(
            rows, columns, position, **({"projection": "3d"} if three else {})
        )
        for path in paths:
            axes.plot(*path.T, color="0.75", linewidth=0.6, zorder=1)
        axes.plot(*origin.T, "kx", markersize=9, markeredgewidth=2, zorder=5)
        _scatter_by_value(figure, axes, coordinates, values.reshape(-1), name, label)
        for direction, axis in zip("xyz", names):
            axes.set(**{f"{direction}label": axis})
        axes.tick_params(labelsize=7)
        axes.set_title(f"coloured by {name}", fontsize=10)
    figure.suptitle(title)
    return figure


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
    figure: Figure,
    axes: Axes,
    coordinates: np.ndarray,
    values: np.ndarray,
    name: str,
    label: Callable[[str, int], str],
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
            style = POINTS | {"color": colour, "label": label(name, value.item())}
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
    letters: Sequence[npt.ArrayLike] | np.ndarray,
    initial: int = 0,
    title: str = "The machine",
) -> Picture:
    """Draws a finite-state machine as a graph; the initial state has a bold ring.

    Letters between the same two states stand on one arrow, as what they have in common; where what
    is written depends on the state alone that is entered, it stands there and not on the arrows.

    Args:
        transitions: [S, A] next state of state s on letter a.
        outputs: [S, A] or [S, A, O] what is written on that transition (Mealy), or [S] in that
            state (Moore).
        letters: [A] or [A, I] integers, or texts.
        initial: index of the state before the first input.
        title: figure title.
    """
    return plot_machine(machine_graph(transitions, outputs, letters), initial, title)


def plot_machine(drawn: MachineGraph, initial: int = 0, title: str = "The machine") -> Picture:
    """`plot_automaton` of a machine that has been named and laid out."""
    states, graph, place = drawn.states, drawn.graph, drawn.place
    width = min(4.0 + 0.5 * states, MAX_INCHES)
    figure = Picture(figsize=(width + 0.8, width if states > 2 else 2.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_aspect("equal", adjustable="datalim")
    axes.axis("off")
    _draw_edges(axes, drawn)
    networkx.draw_networkx_nodes(
        graph,
        place,
        ax=axes,
        node_size=_node_size(states),
        node_color="#dce9f7",
        edgecolors=["black" if state == initial else "0.3" for state in graph],
        linewidths=[3.2 if state == initial else 1.0 for state in graph],
    )
    names = {state: drawn.node_text(state) for state in graph}
    networkx.draw_networkx_labels(graph, place, names, ax=axes, font_size=_text_size(states) + 1)
    axes.set_title(
        f"{title}: {states} state{'s' * (states != 1)}, {drawn.legend}; bold ring: start",
        fontsize=9,
    )
    axes.margins(0.1 if states > MAX_STATES_WITH_LARGE_CIRCLES else 0.18)
    return figure


def _draw_edges(axes: Axes, drawn: MachineGraph) -> None:
    """Arrows bent apart where there are two ways between two states, in the colour of the state
    that they leave, with their letters nearer to it.
    """
    graph, place, states = drawn.graph, drawn.place, drawn.states
    size = _node_size(states)
    palette = colormaps["tab10"](np.arange(10))[[0, 1, 2, 3, 4, 5, 6, 7, 9]] * [0.8, 0.8, 0.8, 1.0]
    colour = lambda state: "0.35" if states <= 2 else tuple(palette[state % len(palette)])
    for bent, rad in ((True, 0.16), (False, 0.0)):
        edges = [(a, b) for a, b in graph.edges if graph.has_edge(b, a) == bent]
        style = {"ax": axes, "node_size": size, "connectionstyle": f"arc3,rad={rad}"}
        colours = [colour(source) for source, _ in edges]
        networkx.draw_networkx_edges(
            graph, place, edgelist=edges, arrowsize=11, edge_color=colours, **style
        )
        if states > MAX_STATES_WITH_LETTERS:
            continue
        texts = networkx.draw_networkx_edge_labels(
            graph,
            place,
            {edge: drawn.text(*edge) for edge in edges},
            label_pos=0.36,
            font_size=_text_size(states),
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
            rotate=False,
            **style,
        )
        for (source, _), text in texts.items():
            text.set_color(colour(source))


def _node_size(states: int) -> int:
    """Area of a state's circle in square points."""
    return 1100 if states <= MAX_STATES_WITH_LARGE_CIRCLES else 420


def _text_size(states: int) -> float:
    return 8.0 if states <= MAX_STATES_WITH_LARGE_CIRCLES else 7.0
