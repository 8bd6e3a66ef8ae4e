"""What a task is: where sequences come from, and, for a definition in steps, how any input sequence
is labelled.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown
from mips_jax.inputs import InputRange
from mips_jax.sequences import Sample, Sequences
from mips_jax.symbols import Symbols
from mips_jax.tasks.judging import judging_sample
from mips_jax.tasks.sampling import uniform, uniform_distinct

TRAINING, SELECTION, LONG, JUDGING, LONG_SELECTION = range(5)
"""Independent streams of random numbers: no two of them share a draw, whatever the seeds."""

_STILL_SAFE = 2**31
"""Values beyond this leave int64 for Python integers; the square of a value within it still fits
into int64.
"""


class Task(abc.ABC):
    """A supervised problem on integer sequences; training sees nothing of it but `Sequences`.

    Attributes:
        name: how it is asked for.
        description: one sentence.
        input_range: one inclusive (low, high) for each of the I inputs.
        output_dim: O, the number of integers that come out at every step.
        length: T, the training length.
        symbols: what its integers stand for; None: themselves.
        assumed: what was taken for granted when it was read, one phrase each.
    """

    name: str
    description: str
    input_range: InputRange
    output_dim: int
    length: int
    symbols: Symbols | None = None
    assumed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}: {self.description})"

    @property
    def input_dim(self) -> int:
        """I, the number of integers that go in at every step."""
        return len(self.input_range)

    @abc.abstractmethod
    def training_sequences(self, count: int, seed: int) -> Sequences:
        """Sequences to train on."""

    @abc.abstractmethod
    def test_sequences(self, count: int, seed: int) -> Sequences:
        """Sequences of the training length to select networks by, drawn independently of the
        training ones. They judge nothing.
        """

    @abc.abstractmethod
    def judging_sample(self, count: int, seed: int, seen: Sequence[Sequences]) -> Sample:
        """Different sequences of the training length to judge by, drawn on a stream of their own.

        Args:
            count: sequences wanted.
            seed: of the draw.
            seen: what training and selection have seen; where others exist only these are drawn.
        """

    @abc.abstractmethod
    def long_sequences(self, count: int, length: int, seed: int) -> Sequences | None:
        """Sequences of another length to judge by; None where the truth is known for the given data
        only.
        """

    def labelled(self, inputs: np.ndarray) -> Sequences | None:
        """Inputs [N, T, I] of any length with their right outputs; None where nobody knows them."""
        return None

    def selection_at(self, count: int, length: int, seed: int) -> Sequences | None:
        """Sequences of another length to select by, never to judge; None as `long_sequences`."""
        return None


class LabelledTask(Task):
    """A task whose truth can be asked about any input sequence: inputs are drawn, then labelled."""

    draw: Callable[[np.random.Generator, InputRange, int, int], np.ndarray] = staticmethod(uniform)

    @abc.abstractmethod
    def label(self, inputs: np.ndarray) -> np.ndarray:
        """The right outputs.

        Args:
            inputs: [N, T, I] integers within the input range, any length T.

        Returns:
            [N, T, O] int64, or Python integers (dtype object) if one of them is beyond int64.
        """

    def training_sequences(self, count: int, seed: int) -> Sequences:
        return self._learnable(self._fresh(TRAINING, count, self.length, seed))

    def test_sequences(self, count: int, seed: int) -> Sequences:
        return self._learnable(self._fresh(SELECTION, count, self.length, seed))

    def judging_sample(self, count: int, seed: int, seen: Sequence[Sequences]) -> Sample:
        return judging_sample(
            self.draw,
            self.label,
            self.input_range,
            self.length,
            count,
            (seed, JUDGING),
            seen,
            "uniformly drawn"
            if self.draw in (uniform, uniform_distinct)
            else "drawn as in training",
        )

    def long_sequences(self, count: int, length: int, seed: int) -> Sequences | None:
        return self._fresh(LONG, count, length, seed)

    def labelled(self, inputs: np.ndarray) -> Sequences:
        return Sequences(inputs, self.label(inputs))

    def selection_at(self, count: int, length: int, seed: int) -> Sequences | None:
        return self._fresh(LONG_SELECTION, count, length, seed)

    def _learnable(self, sequences: Sequences) -> Sequences:
        """The sequences; refuses outputs that no network could be trained on."""
        largest = _largest(sequences.outputs)
        if largest > WIDEST:
            raise RequestError(
                f"{self.name} has outputs up to {shown(largest)} at length {self.length}; for "
                f"training they must be within ±{WIDEST}: choose a narrower input range or a "
                "shorter task.length"
            )
        return sequences

    def _fresh(self, stream: int, count: int, length: int, seed: int) -> Sequences:
        rng = np.random.default_rng((seed, stream))
        inputs = self.draw(rng, self.input_range, count, length)
        return Sequences(inputs, self.label(inputs))


@dataclasses.dataclass(frozen=True, repr=False)
class StepTask(LabelledTask):
    """A task defined step by step: `state, output = step(state, input)`.

    The step is written with operators that work on integers and on numpy arrays of them alike (`+
    // % ^ ==`, `np.where`, `np.maximum`, ...), because it is run on many sequences at once.

    Attributes:
        initial: the state before the first step: an integer, a tuple (nested if need be), or None
            without memory.
        step: takes the state and the input (a tuple when I > 1), returns the new state and the
            output (a tuple when O > 1; truth values count as 0 and 1).
        draw: `draw(rng, input_range, count, length) -> [N, T, I]`, the distribution of inputs.
    """

    name: str
    description: str
    input_range: InputRange
    step: Callable
    initial: object = None
    output_dim: int = 1
    length: int = 10
    draw: Callable[[np.random.Generator, InputRange, int, int], np.ndarray] = uniform

    def label(self, inputs: np.ndarray) -> np.ndarray:
        """See `LabelledTask.label`. Values that outgrow int64 go on as Python integers: always
        exact.
        """
        count, length, input_dim = inputs.shape
        letters = np.ascontiguousarray(inputs.transpose(1, 2, 0), dtype=np.int64)  # [T, I, N]
        outputs = np.empty((length, self.output_dim, count), np.int64)
        state = self.initial
        exceeds = False
        for t in range(length):
            exceeds = exceeds or _largest(state) > _STILL_SAFE
            if exceeds:
                state, letter = _as_python_integers(state), letters[t].astype(object)
            else:
                letter = letters[t]
            state, output = self.step(state, letter[0] if input_dim == 1 else tuple(letter))
            columns = output if self.output_dim > 1 else (output,)
            if outputs.dtype != object and max(map(_largest, columns)) > np.iinfo(np.int64).max:
                outputs = outputs.astype(object)
            for o, column in enumerate(columns):
                outputs[t, o] = (
                    column
                    if np.asarray(column).dtype != bool
                    else np.asarray(column).astype(np.int64)
                )
        return np.ascontiguousarray(outputs.transpose(2, 0, 1))


def stepwise(
    name: str,
    description: str,
    inputs: list[tuple[int, int]],
    initial: object = None,
    outputs: int = 1,
    length: int = 10,
    draw: Callable = uniform,
) -> Callable[[Callable], StepTask]:
    """Decorator that makes a task of a step function; see `StepTask` for what the arguments mean.

    >>> @stepwise("Doubled_Sum", "Twice the sum so far.", inputs=[(0, 9)], initial=0)
    ... def doubled_sum(total, number):
    ...     return total + number, 2 * (total + number)
    >>> doubled_sum.label(np.array([[[1], [2], [3]]]))[0, :, 0].tolist()
    [2, 6, 12]
    """

    def define(step: Callable) -> StepTask:
        return StepTask(name, description, tuple(inputs), step, initial, outputs, length, draw)

    return define


def _largest(state) -> int:
    """The largest absolute value anywhere in a state (nested tuples of integers and arrays, or
    None).
    """
    if state is None:
        return 0
    if isinstance(state, tuple | list):
        return max(map(_largest, state), default=0)
    if isinstance(state, np.ndarray):
        if state.size == 0 or state.dtype == bool:
            return int(state.size > 0)
        return max(abs(int(state.max())), abs(int(state.min())))
    return abs(int(state))


def _as_python_integers(state):
    if state is None:
        return None
    if isinstance(state, tuple | list):
        return tuple(map(_as_python_integers, state))
    return state.astype(object) if isinstance(state, np.ndarray) else int(state)
