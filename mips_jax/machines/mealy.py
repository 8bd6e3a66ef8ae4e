"""Mealy machines: finite machines with outputs on their transitions, minimised and run.

Axes: S states, A letters, W words, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Mealy:
    """A finite machine with outputs on its transitions; state 0 is the initial one.

    Attributes:
        letters: [A, I] inputs.
        transition: [S, A] next state.
        output: [S, A, O] integers written.
    """

    letters: np.ndarray
    transition: np.ndarray
    output: np.ndarray

    @property
    def states(self) -> int:
        return self.transition.shape[0]

    def run(self, words: np.ndarray) -> np.ndarray:
        """Letter indices [W, T] -> outputs [W, T, O]."""
        state = np.zeros(len(words), np.int64)
        outputs = []
        for t in range(words.shape[1]):
            outputs.append(self.output[state, words[:, t]])
            state = self.transition[state, words[:, t]]
        return np.stack(outputs, axis=1)


def minimised(machine: Mealy) -> Mealy:
    """The smallest equivalent machine (partition refinement), states numbered breadth first from
    the initial one.
    """
    block = np.unique(machine.output.reshape(machine.states, -1), axis=0, return_inverse=True)[
        1
    ].ravel()
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
