"""Exact two-level minimisation of one Boolean function: all prime implicants, then a minimum cover
(Quine-McCluskey).

A row is an integer whose bit i is variable i. A cube (product of literals) is a pair of integers
(mask, value): it contains the rows with `row & mask == value`. The cost of a cover is its number of
literals plus its number of cubes.

Primes come from one dense array with an axis of size 3 for each variable (0, 1, either), so up to
`DENSE_BITS` variables they are complete and the cover can be proven minimal. Beyond that each cube
is grown greedily against the off-set, as espresso does, and nothing is proven.

Axes: R rows of the on-set still to be covered, P prime implicants, K variables.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

DENSE_BITS = 13  # 3^13 = 1.6 million cubes; each further bit triples time and memory
PROOF_ENTRIES = 4_000_000  # P x R above which the cover is greedy: the linear programs grow slow
COVER_NODES = 200  # of branch and bound: ten times what the hardest table of eleven bits took
COVER_ENTRIES = 50_000_000  # P x R above which only the cheapest primes are looked at

_OPTIMAL = 0  # status of scipy.optimize.milp


@dataclasses.dataclass(frozen=True)
class TwoLevel:
    """A sum of products.

    Attributes:
        cubes: (mask, value) pairs, disjoined; no cube means constant 0, the cube (0, 0) constant 1.
        proven_minimal: True where no cover by prime implicants costs less.
    """

    cubes: tuple[tuple[int, int], ...]
    proven_minimal: bool

    @property
    def cost(self) -> int:
        """Literals plus cubes."""
        return sum(mask.bit_count() + 1 for mask, _ in self.cubes)

    def contains(self, rows: np.ndarray) -> np.ndarray:
        """rows [N] integers -> [N] bool, whether some cube contains the row."""
        covered = np.zeros(np.shape(rows), bool)
        for mask, value in self.cubes:
            covered |= (rows & mask) == value
        return covered


def sum_of_products(
    on_set: np.ndarray, dont_care: np.ndarray, bits: int, *, nodes: int = COVER_NODES
) -> TwoLevel:
    """The cheapest sum of products that is 1 on the on-set and 0 outside on-set and don't-cares.

    Args:
        on_set: [R] rows with value 1.
        dont_care: rows with either value (disjoint from the on-set).
        bits: K, the number of variables, at most `DENSE_BITS`.
        nodes: of branch and bound, after which the best cover so far is returned unproven.
    """
    on_set = np.unique(np.asarray(on_set, np.int64))
    if on_set.size == 0:
        return TwoLevel((), True)
    masks, values = prime_implicants(on_set, np.asarray(dont_care, np.int64), bits)
    costs = _popcount(masks) + 1
    if masks.size * on_set.size > COVER_ENTRIES:
        order = np.argsort(costs, kind="stable")[: max(COVER_ENTRIES // on_set.size, 1)]
        masks, values, costs = _with_every_row_covered(masks, values, costs, order, on_set)
        covers = (on_set[:, None] & masks[None, :]) == values[None, :]
        chosen, proven = _greedy(covers, costs), False
    else:
        covers = (on_set[:, None] & masks[None, :]) == values[None, :]
        if covers.size > PROOF_ENTRIES:
            chosen, proven = _greedy(covers, costs), False
        else:
            chosen, proven = minimum_cover(covers, costs, nodes=nodes)
    return TwoLevel(tuple(sorted((int(masks[p]), int(values[p])) for p in chosen)), proven)


def sum_of_products_against_off_set(on_set: np.ndarray, off_set: np.ndarray, bits: int) -> TwoLevel:
    """Greedy cover for many variables and few specified rows: every row not named is a don't-care.

    Each on-row is expanded one literal at a time, dropping the literal that lets the cube absorb
    most other on-rows while it stays clear of the off-set; then redundant cubes are removed.
    """
    on_set = np.unique(np.asarray(on_set, np.int64))
    off_set = np.unique(np.asarray(off_set, np.int64))
    cubes: list[tuple[int, int]] = []
    uncovered = np.ones(on_set.size, bool)
    while uncovered.any():
        mask, value = _expand(int(on_set[np.argmax(uncovered)]), on_set[uncovered], off_set, bits)
        cubes.append((mask, value))
        uncovered &= (on_set & mask) != value
    masks, values = (
        (np.array(column, np.int64) for column in zip(*cubes)) if cubes else (np.zeros(0, int),) * 2
    )
    if not cubes:
        return TwoLevel((), True)
    covers = (on_set[:, None] & masks[None, :]) == values[None, :]
    chosen = _greedy(covers, _popcount(masks) + 1)
    return TwoLevel(tuple(sorted(cubes[p] for p in chosen)), False)


def prime_implicants(
    on_set: np.ndarray, dont_care: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """All prime implicants that contain at least one on-row: masks [P] and values [P]."""
    table = np.zeros(1 << bits, bool)
    table[on_set] = True
    touches = table.reshape((2,) * bits)
    table = table.copy()
    table[dont_care] = True
    inside = table.reshape((2,) * bits)  # axis a is variable bits - 1 - a
    for axis in range(bits):
        zero, one = (inside.take([side], axis) for side in (0, 1))
        inside = np.concatenate([inside, zero & one], axis)
        zero, one = (touches.take([side], axis) for side in (0, 1))
        touches = np.concatenate([touches, zero | one], axis)
    prime = inside & touches
    for axis in range(bits):
        wider = inside.take([2], axis)
        prime &= ~np.concatenate([wider, wider, np.zeros_like(wider)], axis)
    cubes = np.array(np.nonzero(prime)).reshape(bits, -1)  # entries 0, 1 or 2 (= either)
    weights = (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))[:, None]
    return ((cubes != 2) * weights).sum(0), ((cubes == 1) * weights).sum(0)


def minimum_cover(
    covers: np.ndarray, costs: np.ndarray, *, nodes: int = COVER_NODES
) -> tuple[tuple[int, ...], bool]:
    """Columns of least total cost that together cover every row, by integer programming (HiGHS).

    Args:
        covers: [R, P] bool, every row covered by some column.
        costs: [P] positive integers.
        nodes: of branch and bound, after which the best cover so far is returned unproven.

    Returns:
        The chosen columns, and whether the choice is proven to be minimal.
    """
    greedy = _greedy(covers, costs)
    if not covers.size:
        return greedy, True
    found = milp(
        costs.astype(np.float64),
        integrality=np.ones(costs.size, np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(covers.astype(np.float64)), lb=1),
        options={"node_limit": nodes, "mip_rel_gap": 0.0},
    )
    chosen = () if found.x is None else tuple(int(p) for p in np.flatnonzero(found.x > 0.5))
    if (
        not covers[:, chosen].any(axis=1).all()
        or costs[list(chosen)].sum() > costs[list(greedy)].sum()
    ):
        chosen = greedy
    return chosen, found.status == _OPTIMAL


def _greedy(covers: np.ndarray, costs: np.ndarray) -> tuple[int, ...]:
    """A cover by best price per newly covered row, made irredundant."""
    uncovered, chosen = np.ones(covers.shape[0], bool), []
    gain = covers.sum(0).astype(np.int64)
    while uncovered.any():
        column = int(np.argmin(np.where(gain > 0, costs / np.maximum(gain, 1), np.inf)))
        newly = covers[:, column] & uncovered
        gain -= covers[newly].sum(0)
        uncovered &= ~newly
        chosen.append(column)
    depth = covers[:, chosen].sum(1)
    for column in sorted(chosen, key=lambda p: -costs[p]):
        if (depth - covers[:, column] >= 1).all():
            depth = depth - covers[:, column]
            chosen.remove(column)
    return tuple(chosen)


def _with_every_row_covered(masks, values, costs, order, on_set):
    """Keeps the primes in `order` and adds one for each on-row they miss."""
    kept = np.zeros(masks.size, bool)
    kept[order] = True
    covered = np.zeros(on_set.size, bool)
    for p in order:
        covered |= (on_set & masks[p]) == values[p]
    for row in on_set[~covered]:
        kept[np.argmin(np.where((row & masks) == values, costs, np.iinfo(np.int64).max))] = True
    return masks[kept], values[kept], costs[kept]


def _expand(row: int, on_set: np.ndarray, off_set: np.ndarray, bits: int) -> tuple[int, int]:
    """The cube grown from one row, literal by literal, clear of the off-set."""
    mask = (1 << bits) - 1
    free = [1 << i for i in range(bits)]
    while free:
        allowed = [
            bit for bit in free if not ((off_set & (mask ^ bit)) == (row & (mask ^ bit))).any()
        ]
        if not allowed:
            break
        absorbed = [int(((on_set & (mask ^ bit)) == (row & (mask ^ bit))).sum()) for bit in allowed]
        bit = allowed[int(np.argmax(absorbed))]
        mask ^= bit
        free = [other for other in allowed if other != bit]
    return mask, row & mask


def _popcount(numbers: np.ndarray) -> np.ndarray:
    return np.bitwise_count(numbers.astype(np.uint64)).astype(np.int64)
