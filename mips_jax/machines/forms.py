"""A machine in the forms that other tools read: Graphviz' DOT as AALpy writes it, and AALpy's own.

Axes: S states, A letters, I inputs a step, O outputs a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.symbols import Symbols

_MEANT_IN_DOT = set('/,"\\\n\r')  # a symbol with one of these could be misread


def dot_text(
    letters: np.ndarray,
    transition: np.ndarray,
    output: np.ndarray,
    symbols: Symbols | None = None,
) -> str:
    """The machine as DOT: a node `s0`, `s1`, ... for each state, an edge `input/output` for each
    transition, and `__start0` before the initial state. Graphviz draws it, and AALpy's
    `load_automaton_from_file(path, "mealy")` reads it.

    Args:
        letters: [A, I]; several inputs a step are written as a tuple, `(1, 0)`.
        transition: [S, A] next state.
        output: [S, A, O], written like letters.
        symbols: what stands in place of integers, unless one of them would be misread there.

    >>> print(dot_text(np.array([[7]]), np.array([[0]]), np.array([[[1, 0]]])))
    digraph machine {
    s0 [label="s0"];
    s0 -> s0 [label="7/(1, 0)"];
    __start0 [shape=none, label=""];
    __start0 -> s0 [label=""];
    }
    <BLANKLINE>
    """
    read, write = _spelled(symbols)
    states = range(len(transition))
    lines = [f's{state} [label="s{state}"];' for state in states]
    lines += [
        f's{state} -> s{target} [label="{read(letter)}/{write(written)}"];'
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


def _spelled(symbols: Symbols | None) -> tuple[Callable, Callable]:
    """How letters and outputs are written in DOT."""
    if symbols is None:
        return _plain, _plain
    names = [
        str(symbol) for alphabet in (*symbols.inputs, *symbols.outputs) for symbol in alphabet or ()
    ]
    if any(_MEANT_IN_DOT & set(name) or name.strip() != name or not name for name in names):
        return _plain, _plain
    return (
        lambda letter: _text(symbols.read([_plain(letter)])[0]),
        lambda written: _text(symbols.written(_plain(written))),
    )


def _text(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)


def _plain(values: np.ndarray) -> int | tuple[int, ...]:
    """One step's integers, a tuple where there are several."""
    several = tuple(values.tolist())
    return several if len(several) > 1 else several[0]
