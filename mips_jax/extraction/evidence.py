"""What a method may look at: the network, its inputs, and its runs on words of our own choosing.

Nothing else comes in: there is no field through which labels, a definition or a name could reach a
method.

Axes: W words, T time, I inputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.extraction.traces import Traces, record
from mips_jax.extraction.tuning import RegisterSettings, Tuning
from mips_jax.inputs import InputRange, Inputs, narrow_words, random_words
from mips_jax.networks import Network

_PROBED = 2 / 3  # of the longest word that can be read at all; probe words follow


def with_room_to_probe(network: Network, length: int) -> int:
    """So many steps, or so few that the network can read on after them."""
    if network.longest is None:
        return length
    return max(1, min(length, int(_PROBED * network.longest), network.longest - 4))


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """A network and what it did.

    Attributes:
        judge: the network, as plain arrays: programs are compared with it.
        network: what methods ask: the judge, or a machine that stands in for it where it errs.
        inputs: bounds, and which letters occur.
        length: steps of all words.
        wide: runs on random words, and on those on which a program was wrong.
        narrow: runs over few letters, so that the same (state, letter) recurs.
        fresh: runs that no method may look at: programs are judged on them.
        words: all random words so far [W, T, I]: those that took part in the selection.
        settings: of the request.
        tuning: the numbers that decide.
    """

    judge: Network
    network: Network
    inputs: Inputs
    length: int
    wide: Traces
    narrow: Traces
    fresh: Traces
    words: tuple[np.ndarray, ...]
    settings: ExtractionSettings
    tuning: Tuning

    @classmethod
    def of(
        cls, network: Network, inputs: Inputs, settings: ExtractionSettings, tuning: Tuning
    ) -> Evidence:
        """Runs the network on random words."""
        length = settings.length or network.trained_length or tuning.words.default_length
        length = with_room_to_probe(network, length)
        rng = np.random.default_rng(settings.seed)
        letters, bounds = tuning.words.letters, inputs.bounds
        probed = min(_letters_within(bounds), tuning.features.alphabet)
        affordable = tuning.words.work / (length * probed * network.step_work**2)
        count = min(settings.words, max(tuning.words.fewest, int(affordable)))
        words = (
            random_words(inputs, count, length, rng),
            narrow_words(inputs, count, length, letters, rng),
            random_words(inputs, tuning.words.fresh, length, rng),
        )
        wide, narrow, fresh = (record(network, w) for w in words)
        return cls(network, network, inputs, length, wide, narrow, fresh, words, settings, tuning)

    @property
    def length_is_a_guess(self) -> bool:
        """Whether nobody said how long the network's words were."""
        return self.network.trained_length is None and self.settings.length is None

    @property
    def letters_in_range(self) -> float:
        """How many letters the bounds allow: a float, since there may be very many."""
        return _letters_within(self.inputs.bounds)

    @property
    def alphabet(self) -> str:
        """`boolean` where inputs and outputs are all 0 or 1, else `integer`."""
        bits = all(low >= 0 and high <= 1 for low, high in self.inputs.bounds)
        return "boolean" if bits and set(np.unique(self.wide.outputs)) <= {0, 1} else "integer"

    @property
    def observed(self) -> Traces:
        """The wide words as the judge runs them."""
        return self.wide if self.network is self.judge else record(self.judge, self.wide.words)

    @property
    def registers(self) -> RegisterSettings:
        """Limits of closed sets, as the request wants them."""
        return dataclasses.replace(
            self.tuning.registers,
            largest_set=self.settings.largest_set,
            tolerance=self.settings.tolerance,
        )

    def rng(self, purpose: int = 0) -> np.random.Generator:
        """Random numbers that depend on the seed, on the words so far and on what they are for."""
        return np.random.default_rng((self.settings.seed, len(self.words), purpose))

    def asking(self, network: Network) -> Evidence:
        """The same words put to another network, which methods ask from now on; programs are still
        compared with the judge.
        """
        wide, narrow = (record(network, traces.words) for traces in (self.wide, self.narrow))
        return dataclasses.replace(self, network=network, wide=wide, narrow=narrow)

    def with_counterexamples(self, rows: np.ndarray) -> Evidence:
        """Fresh words on which a program was wrong join those that the next ones must fit; all
        fresh words are drawn anew.

        Args:
            rows: indices of fresh words.
        """
        words = random_words(self.inputs, len(self.fresh.words), self.length, self.rng())
        wrong = self.fresh.rows(rows)
        if self.network is not self.judge:
            wrong = record(self.network, wrong.words)
        return dataclasses.replace(
            self,
            wide=self.wide.joined(wrong),
            fresh=record(self.judge, words),
            words=(*self.words, words),
        )


def _letters_within(bounds: InputRange) -> float:
    return float(np.prod([high - low + 1.0 for low, high in bounds]))
