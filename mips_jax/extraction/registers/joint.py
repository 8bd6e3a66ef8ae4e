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
import time
from collections.abc import Sequence

import numpy as np

from mips_jax.extraction.registers.features import Feature
from mips_jax.extraction.regression.enumeration import EnumerationSettings, ExpressionBank
from mips_jax.extraction.traces import Traces
from mips_jax.inputs import InputRange, input_names
from mips_jax.programs import Program, Register, Var, expression_bits, tidied, variables

_BLOCK = 4000  # updates run at a time
_CELLS = 420  # grid cells at most


@dataclasses.dataclass(frozen=True)
class JointSettings:
    """Limits.

    Attributes:
        bank: updates tried.
        words: words on which every update is run.
        kept: features returned at most.
        starts: values of s before the first input.
    """

    bank: int = 30_000
    words: int = 80
    kept: int = 16
    starts: tuple[int, ...] = (0, 1, -1)


def joint_features(
    narrow: Traces,
    input_range: InputRange,
    deadline: float,
    settings: JointSettings = JointSettings(),
    hints: Sequence[int] = (),
) -> list[Feature]:
    """Registers with enumerated updates that determine the output, alone or with the last output.

    Args:
        narrow: traces over few letters.
        input_range: bounds of the inputs.
        deadline: `time.monotonic()` at which to stop.
        settings: limits.
        hints: integers that may be moduli or limits, such as the number of states of the network's
            machine.

    Returns:
        Features on the words of `narrow`, the shortest updates first; other words: `on_words`.
    """
    names = input_names(len(input_range))
    letters, codes = np.unique(narrow.words.reshape(-1, len(names)), axis=0, return_inverse=True)
    codes = codes.reshape(narrow.words.shape[:2])
    bound = min(24, (_CELLS // len(letters) - 1) // 2)
    if bound < 3:
        return []
    grid = np.array(list(itertools.product(range(-bound, bound + 1), range(len(letters)))))
    columns = {Var("s"): grid[:, 0]} | {Var(n): letters[grid[:, 1], i] for i, n in enumerate(names)}
    constants = [
        c
        for c in (*hints, *(c for low, high in input_range for c in (low, high, high + 1)))
        if abs(c) <= 2 * bound
    ]
    bank = ExpressionBank(
        columns, constants, EnumerationSettings(bank=settings.bank, largest_size=7)
    )
    table = bank.values + bound
    table = np.where((table < 0) | (table > 2 * bound), -1, table).reshape(
        len(bank), 2 * bound + 1, len(letters)
    )
    reads_itself = np.flatnonzero(
        (table != table[:, :1]).any(axis=(1, 2))
    )  # the others are windows, known already
    found: dict[bytes, Feature] = {}
    for start in settings.starts:
        for first in range(0, len(reads_itself), _BLOCK):
            if time.monotonic() > deadline:
                break
            block = reads_itself[first : first + _BLOCK]
            for index in _useful(
                table[block],
                start + bound,
                codes[: settings.words],
                narrow.outputs[: settings.words],
            ):
                update = tidied(bank.expression(int(block[index])))
                feature = on_words(
                    Feature("register", np.zeros((1, 1)), "", update, (), start),
                    narrow.words,
                    names,
                )
                key = feature.values.tobytes()
                if key not in found or expression_bits(update) < expression_bits(found[key].update):
                    found[key] = feature
    ranked = sorted(found.values(), key=lambda f: expression_bits(f.update))[: settings.kept]
    return [
        dataclasses.replace(
            f,
            name=f"register{i + 1}",
            update=_own(f.update, f"register{i + 1}"),
            cost=0.3 * expression_bits(f.update),
        )
        for i, f in enumerate(ranked)
    ]


def on_words(feature: Feature, words: np.ndarray, names: tuple[str, ...]) -> Feature:
    """The same register run along other words [W, T, I]."""
    own = next((v for v in variables(feature.update) if v.name not in names), Var(feature.name))
    program = Program(names, (Register(own.name, feature.initial, feature.update),), (own,))
    _, history = program.trace(words)
    values = np.concatenate([np.full((len(words), 1), feature.initial), history[own.name]], axis=1)
    return dataclasses.replace(
        feature, values=values.astype(np.int64), meaning="a register found by joint search"
    )


def _own(update, name: str):
    from mips_jax.programs import replace

    return replace(update, {Var("s"): Var(name)})


def _useful(table: np.ndarray, start: int, codes: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Indices of updates [M, S, A] under which (s, x), or (s, last output, x), never meets two
    outputs.

    Args:
        table: next state of each state and letter, -1 outside the grid.
        start: index of the initial state.
        codes: [W, T] letter of each step.
        outputs: [W, T, O].
    """
    count, states, letters = table.shape
    flat = table.reshape(count, -1)
    words, length = codes.shape
    state = np.full((count, words), start)
    history = []
    alive = np.ones(count, bool)
    for t in range(length):
        history.append(state)
        state = np.take_along_axis(flat, np.maximum(state, 0) * letters + codes[None, :, t], axis=1)
        alive &= (state >= 0).all(axis=1)
    passed = np.flatnonzero(alive)
    if not len(passed):
        return passed
    history = np.stack([h[passed] for h in history], axis=2)  # [K, W, T]
    values, said = np.unique(outputs.reshape(-1, outputs.shape[2]), axis=0, return_inverse=True)
    said = said.reshape(words, length)
    keys = history * letters + codes[None]
    alone = _functional(
        keys.reshape(len(passed), -1),
        np.broadcast_to(said.ravel(), (len(passed), words * length)),
        states * letters,
    )
    useful = alone
    if len(values) <= 12:
        last = np.concatenate([np.full((words, 1), 0), said[:, :-1]], axis=1)
        paired = (keys * len(values) + last[None])[:, :, 1:].reshape(len(passed), -1)
        target = np.broadcast_to(said[:, 1:].ravel(), paired.shape)
        if _functional(
            (codes * len(values) + last)[None, :, 1:].reshape(1, -1),
            target[:1],
            letters * len(values),
        ).all():
            return passed[alone]  # the last output says everything: with it any register would do
        useful = alone | _functional(paired, target, states * letters * len(values))
    return passed[useful]


def _functional(keys: np.ndarray, targets: np.ndarray, size: int) -> np.ndarray:
    """[K] bool: whether targets [K, N] are a function of keys [K, N], 0 <= key < size."""
    seen = np.empty((len(keys), size), np.int16)
    np.put_along_axis(seen, keys, targets.astype(np.int16), axis=1)
    return (np.take_along_axis(seen, keys, axis=1) == targets).all(axis=1)
