"""Networks that must not be called solved, or not beyond what the claims state.

Each function makes the case of a number, from a random generator of its own.
"""

from __future__ import annotations

import numpy as np

from benchmarks.false_claims import cells
from benchmarks.false_claims.registers import (
    Registers,
    behaviour,
    delayed,
    largest,
    plain,
    rotated,
    smallest,
    sum_modulo,
    watched,
)
from benchmarks.false_claims.subject import Subject, uniform
from mips_jax.networks import (
    MLPRNN,
    CallableNetwork,
    ClassHead,
    GRUNetwork,
    InterpretedNetwork,
    LSTMNetwork,
    Numbers,
)

CLOCKS = (11, 12, 13, 15, 19, 20, 21, 25, 30, 37, 45, 60, 75, 90, 99, 100, 101, 110, 150, 250, 500)
CLOCKS = (*CLOCKS, 1_000, 2_000, 5_000)
BIT = ((0, 1),)


def late_clock(number: int, rng: np.random.Generator) -> Subject:
    """The output changes for good after a number of steps, on every word."""
    clock, kind = CLOCKS[number // 3], ("mlp", "elman", "callable")[number % 3]
    late = lambda r, bounds=BIT: uniform(r, bounds, 50, clock + 20)
    if kind != "callable":
        bases = {"parity": cells.PARITY, "last": cells.LAST, "largest": cells.LARGEST}
        name = list(bases)[int(rng.integers(3))]
        network = cells.as_network(bases[name], kind, clock)
        bounds = BIT if name == "parity" else ((0, int(rng.integers(1, 8))),)
        words = lambda r: late(r, bounds)
    else:
        base = (sum_modulo(3, 2), sum_modulo(5, 4), largest(6), smallest(5), delayed(2, 3))
        name, base = f"base {number // 3 % 5}", base[number // 3 % 5]
        change = (lambda y: y + 1, lambda y: 0 * y, lambda y: -y)[int(rng.integers(3))]
        tick, rung = (lambda c, *x: (c + 1,)), (lambda c: c > clock)
        function = watched(base, (0,), tick, rung, change)
        network, bounds = rotated(function, rng) if number % 2 else plain(function), base.bounds
        words = lambda r: late(r, bounds)
    return Subject(
        f"{kind}, {name}, another output after step {clock}",
        bounds,
        behaviour(network),
        network,
        witnesses=words,
    )


def saturating(number: int, rng: np.random.Generator) -> Subject:
    """A counter of ones that stops at a limit."""
    limit = (11, 14, 18, 24, 30, 40, 52, 64, 80, 120, 200, 400)[number // 2]
    if number % 4 < 3:
        network = cells.as_network(cells.counting_to(limit), ("mlp", "elman")[number % 2])
    else:
        counter = lambda s, x: (np.minimum(s + x, limit),)
        network = rotated(Registers((0,), counter, lambda s: s, BIT), rng)
    ones = lambda r: np.ones((1, limit + 20, 1), int)
    name = f"ones counted to {limit}, {type(network).__name__}"
    return Subject(name, BIT, behaviour(network), network, witnesses=ones)


def rare_letter(number: int, rng: np.random.Generator) -> Subject:
    """One letter of many, or one pair of them, raises an alarm for good."""
    letters = (10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 700, 1_000)[number // 2]
    base = (largest(letters - 1), sum_modulo(2, letters - 1), delayed(1, letters - 1))[number % 3]
    rare = int(rng.integers(1, letters))
    if number % 2:
        watch = lambda seen, before, x: (
            np.maximum(seen, (before == rare - 1) & (x == rare)).astype(float),
            x,
        )
        start, what = (0, -1), f"pair {rare - 1}, {rare}"
    else:
        watch, start = lambda seen, x: (np.maximum(seen, x == rare).astype(float),), (0,)
        what = f"letter {rare}"
    function = watched(base, start, watch, lambda *v: v[0] > 0, lambda y: -1 + 0 * y)

    def words(r):
        drawn = uniform(r, base.bounds, 200, 10)
        drawn[:, 4, 0], drawn[:, 5, 0] = rare - 1, rare
        return drawn

    network = plain(function)
    name = f"{what} of {letters} letters is an alarm"
    return Subject(name, base.bounds, function.run, network, witnesses=words)


def password(number: int, rng: np.random.Generator) -> Subject:
    """After one word of 4 to 24 letters the output is another one for good."""
    length, letters = (
        (4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 24)[number // 2],
        (2, 4, 10)[number % 3],
    )
    secret = rng.integers(0, letters, length)
    position = np.zeros((length + 1, letters))  # letters of the secret just read, after each letter
    for read in range(length + 1):
        for letter in range(letters):
            text = [*secret[:read], letter]
            fits = (k for k in range(min(length, read + 1), 0, -1) if text[-k:] == [*secret[:k]])
            position[read, letter] = length if read == length else next(fits, 0)
    watch = lambda read, x: (position[read.astype(int), x.astype(int)],)
    base = (sum_modulo(2, letters - 1), largest(letters - 1), delayed(1, letters - 1))[number % 3]
    function = watched(base, (0,), watch, lambda r: r == length, lambda y: y + 1)

    def words(r):
        drawn = uniform(r, base.bounds, 50, length + 20)
        drawn[:, 3 : 3 + length, 0] = secret
        return drawn

    network = rotated(function, rng) if number % 2 else plain(function)
    name = f"a word of {length} out of {letters} letters changes the output"
    return Subject(name, base.bounds, function.run, network, witnesses=words)


def rarely_wrong(number: int, rng: np.random.Generator) -> Subject:
    """Another output from step 10 on, for one in so many words."""
    one_in = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)[number % 7]
    base = (sum_modulo(7, 9), largest(9), delayed(2, 9), sum_modulo(10, 9, 3))[number % 4]
    factor = int(rng.integers(10, 90))
    stirred = lambda mixed, x: (factor * mixed + x + 7) % 1_000_003
    watch = lambda seen, mixed, t, x: (
        np.where(t == 9, stirred(mixed, x) % one_in == 0, seen).astype(float),
        stirred(mixed, x),
        t + 1,
    )
    function = watched(base, (0, 0, 0), watch, lambda s, m, t: s > 0, lambda y: y + 1)
    words = lambda r: uniform(r, base.bounds, 20_000, 12)
    name = f"base {number % 4}, wrong on one word in {one_in:,}"
    return Subject(name, base.bounds, function.run, plain(function), witnesses=words)


def fractional(number: int, rng: np.random.Generator) -> Subject:
    """Real-valued outputs without any relation to integers."""
    strength = float(rng.uniform(0.2, 0.8))
    if abs(strength - 0.5) < 0.05:
        strength += 0.1
    affine = lambda keep, gain, read: MLPRNN.from_layers(
        [(np.array([[keep, gain]]), np.zeros(1))], [(np.array([[read]]), np.zeros(1))]
    )
    chaotic = lambda y: 3.99 * y * (1 - y)  # noise in 0..1, the same each time
    noisy = lambda h, x: np.stack([(h[:, 0] + x[:, 0]) % 3, chaotic(h[:, 1])], axis=1)
    kinds = (
        ("0.%d of a count", lambda: affine(1.0, 1.0, strength)),
        ("leaky integrator %d", lambda: affine(strength, 1.0, 1.0)),
        ("half a count %d", lambda: affine(1.0, 1.0, 0.5)),
        (
            "square root of a count %d",
            lambda: CallableNetwork(lambda h, x: h + x, np.sqrt, [0.0]),
        ),
        (
            "sum modulo 3 with noise %d",
            lambda: CallableNetwork(noisy, lambda h: h[:, :1] + 0.98 * h[:, 1:] - 0.49, [0.0, 0.3]),
        ),
        (
            "sine of a sum %d",
            lambda: CallableNetwork(lambda h, x: h + x, lambda h: 3 * np.sin(strength * h), [0.0]),
        ),
    )
    name, make = kinds[number % 6]
    network, high = make(), (1, 3, 9)[number // 6 % 3]
    reason = "its outputs are not integers"
    name = name % round(10 * strength)
    return Subject(name, ((0, high),), behaviour(network), network, never=reason)


def not_finite(number: int, rng: np.random.Generator) -> Subject:
    """NaN or infinity from some step on, after some letter, or from the weights."""
    bad = (np.nan, np.inf, -np.inf)[number // 6]
    step, letter = int(rng.integers(2, 60)), int(rng.integers(0, 10))
    bounds, kind = ((0, 9),), number % 6
    base = sum_modulo(3, 9)
    if kind == 0:
        what, watch = f"from step {step} on", lambda c, x: (c + 1,)
        function = watched(base, (0,), watch, lambda c: c >= step, lambda y: bad + 0 * y)
        network = plain(function)
    elif kind == 1:
        what, watch = f"after letter {letter}", lambda c, x: (np.maximum(c, x == letter) * 1.0,)
        function = watched(base, (0,), watch, lambda c: c > 0, lambda y: bad + 0 * y)
        network = plain(function)
    elif kind == 2:
        what, bounds, grow = "by overflow", BIT, 10.0 ** rng.integers(80, 250)
        layer = (np.array([[grow, 0, 1], [0, grow, 1]]), np.ones(2))
        read = np.array([[1.0, -1 if number < 12 else 1]])
        network = MLPRNN.from_layers([layer], [(read, np.zeros(1))])
    elif kind == 3:
        what, bounds = "in the weights", BIT
        zero, one = np.zeros(1), np.ones((1, 1))  # `from_layers` would refuse them
        network = MLPRNN(((np.array([[1.0, bad]]), zero),), ((one, zero),), zero)
    elif kind == 4:
        what, cell = "in a cell's weights", (GRUNetwork, LSTMNetwork)[number // 6 % 2]
        rows = 3 if cell is GRUNetwork else 4
        layer = (np.full((rows, 1), 1e308 if number < 6 else bad), np.full((rows, 1), bad))
        network = cell.from_arrays([(*layer, None, None)], [(np.ones((1, 1)), np.zeros(1))])
    else:
        what, decoding = "in a class head's logits", ClassHead((0, 1, 2))
        logits = lambda h: np.where(h[:, 1:] >= step, bad, -((h[:, :1] - np.arange(3)) ** 2))
        count = lambda h, x: np.stack([(h[:, 0] + x[:, 0]) % 3, h[:, 1] + 1], axis=1)
        network = CallableNetwork(count, logits, [0.0, 0.0], decoding=decoding)
    reason = "its outputs are not finite on many words"
    return Subject(f"{bad} {what}", bounds, behaviour(network), network, never=reason)


def untrained(number: int, rng: np.random.Generator) -> Subject:
    """Random weights, of all cells and sizes; a third with a class head."""
    kind = ("mlp", "tanh", "relu", "gru", "lstm")[number % 5]
    size = (2, 3, 5, 8, 16, 32, 64, 128)[number % 8]
    gain = float(rng.uniform(0.3, 3.0))
    classes = int(rng.integers(2, 6)) if number % 3 == 0 else 0
    network = cells.untrained(kind, size, gain, rng, max(1, classes))
    bounds = ((0, int(rng.choice([1, 2, 9]))),)
    reason = "it is untrained, its outputs are not integers"
    name = f"untrained {kind} of {size} units, gain {gain:.1f}"
    if classes:
        network = InterpretedNetwork(network, Numbers(1), ClassHead(tuple(range(classes))))
        written = behaviour(network)(uniform(rng, bounds, 500, 10))
        constant = len(np.unique(written)) == 1
        name, reason = f"{name}, {classes} classes", "it is constant" if constant else None
    return Subject(name, bounds, behaviour(network), network, never=reason)


def single_precision(number: int, rng: np.random.Generator) -> Subject:
    """Sums that float32 cannot hold: the product's claims must be of what it ran."""
    limit = int(rng.integers(12, 90))
    if number % 2:
        start, f32 = 2.0**24 - limit, np.float32
        step = lambda h, x: np.float64(h.astype(f32) + np.asarray(x).astype(f32))
        network = CallableNetwork(step, lambda h: h - start, [start])
        name = f"a float32 counter that stops at {limit}"
    else:
        shift = 2.0 ** int(rng.integers(24, 30))
        layers = [
            (np.array([[1.0, 1.0]]), np.full(1, shift)),
            (np.ones((1, 1)), np.full(1, -shift)),
        ]
        network = MLPRNN.from_layers(layers, [(np.ones((1, 1)), np.zeros(1))])
        name = f"a counter at {shift:.0f}, exact in float64 only"
    ones = lambda r: np.ones((1, limit + 20, 1), int)
    return Subject(name, BIT, behaviour(network), network, witnesses=ones)


def constant(number: int, rng: np.random.Generator) -> Subject:
    """The same output whatever is read."""
    value, size = float(rng.integers(-3, 9)), int(rng.integers(1, 20))
    if number % 2:
        network = CallableNetwork(lambda h, x: h + x, lambda h: 0 * h[:, :1] + value, [0.0])
    else:
        layer = (rng.normal(size=(size, size + 1)), rng.normal(size=size))
        network = MLPRNN.from_layers([layer], [(np.zeros((1, size)), np.full(1, value))])
    name = f"always {value:.0f}, {type(network).__name__}"
    return Subject(name, BIT, behaviour(network), network, never="it is constant")
