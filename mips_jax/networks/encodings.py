"""What a network's input vectors and raw outputs stand for: one-hot, bits, embeddings; classes and
thresholds.

A cell computes with vectors of floats. `InterpretedNetwork` puts it between integers: an encoding
turns the integers of one step into the cell's input vector, and a decoding turns the cell's raw
output into integers.

Axes: B sequences, I integers read a step, E input features of the cell, R raw outputs, O integers
    written a step.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.network import InputRange, Network, rounding_distance


class Encoding(abc.ABC):
    """Integers of one step -> the cell's input vector.

    Attributes:
        input_dim: I.
        width: E.
        input_range: the integers that can be encoded, or None where any can.
    """

    if TYPE_CHECKING:  # fields or properties of the subclasses, see `Network`

        @property
        def input_dim(self) -> int: ...

        @property
        def width(self) -> int: ...

        @property
        def input_range(self) -> InputRange | None: ...

    @abc.abstractmethod
    def encode(self, inputs: np.ndarray) -> np.ndarray:
        """inputs [B, I] integers of the range -> [B, E] float64."""

    def check(self, inputs: np.ndarray) -> None:
        """Raises RequestError when one of the inputs [B, I] cannot be encoded."""
        for i, (low, high) in enumerate(self.input_range or ()):
            if inputs.size and (inputs[:, i].min() < low or inputs[:, i].max() > high):
                got = f"{inputs[:, i].min()}..{inputs[:, i].max()}"
                raise RequestError(
                    f"input {i + 1} got {got}, but the encoding ({self}) holds {low}..{high} only"
                )


@dataclasses.dataclass(frozen=True)
class Numbers(Encoding):
    """Each integer is itself one feature, and any can be read."""

    input_dim: int = 1

    @property
    def input_range(self) -> None:
        return None

    @property
    def width(self) -> int:
        return self.input_dim

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        return np.asarray(inputs, np.float64)

    def __str__(self) -> str:
        return "numbers"


@dataclasses.dataclass(frozen=True)
class OneHot(Encoding):
    """Each integer x of low..low+size-1 is a vector of `size` zeros with a one at x - low; the I
    vectors are concatenated.

    >>> OneHot(lows=(0,), sizes=(3,)).encode(np.array([[2]]))
    array([[0., 0., 1.]])
    """

    lows: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def input_dim(self) -> int:
        return len(self.sizes)

    @property
    def width(self) -> int:
        return sum(self.sizes)

    @property
    def input_range(self) -> InputRange:
        return tuple((low, low + size - 1) for low, size in zip(self.lows, self.sizes))

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        features = [
            np.eye(size)[inputs[:, i] - low]
            for i, (low, size) in enumerate(zip(self.lows, self.sizes))
        ]
        return np.concatenate(features, axis=1)

    def __str__(self) -> str:
        return "one-hot of " + " and ".join(map(str, self.sizes))


@dataclasses.dataclass(frozen=True)
class Bits(Encoding):
    """Each integer x >= low is the binary digits of x - low, least significant first unless said
    otherwise.

    >>> Bits(lows=(0,), digits=(3,)).encode(np.array([[6]]))
    array([[0., 1., 1.]])
    """

    lows: tuple[int, ...]
    digits: tuple[int, ...]
    most_significant_first: bool = False

    @property
    def input_dim(self) -> int:
        return len(self.digits)

    @property
    def width(self) -> int:
        return sum(self.digits)

    @property
    def input_range(self) -> InputRange:
        return tuple((low, low + 2**count - 1) for low, count in zip(self.lows, self.digits))

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        features = []
        for i, (low, count) in enumerate(zip(self.lows, self.digits)):
            places = np.arange(count)[::-1] if self.most_significant_first else np.arange(count)
            features.append(((inputs[:, i] - low)[:, None] >> places) & 1)
        return np.concatenate(features, axis=1).astype(np.float64)

    def __str__(self) -> str:
        order = "most" if self.most_significant_first else "least"
        return f"{' and '.join(map(str, self.digits))} bits, {order} significant first"


@dataclasses.dataclass(frozen=True, eq=False)
class Embedding(Encoding):
    """Each integer x of low..low+K-1 is the row x - low of one learned table; the I rows are
    concatenated.

    Attributes:
        table: [K, D] float64.
        low: the integer that row 0 stands for.
        input_dim: I.
    """

    table: np.ndarray
    low: int = 0
    input_dim: int = 1

    @property
    def width(self) -> int:
        return self.input_dim * self.table.shape[1]

    @property
    def input_range(self) -> InputRange:
        return ((self.low, self.low + len(self.table) - 1),) * self.input_dim

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        return self.table[np.asarray(inputs) - self.low].reshape(len(inputs), self.width)

    def __str__(self) -> str:
        return f"embedding of {len(self.table)}"


class Decoding(abc.ABC):
    """The cell's raw outputs -> integers."""

    @abc.abstractmethod
    def output_dim(self, raw_outputs: int) -> int:
        """R -> O."""

    @abc.abstractmethod
    def decode(self, raw: np.ndarray) -> np.ndarray:
        """raw [B, R] -> integers [B, O]."""

    def distance(self, raw: np.ndarray) -> np.ndarray:
        """raw [B, R] -> [B] distance from the integers; see `Network.distance`."""
        return np.where(np.isfinite(raw).all(axis=1), 0.0, np.nan)


@dataclasses.dataclass(frozen=True)
class Rounded(Decoding):
    """Each raw output is a number: the nearest integer."""

    def output_dim(self, raw_outputs: int) -> int:
        return raw_outputs

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(np.nan_to_num(raw), -(2.0**62), 2.0**62)).astype(np.int64)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        return rounding_distance(raw)

    def __str__(self) -> str:
        return "rounded numbers"


@dataclasses.dataclass(frozen=True)
class ClassHead(Decoding):
    """The raw outputs are one logit a class; the largest wins, the first of equals.

    Attributes:
        values: the integer that each class stands for.
    """

    values: tuple[int, ...]

    def output_dim(self, raw_outputs: int) -> int:
        return 1

    def decode(self, raw: np.ndarray) -> np.ndarray:
        winners = np.argmax(np.where(np.isnan(raw), -np.inf, raw), axis=1)
        return np.array(self.values, np.int64)[winners, None]

    def __str__(self) -> str:
        return f"{len(self.values)} classes"


@dataclasses.dataclass(frozen=True)
class Threshold(Decoding):
    """Each raw output is the logit of a yes: 1 where it is larger than `level`, else 0."""

    level: float = 0.0

    def output_dim(self, raw_outputs: int) -> int:
        return raw_outputs

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return (raw > self.level).astype(np.int64)

    def __str__(self) -> str:
        return "yes/no logits" + (f", yes above {self.level:g}" if self.level else "")


@dataclasses.dataclass(frozen=True)
class LikelyOnes(Decoding):
    """The raw outputs are one logit a class; each class gets a 1 where its probability is at least
    `share` of the largest one's: the set of letters that a language model allows to come next.
    """

    share: float = 0.1

    def output_dim(self, raw_outputs: int) -> int:
        return raw_outputs

    def decode(self, raw: np.ndarray) -> np.ndarray:
        top = raw.max(axis=1, keepdims=True)
        return (raw - top >= np.log(self.share)).astype(np.int64)

    def __str__(self) -> str:
        return f"sets of classes, at least {self.share:g} as likely as the likeliest"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class InterpretedNetwork(Network):
    """A network of floats between an encoding of its inputs and a decoding of its outputs; the
    hidden state is the core's.

    Attributes:
        core: the network proper; its `input_dim` is the encoding's width.
        encoding: integers [B, I] -> the core's inputs [B, E].
        decoding: the core's raw outputs [B, R] -> integers [B, O].
    """

    core: Network
    encoding: Encoding
    decoding: Decoding

    @property
    def initial(self) -> np.ndarray:
        return self.core.initial

    @property
    def trained_length(self) -> int | None:
        return self.core.trained_length

    @property
    def input_dim(self) -> int:
        return self.encoding.input_dim

    @property
    def output_dim(self) -> int:
        return self.decoding.output_dim(self.core.output_dim)

    @property
    def input_range(self) -> InputRange | None:
        return self.core.input_range or self.encoding.input_range

    @property
    def encodable_range(self) -> InputRange | None:
        return self.encoding.input_range

    @property
    def step_work(self) -> float:
        return self.core.step_work

    @property
    def assumed(self) -> tuple[str, ...]:
        return self.core.assumed

    @property
    def details(self) -> str:
        return f"{self.core!r}, inputs: {self.encoding}, outputs: {self.decoding}"

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        self.encoding.check(inputs)
        return self.core.step(hidden, self.encoding.encode(inputs))

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return self.core.readout(hidden)

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return self.decoding.decode(raw)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        return self.decoding.distance(raw)
