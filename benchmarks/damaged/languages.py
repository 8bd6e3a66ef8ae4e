"""The true machines, and the networks that are taught them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np

from mips_jax.machines import Mealy, minimised
from mips_jax.networks import ClassHead, Numbers, OneHot, Rounded
from mips_jax.networks.encodings import Decoding, Encoding


@dataclasses.dataclass(frozen=True)
class Language:
    """A machine, and what kind of network is taught it.

    Attributes:
        name: key of LANGUAGES.
        machine: the minimal one.
        length: T, steps of the words in training.
        cell: `gru`, `lstm` or `elman`.
        units: of the cell.
        numbers: whether inputs and outputs are numbers, in place of one-hot letters and classes.
    """

    name: str
    machine: Mealy
    length: int
    cell: str
    units: int
    numbers: bool = False

    @property
    def input_range(self) -> tuple[tuple[int, int], ...]:
        letters = self.machine.letters
        return tuple(zip(letters.min(axis=0).tolist(), letters.max(axis=0).tolist()))

    @property
    def values(self) -> np.ndarray:
        """The different outputs, in order."""
        return np.unique(self.machine.output)

    @property
    def encoding(self) -> Encoding:
        if self.numbers:
            return Numbers(self.machine.letters.shape[1])
        lows = tuple(low for low, _ in self.input_range)
        return OneHot(lows, tuple(high - low + 1 for low, high in self.input_range))

    @property
    def decoding(self) -> Decoding:
        return Rounded() if self.numbers else ClassHead(tuple(self.values.tolist()))

    def drawn(self, rng: np.random.Generator, count: int, length: int) -> np.ndarray:
        """Uniform words [count, length] of letter indices."""
        return rng.integers(0, len(self.machine.letters), (count, length))


def explored(start, step: Callable, letters) -> Mealy:
    """The minimal machine of (state, letter) -> (state, output); states may be anything."""
    order, number, rows = [start], {start: 0}, []
    for state in order:
        row = []
        for letter in letters:
            after, output = step(state, letter)
            if after not in number:
                number[after] = len(order)
                order.append(after)
            row.append((number[after], int(output)))
        rows.append(row)
    table = np.array(rows)
    return minimised(Mealy.of(list(letters), table[:, :, 0], table[:, :, 1]))


def latch(on, x):
    """Keep, set, clear, flip."""
    on = (on, 1, 0, 1 - on)[x]
    return on, on


def sum_mod_5(total, x):
    total = (total + x) % 5
    return total, total


def ends_in_1011(seen, x):
    """Whether the last four letters are 1 0 1 1; `seen` of them are already there."""
    seen = ((0, 1), (2, 1), (0, 3), (2, 4))[seen][x]
    return (1, 1) if seen == 4 else (seen, 0)


def tickets(credit, x):
    """A coin of 1, a coin of 2, the button (a ticket is 3), the money back, nothing."""
    if x < 2:
        return (credit, 3) if credit + x + 1 > 4 else (credit + x + 1, 0)
    if x == 2:
        return (credit - 3, 1) if credit >= 3 else (credit, 4)
    return (0, 2 if credit else 4) if x == 3 else (credit, 0)


ORDERS = tuple(itertools.permutations(range(3)))


def shuffled(order, x):
    """Three things in a row: the first two change places, the last two, or all move on."""
    a, b, c = order
    order = ((b, a, c), (a, c, b), (c, a, b))[x]
    return order, ORDERS.index(order)


def two_parities(parities, x):
    """How often 1 and how often 3 was read, both modulo 2."""
    one, three = parities
    parities = (one ^ (x == 1), three ^ (x == 3))
    return parities, 2 * parities[0] + parities[1]


def session(state, x):
    """Connect, log in, a wrong password, send, ping, close, unlock; locked at the second wrong
    one.
    """
    if state == "locked":
        return ("closed", 0) if x == 6 else (state, 3)
    if x == 5:
        return ("closed", 0) if state != "closed" else (state, 1)
    if state == "closed":
        return ("open", 0) if x == 0 else (state, 1)
    if x == 4:
        return state, 2
    if state == "in":
        return (state, 4) if x == 3 else (state, 1)
    if x == 1:
        return "in", 0
    if x == 2:
        return ("locked", 3) if state == "warned" else ("warned", 1)
    return state, 1


def lift(floor, x):
    """Seven floors; it starts in the middle one."""
    floor = min(6, max(0, floor + x))
    return floor, floor


def two_ago(last, x):
    return (last[1], x), last[0]


def panel(state, x):
    """Of a letter's three bits one counts modulo 3, one flips a light, the last is shown late."""
    turns, light, last = state
    state = ((turns + (x & 1)) % 3, light ^ (x >> 1 & 1), x >> 2)
    return state, 4 * state[0] + 2 * state[1] + last


def adder(carry, x):
    """Two numbers, the lowest digit first."""
    total = carry + sum(x)
    return total // 2, total % 2


def no_three_alike(run, x):
    """Whether no letter came three times in a row: (the last one, how often)."""
    if run[1] < 3:
        run = (x, run[1] + 1 if x == run[0] else 1)
    return ((0, 3), 0) if run[1] == 3 else (run, 1)


BITS = tuple(itertools.product((0, 1), repeat=2))
LANGUAGES = {
    language.name: language
    for language in (
        Language("latch", explored(0, latch, range(4)), 12, "gru", 8),
        Language("sum mod 5", explored(0, sum_mod_5, range(4)), 12, "lstm", 24),
        Language("ends in 1011", explored(0, ends_in_1011, range(2)), 16, "gru", 16),
        Language("tickets", explored(0, tickets, range(5)), 12, "gru", 32),
        Language("shuffled", explored((0, 1, 2), shuffled, range(3)), 12, "gru", 32),
        Language("two parities", explored((0, 0), two_parities, range(5)), 12, "elman", 24),
        Language("session", explored("closed", session, range(7)), 14, "lstm", 32),
        Language("lift", explored(3, lift, (-1, 0, 1)), 14, "gru", 24, numbers=True),
        Language("two ago", explored((0, 0), two_ago, range(3)), 12, "elman", 32),
        Language("panel", explored((0, 0, 0), panel, range(8)), 10, "lstm", 32),
        Language("adder", explored(0, adder, BITS), 12, "elman", 16, numbers=True),
        Language("no three alike", explored((0, 0), no_three_alike, range(2)), 12, "gru", 16),
    )
}
