"""Finite machines as tasks: `.dot` (graphviz, AALpy, flexfringe), our own JSON, AALpy's objects.

An arrow `a/1` reads a and writes 1 (Mealy). Else a state's second part (`s0|1`) is written whenever
it is entered (Moore), or 1 where it is accepting (double circle) and 0 where not (DFA).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.machines import Mealy
from mips_jax.symbols import Symbols
from mips_jax.tasks.files.cells import Kind, kind_of
from mips_jax.tasks.files.codes import coded
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.dot_graphs import Graph, parsed
from mips_jax.tasks.files.table import Reading
from mips_jax.tasks.files.text_records import LineProblems
from mips_jax.tasks.machine_task import MachineTask

_HEAD = re.compile(
    r"(\s|//[^\n]*\n|/\*.*?\*/|^#[^\n]*\n)*(strict\s+)?digraph\b", re.I | re.S | re.M
)
_VECTOR = re.compile(r"\(?\s*[+-]?\d+(?:\s*,\s*[+-]?\d+|\s+[+-]?\d+)+\s*\)?")
_INVISIBLE = ("none", "point", "plaintext", "plain")
_SINK = "states without an arrow for a letter lead to one that accepts nothing"
_MOST_CELLS = 4_000_000  # states times letters

Arrows = Mapping[tuple[Any, Any], tuple[Any, Any]]  # (state, letter) -> (state, output)


def is_dot(content: Content) -> bool:
    """By its ending, or by the word digraph at its head."""
    if content.suffix in (".dot", ".gv"):
        return True
    return content.is_text and bool(_HEAD.match(content.text[:10_000]))


def read_dot(content: Content, reading: Reading) -> MachineTask:
    """The machine that a graph shows.

    Raises:
        RequestError: it is no machine, or not a deterministic one.
    """
    name = content.name
    graph = parsed(content.text, name)
    start, states = _start(graph, name)
    if not states or not graph.arrows:
        raise RequestError(f"{name}: the graph has no arrows; give a machine's states and arrows")
    labelled = [(a, b, at.get("label", "").strip()) for a, b, at in graph.arrows if a in states]
    silent = [(a, b) for a, b, label in labelled if not label]
    if silent:
        raise RequestError(
            f"{name}: the arrow from {silent[0][0]} to {silent[0][1]} has no label; label each "
            "with the letter that it reads"
        )
    mealy = all("/" in label for _, _, label in labelled)
    written = {} if mealy else _written_by_state(graph, states, name)
    arrows: dict[tuple[str, str], tuple[str, Any]] = {}
    for source, target, label in labelled:
        for letter, output in _letters(label, mealy):
            pair = (target, output if mealy else written[target])
            if arrows.setdefault((source, letter), pair) != pair:
                raise RequestError(
                    f"{name}: two arrows of {source} read {letter}; give a deterministic machine"
                )
    dfa = not mealy and set(written.values()) <= {0, 1}
    return machine_task(name, start, arrows, sink=0 if dfa else None)


def _start(graph: Graph, name: str) -> tuple[str, list[str]]:
    """The initial state, and all states: nodes without those that only point to it."""
    entered = {target for _, target, _ in graph.arrows}
    pointers = {
        node
        for node, at in graph.nodes.items()
        if node not in entered
        and (at.get("shape", "") in _INVISIBLE or node.lower().startswith("__start"))
    }
    states = [node for node in graph.nodes if node not in pointers]
    pointed = {target for source, target, _ in graph.arrows if source in pointers}
    if len(pointed) > 1:
        raise RequestError(
            f"{name}: there are {len(pointed)} initial states ({', '.join(sorted(pointed))}); give "
            "one"
        )
    return (next(iter(pointed)) if pointed else states[0] if states else ""), states


def _written_by_state(graph: Graph, states: list[str], name: str) -> dict[str, Any]:
    """What each state writes when it is entered."""
    labels = {state: graph.nodes[state].get("label", state).strip("{} ") for state in states}
    if all("|" in label for label in labels.values()):
        return {state: label.rpartition("|")[2].strip() for state, label in labels.items()}
    if all("/" in label for label in labels.values()):
        return {state: label.rpartition("/")[2].strip() for state, label in labels.items()}
    accepting = {
        state: int(
            "doublecircle" in graph.nodes[state].get("shape", "")
            or graph.nodes[state].get("peripheries") == "2"
        )
        for state in states
    }
    if not any(accepting.values()):
        raise RequestError(
            f"{name}: neither arrows (a/1) nor states (s0|1) say what is written, and no state is "
            "accepting (shape=doublecircle); mark them"
        )
    return accepting


def _letters(label: str, mealy: bool) -> list[tuple[str, str | None]]:
    """(letter, output) of each of the letters on one arrow: `a`, `a, b`, `a/1`, `a/1\\nb/0`."""
    parts = [p.strip() for p in re.split(r"\n|,(?![^(]*\))", label)]
    parts = [part for part in parts if part] or [label]
    if not mealy:
        return [(part, None) for part in parts]
    found: list[tuple[str, str | None]] = []
    for part in reversed(parts):
        letter, slash, output = part.rpartition("/")
        found.append((letter.strip(), output.strip()) if slash else (part, found[-1][1]))
    return found[::-1]


def machine_task(
    name: str, start: Any, arrows: Arrows, sink: int | None = None, notes: tuple[str, ...] = ()
) -> MachineTask:
    """The task of a machine given by its arrows.

    Args:
        name: of the task.
        start: the initial state.
        arrows: (state, letter) -> (next state, output).
        sink: what a state writes to which missing arrows lead; None: they are refused.
    """
    states = list(dict.fromkeys([start, *(s for (s, _), (t, _) in arrows.items() for s in (s, t))]))
    letters = list(dict.fromkeys(letter for _, letter in arrows))
    missing = [(s, a) for s, a in itertools.product(states, letters) if (s, a) not in arrows]
    if len(states) * len(letters) > _MOST_CELLS:
        raise RequestError(f"{name}: {len(states)} states and {len(letters)} letters are too many")
    if missing and sink is None:
        raise RequestError(
            f"{name}: state {missing[0][0]} has no arrow for {missing[0][1]} ({len(missing)} "
            "such); say where it leads and what is written"
        )
    full = dict(arrows)
    if missing:
        trap = object()
        states.append(trap)
        full |= {pair: (trap, sink) for pair in [*missing, *((trap, a) for a in letters)]}
        notes += (_SINK,)
    codes, alphabet = _coded_letters(letters, name)
    written = [full[state, letter][1] for state in states for letter in letters]
    outputs, answers = _vectors(written, "the machine's output", name)
    order = np.lexsort(codes.T[::-1])
    number = {state: place for place, state in enumerate(states)}
    transition = np.array([[number[full[s, a][0]] for a in letters] for s in states])
    output = outputs.reshape(len(states), len(letters), -1)
    machine = Mealy.of(codes[order], transition[:, order], output[:, order])
    symbols = Symbols.of(alphabet, answers)
    for what, alphabets in (("letters", alphabet), ("outputs", answers)):
        if alphabets[0] is not None:
            notes += (f"{what}: {' '.join(map(str, alphabets[0][:12]))}",)
    return MachineTask(name, machine, symbols, notes)


def _coded_letters(letters: list, name: str) -> tuple[np.ndarray, tuple[tuple | None, ...]]:
    """[A, I] integers: the letters themselves where they are all vectors of a range, else numbered
    from 0 on, with the alphabet.
    """
    codes, alphabets = _vectors(letters, "a letter", name)
    spans = codes.max(axis=0) - codes.min(axis=0) + 1
    if len(np.unique(codes, axis=0)) == len(codes) == np.prod(spans.astype(float)):
        return codes, alphabets
    by_text = sorted(letters, key=lambda a: (not str(a).isdecimal(), str(a).zfill(12)))
    place = {letter: code for code, letter in enumerate(by_text)}
    return np.array([[place[letter]] for letter in letters]), (tuple(by_text),)


def _vectors(values: list, role: str, name: str) -> tuple[np.ndarray, tuple[tuple | None, ...]]:
    """[A, K] integers of texts such as `2` or `(0, 1)`, or of symbols, with their alphabets."""
    texts = [value if isinstance(value, str) else None for value in values]
    split = [
        tuple(value) if isinstance(value, tuple) else None if t is None else _vector(t)
        for value, t in zip(values, texts)
    ]
    vectors = [v for v in split if v and all(kind_of(n)[0] is Kind.WHOLE for n in v)]
    if len(vectors) == len(values) and len({len(v) for v in vectors}) == 1:
        width = len(vectors[0])
        return np.array([[kind_of(n)[1] for n in v] for v in vectors]), (None,) * width
    problems = LineProblems(name, "arrow")
    plain = [str(value) if isinstance(value, tuple) else value for value in values]
    column = coded(plain, role, range(len(values)), problems)
    problems.raise_if_any()
    return column.values[:, None], (column.alphabet,)


def _vector(text: str) -> tuple[str, ...] | None:
    return tuple(re.findall(r"[+-]?\d+", text)) if _VECTOR.fullmatch(text.strip()) else None


def from_mealy(name: str, machine: Mealy) -> MachineTask:
    """The task of a machine whose letters and outputs are integers."""
    letters = [tuple(row) for row in machine.letters.tolist()]
    plain = lambda row: row[0] if len(row) == 1 else tuple(row)
    arrows = {
        (state, plain(letter)): (
            int(machine.transition[state, place]),
            plain(machine.output[state, place].tolist()),
        )
        for state in range(machine.states)
        for place, letter in enumerate(letters)
    }
    return machine_task(name, 0, arrows)


def from_aalpy(name: str, automaton: Any) -> MachineTask:
    """The task of an automaton object of AALpy's: a DFA, Moore or Mealy machine.

    Raises:
        RequestError: it is of another kind, such as a stochastic one.
    """
    arrows: dict[tuple[Any, Any], tuple[Any, Any]] = {}
    dfa = True
    for state in automaton.states:
        for letter, target in state.transitions.items():
            if hasattr(state, "output_fun"):
                written, dfa = state.output_fun.get(letter), False
            elif hasattr(target, "is_accepting"):
                written = int(target.is_accepting)
            elif hasattr(target, "output"):
                written, dfa = target.output, False
            else:
                raise RequestError(
                    f"{name}: a {type(automaton).__name__} is none of DFA, Moore and Mealy machine"
                )
            arrows[id(state), letter] = (id(target), written)
    return machine_task(name, id(automaton.initial_state), arrows, sink=0 if dfa else None)
