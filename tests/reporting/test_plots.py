"""Figures are drawn for every shape that a run can bring; what they show is checked where it can be
read back.
"""

import itertools

import numpy as np
import pytest

from mips_jax.reporting import plots
from mips_jax.reporting.hidden_states import principal_axes
from tests.reporting import machine_runs

RNG = np.random.default_rng(0)


def test_principal_axes_find_the_plane_that_the_points_lie_in():
    plane = RNG.normal(size=(200, 2)) * [5.0, 2.0]
    directions, _ = np.linalg.qr(RNG.normal(size=(6, 2)))
    coordinates, share = principal_axes(plane @ directions.T, 3)
    assert coordinates.shape == (200, 3)
    np.testing.assert_allclose(share.sum(), 1.0)
    np.testing.assert_allclose(coordinates[:, 2], 0.0, atol=1e-9)
    distances = lambda points: np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.testing.assert_allclose(distances(coordinates), distances(plane), atol=1e-9)


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_hidden_states_of_any_width_are_drawn_once_for_each_colouring(width, tmp_path):
    hidden = RNG.normal(size=(6, 5, width))
    few, many = RNG.integers(0, 3, (6, 5)), np.arange(30).reshape(6, 5)
    figure = plots.plot_hidden_states(
        hidden, {"state": few, "register count": many}, initial=np.zeros(width)
    )
    titles = [axes.get_title() for axes in figure.axes]
    assert "coloured by state" in titles and "coloured by register count" in titles
    assert plots.save(figure, tmp_path / "hidden.png").stat().st_size > 5_000


def test_diverging_sequences_are_left_out_and_huge_registers_cut_off(tmp_path):
    hidden = RNG.normal(size=(4, 5, 3))
    hidden[1, 3] = np.inf
    registers = np.full((4, 5), 10**400, dtype=object)
    plots.save(plots.plot_hidden_states(hidden, {"register r": registers}), tmp_path / "hidden.png")
    plots.save(
        plots.plot_hidden_states(np.full((2, 5, 3), np.nan), {"output": np.zeros((2, 5))}),
        tmp_path / "nothing.png",
    )


@pytest.mark.parametrize("states", [1, 2, 3, 7, 30])
def test_machines_of_any_size_are_drawn_with_every_state_and_its_start_marked(states, tmp_path):
    letters = range(3)
    transitions = np.array(
        [[(state + letter) % states for letter in letters] for state in range(states)]
    )
    outputs = (transitions + np.arange(3)) % 2
    figure = plots.plot_automaton(transitions, outputs, letters)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {str(state) for state in range(states)} <= set(texts)
    assert f"{states} state" in figure.axes[0].get_title()
    rings = np.array(figure.axes[0].collections[-1].get_linewidths())
    assert rings[0] > 3 and (rings[1:] < 2).all() and len(rings) == states
    assert plots.save(figure, tmp_path / "machine.png").stat().st_size > 2_000


@pytest.mark.parametrize(("states", "with_letters"), [(24, True), (25, False)])
def test_letters_are_on_the_arrows_of_all_but_large_machines(states, with_letters):
    transitions = np.stack([np.arange(states), (np.arange(states) + 1) % states], axis=1)
    figure = plots.plot_automaton(transitions, np.zeros((states, 2), int), ["stay", "go"])
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown.count("stay/0") == shown.count("go/0") == states * with_letters


def test_texts_of_24_states_lie_apart():
    drawn = plots.plot_machine(machine_runs.shown(24).drawn)
    drawn.png()
    renderer = drawn.canvas.get_renderer()
    texts = drawn.axes[0].texts
    boxes = [text.get_window_extent(renderer) for text in texts]
    touching = [
        (a.get_text(), b.get_text())
        for (a, first), (b, second) in itertools.combinations(zip(texts, boxes), 2)
        if first.overlaps(second)
    ]
    assert len(texts) == 24 + 48 and len(touching) <= 4  # where an arrow passes another state


def test_a_hundred_letters_are_what_they_have_in_common():
    digits = np.array(list(itertools.product(range(10), repeat=2)))
    total = digits.sum(axis=1) + np.array([[0], [1]])
    figure = plots.plot_automaton(total // 10, total % 10, digits)
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {"a + b < 10 / a + b", "a + b > 9 / a + b - 10"} <= shown
    assert {"a + b < 9 / a + b + 1", "a + b > 8 / a + b - 9"} <= shown


def test_edges_between_the_same_states_are_merged_and_states_may_write():
    figure = plots.plot_automaton(np.zeros((1, 9), int), np.zeros((1, 9), int), range(9))
    assert "any/0" in [text.get_text() for text in figure.axes[0].texts]
    transitions = np.array([[0, 1], [0, 1]])
    figure = plots.plot_automaton(transitions, np.array([1, 0]), [(0, 1), (-3, 12)])
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert {"(0,1)", "(-3,12)", "0\n\u21921", "1\n\u21920"} == set(shown)


def test_a_picture_shows_itself_in_a_notebook():
    figure = plots.plot_automaton(np.zeros((1, 2), int), np.zeros((1, 2), int), range(2))
    assert figure._repr_png_().startswith(b"\x89PNG") and len(figure._repr_png_()) > 2_000


def test_training_curves_are_drawn_where_members_stop_at_different_steps(tmp_path):
    steps = np.array([[100.0, 100.0], [200.0, np.nan]])
    accuracy, loss = np.array([[0.1, 0.2], [1.0, np.nan]]), np.array([[0.5, 0.4], [0.01, np.nan]])
    figure = plots.plot_training(steps, accuracy, loss, chosen=0)
    assert figure.axes[0].get_yscale() == "log"
    assert plots.save(figure, tmp_path / "training.png").stat().st_size > 5_000
    plots.save(
        plots.plot_training(steps, accuracy, np.full((2, 2), np.nan)),
        tmp_path / "nothing_finite.png",
    )
