"""Finitely many states as bits (paper, section 3.3), numbered so that the next bits and the outputs
are simple.

The S states need B = ceil(log2 S) bits. Every assignment of bit patterns is tried while they are
few (up to 8 states), else a local search over swaps; they are ranked by how many variables change
each next bit and output (influence), and the best few are minimised exactly. The initial state is
pattern 0...0 in each; at the end bits of the best one are negated where that is shorter.

Axes: N observed transitions, S states, B bits, I inputs, O outputs.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from mips_jax.extraction.regression.boolean.minimise import minimise_table
from mips_jax.programs import Expression, Var, expression_bits

MOST_STATES = 64
MINIMISED = 12  # assignments minimised exactly
FLIPPED_BITS = 3
SWAPS = 3_000  # of the local search


@dataclasses.dataclass(frozen=True, eq=False)
class BooleanMachine:
    """Next bits and outputs as formulas.

    Attributes:
        patterns: [S, B] 0/1, the bits of each state.
        next_bits: [B] over the bits (`names`) and the inputs.
        outputs: [O] over the bits after the step.
        bits: description length of all formulas.
    """

    patterns: np.ndarray
    next_bits: tuple[Expression, ...]
    outputs: tuple[Expression, ...]
    bits: float


def boolean_machine(
    before: np.ndarray,
    letters: np.ndarray,
    after: np.ndarray,
    outputs: np.ndarray,
    names: Sequence[Var],
    inputs: Sequence[Var],
    updated: Sequence[Var],
) -> BooleanMachine | None:
    """The shortest formulas over assignments of bits to states.

    Args:
        before: [N] state before the step (0 is the initial state).
        letters: [N, I] inputs, 0/1.
        after: [N] state after the step.
        outputs: [N, O] 0/1 outputs.
        names: variables for the bits before the step, at least B of them.
        inputs: [I] variables for the inputs.
        updated: variables for the bits after the step.

    Returns:
        The machine, or None where there are too many states.
    """
    states = int(max(before.max(initial=0), after.max(initial=0))) + 1
    if states > MOST_STATES:
        return None
    bits = max(math.ceil(math.log2(states)), 0)
    rows = np.unique(np.column_stack([before, letters, after, outputs]), axis=0)
    middle = 1 + letters.shape[1]
    before, letters, after, outputs = (
        rows[:, 0],
        rows[:, 1:middle],
        rows[:, middle],
        rows[:, middle + 1 :],
    )
    variables, written = (*names[:bits], *inputs), updated[:bits]

    def machine(codes: np.ndarray) -> BooleanMachine:
        patterns = codes[:, None] >> np.arange(bits) & 1
        keys = np.concatenate([patterns[before], letters], axis=1)
        next_bits = tuple(minimise_table(keys, patterns[after, b], variables) for b in range(bits))
        read = tuple(minimise_table(patterns[after], column, written) for column in outputs.T)
        return BooleanMachine(
            patterns, next_bits, read, sum(expression_bits(e) for e in next_bits + read)
        )

    ranked = _ranked_assignments(states, bits, before, letters, after, outputs)[:MINIMISED]
    codes, best = min(((codes, machine(codes)) for codes in ranked), key=lambda pair: pair[1].bits)
    if bits <= FLIPPED_BITS:
        best = min(
            [best, *(machine(codes ^ mask) for mask in range(1, 1 << bits))], key=lambda m: m.bits
        )
    return best


def _ranked_assignments(states, bits, before, letters, after, outputs) -> list[np.ndarray]:
    """Codes [S] of the states, the simplest-looking assignments first."""
    look = _Complexity(bits, before, letters, after, outputs)
    if states <= 8:
        candidates = [np.array(codes) for codes in _assignments(states, bits)]
    else:
        candidates = _local_search(states, bits, look)
    return sorted(candidates, key=look.of)


def _assignments(states: int, bits: int) -> Iterator[tuple[int, ...]]:
    """All numberings with state 0 at pattern 0, but one for each that only differ by the order of
    the bits.
    """
    for rest in itertools.permutations(range(1, 1 << bits), states - 1):
        codes = (0, *rest)
        columns = [tuple(c >> b & 1 for c in codes) for b in range(bits)]
        if columns == sorted(columns):
            yield codes


def _local_search(states: int, bits: int, look: "_Complexity") -> list[np.ndarray]:
    """Hill climbing over exchanges of two patterns, from a few random numberings."""
    generator = np.random.default_rng(0)
    results = []
    for _ in range(4):
        patterns = np.concatenate([[0], 1 + generator.permutation((1 << bits) - 1)])
        cost = look.of(patterns[:states])
        for _ in range(SWAPS // 4):
            i, j = generator.integers(1, states), generator.integers(1, 1 << bits)
            patterns[[i, j]] = patterns[[j, i]]
            changed = look.of(patterns[:states])
            if changed <= cost:
                cost = changed
            else:
                patterns[[i, j]] = patterns[[j, i]]
        results.append(patterns[:states].copy())
    return results


class _Complexity:
    """How complex next bits and outputs look under an assignment: pairs of neighbouring rows with
    different values.
    """

    def __init__(self, bits: int, before, letters, after, outputs):
        self.bits, self.before, self.after, self.outputs = bits, before, after, outputs
        self.letter_code = (
            (letters << np.arange(letters.shape[1])).sum(1) if letters.shape[1] else before * 0
        )
        self.width = bits + letters.shape[1]

    def of(self, codes: np.ndarray) -> float:
        keys = codes[self.before] | self.letter_code << self.bits
        total = 0.0
        for b in range(self.bits):
            total += _influences(keys, codes[self.after] >> b & 1, self.width)
        for column in self.outputs.T:
            total += _influences(codes[self.after], column, self.bits)
        return total


def _influences(keys: np.ndarray, values: np.ndarray, width: int) -> float:
    """Sum over variables of the share of neighbouring rows that differ, plus 1 for each variable
    that matters.
    """
    table = np.full(1 << width, -1)
    table[keys] = values
    known = table >= 0
    total = 0.0
    everything = np.arange(1 << width)
    for i in range(width):
        other = everything ^ (1 << i)
        both = known & known[other]
        differ = both & (table != table[other])
        if differ.any():
            total += 1.0 + differ.sum() / both.sum()
    return total
