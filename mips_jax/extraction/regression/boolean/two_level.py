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

DENSE_BITS = 13  # 3^13 = 1.6 million cubes; each further bit triples time and memory
PROOF_PRIMES = 2_500  # P above which the cover is greedy: dominance compares every pair of primes
COVER_EFFORT = 3e9  # about a second on one core
COVER_ENTRIES = 50_000_000  # P x R above which only the cheapest primes are looked at


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
    on_set: np.ndarray, dont_care: np.ndarray, bits: int, *, effort: float = COVER_EFFORT
) -> TwoLevel:
    """The cheapest sum of products that is 1 on the on-set and 0 outside on-set and don't-cares.

    Args:
        on_set: [R] rows with value 1.
        dont_care: rows with either value (disjoint from the on-set).
        bits: K, the number of variables, at most `DENSE_BITS`.
        effort: multiplications of branch and bound after which the best cover so far is returned
            unproven.
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
        if masks.size > PROOF_PRIMES:
            chosen, proven = _greedy(covers, costs), False
        else:
            chosen, proven = minimum_cover(covers, costs, effort=effort)
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
    covers: np.ndarray, costs: np.ndarray, *, effort: float = COVER_EFFORT
) -> tuple[tuple[int, ...], bool]:
    """Columns of least total cost that together cover every row.

    Args:
        covers: [R, P] bool, every row covered by some column.
        costs: [P] positive integers.
        effort: multiplications before giving up the proof.

    Returns:
        The chosen columns, and whether the choice is proven to be minimal.
    """
    best = _greedy(covers, costs)
    search = _CoverSearch(best, int(costs[list(best)].sum()), effort)
    search.branch(covers, costs.astype(np.int64), np.arange(costs.size), (), 0)
    return search.best, search.effort_left > 0


@dataclasses.dataclass
class _CoverSearch:
    """Branch and bound over the cyclic core; `best` only ever improves."""

    best: tuple[int, ...]
    best_cost: int
    effort_left: float

    def branch(self, covers, costs, names, chosen: tuple[int, ...], spent: int) -> None:
        """Covers the remaining rows [R, P] with columns called `names` [P], having spent `spent` on
        `chosen`.
        """
        rows, columns = covers.shape
        self.effort_left -= 1.5e6 + 3.0 * rows * columns * (
            rows + columns
        )  # overhead, and dominance
        if self.effort_left <= 0:
            return
        covers, costs, names, forced = _reduce(covers, costs, names)
        chosen, spent = (
            chosen + tuple(name for name, _ in forced),
            spent + sum(cost for _, cost in forced),
        )
        if covers.shape[0] == 0:
            if spent < self.best_cost:
                self.best, self.best_cost = chosen, spent
            return
        if spent + _lower_bound(covers, costs) >= self.best_cost:
            return
        row = int(np.argmin(covers.sum(1)))
        by_price = sorted(np.flatnonzero(covers[row]), key=lambda p: costs[p] / covers[:, p].sum())
        for name in names[by_price]:
            column = int(np.flatnonzero(names == name)[0])
            rest = ~covers[:, column]
            others = names != name
            self.branch(
                covers[np.ix_(rest, others)],
                costs[others],
                names[others],
                chosen + (int(names[column]),),
                spent + int(costs[column]),
            )
            # From here on this column is excluded: another column must cover the row.
            covers, costs, names = covers[:, others], costs[others], names[others]
            if not covers[row].any():
                return


def _reduce(covers: np.ndarray, costs: np.ndarray, names: np.ndarray):
    """Essential columns, row dominance and column dominance, repeated until nothing changes."""
    forced: list[tuple[int, int]] = []
    while covers.shape[0]:
        single = covers.sum(1) == 1
        if single.any():
            essential = np.unique(covers[single].argmax(1))
            forced += [(int(names[p]), int(costs[p])) for p in essential]
            rest = ~covers[:, essential].any(1)
            others = np.ones(costs.size, bool)
            others[essential] = False
            covers, costs, names = covers[np.ix_(rest, others)], costs[others], names[others]
            continue
        rows = _undominated_rows(covers)
        covers = covers[rows]
        columns = _undominated_columns(covers, costs)
        covers, costs, names = covers[:, columns], costs[columns], names[columns]
        if rows.all() and columns.all():
            break
    return covers, costs, names, forced


def _undominated_rows(covers: np.ndarray) -> np.ndarray:
    """[R] bool: False for a row that is covered whenever some other row is."""
    dense = covers.astype(np.float32)
    shared, size = dense @ dense.T, dense.sum(1)
    # Row r implies row q where r's columns are all q's; of equal rows the first stays.
    first = np.arange(size.size)[:, None] < np.arange(size.size)
    implied = (shared == size[:, None]) & ((size[:, None] < size[None, :]) | first)
    np.fill_diagonal(implied, False)
    return ~implied.any(0)


def _undominated_columns(covers: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """[P] bool: False for a column whose rows another column covers at no higher cost, or that
    covers nothing.
    """
    dense = covers.astype(np.float32)
    shared, size = dense.T @ dense, dense.sum(0)
    first = np.arange(size.size)[:, None] < np.arange(size.size)
    strictly = (size[:, None] > size[None, :]) | (costs[:, None] < costs[None, :]) | first
    dominated = (shared == size[None, :]) & (costs[:, None] <= costs[None, :]) & strictly
    np.fill_diagonal(dominated, False)
    return ~dominated.any(0) & (size > 0)


def _lower_bound(covers: np.ndarray, costs: np.ndarray) -> int:
    """Dual ascent: rows bid for their columns, no column is paid more than its cost, the bids add
    up to a bound.

    Bids are kept integer, so that the bound is exact.
    """
    slack, bound = costs.copy(), 0
    for row in np.argsort(covers.sum(1), kind="stable"):
        columns = covers[row]
        bid = int(slack[columns].min())
        bound += bid
        slack[columns] -= bid
    return bound


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
