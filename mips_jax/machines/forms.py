"""A machine in the forms that other tools read: Graphviz' DOT as AALpy writes it, and AALpy's own.

Axes: S states, A letters, I inputs a step, O outputs a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mips_jax.errors import RequestError


def dot_text(letters: np.ndarray, transition: np.ndarray, output: np.ndarray) -> str:
    """The machine as DOT: a node `s0`, `s1`, ... for each state, an edge `input/output` for each
    transition, and `__start0` before the initial state. Graphviz draws it, and AALpy's
    `load_automaton_from_file(path, "mealy")` reads it.

    Args:
        letters: [A, I]; several inputs a step are written as a tuple, `(1, 0)`.
        transition: [S, A] next state.
        output: [S, A, O], written like letters.

    >>> print(dot_text(np.array([[7]]), np.array([[0]]), np.array([[[1, 0]]])))
    digraph machine {
    s0 [label="s0"];
    s0 -> s0 [label="7/(1, 0)"];
    __start0 [shape=none, label=""];
    __start0 -> s0 [label=""];
    }
    <BLANKLINE>
    """
    states = range(len(transition))
    lines = [f's{state} [label="s{state}"];' for state in states]
    lines += [
        f's{state} -> s{target} [label="{_plain(letter)}/{_plain(written)}"];'
        for state in states
        for letter, target, written in zip(letters, transition[state].tolist(), output[state])
    ]
    start = ['__start0 [shape=none, label=""];', '__start0 -> s0 [label=""];']
    return "\n".join(["digraph machine {", *lines, *start, "}", ""])


def aalpy_machine(letters: np.ndarray, transition: np.ndarray, output: np.ndarray) -> Any:
    """The machine as AALpy's `MealyMachine`; arguments as for `dot_text`. Letters and outputs are
    integers, or tuples of them.

    Raises:
        RequestError: AALpy is not installed.
    """
    try:
        from aalpy.automata import MealyMachine
    except ImportError:
        raise RequestError(
            "AALpy is not installed; install it with: pip install 'aalpy>=1.4'"
        ) from None
    setup = {
        f"s{state}": {
            _plain(letter): (_plain(written), f"s{target}")
            for letter, target, written in zip(letters, transition[state].tolist(), output[state])
        }
        for state in range(len(transition))
    }
    return MealyMachine.from_state_setup(setup)


def _plain(values: np.ndarray) -> int | tuple[int, ...]:
    """One step's integers, a tuple where there are several."""
    several = tuple(values.tolist())
    return several if len(several) > 1 else several[0]
