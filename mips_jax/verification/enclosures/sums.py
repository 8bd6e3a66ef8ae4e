"""Proofs for networks without a kink, where the program only adds: both are linear recurrences.

Where the network forgets, h = P r + c + e with the program's registers r, and a box around e and r
that no letter leaves proves every length. Where it does not (sums without end), the set of all
states after N steps is exact but for rounding, and the largest N at which no output can be another
one is found by stepping; the word that the deviation points to is the one that breaks it. Neither
the box nor N is trusted: `mips_jax.check` decides.

Axes: H hidden units, R registers, I inputs a step, O outputs a step, T time.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.check import TERMS, Program, both_sides, spread
from mips_jax.check import Network as CheckedNetwork
from mips_jax.inputs import InputRange
from mips_jax.networks import MLPRNN
from mips_jax.verification.enclosures.written import box_record, network_record

_STEPS = 60  # of an interval of registers until it stands still
_SPARE = 1e-3  # share by which a box is larger than it need be
_SMALLEST = 1e-8  # half width of a box; far above the units of a certificate


@dataclasses.dataclass(frozen=True)
class Recurrences:
    """Network and program as matrices.

    Attributes:
        transition: [H, H], [H, I], [H] of the network.
        readout: [O, H], [O] of the network.
        registers: [R, R], [R, I], [R] of the program.
        outputs: [O, R], [O, I], [O] of the program, over the registers before the step.
        start: [R] registers before the first input.
        low, high: [I] bounds of the inputs.
    """

    transition: tuple[np.ndarray, np.ndarray, np.ndarray]
    readout: tuple[np.ndarray, np.ndarray]
    registers: tuple[np.ndarray, np.ndarray, np.ndarray]
    outputs: tuple[np.ndarray, np.ndarray, np.ndarray]
    start: np.ndarray
    low: np.ndarray
    high: np.ndarray


def recurrences(network: MLPRNN, source: str, bounds: InputRange) -> Recurrences | None:
    """Both as matrices, or None where one of them has a kink."""
    if len(network.transition) != 1 or len(network.output) != 1:
        return None
    try:
        program = Program(source)
        maps = program.affine()
    except Exception:  # whatever keeps it from being cut or from being affine
        return None
    count, hidden = len(program.start()), network.hidden_dim
    halves = []
    for rows, constants in maps:
        matrix = np.array(rows, float).reshape(len(constants), count + len(bounds))
        halves.append((matrix[:, :count], matrix[:, count:], np.array(constants, float)))
    weight, bias = network.transition[0]
    low, high = np.array(bounds, float).T
    return Recurrences(
        (weight[:, :hidden], weight[:, hidden:], bias),
        network.output[0],
        halves[0],
        halves[1],
        np.array(program.start(), float),
        low,
        high,
    )


def box_for_every_length(network: MLPRNN, both: Recurrences, bits: int, period: int) -> dict | None:
    """A box of [h, r] to which all words of `period` letters lead back, as a certificate holds it;
    None where none is found.

    Args:
        network: with one layer each.
        both: the same and the program.
        bits: of the arithmetic.
        period: steps after which the box is entered from the start, and again from itself.
    """
    ranges = _register_ranges(both)
    if ranges is None:
        return None
    (a, b, bias), (m, k, offset) = both.transition, both.registers
    lift, center = _lift(both, ranges)
    most = np.abs(np.stack(ranges)).max(axis=0, initial=0.0)
    letters = np.maximum(np.abs(both.low), np.abs(both.high))
    frame = _directions(a, b)
    size = np.abs(lift) @ most + np.abs(center) + 1.0  # of hidden states, with a unit to spare
    terms = a.shape[1] + b.shape[1] + TERMS
    noise = 2 * terms * 2.0**-bits * (np.abs(a) @ size + np.abs(b) @ letters + np.abs(bias))
    middle, half = (ranges[0] + ranges[1]) / 2, (ranges[1] - ranges[0]) / 2
    x, wide = (both.low + both.high) / 2, (both.high - both.low) / 2
    missed, lost = a @ lift - lift @ m, b - lift @ k
    start = center + lift @ middle
    drift = a @ start + b @ x + bias - start - lift @ (m @ middle + k @ x + offset - middle)
    pushed, power, moved = np.full(len(bias), _SMALLEST), frame.T, np.zeros(len(bias))
    for _ in range(period):
        pushed += np.abs(power @ missed) @ half + np.abs(power @ lost) @ wide
        pushed += np.abs(power) @ noise
        moved += power @ drift
        power = power @ a
    pushed += np.abs(moved)
    width = _invariant_width(np.abs(power @ frame), pushed)
    spare = _invariant_width(np.abs(m), np.full(len(m), _SMALLEST))
    if width is None or spare is None:
        return None
    apart = np.linalg.matrix_power(a, period) @ (network.initial - lift @ both.start - center)
    width = width * (1 + _SPARE) + (1 + _SPARE) * np.abs(frame.T @ apart)
    count = len(both.start)
    joint = np.block([[frame, lift], [np.zeros((count, len(frame))), np.eye(count)]])
    origin = np.concatenate([start, middle])
    return box_record(origin, joint * np.concatenate([width, half + spare]))


def _directions(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Orthogonal directions [H, H] as columns, of the letters read long ago first: those that a
    further step loses.
    """
    powers = [b]
    for _ in range(len(a) - 1):
        powers.append(a @ powers[-1])
    krylov = np.concatenate([*reversed(powers), np.eye(len(a))], axis=1)
    basis = np.zeros((len(a), 0))
    for column in krylov.T:
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        if np.linalg.norm(rest) > 1e-6 * max(1e-3, float(np.linalg.norm(column))):
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    return basis


def _invariant_width(contraction: np.ndarray, pushed: np.ndarray) -> np.ndarray | None:
    """The least w with contraction w + pushed <= w, or None where the contraction is none."""
    if np.abs(np.linalg.eigvals(contraction)).max(initial=0.0) >= 1:
        return None
    return np.linalg.solve(np.eye(len(pushed)) - contraction, pushed)


def _register_ranges(both: Recurrences) -> tuple[np.ndarray, np.ndarray] | None:
    """Lowest and highest values [R] of the registers, or None where they have no bound."""
    m, k, offset = both.registers
    low, high = both.start.copy(), both.start.copy()
    middle, half = (both.low + both.high) / 2, (both.high - both.low) / 2
    for _ in range(_STEPS):
        center = m @ (low + high) / 2 + k @ middle + offset
        reach = np.abs(m) @ (high - low) / 2 + np.abs(k) @ half
        lower, higher = np.minimum(low, center - reach), np.maximum(high, center + reach)
        if (lower == low).all() and (higher == high).all():
            return low, high
        low, high = lower, higher
    return None


def _lift(both: Recurrences, ranges) -> tuple[np.ndarray, np.ndarray]:
    """P [H, R] and c [H] with h = P r + c as nearly as runs tell."""
    rng = np.random.default_rng(0)
    (a, b, bias), (m, k, offset) = both.transition, both.registers
    h, r = np.zeros((512, len(bias))), np.tile(both.start, (512, 1))
    steps = 30 + 4 * len(both.start)
    for _ in range(steps):
        x = rng.integers(both.low.astype(int), both.high.astype(int) + 1, (512, len(both.low)))
        h, r = h @ a.T + x @ b.T + bias, r @ m.T + x @ k.T + offset
    known = np.concatenate([r, np.ones((512, 1))], axis=1)
    found = np.linalg.lstsq(known, h, rcond=None)[0].T
    return found[:, :-1], found[:, -1]


def steps_that_round_right(
    network: MLPRNN, source: str, bounds: InputRange, bits: int, most: int, work: int
) -> tuple[int, bool]:
    """The largest N such that every word up to N steps is written right; and whether that is where
    it breaks, not where the work ends.

    Args:
        network: with one layer each.
        source: text of a program that only adds.
        bounds: of the inputs.
        bits: of the arithmetic.
        most: N is not looked for beyond.
        work: nor beyond so many generators times coordinates.
    """
    letters = [[list(map(int, pair)) for pair in bounds]]
    try:
        machine = CheckedNetwork(network_record(network), bits)
        z, _, _, follow = both_sides("affine", letters, Program(source), machine)
    except (ValueError, OverflowError):  # a weight beyond what the check follows
        return 0, True
    for count in range(most):
        try:
            z, right = follow(z, 0, ())
            z = spread(z)
        except ValueError:  # a value beyond what the check follows
            return count, True
        work -= len(z) * len(z[0])
        if not right:
            return count, True
        if work < 0:
            return count + 1, False
    return most, False


def breaking_words(both: Recurrences, steps: int) -> list[np.ndarray]:
    """Words [T, I] whose last output is as far as can be from the program's, upward and downward.

    Args:
        both: network and program.
        steps: T.
    """
    (a, b, _), (c, _) = both.transition, both.readout
    (m, k, _), (n, p, _) = both.registers, both.outputs
    letters = []
    hidden, registers = c, None
    with np.errstate(over="ignore", invalid="ignore"):  # the words are run: these only propose
        for back in range(steps):
            written = p if registers is None else registers @ k
            letters.append(hidden @ b - written)
            hidden = hidden @ a
            registers = n if back == 0 else registers @ m
    found = []
    for output in range(len(c)):
        pull = np.stack([one[output] for one in reversed(letters)])
        for sign in (1, -1):
            found.append(np.where(sign * pull > 0, both.high, both.low).astype(np.int64))
    return found
