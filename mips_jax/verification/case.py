"""What is to be judged, and by what: the one argument of every check.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.inputs import Inputs
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.programs import Program
from mips_jax.sequences import Sample, Sequences
from mips_jax.symbols import Symbols
from mips_jax.verification.settings import VerificationSettings


@dataclasses.dataclass(frozen=True)
class Truth:
    """What is known of the right outputs; none of it has selected anything but `known`.

    Attributes:
        judging: sequences of the training length, those that nothing has seen told apart.
        known: all that training and selection have seen, or all given examples.
        known_are: what these are, in words.
        long: sequences of the long length; None where nobody knows the truth there.
        label: inputs [N, T, I] -> `Sequences`, or None where nobody can be asked.
    """

    judging: Sample
    known: Sequences
    known_are: str
    long: Sequences | None = None
    label: Callable[[np.ndarray], Sequences | None] | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """One program and all that it is held against.

    Attributes:
        program: what is judged.
        network: what it was distilled from.
        inputs: of the words on which the two are compared; without the training examples where
            others can be made.
        length: T, the training length.
        machine: the finite machine read off the network, or None.
        truth: None where nobody knows it.
        seen: words [N, T, I] that extraction chose the program by.
        settings: how much is tested.
        transient: first steps on which the program does not say what the network does.
        given: words [N, T, I] of a user, and the steps [N] in each; none selected the program.
        symbols: what inputs and outputs stand for, in the printed program and in what is told.
    """

    program: Program
    network: Network
    inputs: Inputs
    length: int
    machine: Mealy | None = None
    truth: Truth | None = None
    seen: tuple[np.ndarray, ...] = ()
    settings: VerificationSettings = dataclasses.field(default_factory=VerificationSettings)
    transient: int = 0
    given: tuple[np.ndarray, np.ndarray] | None = None
    symbols: Symbols | None = None

    @property
    def long_length(self) -> int:
        """Steps of the long words; how inputs that depend on the past go on is not known. No more
        than the network can read.
        """
        long = self.length if self.inputs.ordered else self.settings.long_factor * self.length
        return self.network.within(long)

    @property
    def beyond_reach(self) -> str:
        """Why nothing can be said of every length; empty for a recurrent network."""
        if self.network.recurrent:
            return ""
        longest = self.network.longest
        upto = f" of up to {longest} letters" if longest else ""
        return f"the model reads whole words{upto}: none tells of longer ones"

    def rng(self, stream: int) -> np.random.Generator:
        """Random numbers of one check; no two streams share a draw."""
        return np.random.default_rng((self.settings.seed, 4, stream))
