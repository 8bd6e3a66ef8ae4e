"""The part of a machine in which it stays for good.

Axes: S states, A letters.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mips_jax.machines.mealy import Mealy, minimised


def recurrent_part(machine: Mealy) -> Mealy | None:
    """The states that every long word ends up in, if they are fewer than all; the new initial state
    is the one that writes most like the old one.

    None where the whole machine is one such part, or where it has several: then the first letters
    decide for good.
    """
    states, letters = machine.transition.shape
    sources = np.repeat(np.arange(states), letters)
    targets = machine.transition.ravel()
    graph = coo_array((np.ones(len(sources)), (sources, targets)), shape=(states, states))
    count, part = connected_components(graph, directed=True, connection="strong")
    left = np.zeros(count, bool)
    left[part[sources][part[sources] != part[targets]]] = True
    if count == 1 or (~left).sum() != 1:
        return None
    kept = np.flatnonzero(~left[part])
    same = (machine.output[kept] == machine.output[0]).sum(axis=(1, 2))
    first = int(kept[int(same.argmax())])
    order = [first, *(int(s) for s in kept if s != first)]
    number = np.zeros(states, np.int64)
    number[order] = np.arange(len(order))
    transition = number[machine.transition[order]]
    return minimised(Mealy(machine.letters, transition, machine.output[order]))
