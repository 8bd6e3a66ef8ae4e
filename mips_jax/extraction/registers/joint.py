"""Joint search: updates s' = F(s, x) enumerated by size and run along the words, before anybody
knows what s should mean.

An update is of use when the output becomes a function of (s, x), or of (s, last output, x): no
labelling is needed to find it. Whether the network really holds such a register is checked
afterwards against its hidden state, like for any other feature.

Axes: M updates, G grid cells (values of s times letters), W words, T time.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from mips_jax.budget import Share
from mips_jax.extraction.registers.feature import Feature
from mips_jax.extraction.regression.enumeration import ExpressionBank
from mips_jax.extraction.traces import Traces
from mips_jax.extraction.tuning import TUNING, EnumerationSettings, JointSettings
from mips_jax.inputs import InputRange, input_names
from mips_jax.programs import (
    Expression,
    Program,
    Register,
    Var,
    expression_bits,
    replace,
    tidied,
    variables,
)

_LARGEST = 2**62  # a register that runs away is none
_BLOCK = 4000  # updates run at a time
_FEW_WORDS = 8  # on which an update is tried before all words


def joint_features(
    narrow: Traces,
    input_range: InputRange,
    share: Share,
    settings: JointSettings = TUNING.joint,
    hints: Sequence[int] = (),
) -> list[Feature]:
    """Registers with enumerated updates that determine the output, alone or with the last output.

    Args:
        narrow: traces over few letters.
        input_range: bounds of the inputs.
        share: values that may be computed.
        settings: limits.
        hints: integers that may be moduli or limits, such as the number of states of the network's
            machine.

    Returns:
        Features on the words of `narrow`, the shortest updates first; other words: `on_words`.
    """
    names = input_names(len(input_range))
    letters, codes = np.unique(narrow.words.reshape(-1, len(names)), axis=0, return_inverse=True)
    codes = codes.reshape(narrow.words.shape[:2])
    bound = min(settings.bound, (settings.cells // len(letters) - 1) // 2)
    if bound < settings.smallest_bound:
        return []
    grid = np.array(list(itertools.product(range(-bound, bound + 1), range(len(letters)))))
    columns = {Var("s"): grid[:, 0]} | {Var(n): letters[grid[:, 1], i] for i, n in enumerate(names)}
    limits = [c for low, high in input_range for c in (low, high, high + 1)]
    constants = [c for c in (*hints, *limits) if abs(c) <= 2 * bound]
    size = EnumerationSettings(bank=settings.bank, largest_size=settings.size)
    bank = ExpressionBank(columns, constants, size, share=share)
    values = bank.values + bound
    values[(values < 0) | (values > 2 * bound)] = -1
    table = values.reshape(len(bank), 2 * bound + 1, len(letters))
    outputs = narrow.outputs[: settings.words]
    short_first = sorted(
        (
            (tidied(bank.expression(index)), start)
            for index, start in _candidates(
                table, bound, codes[: settings.words], outputs, share, settings
            )
        ),
        key=lambda known: expression_bits(known[0]),
    )
    found: dict[bytes, tuple[Expression, Feature]] = {}
    for update, start in short_first:
        alone = Feature("register", np.zeros((1, 1)), "", update, (), start)
        feature = on_words(alone, narrow.words, names)
        found.setdefault(feature.values.tobytes(), (update, feature))
        if len(found) == settings.kept:
            break  # running them on all words is what takes time
    return [
        _named(feature, update, f"register{i + 1}", settings.bit_price)
        for i, (update, feature) in enumerate(found.values())
    ]


def _candidates(
    table: np.ndarray, bound: int, codes, outputs, share: Share, settings: JointSettings
) -> Iterator[tuple[int, int]]:
    """(index of the update, initial value) of updates [M, S, A] that determine the output."""
    # those that do not read the register are windows, known already
    reads_itself = np.flatnonzero((table != table[:, :1]).any(axis=(1, 2)))
    for start in settings.starts:
        for first in range(0, len(reads_itself), _BLOCK):
            if share.out:
                return
            block = reads_itself[first : first + _BLOCK]
            share.spend(len(block) * codes.size)
            useful = _useful(table[block], start + bound, codes, outputs, settings.last_outputs)
            for index in useful:
                yield int(block[index]), start


def _named(feature: Feature, update: Expression, name: str, bit_price: float) -> Feature:
    renamed = replace(update, {Var("s"): Var(name)})
    cost = bit_price * expression_bits(renamed)
    return dataclasses.replace(feature, name=name, update=renamed, cost=cost, shown="state")


def on_words(feature: Feature, words: np.ndarray, names: tuple[str, ...]) -> Feature:
    """The same register run along other words [W, T, I]."""
    update, start = feature.update, feature.initial
    if update is None or start is None:
        raise ValueError(f"{feature.name} has no known update and start: it cannot be run")
    own = next((v for v in variables(update) if v.name not in names), Var(feature.name))
    program = Program(names, (Register(own.name, start, update),), (own,))
    _, history = program.trace(words)
    values = np.concatenate([np.full((len(words), 1), start), history[own.name]], axis=1)
    values = np.clip(values, -_LARGEST, _LARGEST)  # beyond the words that it was found on
    return dataclasses.replace(
        feature, values=values.astype(np.int64), meaning="a register found by joint search"
    )


def _useful(
    table: np.ndarray, start: int, codes: np.ndarray, outputs: np.ndarray, last_outputs: int
) -> np.ndarray:
    """Indices of updates [M, S, A] under which (s, x), or (s, last output, x), never meets two
    outputs.

    Args:
        table: next state of each state and letter, -1 outside the grid.
        start: index of the initial state.
        codes: [W, T] letter of each step.
        outputs: [W, T, O].
        last_outputs: most values of the output for the last one to be used.
    """
    letters = table.shape[2]
    values, said = np.unique(outputs.reshape(-1, outputs.shape[2]), axis=0, return_inverse=True)
    said, before = said.reshape(codes.shape), 0
    if len(values) <= last_outputs:
        before = len(values)
        last = _last(said)[:, 1:]
        pairs = (codes[:, 1:] * before + last).reshape(1, -1)
        if _functional(pairs, said[:, 1:].reshape(1, -1), letters * before).all():
            before = 0  # the last output says everything: with it any register would do
    alive = np.arange(len(table))
    for words in (_FEW_WORDS, len(codes)):
        kept = _determining(table[alive], start, codes[:words], said[:words], before)
        alive = alive[kept]
    return alive


def _determining(
    table: np.ndarray, start: int, codes: np.ndarray, said: np.ndarray, before: int
) -> np.ndarray:
    """Indices of updates that stay inside the grid, and whose register with the letter, or with
    one of `before` last outputs as well, tells what is said [W, T].
    """
    _, states, letters = table.shape
    passed, history = _inside(table, start, codes)
    if not len(passed):
        return passed
    keys = history * letters + codes[None]
    flat = lambda steps: steps.reshape(len(steps), -1)
    targets = lambda kept: np.broadcast_to(kept.ravel(), (len(passed), kept.size))
    useful = _functional(flat(keys), targets(said), states * letters)
    if before:
        paired = flat((keys * before + _last(said)[None])[:, :, 1:])
        useful |= _functional(paired, targets(said[:, 1:]), states * letters * before)
    return passed[useful]


def _inside(table: np.ndarray, start: int, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of updates that never leave the grid, and their states before each step [K, W, T]."""
    flat = table.reshape(len(table), table.shape[1] * table.shape[2])
    inside = np.arange(len(table))
    state = np.full((len(table), len(codes)), start)
    history = np.empty((len(table), *codes.shape), state.dtype)
    for t in range(codes.shape[1]):
        history[:, :, t] = state
        state = flat[inside[:, None], state * table.shape[2] + codes[None, :, t]]
        stay = (state >= 0).all(axis=1)
        if not stay.all():
            inside, state, history = inside[stay], state[stay], history[stay]
    return inside, history


def _last(said: np.ndarray) -> np.ndarray:
    """[W, T] what was said at the step before; 0 before the first."""
    return np.concatenate([np.zeros((len(said), 1), said.dtype), said[:, :-1]], axis=1)


def _functional(keys: np.ndarray, targets: np.ndarray, size: int) -> np.ndarray:
    """[K] bool: whether targets [K, N] are a function of keys [K, N], 0 <= key < size."""
    seen = np.empty((len(keys), size), np.int16)
    np.put_along_axis(seen, keys, targets.astype(np.int16), axis=1)
    return (np.take_along_axis(seen, keys, axis=1) == targets).all(axis=1)
