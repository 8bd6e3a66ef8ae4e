"""What one case of the benchmark is about, whatever its kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.networks import Network
from mips_jax.sequences import Sequences


@dataclasses.dataclass(frozen=True)
class Subject:
    """A network or a file of examples, and what is known of it.

    Attributes:
        name: says what it is.
        bounds: inclusive (low, high) of each input.
        truth: words [N, T, I] -> outputs [N, T, O]; None where there is none.
        network: to be distilled; None where examples are given.
        examples: to be distilled; None where a network is given.
        draw: (random generator, count) -> words as those of the examples; None: uniform ones.
        never: why it must not be called solved at all; None where only claims are checked.
        witnesses: (random generator) -> further words [N, T, I] that a `proven` claim is put to.
    """

    name: str
    bounds: tuple[tuple[int, int], ...] = ()
    truth: Callable | None = None
    network: Network | None = None
    examples: Sequences | None = None
    draw: Callable | None = None
    never: str | None = None
    witnesses: Callable | None = None


def uniform(rng: np.random.Generator, bounds, count: int, length: int) -> np.ndarray:
    """Words [count, length, I]."""
    rows = [rng.integers(low, high + 1, (count, length)) for low, high in bounds]
    return np.stack(rows, axis=2)
