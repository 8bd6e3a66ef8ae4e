"""A finite machine as a task: any word can be labelled, so it is judged at any length.

Axes: N sequences, T time, S states, A letters, I inputs a step, O outputs a step.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.machines import Mealy
from mips_jax.symbols import Symbols
from mips_jax.tasks.sampling import uniform
from mips_jax.tasks.task import InputRange, LabelledTask

_LENGTHS = 10, 60  # training lengths: at least, at most
_KEPT_ALIVE = 0.5  # share of words that avoid states without a way out, as far as they can
_SLIP = 0.1  # share of their letters that do not


class MachineTask(LabelledTask):
    """A task whose truth is a machine.

    Half of its words are drawn uniformly; the other half mostly keeps away from states that cannot
    be left, in which a random word would soon end.

    Args:
        name: of the task.
        machine: its letters are all integers of the input range, in lexicographic order.
        symbols: what the integers stand for.
        assumed: what was taken for granted when it was read.
    """

    def __init__(
        self,
        name: str,
        machine: Mealy,
        symbols: Symbols | None = None,
        assumed: tuple[str, ...] = (),
    ):
        self.name, self.machine, self.symbols, self.assumed = name, machine, symbols, assumed
        letters = machine.letters
        self.input_range: InputRange = tuple(
            (int(low), int(high)) for low, high in zip(letters.min(axis=0), letters.max(axis=0))
        )
        self.output_dim = machine.output.shape[2]
        reached = _reached(machine)
        low, high = _LENGTHS
        self.length = min(high, max(low, 3 * max(reached.values())))
        self.description = f"The machine of {machine.states} states in {name}."
        self._alive = _alive(machine)
        if len(np.unique(machine.output[sorted(reached)].reshape(-1, self.output_dim), axis=0)) < 2:
            raise RequestError(
                f"{name}: the machine writes the same after every word, so there is nothing to "
                "learn; is the initial state the right one, and are accepting states marked?"
            )

    def label(self, inputs: np.ndarray) -> np.ndarray:
        return self.machine.run(self.machine.index_of(inputs))

    def draw(
        self, rng: np.random.Generator, input_range: InputRange, count: int, length: int
    ) -> np.ndarray:
        """Words [N, T, I]; see the class."""
        words = uniform(rng, input_range, count, length)
        if self._alive.all():
            return words
        kept = np.flatnonzero(rng.random(count) < _KEPT_ALIVE)
        state = np.zeros(len(kept), np.int64)
        indices = np.empty((len(kept), length), np.int64)
        for t in range(length):
            chances = rng.random((len(kept), self._alive.shape[1]))
            slips = rng.random((len(kept), 1)) < _SLIP
            indices[:, t] = np.argmax(np.where(self._alive[state] | slips, chances, -1.0), axis=1)
            state = self.machine.transition[state, indices[:, t]]
        words[kept] = self.machine.letters[indices]
        return words


def _reached(machine: Mealy) -> dict[int, int]:
    """Each state that some word reaches -> letters of the shortest one."""
    depth, todo = {0: 0}, deque([0])
    while todo:
        state = todo.popleft()
        for target in machine.transition[state]:
            if int(target) not in depth:
                depth[int(target)] = depth[state] + 1
                todo.append(int(target))
    return depth


def _alive(machine: Mealy) -> np.ndarray:
    """[S, A] bool: letters that do not lead to a state that no word leaves; all of them where each
    one does.
    """
    itself = np.arange(machine.states)[:, None]
    trap = (machine.transition == itself).all(axis=1)
    alive = ~trap[machine.transition]
    return alive | ~alive.any(axis=1, keepdims=True)
