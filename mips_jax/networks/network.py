"""What extraction asks of a network: states that are stepped and read out. Recurrent networks as
plain float64 arrays are one kind, models that read whole words another (networks/causal).

A batch of states is an array with a leading axis: numpy selects, repeats and stacks its rows. What
a row holds is the network's own business: a recurrent network's hidden vector, or the number of a
prefix. Only `represent` says where a state lies.

Axes: B sequences, T time, I inputs a step, H numbers of a state, D of its representation, O raw
    output units.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.inputs import InputRange
from mips_jax.networks.heads import Layers, as_layers, check_layers, mlp

_WEIGHTS_OF_A_STEP = 600  # of the paper's networks, for which budgets of work are made


def work_of_weights(count: int) -> float:
    """See `Network.step_work`."""
    return max(1.0, math.sqrt(count / _WEIGHTS_OF_A_STEP))


class WordTooLongError(RequestError):
    """A word was to be read that is longer than the longest that a network can read."""


class Network(abc.ABC):
    """A deterministic network h_t = f(h_(t-1), x_t), y_t = g(h_t), read out as integers.

    Attributes:
        initial: [H] state before the first input.
        input_dim: I, integers read a step.
        output_dim: O, integers written a step (1 for a class head).
        trained_length: sequence length in training, or None where it is not known.
        input_range: the integers that it was made for, or None where nobody said.
        assumed: what its file did not say and was taken for granted, one phrase each.
        longest: steps of the longest word that it can read, or None where there is no limit.
        recurrent: whether it computes step by step; otherwise no word tells of longer ones.
        draws_words: whether it says itself which words are likely, see `own_words`.
    """

    # For the type checker alone: subclasses have fields or properties of these names, and a
    # property here would become the default of the fields.
    if TYPE_CHECKING:

        @property
        def initial(self) -> np.ndarray: ...

        @property
        def input_dim(self) -> int: ...

        @property
        def output_dim(self) -> int: ...

        @property
        def trained_length(self) -> int | None: ...

        @property
        def input_range(self) -> InputRange | None: ...

        @property
        def assumed(self) -> tuple[str, ...]: ...

        @property
        def longest(self) -> int | None: ...

        @property
        def recurrent(self) -> bool: ...

        @property
        def draws_words(self) -> bool: ...

    else:
        trained_length = None
        input_range = None
        assumed = ()
        longest = None
        recurrent = True
        draws_words = False

    @abc.abstractmethod
    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """hidden [B, H], inputs [B, I] -> next hidden [B, H]."""

    @abc.abstractmethod
    def readout(self, hidden: np.ndarray) -> np.ndarray:
        """hidden [B, H] -> raw outputs [B, *]."""

    def decode(self, raw: np.ndarray) -> np.ndarray:
        """Raw outputs [B, *] -> integers [B, O]: the nearest ones (a class head overrides this)."""
        return np.rint(np.clip(np.nan_to_num(raw), -(2.0**62), 2.0**62)).astype(np.int64)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        """Raw outputs [B, *] -> [B] float64: the largest distance from the integers that `decode`
        makes of them; 0 where a head chooses among classes, NaN where an output is not finite.
        """
        return rounding_distance(raw)

    def represent(self, states: np.ndarray) -> np.ndarray:
        """States [B, H] -> [B, D] float64: where they lie, for plots and for what is held nearby.
        The hidden vectors themselves, unless a network says otherwise.
        """
        return states

    def prefetch(self, states: np.ndarray, words: np.ndarray) -> None:  # noqa: B027
        """Says that each of the words [K, T, I] is about to be read from each of the states [B, H],
        and read out at every step: a model that reads whole words then reads them at once. No
        result depends on it.
        """

    def own_words(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray | None:
        """Words [count, length, I] as the network itself would have them, no longer than it can
        read; None where it has no such idea.
        """
        return None

    def within(self, length: int) -> int:
        """So many steps, or as many as the network can read."""
        return length if self.longest is None else min(length, self.longest)

    @property
    def hidden_dim(self) -> int:
        return self.initial.shape[0]

    @property
    def encodable_range(self) -> InputRange | None:
        """The only integers that the network can read at all, or None where it can read any."""
        return None

    @property
    def step_work(self) -> float:
        """What one step counts in a budget of work: 1 for the small networks of the paper, for
        larger ones the square root of how many times as many weights it multiplies: they are
        granted more time, but not all that they could use.
        """
        return 1.0

    @property
    def details(self) -> str:
        """What the representation says beyond the dimensions."""
        return ""

    def __repr__(self) -> str:
        dimensions = f"H={self.hidden_dim}, I={self.input_dim}, O={self.output_dim}"
        return f"{type(self).__name__}({', '.join(filter(None, (dimensions, self.details)))})"

    def outputs(self, hidden: np.ndarray) -> np.ndarray:
        """hidden [B, H] -> the network's integer outputs [B, O]."""
        return self.decode(self.readout(hidden))

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads whole sequences from the initial state.

        Args:
            inputs: [B, T, I] integers.

        Returns:
            hidden [B, T, H] after each input, and the integer outputs [B, T, O].

        Raises:
            RequestError: the inputs have another shape, are no integers, or cannot be encoded.
        """
        hidden, raw = self.run_raw(inputs)
        flat = raw.reshape(-1, raw.shape[2])
        return hidden, self.decode(flat).reshape(*raw.shape[:2], -1)

    def run_raw(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Like `run`, with the raw outputs [B, T, R] that `decode` and `distance` read."""
        inputs = self.checked_inputs(inputs)
        hidden = np.broadcast_to(self.initial, (inputs.shape[0], self.hidden_dim))
        hiddens, raws = [], []
        for t in range(inputs.shape[1]):
            hidden = self.step(hidden, inputs[:, t])
            hiddens.append(hidden)
            raws.append(self.readout(hidden))
        return np.stack(hiddens, axis=1), np.stack(raws, axis=1)

    def checked_inputs(self, inputs: np.ndarray) -> np.ndarray:
        """Inputs [B, T, I] as they are, one step at least.

        Raises:
            RequestError: the inputs have another shape, or are no integers.
        """
        inputs = np.asarray(inputs)
        if inputs.ndim != 3 or inputs.shape[2] != self.input_dim or not inputs.shape[1]:
            raise RequestError(
                f"the inputs have shape {list(inputs.shape)}; {self!r} reads [sequences, steps, "
                f"{self.input_dim}], one step at least"
            )
        if inputs.dtype.kind not in "biu":
            raise RequestError(f"the inputs are {inputs.dtype}; a network is given integers")
        return inputs


def rounding_distance(raw: np.ndarray) -> np.ndarray:
    """Raw outputs [B, R] -> [B]: the largest distance from the nearest integer; NaN where not
    finite.
    """
    with np.errstate(invalid="ignore"):
        return np.abs(raw - np.rint(raw)).max(axis=1)


def relu_mlp(layers: Layers, x: np.ndarray) -> np.ndarray:
    """Affine layers (weight [out, in], bias [out]) with ReLU between them, none after the last."""
    return mlp(layers, "relu", x)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MLPRNN(Network):
    """The paper's network: both f and g are ReLU MLPs; f reads [h_(t-1), x_t] concatenated.

    Attributes:
        transition: f as affine layers (weight [out, in], bias [out]); first `in` is H + I, last
            `out` is H.
        output: g as affine layers; first `in` is H, last `out` is O.
        initial: [H], zeros in the paper.
    """

    transition: Layers
    output: Layers
    initial: np.ndarray
    trained_length: int | None = None
    input_range: InputRange | None = None

    def __post_init__(self) -> None:
        """Raises RequestError where the shapes do not fit together."""
        check_layers("transition", self.transition)
        if self.initial.shape != self.transition[-1][1].shape:
            raise RequestError(
                f"the transition writes {self.transition[-1][1].size} hidden units, but the "
                f"initial state has shape {list(self.initial.shape)}"
            )
        if self.input_dim < 1:
            raise RequestError(
                f"the transition reads {self.transition[0][0].shape[1]} columns and writes "
                f"{self.hidden_dim} hidden units: no column is left for an input; its first layer "
                "reads [h, x], all hidden units and then the inputs"
            )
        check_layers("output", self.output, self.hidden_dim)

    @classmethod
    def from_layers(cls, transition, output, trained_length: int | None = None) -> MLPRNN:
        """Builds the network from any nested sequences of arrays; the hidden state starts at zero.

        Raises:
            RequestError: shapes do not fit together, or a weight is NaN or infinite.
        """
        transition, output = as_layers(transition, "transition"), as_layers(output, "output")
        check_layers("transition", transition)
        return cls(transition, output, np.zeros(transition[-1][1].shape[0]), trained_length)

    @property
    def input_dim(self) -> int:
        return self.transition[0][0].shape[1] - self.hidden_dim

    @property
    def output_dim(self) -> int:
        return self.output[-1][1].shape[0]

    @property
    def step_work(self) -> float:
        layers = (*self.transition, *self.output)
        return work_of_weights(sum(weight.size for weight, _ in layers))

    @property
    def details(self) -> str:
        widths = lambda layers: "-".join(str(weight.shape[0]) for weight, _ in layers)
        return f"transition {widths(self.transition)}, output {widths(self.output)}"

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        return relu_mlp(
            self.transition, np.concatenate([hidden, inputs.astype(hidden.dtype)], axis=1)
        )

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return relu_mlp(self.output, hidden)


def trained_mlp_rnn(layers: dict[str, Layers], trained_length: int | None) -> MLPRNN:
    """From the layers of `mips_jax.models.cells.mlp_rnn`."""
    return MLPRNN.from_layers(layers["transition"], layers["output"], trained_length)
