"""A machine as it is drawn: one edge for all letters between two states, what stands on it, and
where the states lie.

Axes: S states, A letters, C classes of letters, O outputs a step.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import networkx
import numpy as np
import numpy.typing as npt

from mips_jax.reporting.letters import Alphabet, named
from mips_jax.symbols import Alphabet as Signs
from mips_jax.symbols import Symbols

MOST_GROUPS_ON_AN_EDGE = 4  # outputs that are told apart there; beyond, the first ones and a count
MOST_STATES_BY_STRESS = 100  # larger machines are laid out by springs: stress takes seconds


@dataclasses.dataclass(frozen=True)
class MachineGraph:
    """A machine to be drawn.

    Attributes:
        transition: [S, A] next state.
        output: [S, A, O] what is written, or None where states write.
        alphabet: names of the letters.
        classes: letters that do the same in every state, by index; in the order of their first.
        writes: [S] what each state writes, as text, where that depends on the state alone that a
            transition leads to; None where it depends on the transition.
        graph: an edge from each state to each that some letters lead to, whose indices are its
            `letters`.
        signs: what the integers of each output stand for; empty where they are numbers.
    """

    transition: np.ndarray
    output: np.ndarray | None
    alphabet: Alphabet
    classes: tuple[tuple[int, ...], ...]
    writes: tuple[str, ...] | None
    graph: networkx.DiGraph
    signs: tuple[Signs | None, ...] = ()

    @property
    def states(self) -> int:
        return len(self.transition)

    @property
    def legend(self) -> str:
        """What the texts on arrows and in circles are."""
        if self.writes is not None:
            return "input on the arrows, → what is written on entering a state"
        return "input/output on the arrows"

    def node_text(self, state: int) -> str:
        """The state's number, and below it what it writes where states do."""
        if self.writes is None or not self.writes[state]:
            return str(state)
        return f"{state}\n→{self.writes[state]}"

    @functools.cached_property
    def place(self) -> dict[int, np.ndarray]:
        """Where each state lies, [2] about -1 to 1; the same each time."""
        if self.states <= 2:
            return {state: np.array([1.4 * state, 0.0]) for state in self.graph}
        undirected = networkx.Graph(self.graph.to_undirected())
        undirected.remove_edges_from(list(networkx.selfloop_edges(undirected)))
        if self.states <= 6 or not networkx.is_connected(undirected):
            return networkx.circular_layout(self.graph)
        if self.states <= MOST_STATES_BY_STRESS:
            return networkx.kamada_kawai_layout(undirected)
        return networkx.spring_layout(undirected, seed=0, iterations=40)

    def text(self, source: int, target: int) -> str:
        """What stands on an edge."""
        chosen = list(self.graph.edges[source, target]["letters"])
        if self.writes is not None or self.output is None:
            return self.alphabet.described(chosen)
        return _text(self.alphabet, chosen, self.output[source, chosen], self.signs)

    def written(self, state: int, letter: int) -> str:
        """What is written on a transition; empty where states write."""
        if self.output is None:
            return ""
        return named(self.output[state, letter][None], self.signs)[0]


def machine_graph(
    transition: np.ndarray,
    output: np.ndarray,
    letters: Sequence[npt.ArrayLike] | np.ndarray,
    symbols: Symbols | None = None,
) -> MachineGraph:
    """A machine with the names of its letters.

    Args:
        transition: [S, A] next state of state s on letter a.
        output: [S, A] or [S, A, O] what is written on that transition (Mealy), or [S] in that
            state (Moore).
        letters: [A] or [A, I] integers, or texts.
        symbols: what the integers of letters and outputs stand for.
    """
    transition, output = np.asarray(transition), np.asarray(output)
    alphabet = Alphabet(letters, symbols.inputs if symbols else ())
    signs = symbols.outputs if symbols else ()
    if output.ndim == 1:
        writes: tuple[str, ...] | None = tuple(named(output[:, None], signs))
        full = None
    else:
        full = output if output.ndim == 3 else output[:, :, None]
        writes = _written_by_states(transition, full, signs)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(transition)))
    ways: dict[tuple[int, int], list[int]] = {}
    for state, targets in enumerate(transition.tolist()):
        for letter, target in enumerate(targets):
            ways.setdefault((state, target), []).append(letter)
    for (state, target), chosen in ways.items():
        graph.add_edge(state, target, letters=tuple(chosen))
    classes = _classes(transition, full)
    return MachineGraph(transition, full, alphabet, classes, writes, graph, signs)


def _written_by_states(
    transition: np.ndarray, output: np.ndarray, signs: Sequence[Signs | None]
) -> tuple[str, ...] | None:
    """What each state writes on being entered, empty for one that never is; None where that depends
    on more, or nothing but one output is ever written.
    """
    texts = named(output.reshape(-1, output.shape[2]), signs)
    if len(set(texts)) == 1:
        return None
    written: dict[int, str] = {}
    for target, text in zip(transition.ravel().tolist(), texts):
        if written.setdefault(target, text) != text:
            return None
    return tuple(written.get(state, "") for state in range(len(transition)))


def _classes(transition: np.ndarray, output: np.ndarray | None) -> tuple[tuple[int, ...], ...]:
    """Letters with the same column of transitions and outputs."""
    columns = transition.T
    if output is not None:
        written = output.transpose(1, 0, 2).reshape(output.shape[1], -1)
        columns = np.concatenate([columns, written], axis=1)
    found: dict[bytes, list[int]] = {}
    for letter, column in enumerate(np.ascontiguousarray(columns)):
        found.setdefault(column.tobytes(), []).append(letter)
    return tuple(map(tuple, found.values()))


def _text(
    alphabet: Alphabet, chosen: list[int], outputs: np.ndarray, signs: Sequence[Signs | None]
) -> str:
    """Letters and what is written after them, one line for each output, or one for all where one
    rule says it.
    """
    groups: dict[str, list[int]] = {}
    for letter, text in zip(chosen, named(outputs, signs)):
        groups.setdefault(text, []).append(letter)
    rule = alphabet.written(chosen, outputs, signs) if len(groups) > 1 else None
    lines = [] if len(groups) > MOST_GROUPS_ON_AN_EDGE and rule else _lines(alphabet, groups)
    ruled = [] if rule is None else [_over(alphabet.described(chosen), rule)]
    found = [option for option in (ruled, lines) if option]
    return "\n".join(min(found, key=lambda option: sum(map(len, option))))


def _lines(alphabet: Alphabet, groups: dict[str, list[int]]) -> list[str]:
    shown = list(groups.items())
    more = shown[MOST_GROUPS_ON_AN_EDGE:]
    lines = [_over(alphabet.described(c), text) for text, c in shown[:MOST_GROUPS_ON_AN_EDGE]]
    if more:
        lines.append(f"... ({sum(len(c) for _, c in more)} more letters)")
    return lines


def _over(letters: str, written: str) -> str:
    return f"{letters} / {written}" if " " in letters + written else f"{letters}/{written}"
