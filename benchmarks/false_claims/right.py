"""Networks that are integer functions, and files of a simple truth: these should be solved.

Each function makes the case of a number, from a random generator of its own.
"""

from __future__ import annotations

import numpy as np

from benchmarks.false_claims import cells
from benchmarks.false_claims.registers import (
    Registers,
    delayed,
    largest,
    plain,
    rotated,
    smallest,
    sum_modulo,
    table,
)
from benchmarks.false_claims.subject import Subject
from benchmarks.false_claims.wrong_examples import given
from mips_jax.networks import CallableNetwork

BIT = ((0, 1),)


def of(function: Registers, network, name: str) -> Subject:
    return Subject(name, function.bounds, function.run, network)


def either(function: Registers, number: int, rng: np.random.Generator, name: str) -> Subject:
    """The registers themselves, or in another basis."""
    return of(function, rotated(function, rng) if number % 2 else plain(function), name)


def random_tables(rng: np.random.Generator, states: int, letters: int, outputs: int = 2):
    """Successors [S, A], by which all states are reached, and outputs [S]."""
    successors = rng.integers(0, states, (states, letters))
    for state in range(1, states):  # a tree from state 0, one free edge each
        parent, letter = divmod(state - 1, letters)
        successors[parent, letter] = state
    written = rng.integers(0, outputs, states)
    written[-1] = (written[0] + 1) % outputs
    if len(np.unique(written[successors])) == 1:  # constant unless state 0 is entered
        successors[-1, -1] = 0
    return successors, written


def finite_machine(number: int, rng: np.random.Generator) -> Subject:
    """A random machine, its state in a random basis or as one-hot ReLU units."""
    states, letters = (
        (2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 40)[number % 12],
        (2, 3, 2, 4)[number // 12],
    )
    successors, outputs = random_tables(rng, states, letters, (2, 3)[number // 12 % 2])
    function = table(successors, outputs)
    explicit = number % 2 == 0
    network = cells.moore_mlp(successors, outputs, rng) if explicit else rotated(function, rng)
    kind = "one-hot ReLU" if explicit else "rotated"
    return of(function, network, f"machine of {states} states, {letters} letters, {kind}")


def counter(number: int, rng: np.random.Generator) -> Subject:
    """Sums modulo n, as numbers, in another basis or as an angle."""
    n, high = 2 + number // 2, (1, 2, 3, 4, 6, 9)[number % 6]
    function = sum_modulo(n, high, 1 + int(number % 4 == 3))
    if number % 3 == 2:
        function = sum_modulo(n, high)

        def turn(h, x):
            angle = 2 * np.pi / n * np.asarray(x, float)[:, 0]
            cosine, sine = np.cos(angle), np.sin(angle)
            return np.stack(
                [h[:, 0] * cosine - h[:, 1] * sine, h[:, 0] * sine + h[:, 1] * cosine], 1
            )

        read = lambda h: np.rint(np.arctan2(h[:, 1:], h[:, :1]) * n / (2 * np.pi)) % n
        network = CallableNetwork(turn, read, [1.0, 0.0])
        return of(function, network, f"sum modulo {n} of 0..{high} as an angle")
    return either(function, number, rng, f"sum modulo {n} of 0..{high}")


def extremes(number: int, rng: np.random.Generator) -> Subject:
    """Maximum, minimum, range, and latches."""
    high = (1, 2, 3, 5, 7, 9, 12, 15, 19)[number % 9]
    spread = Registers(
        (0, high),
        lambda a, b, x: (np.maximum(a, x), np.minimum(b, x)),
        lambda a, b: a - b,
        ((0, high),),
    )
    first = Registers((-1,), lambda s, x: (np.where(s < 0, x, s),), lambda s: s, ((0, high),))
    seen = Registers((0,), lambda s, x: (np.maximum(s, x == high),), lambda s: s, ((0, high),))
    kinds = (largest(high), smallest(high), spread, first, seen)
    name = ("largest", "smallest", "range", "first", "top seen")[number % 5]
    return either(kinds[number % 5], number // 5, rng, f"{name} of 0..{high}")


def shift_register(number: int, rng: np.random.Generator) -> Subject:
    """Inputs of some steps ago, their differences and sums."""
    back, high = 1 + number % 4, (1, 4, 9, 19)[number // 4 % 4]
    base = delayed(back, high)
    reads = (
        ("the input", lambda *v: v[-1]),
        ("the change since", lambda *v: v[0] - v[-1]),
        ("the sum back to", lambda *v: sum(v)),
        ("equal to", lambda *v: (v[0] == v[-1]).astype(float)),
    )
    name, read = reads[number // 6 % 4]
    function = Registers(base.initial, base.update, read, base.bounds)
    return either(function, number, rng, f"{name} {back} steps ago, 0..{high}")


def total(number: int, rng: np.random.Generator) -> Subject:
    """Sums with integer weights, of one input or two."""
    high, weight, offset = (1, 3, 5, 9)[number % 4], 1 + number // 4 % 3, number // 6 % 3 - 1
    if number % 3 == 2:
        add = lambda s, x, y: (s + weight * x - y + offset,)
        function = Registers((0,), add, lambda s: s, ((0, high), (0, high)))
    else:
        add = lambda s, x: (s + weight * x + offset,)
        function = Registers((number % 2,), add, lambda s: s, ((0, high),))
    return either(function, number, rng, f"sum with weight {weight}, offset {offset}, 0..{high}")


def two_inputs(number: int, rng: np.random.Generator) -> Subject:
    """Carry adders in bases 2 to 7, and comparisons."""
    base = 2 + number // 4
    bounds = ((0, base - 1), (0, base - 1))
    add = lambda carry, digit, x, y: ((x + y + carry) // base, (x + y + carry) % base)
    adder = Registers((0, 0), add, lambda carry, digit: digit, bounds)
    now = lambda f: Registers((0,), lambda s, x, y: (f(x, y).astype(float),), lambda s: s, bounds)
    counted = lambda s, x, y: (np.minimum(s + (x == y), 3),)
    kinds = (
        ("carry adder", adder),
        ("maximum of both", now(np.maximum)),
        ("whether the first is larger", now(lambda x, y: x > y)),
        ("times both were equal, up to 3", Registers((0,), counted, lambda s: s, bounds)),
    )
    name, function = kinds[number % 4]
    return either(function, number // 4, rng, f"{name}, base {base}")


def two_outputs(number: int, rng: np.random.Generator) -> Subject:
    """Two functions of the same inputs."""
    n, high = 2 + number // 3, (1, 3, 6)[number // 3 % 3]
    kinds = (
        (lambda a, b, x: ((a + x) % n, np.maximum(b, x)), "sum modulo and largest"),
        (lambda a, b, x: ((a + x) % n, x), "sum modulo and last"),
        (lambda a, b, x: (np.minimum(a + x, n), a), "capped sum and the one before"),
    )
    update, name = kinds[number % 3]
    function = Registers((0, 0), update, lambda a, b: (a, b), ((0, high),))
    return either(function, number, rng, f"{name}, n {n}, 0..{high}")


def parity(number: int, rng: np.random.Generator) -> Subject:
    """Parity of ones, of a letter, of pairs, and small ReLU networks with explicit weights."""
    high, kind = (1, 2, 4, 9)[number // 6], number % 6
    if kind < 2:
        block = (cells.PARITY, cells.LARGEST, cells.SUM, cells.LAST)[number // 6]
        truth = (sum_modulo(2, 1), largest(2), None, delayed(0, 9))[number // 6]
        truth = truth or Registers((0,), lambda s, x: (s + x,), lambda s: s, ((0, 4),))
        return of(truth, cells.as_network(block, ("mlp", "elman")[kind]), f"ReLU block {number}")
    flip = lambda s, fact: (s + fact) % 2
    functions = (
        Registers((0,), lambda s, x: (flip(s, x == high),), lambda s: s, ((0, high),)),
        Registers(
            (0, 0),
            lambda s, b, x: (flip(s, (x == high) & (b == high)), x),
            lambda s, b: s,
            ((0, high),),
        ),
        Registers((0, 0), lambda s, t, x: (flip(s, x * t), 1 - t), lambda s, t: s, ((0, high),)),
        Registers((0, -1), lambda s, b, x: (flip(s, x != b), x), lambda s, b: s, ((0, high),)),
    )
    name = ("of a letter", "of pairs", "of odd steps", "of changes")[kind - 2]
    return either(functions[kind - 2], number // 6, rng, f"parity {name}, 0..{high}")


def class_head(number: int, rng: np.random.Generator) -> Subject:
    """The output is the largest of several logits."""
    n, high = 2 + number // 4, (1, 2, 4)[number % 3]
    kind = number % 4
    if kind == 0:
        function, name = sum_modulo(n, high), "sum modulo"
    elif kind == 1:
        function, name = largest(n - 1), "largest"
    elif kind == 2:
        function, name = table(*random_tables(rng, n + 2, 2, min(n, 3))), "random machine"
    else:
        function, name = delayed(2, n - 1), "two steps ago"
    return of(function, rotated(function, rng, values=n + 1), f"{name}, {n + 1} logits")


def saturated_cell(number: int, rng: np.random.Generator) -> Subject:
    """Machines in saturated Elman, GRU and LSTM cells."""
    states, cell = (2, 3, 4, 5, 6, 7)[number // 3 % 6], ("elman", "gru", "lstm")[number % 3]
    letters = 2 + number % 2
    successors, outputs = random_tables(rng, states, letters)
    if number % 4 == 0:
        index = np.arange(states)
        successors, outputs = (index[:, None] + np.arange(letters)) % states, index
    function = table(successors, outputs)
    network = cells.saturated(successors, outputs, cell)
    return of(function, network, f"machine of {states} states in a {cell}")


def example_file(number: int, rng: np.random.Generator) -> Subject:
    """500 to 2,000 sequences of a simple truth."""
    high, count, length = (1, 2, 4, 5)[number % 4], (500, 1_000, 2_000)[number % 3], 8
    running = Registers((0,), lambda s, x: (s + x,), lambda s: s, ((0, high),))
    changed = delayed(1, high)
    change = Registers(changed.initial, changed.update, lambda a, b: a - b, changed.bounds)
    parities = sum_modulo(2, 1)
    functions = (running, change, largest(high), delayed(1, high), parities)
    name = ("sum", "change", "largest", "the input before", "parity")[number % 5]
    function = functions[number % 5]
    bounds = function.bounds
    x = rng.integers(0, bounds[0][1] + 1, (count, length))
    draw = lambda r, n: r.integers(0, bounds[0][1] + 1, (n, length, 1))
    y = function.run(x[:, :, None])[:, :, 0]
    name = f"{name} of 0..{bounds[0][1]}, {count:,} sequences"
    return Subject(name, bounds, function.run, None, given(x, y), draw)
