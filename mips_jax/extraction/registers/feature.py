"""What a feature is: an integer for every prefix of every word, a candidate for what a register of
the program may hold.

Axes: W words, T time, H hidden units, N rows (word and time together), O outputs.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable, Iterable

import numpy as np

from mips_jax.extraction.traces import Traces, probe
from mips_jax.extraction.tuning import TUNING, FeatureTuning
from mips_jax.inputs import Inputs, input_names, probe_letters
from mips_jax.networks import Network
from mips_jax.programs import Expression


class Kind(enum.Enum):
    """How features of one group belong together."""

    WINDOW = "past inputs"
    COUNTS = "how often each value came"
    SEEN = "whether each value came"
    DIGITS = "the whole history as one number"
    OUTPUTS = "the last outputs"
    EARLIER_OUTPUTS = "the outputs before them"
    CHANGES = "changes of the outputs"


@dataclasses.dataclass(frozen=True)
class Group:
    """Features that belong together, for `max`, `median`, ... and for sets that hold all of them.

    Attributes:
        kind: how they belong together.
        source: what they are read from: an input's suffix, a letter.
    """

    kind: Kind
    source: str = ""


@dataclasses.dataclass(frozen=True)
class Feature:
    """An integer for every prefix of every word.

    Attributes:
        name: identifier, the name of the register that holds it.
        values: [W, T + 1] int64, index 0 before the first input.
        meaning: one phrase for reports.
        update: its update, when known; else it is regressed.
        needs: names of the features that the known update reads.
        initial: value before the first input; None where it is free (the network was never asked
            there).
        lookahead: probe steps it looks beyond the prefix.
        held: how well the hidden state holds it (1: nearest neighbours in h always agree; 0: not at
            all).
        cost: bits that it adds to the choice, to prefer plain features.
        group: features that belong to it, if any.
        shown: the register's name in a program, where its own says how it was measured.
    """

    name: str
    values: np.ndarray
    meaning: str
    update: Expression | None = None
    needs: tuple[str, ...] = ()
    initial: int | None = None
    lookahead: int = 0
    held: float = 1.0
    cost: float = 0.0
    group: Group | None = None
    shown: str = ""

    def in_group(self, *kinds: Kind) -> Group | None:
        """The group that it belongs to, if that is one of these kinds."""
        return self.group if self.group is not None and self.group.kind in kinds else None


@dataclasses.dataclass(frozen=True)
class Column:
    """One input along all words.

    Attributes:
        values: [W, T] int64.
        name: in programs.
        suffix: of the names of its features; empty where there is one input.
        low, high: inclusive bounds.
    """

    values: np.ndarray
    name: str
    suffix: str
    low: int
    high: int

    @property
    def span(self) -> int:
        return self.high - self.low + 1


@dataclasses.dataclass(frozen=True, eq=False)
class Prefixes:
    """Everything that a family of features may be computed from.

    Attributes:
        network: the network, or None where only histories are wanted.
        traces: its runs.
        inputs: bounds, and which letters occur.
        depth: letters in the longest probe word.
        tuning: limits.
    """

    network: Network | None
    traces: Traces
    inputs: Inputs
    depth: int = 1
    tuning: FeatureTuning = TUNING.features

    @property
    def asked(self) -> Network:
        """The network, for families that read it."""
        if self.network is None:
            raise ValueError("these prefixes have no network to ask")
        return self.network

    @property
    def columns(self) -> list[Column]:
        names = input_names(self.inputs.dim)
        suffixes = [""] if len(names) == 1 else [f"_{name}" for name in names]
        values = [self.traces.words[:, :, i].astype(np.int64) for i in range(len(names))]
        return [
            Column(column, name, suffix, low, high)
            for column, name, suffix, (low, high) in zip(
                values, names, suffixes, self.inputs.bounds
            )
        ]

    @property
    def clock(self) -> np.ndarray:
        """[W, T + 1] steps read."""
        shape = (len(self.traces.words), self.traces.length + 1)
        return np.broadcast_to(np.arange(shape[1]), shape)

    @property
    def shape(self) -> tuple[int, int]:
        """(W, T + 1), to which rows [N] are brought back."""
        words, steps, _ = self.traces.hidden.shape
        return words, steps

    @functools.cached_property
    def states(self) -> np.ndarray:
        """[N, H] hidden states."""
        return self.traces.hidden.reshape(-1, self.traces.hidden.shape[2])

    @functools.cached_property
    def present(self) -> np.ndarray:
        """[N, O] outputs in each hidden state."""
        return self.asked.outputs(self.states)

    @functools.cached_property
    def following(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(letter [I], outputs [N, K, O] while it is read `depth` times) for a few letters."""
        return [
            (a, probe(self.asked, self.states, np.broadcast_to(a, (self.depth, len(a)))))
            for a in probe_letters(self.inputs)
        ]


@dataclasses.dataclass(frozen=True)
class Family:
    """Features of one sort: an entry of the registry `features.FEATURES`.

    Attributes:
        name: for people.
        reads_network: whether it asks the network, or only looks at its inputs.
        features: from prefixes to features; what does not apply is left out.
    """

    name: str
    reads_network: bool
    features: Callable[[Prefixes], Iterable[Feature]]


def plain(value: int) -> str:
    """An integer as part of a name: -3 is `m3`."""
    return str(value) if value >= 0 else f"m{-value}"
