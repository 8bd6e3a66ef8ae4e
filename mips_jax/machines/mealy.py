"""Mealy machines: finite machines with outputs on their transitions, minimised and run.

Axes: S states, A letters, W words, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.machines.forms import aalpy_machine, dot_text
from mips_jax.symbols import Symbols

_FORMAT = "mealy-1"  # of the JSON text


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Mealy:
    """A finite machine with outputs on its transitions; state 0 is the initial one.

    `Mealy.of` checks what it is given; the plain constructor is for tables that are known to be
    right.

    Attributes:
        letters: [A, I] inputs, all different.
        transition: [S, A] next state, 0..S-1.
        output: [S, A, O] integers written.
    """

    letters: np.ndarray
    transition: np.ndarray
    output: np.ndarray

    @classmethod
    def of(cls, letters, transition, output) -> Mealy:
        """A machine from any nested sequences of integers.

        Args:
            letters: [A, I]; [A] where one input is read a step.
            transition: [S, A] next state.
            output: [S, A, O]; [S, A] where one output is written a step.

        Raises:
            RequestError: shapes do not agree, numbers are no integers, two letters are the same, or
                a next state is none of the states; all that is wrong in one message.

        >>> parity = Mealy.of([0, 1], [[0, 1], [1, 0]], [[0, 1], [1, 0]])
        >>> parity.run(parity.index_of(np.array([[[1], [0], [1]]])))[0].ravel().tolist()
        [1, 1, 0]
        """
        letters = _integers("letters", letters)
        transition = _integers("transitions", transition)
        output = _integers("outputs", output)
        letters = letters[:, None] if letters.ndim == 1 else letters
        output = output[:, :, None] if output.ndim == 2 else output
        problems = _problems(letters, transition, output)
        if problems:
            raise RequestError("this is no Mealy machine: " + "; ".join(problems))
        return cls(letters, transition, output)

    @property
    def states(self) -> int:
        return self.transition.shape[0]

    def __repr__(self) -> str:
        letters, outputs = len(self.letters), len(np.unique(self.output))
        return f"Mealy({self.states} states, {letters} letters, {outputs} different outputs)"

    def run(self, words: np.ndarray) -> np.ndarray:
        """Letter indices [W, T] -> outputs [W, T, O]."""
        start = np.zeros((len(words), 1), np.int64)
        before = np.concatenate([start, self.trace(words)], axis=1)[:, : words.shape[1]]
        return self.output[before, words]

    def trace(self, words: np.ndarray) -> np.ndarray:
        """Letter indices [W, T] -> the state [W, T] after each letter."""
        states = np.empty(words.shape, np.int64)
        state = np.zeros(len(words), np.int64)
        for t in range(words.shape[1]):
            state = self.transition[state, words[:, t]]
            states[:, t] = state
        return states

    def index_of(self, words: np.ndarray) -> np.ndarray:
        """Words [..., I] of inputs -> indices [...] of their letters.

        Raises:
            RequestError: an input is none of the machine's letters.
        """
        words = np.asarray(words)
        if words.ndim == 0 or words.shape[-1] != self.letters.shape[1]:
            raise RequestError(
                f"words of shape {list(words.shape)}; the machine reads {self.letters.shape[1]} "
                "integers a step, the last axis"
            )
        given = words.reshape(-1, words.shape[-1])
        both = np.concatenate([self.letters, given])
        codes = np.unique(both, axis=0, return_inverse=True)[1].ravel()
        index = np.full(len(both), -1)
        index[codes[: len(self.letters)]] = np.arange(len(self.letters))
        found = index[codes[len(self.letters) :]]
        if (found < 0).any():
            strange = given[int(np.argmax(found < 0))].tolist()
            raise RequestError(
                f"{strange} is none of the machine's {len(self.letters)} letters "
                f"(from {self.letters.min(axis=0).tolist()} to {self.letters.max(axis=0).tolist()})"
            )
        return found.reshape(words.shape[:-1])

    def to_json(self) -> str:
        """The machine as JSON; `from_json` reads it back."""
        names = ("letters", "transition", "output")
        return json.dumps({"format": _FORMAT, **{n: getattr(self, n).tolist() for n in names}})

    def to_dot(self, symbols: Symbols | None = None) -> str:
        """The machine as DOT, for Graphviz and for AALpy; see `machines.forms.dot_text`."""
        return dot_text(self.letters, self.transition, self.output, symbols)

    def to_aalpy(self) -> Any:
        """The machine as AALpy's `MealyMachine`; see `machines.forms.aalpy_machine`."""
        return aalpy_machine(self.letters, self.transition, self.output)

    @classmethod
    def from_json(cls, text: str) -> Mealy:
        """The machine that `to_json` wrote.

        Raises:
            RequestError: the text is no such JSON, or the tables make no machine.
        """
        try:
            record = json.loads(text)
            written, *tables = (record[n] for n in ("format", "letters", "transition", "output"))
        except (ValueError, TypeError, KeyError) as error:
            raise RequestError(
                f"this is no machine as JSON ({error!r}); an object with format, letters, "
                "transition and output is needed, as Mealy.to_json writes it"
            ) from error
        if written != _FORMAT:
            raise RequestError(f"a machine of format {written!r}; only {_FORMAT!r} can be read")
        return cls.of(*tables)


def minimised(machine: Mealy) -> Mealy:
    """The smallest equivalent machine (partition refinement), states numbered breadth first from
    the initial one.
    """
    rows = machine.output.reshape(machine.states, -1)
    block = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    while True:
        table = np.concatenate([block[:, None], block[machine.transition]], axis=1)
        finer = np.unique(table, axis=0, return_inverse=True)[1].ravel()
        if finer.max() == block.max():
            break
        block = finer
    order, number = [0], {int(block[0]): 0}
    for state in order:
        for target in machine.transition[state]:
            if int(block[target]) not in number:
                number[int(block[target])] = len(order)
                order.append(int(target))
    transition = np.array([[number[int(block[t])] for t in machine.transition[s]] for s in order])
    return Mealy(machine.letters, transition, machine.output[order])


def _integers(name: str, values) -> np.ndarray:
    """Nested integers as int64."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise RequestError(f"the {name} of a machine are ragged: {error}") from error
    if array.dtype.kind not in "bi":
        raise RequestError(
            f"the {name} of a machine are {array.dtype}; they must be integers within int64"
        )
    return array.astype(np.int64)


def _problems(letters: np.ndarray, transition: np.ndarray, output: np.ndarray) -> list[str]:
    """All that keeps three int64 arrays from being a machine."""
    if (letters.ndim, transition.ndim, output.ndim) != (2, 2, 3):
        shapes = ", ".join(str(list(a.shape)) for a in (letters, transition, output))
        return [
            f"letters, transitions and outputs have shapes {shapes}; "
            "[A, I], [S, A] and [S, A, O] are needed"
        ]
    states, count = transition.shape
    if not (states and count and letters.shape[1] and output.shape[2]):
        return ["there must be a state, a letter, an input and an output at least"]
    problems = []
    if len(letters) != count:
        problems.append(f"{len(letters)} letters, but {count} columns of transitions")
    if output.shape[:2] != transition.shape:
        problems.append(
            f"outputs for {list(output.shape[:2])} states and letters, transitions for "
            f"{list(transition.shape)}"
        )
    if len(np.unique(letters, axis=0)) < len(letters):
        problems.append("two of the letters are the same")
    if transition.min() < 0 or transition.max() >= states:
        problems.append(
            f"next states {transition.min()}..{transition.max()}; allowed are 0..{states - 1}"
        )
    return problems
