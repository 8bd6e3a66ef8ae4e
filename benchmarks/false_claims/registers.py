"""Integer functions of sequences as a few registers, and networks that compute them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.networks import CallableNetwork, ClassHead, Network

NOT_FINITE = -(10**15)  # stands for a raw output that is NaN or infinite; no program writes it


@dataclasses.dataclass(frozen=True)
class Registers:
    """A function of sequences.

    Attributes:
        initial: the registers before the first input.
        update: (registers, inputs), each [N] -> the next registers.
        read: registers -> the output, or a tuple of several.
        bounds: inclusive (low, high) of each input.
    """

    initial: tuple[float, ...]
    update: Callable
    read: Callable
    bounds: tuple[tuple[int, int], ...]

    def run(self, words: np.ndarray) -> np.ndarray:
        """words [N, T, I] -> outputs [N, T, O]."""
        state = tuple(np.full(len(words), float(v)) for v in self.initial)
        written = []
        for t in range(words.shape[1]):
            state = self.update(*state, *words[:, t].astype(float).T)
            written.append(columns(self.read(*state), len(words)))
        return np.rint(np.stack(written, axis=1)).astype(np.int64)


def columns(values, count: int) -> np.ndarray:
    """A value or a tuple of values, each [N] or one for all -> [N, how many]."""
    values = values if isinstance(values, tuple) else (values,)
    return np.stack([np.broadcast_to(np.asarray(v, float), (count,)) for v in values], axis=1)


def plain(function: Registers) -> Network:
    """The hidden state is the registers."""
    return CallableNetwork(
        lambda h, x: columns(function.update(*h.T, *np.asarray(x, float).T), len(h)),
        lambda h: columns(function.read(*h.T), len(h)),
        initial=np.array(function.initial, float),
        input_dim=len(function.bounds),
    )


def rotated(function: Registers, rng: np.random.Generator, values: int = 0) -> Network:
    """The hidden state is the registers in a random basis of two more dimensions.

    Args:
        function: with integer registers.
        rng: draws the basis.
        values: > 0: the output is the largest of so many logits.
    """
    size = len(function.initial)
    basis = np.linalg.qr(rng.normal(size=(size + 2, size + 2)))[0][:, :size]
    basis = basis * rng.uniform(0.5, 2.0, size)
    shift, inverse = rng.normal(size=size + 2), np.linalg.pinv(basis)
    inner = lambda h: np.rint((h - shift) @ inverse.T)
    outer = lambda state: state @ basis.T + shift

    def step(h, x):
        return outer(columns(function.update(*inner(h).T, *np.asarray(x, float).T), len(h)))

    def readout(h):
        raw = columns(function.read(*inner(h).T), len(h))
        return -((raw - np.arange(values)) ** 2) if values else raw

    kind = {"decoding": ClassHead(tuple(range(values)))} if values else {}
    start = outer(np.array(function.initial, float)[None])[0]
    return CallableNetwork(step, readout, initial=start, input_dim=len(function.bounds), **kind)


def behaviour(network: Network) -> Callable:
    """What a network writes, with `NOT_FINITE` where a raw output is NaN or infinite."""

    def run(words: np.ndarray) -> np.ndarray:
        hidden = np.repeat(network.initial[None], len(words), axis=0)
        written = []
        with np.errstate(all="ignore"):
            for t in range(words.shape[1]):
                hidden = np.asarray(network.step(hidden, words[:, t]), float)
                raw = np.asarray(network.readout(hidden), float)
                finite = np.isfinite(raw).all(axis=1, keepdims=True)
                written.append(np.where(finite, network.decode(raw), NOT_FINITE))
        return np.stack(written, axis=1)

    return run


def sum_modulo(n: int, high: int, weight: int = 1) -> Registers:
    return Registers((0,), lambda s, x: ((s + weight * x) % n,), lambda s: s, ((0, high),))


def largest(high: int) -> Registers:
    return Registers((0,), lambda s, x: (np.maximum(s, x),), lambda s: s, ((0, high),))


def smallest(high: int) -> Registers:
    return Registers((high,), lambda s, x: (np.minimum(s, x),), lambda s: s, ((0, high),))


def delayed(steps: int, high: int) -> Registers:
    """The input so many steps ago, 0 before there was one."""
    return Registers(
        (0,) * (steps + 1), lambda *v: (v[-1], *v[:-2]), lambda *v: v[-1], ((0, high),)
    )


def table(successors: np.ndarray, outputs: np.ndarray) -> Registers:
    """A Moore machine: successors [S, A], outputs [S] on entering a state; it starts in 0."""
    index = lambda v: np.asarray(v).astype(int)
    return Registers(
        (0,),
        lambda s, x: (successors[index(s), index(x)].astype(float),),
        lambda s: outputs[index(s)].astype(float),
        ((0, successors.shape[1] - 1),),
    )


def watched(
    function: Registers, start: tuple, watch: Callable, alarmed: Callable, change: Callable
) -> Registers:
    """A function that is another one as long as a watch of its own raises no alarm.

    Args:
        function: the function before the alarm.
        start: the watch's registers.
        watch: (its registers, inputs) -> its next registers.
        alarmed: its registers -> [N] bool.
        change: output -> output under the alarm.
    """
    cut = len(function.initial)

    def update(*values):
        state, seen, inputs = (
            values[:cut],
            values[cut : cut + len(start)],
            values[cut + len(start) :],
        )
        return (*function.update(*state, *inputs), *watch(*seen, *inputs))

    def read(*values):
        written = function.read(*values[:cut])
        return np.where(alarmed(*values[cut:]), change(written), written)

    return Registers((*function.initial, *start), update, read, function.bounds)
