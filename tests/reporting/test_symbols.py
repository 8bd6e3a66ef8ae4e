"""Where a task is about symbols, pictures, the page and machine.dot show them and no numbers."""

import dataclasses
import itertools

import numpy as np
import pytest

from mips_jax.machines import Mealy
from mips_jax.reporting.hidden_states import hidden_states
from mips_jax.reporting.interactive import hidden_figure
from mips_jax.reporting.interactive_machine import machine_figure, table_figure
from mips_jax.reporting.letters import Alphabet
from mips_jax.reporting.machine_graph import machine_graph
from mips_jax.symbols import Symbols
from mips_jax.tasks import load_file_task
from tests.reporting import machine_runs

BRACKETS = Symbols((("(", ")"),), (("no", "yes"),))


@pytest.fixture
def shown():
    """Parity of the closing brackets, of letters 0 and 1 that are shown as symbols."""
    return dataclasses.replace(machine_runs.shown(2), symbols=BRACKETS)


def texts_of(picture):
    return {text.get_text() for axes in picture.axes for text in axes.texts}


def test_the_picture_of_the_machine_has_symbols(shown):
    assert texts_of(shown.picture("machine")) == {"0\n→no", "1\n→yes", "(", ")"}


def test_the_legend_of_hidden_states_has_the_symbols_of_outputs(shown):
    output = next(
        a for a in shown.picture("hidden_states").axes if a.get_title().endswith("output")
    )
    assert [text.get_text() for text in output.get_legend().get_texts()] == ["no", "yes"]


def test_pointing_at_a_hidden_state_says_symbols():
    machine = machine_runs.machine(2)
    states = hidden_states(
        machine_runs.network(machine), ((0, 1),), None, machine, 5, 10, symbols=BRACKETS
    )
    traces = hidden_figure(states)["data"]
    said = traces[-2]["hovertext"]  # coloured by the output; the last is the start
    for text, output in zip(said, states.outputs.ravel()):
        assert text.endswith(f"output {('no', 'yes')[output]}")
    first = " ".join("()"[letter] for letter in states.words[0, :, 0])
    assert said[4].startswith(f"after {first}<br>")


def test_the_page_has_symbols(shown):
    drawn = shown.drawn
    graph, table = machine_figure(drawn), table_figure(drawn)
    assert [b["label"] for b in graph["layout"]["updatemenus"][0]["buttons"]] == [
        *("all letters", "(", ")"),
    ]
    assert table["layout"]["xaxis"]["ticktext"] == ["(", ")"]
    assert "state 0, ): to 1, writes yes" in table["data"][0]["text"][0]
    assert "LETTERS" in shown._candidate_columns()[0].source  # as the printed program has them


def test_classes_of_symbols_are_listed_and_never_summed_up():
    letters = Alphabet(range(6), [tuple("abcdef")])
    assert letters.described([0, 2]) == "a, c"
    assert letters.described([0, 1, 2, 3, 4]) == "all but f"
    pairs = list(itertools.product(range(3), range(5)))
    mixed = Alphabet(pairs, [("push", "pop", "peek"), None])
    chosen = lambda rule: [i for i, pair in enumerate(pairs) if rule(*pair)]
    assert mixed.names[:2] == ["(push,0)", "(push,1)"]
    assert mixed.described(chosen(lambda a, b: a == 0)) == "a = push"
    assert mixed.described(chosen(lambda a, b: a != 1)) == "a != pop"
    assert mixed.described(chosen(lambda a, b: b > 2)) == "b > 2"
    assert mixed.described(chosen(lambda a, b: a == 2 and b < 3)) == "a = peek, b < 3"


def test_symbols_that_look_alike_are_told_apart():
    names = Alphabet(range(4), [(1, "1", " ", "b")]).names
    assert names == ["1", "'1'", "' '", "b"] and len(set(names)) == 4


def test_what_is_written_is_a_symbol_where_states_do_not_write():
    drawn = machine_graph([[0, 1], [0, 1]], [[0, 1], [1, 0]], [0, 1], BRACKETS)
    assert drawn.text(0, 1) == ")/yes" and drawn.written(1, 1) == "no"


def test_machine_dot_has_symbols_and_is_read_back_as_a_task(shown, tmp_path):
    path = tmp_path / "machine.dot"
    path.write_text(shown.machine.to_dot(shown.symbols))
    assert 's0 -> s1 [label=")/yes"];' in path.read_text()
    task = load_file_task(path)
    assert task.symbols == BRACKETS
    given = task.training_sequences(20, seed=0)
    run = shown.machine.run(shown.machine.index_of(given.inputs))
    np.testing.assert_array_equal(given.outputs, run)


@pytest.mark.parametrize("symbol", ["/", "a,b", '"', "", " "])
def test_machine_dot_has_numbers_where_a_symbol_would_be_misread(symbol):
    machine = Mealy.of([0, 1], [[0, 0]], [[0, 1]])
    text = machine.to_dot(Symbols.of([(symbol, "x")], [None]))
    assert 'label="0/0"' in text and 'label="1/1"' in text
