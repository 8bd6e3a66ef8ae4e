"""A task as a network: its hidden state is the state of the definition, and what was written last.

It stands where a trained network would, for questions about extraction alone: what is written
for a network that makes no mistakes? Extraction sees vectors of numbers, and never the definition.

Axes: B sequences, I inputs a step, H numbers of a state, O outputs a step.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from benchmarks.tasks.pairs import Pair
from benchmarks.tasks.second import PlainTask
from mips_jax.inputs import input_names
from mips_jax.networks import CallableNetwork
from mips_jax.tasks import StepTask, Task

Step = Callable[[object, tuple[int, ...]], tuple[object, tuple[int, ...]]]


def network_of(task: Task) -> CallableNetwork:
    """The network of a task that is defined step by step.

    Raises:
        TypeError: it is not.
    """
    match task:
        case Pair():
            initial, step = _of_pair(task)
        case PlainTask():
            initial, step = task.initial, lambda state, letter: task.step(state, *letter)
        case StepTask():
            single = task.input_dim == 1
            initial = task.initial if task.initial is not None else ()
            step = lambda state, letter: task.step(
                None if task.initial is None else state, letter[0] if single else letter
            )
        case _:
            raise TypeError(f"{task.name} is not defined step by step")
    return _network(task, initial, step)


def _network(task: Task, initial, step) -> CallableNetwork:
    known: dict[tuple, np.ndarray] = {}
    width = len(_flat(initial))

    def one(row: tuple[float, ...], letter: tuple[int, ...]) -> np.ndarray:
        if (row, letter) not in known:
            state = _shaped(initial, iter([int(v) for v in row[:width]]))
            after, written = step(state, letter)
            written = written if isinstance(written, tuple) else (written,)
            flat = _flat(after)
            if len(flat) != width:
                raise TypeError(f"the state of {task.name} changes its size")
            known[row, letter] = np.array([*flat, *map(int, written)], np.float64)
        return known[row, letter]

    def steps(hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        rows, letters = map(tuple, hidden.tolist()), map(tuple, np.asarray(inputs).tolist())
        return np.stack([one(*both) for both in zip(rows, letters)])

    return CallableNetwork(
        steps,
        lambda hidden: hidden[:, width:],
        np.array([*_flat(initial), *[0] * task.output_dim], np.float64),
        task.input_dim,
        trained_length=task.length,
    )


def _of_pair(pair: Pair) -> tuple[tuple, Step]:
    """(values of the registers, step) of a person's program."""
    start: dict = {}
    exec(pair.start, {}, start)
    names = [n for n in start if n != "outputs"]
    code = compile(ast.parse(pair.loop), f"<{pair.name}>", "exec")
    inputs = input_names(pair.input_dim)

    def step(state, letter):
        scope = dict(zip(names, state)) | dict(zip(inputs, letter)) | {"outputs": []}
        exec(code, scope)
        return tuple(scope[n] for n in names), scope["outputs"][0]

    return tuple(start[n] for n in names), step


def _flat(state) -> list[int]:
    if isinstance(state, tuple | list):
        return [number for part in state for number in _flat(part)]
    return [] if state is None else [int(state)]


def _shaped(like, numbers):
    """The next of the numbers in the shape of a state."""
    if isinstance(like, tuple | list):
        return type(like)(_shaped(part, numbers) for part in like)
    return next(numbers)
