"""Networks with explicit weights that compute integer functions: ReLU networks, saturated cells."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.networks import (
    MLPRNN,
    ElmanNetwork,
    GRUNetwork,
    InterpretedNetwork,
    LSTMNetwork,
    Network,
    OneHot,
    Rounded,
)

STEEP = 60.0  # a gate or unit that saturates


@dataclasses.dataclass(frozen=True)
class Relu:
    """h' = relu(recurrent h + inputs x + bias) from zero, output = read h >= 0.

    Attributes:
        recurrent: [H, H].
        inputs: [H].
        bias: [H].
        read: [H].
    """

    recurrent: np.ndarray
    inputs: np.ndarray
    bias: np.ndarray
    read: np.ndarray


def relu(recurrent, inputs, bias, read) -> Relu:
    return Relu(*(np.array(v, float) for v in (recurrent, inputs, bias, read)))


PARITY = relu([[1, 1], [-1, -1]], [-1, 1], [0, 0], [1, 1])  # |p - x|, for x in 0, 1
LAST = relu([[0]], [1], [0], [1])
LARGEST = relu([[1, 1], [-1, -1]], [0, 1], [0, 0], [1, 1])
SUM = relu([[1]], [1], [0], [1])


def counting_to(limit: int) -> Relu:
    """min(limit, sum of the inputs)."""
    return relu([[1, -1], [1, -1]], [1, 1], [0, -limit], [1, -1])


def as_network(block: Relu, kind: str, clock: int = 0, of_inputs: bool = False) -> Network:
    """A block as a network; with a clock, 1 is added to its output from a step on.

    Args:
        block: with integer weights.
        kind: `mlp` or `elman`.
        clock: > 0: the last step before the change.
        of_inputs: whether the clock counts inputs instead of steps.
    """
    size = len(block.bias)
    recurrent, inputs, bias = np.zeros((size + 1, size + 1)), np.zeros(size + 1), np.zeros(size + 1)
    recurrent[:size, :size], inputs[:size], bias[:size] = block.recurrent, block.inputs, block.bias
    recurrent[size, size], inputs[size], bias[size] = 1.0, float(of_inputs), float(not of_inputs)
    tick = np.eye(size + 1)[size]
    head = [
        (np.stack([np.append(block.read, 0.0), tick, tick]), np.array([0.0, -clock, -clock - 1])),
        (np.array([[1.0, 1.0, -1.0]]), np.zeros(1)),
    ]
    if not clock:
        recurrent, inputs, bias = block.recurrent, block.inputs, block.bias
        head = [(block.read[None], np.zeros(1))]
    if kind == "elman":
        layer = (inputs[:, None], recurrent, bias, np.zeros(len(bias)))
        return ElmanNetwork.from_arrays([layer], head, nonlinearity="relu")
    joint = (np.concatenate([recurrent, inputs[:, None]], axis=1), bias)
    return MLPRNN.from_layers([joint, (np.eye(len(bias)), np.zeros(len(bias)))], head)


def moore_mlp(successors: np.ndarray, outputs: np.ndarray, rng: np.random.Generator) -> Network:
    """A Moore machine as a ReLU network of one-hot states in a random basis.

    relu(2 s - 2.5) - relu(2 s - 3.5) of s = state + letter is 0 or 1 for any s near 0, 1 or 2, so
    that rounding does not build up from step to step.

    Args:
        successors: [S, A].
        outputs: [S].
        rng: draws the basis.
    """
    states, letters = successors.shape
    kinks = np.arange(-1, letters + 1)  # relu(x - k): the one-hot letter is linear in these
    first = np.zeros((states + len(kinks), states + 1))
    first[:states, :states], first[states:, states] = np.eye(states), 1.0
    first_bias = np.concatenate([np.zeros(states), -kinks])
    second = np.zeros((states * letters, states + len(kinks)))
    third = np.zeros((states, states * letters))
    for s in range(states):
        for a in range(letters):
            row = s * letters + a
            second[row, s] = 2.0
            second[row, states + a : states + a + 3] = (2.0, -4.0, 2.0)
            third[successors[s, a], row] = 1.0
    second_bias = np.repeat([-2.5, -3.5], len(second))
    second, third = np.tile(second, (2, 1)), np.concatenate([third, -third], axis=1)
    basis = np.linalg.qr(rng.normal(size=(states, states)))[0] * rng.uniform(0.5, 2.0, states)
    inverse = np.linalg.inv(basis)
    first[:states, :states] = inverse
    layers = [
        (first, first_bias),
        (second, second_bias),
        (basis @ third, np.zeros(states)),
    ]
    core = MLPRNN.from_layers(layers, [((outputs.astype(float) @ inverse)[None], np.zeros(1))])
    return MLPRNN(core.transition, core.output, basis @ np.eye(states)[0])


def saturated(successors: np.ndarray, outputs: np.ndarray, cell: str) -> Network:
    """A Moore machine as a cell whose units are saturated: one unit for each (state, letter read).

    Args:
        successors: [S, A].
        outputs: [S].
        cell: `elman`, `gru` or `lstm`.
    """
    states, letters = successors.shape
    pairs = [(s, a) for s in range(states) for a in range(letters)]  # arrived in s by letter a
    high = np.tanh(1.0) if cell == "lstm" else 1.0
    size = len(pairs) + 1  # the last unit: nothing read so far
    state_of = [s for s, _ in pairs] + [0]
    hidden = np.zeros((size, size))
    for row, (s, a) in enumerate(pairs):
        for column in range(size):
            hidden[row, column] = STEEP * float(successors[state_of[column], a] == s) / (2 * high)
    inputs = np.zeros((size, letters))
    for row, (_, a) in enumerate(pairs):
        inputs[row, a] = STEEP
    # Of the units that lead to s, (1 + h) / 2 sums to 1 when the active one is among them.
    bias = hidden.sum(axis=1) * high - 1.5 * STEEP
    bias[-1] = -STEEP
    head = np.append(outputs[[s for s, _ in pairs]], 0).astype(float) / (2 * high)
    layers = [(head[None], np.array([head.sum() * high]))]
    start = np.append(-np.ones(len(pairs)), 1.0) * high
    flat, none = np.zeros((size, size)), np.zeros((size, letters))
    open_gate, shut_gate = np.full(size, STEEP), np.full(size, -STEEP)
    stack = lambda *parts: np.concatenate(parts)
    if cell == "elman":
        core = ElmanNetwork.from_arrays([(inputs, hidden, bias, None)], layers, start)
    elif cell == "gru":
        arrays = (stack(none, none, inputs), stack(flat, flat, hidden))
        biases = (stack(open_gate, shut_gate, bias), np.zeros(3 * size))
        core = GRUNetwork.from_arrays([(*arrays, *biases)], layers, start)
    else:
        arrays = (stack(none, none, inputs, none), stack(flat, flat, hidden, flat))
        biases = (stack(open_gate, shut_gate, bias, open_gate), np.zeros(4 * size))
        core = LSTMNetwork.from_arrays([(*arrays, *biases)], layers, stack(start, start / high))
    return InterpretedNetwork(core, OneHot((0,), (letters,)), Rounded())


def untrained(kind: str, size: int, gain: float, rng: np.random.Generator, outputs: int = 1):
    """A network of random weights; one input a step.

    Args:
        kind: `mlp`, `tanh`, `relu`, `gru` or `lstm`.
        size: units.
        gain: of the recurrent weights; above 1 most are chaotic.
        rng: draws the weights.
        outputs: raw outputs.
    """
    draw = lambda rows, width: gain * rng.normal(size=(rows, width)) / np.sqrt(width)
    bias = lambda rows: 0.3 * rng.normal(size=rows)
    head = [(rng.normal(size=(outputs, size)) / np.sqrt(size), bias(outputs))]
    if kind == "mlp":
        wide = 2 * size
        layers = [(draw(wide, size + 1), bias(wide)), (draw(size, wide), bias(size))]
        return MLPRNN.from_layers(layers, head)
    gates = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}[kind]
    rows = gates * size
    layer = (rng.normal(size=(rows, 1)), draw(rows, size), bias(rows), bias(rows))
    if kind in ("tanh", "relu"):
        return ElmanNetwork.from_arrays([layer], head, nonlinearity=kind)
    return (GRUNetwork if kind == "gru" else LSTMNetwork).from_arrays([layer], head)
