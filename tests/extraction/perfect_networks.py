"""Networks that are perfect by construction: their hidden state is a few integers, or a one-hot
state of a machine.

Axes: B sequences, H hidden units, I inputs, O outputs, S states, A letters.
"""

from collections.abc import Callable

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.networks import MLPRNN, Network
from mips_jax.networks.heads import as_layers

BIT, DIGIT = ((0, 1),), ((0, 9),)


class IntegerState(Network):
    """A network whose hidden units are integers.

    Args:
        initial: [H].
        update: (hidden units, inputs), each a row of arrays [B] -> the next hidden units.
        read: hidden units -> outputs; None: the first hidden unit.
        input_dim: inputs a step.
    """

    trained_length = 10

    def __init__(self, initial, update: Callable, read: Callable | None = None, input_dim: int = 1):
        self.initial = np.array(initial, np.float64)
        self.input_dim = input_dim
        self._update, self._read = update, read or (lambda *h: h[0])
        self.output_dim = self.readout(self.initial[None]).shape[1]

    def step(self, hidden, inputs):
        return _columns(self._update(*hidden.T, *inputs.astype(np.float64).T), len(hidden))

    def readout(self, hidden):
        return _columns(self._read(*hidden.T), len(hidden))


def _columns(values, count: int) -> np.ndarray:
    values = values if isinstance(values, tuple) else (values,)
    return np.stack([np.broadcast_to(np.asarray(v, np.float64), (count,)) for v in values], axis=1)


class Embedded(Network):
    """Another network's state in a random basis of as many or more dimensions.

    Args:
        inner: the network.
        extra: dimensions added.
        seed: of the basis and the shift.
    """

    def __init__(self, inner: Network, extra: int = 2, seed: int = 0):
        rng = np.random.default_rng(seed)
        self._inner = inner
        self._basis = np.linalg.qr(rng.normal(size=(inner.hidden_dim + extra,) * 2))[0][
            :, : inner.hidden_dim
        ]
        self._basis = self._basis * rng.uniform(0.5, 2.0, inner.hidden_dim)
        self._inverse = np.linalg.pinv(self._basis)
        self._shift = rng.normal(size=inner.hidden_dim + extra)
        self.initial = inner.initial @ self._basis.T + self._shift
        self.input_dim, self.output_dim, self.trained_length = (
            inner.input_dim,
            inner.output_dim,
            inner.trained_length,
        )

    def _plain(self, hidden):
        return np.round((hidden - self._shift) @ self._inverse.T, 6)

    def step(self, hidden, inputs):
        return self._inner.step(self._plain(hidden), inputs) @ self._basis.T + self._shift

    def readout(self, hidden):
        return self._inner.readout(self._plain(hidden))


class OneHot(Network):
    """A machine as a network: the hidden state is the state, one-hot; the output is written with
    the transition.
    """

    trained_length = 10

    def __init__(self, machine: Mealy):
        self._machine = machine
        self.input_dim, self.output_dim = machine.letters.shape[1], machine.output.shape[2]
        self.initial = np.zeros(machine.states + self.output_dim)
        self.initial[0] = 1.0

    def step(self, hidden, inputs):
        state = hidden[:, : self._machine.states].argmax(axis=1)
        letter = (inputs[:, None] == self._machine.letters[None]).all(axis=2).argmax(axis=1)
        after = np.eye(self._machine.states)[self._machine.transition[state, letter]]
        return np.concatenate([after, self._machine.output[state, letter]], axis=1)

    def readout(self, hidden):
        return hidden[:, self._machine.states :]


def machine(transition, output, letters=None) -> Mealy:
    """A machine over the letters 0, 1, ... from its tables [S][A]."""
    transition, output = np.array(transition), np.array(output)
    letters = np.arange(transition.shape[1])[:, None] if letters is None else np.array(letters)
    return Mealy(letters, transition, output.reshape(*transition.shape, -1))


def random_machine(rng: np.random.Generator, states: int, letters: int, outputs: int = 2) -> Mealy:
    """Random tables; not minimal, not all states need be reachable."""
    return machine(
        rng.integers(0, states, (states, letters)), rng.integers(0, outputs, (states, letters))
    )


def random_mlp(
    seed: int, hidden_dim: int = 4, inputs: int = 1, outputs: int = 1, scale: float = 2.0
) -> MLPRNN:
    """An untrained network."""
    rng = np.random.default_rng(seed)
    draw = lambda rows, columns: scale * rng.normal(size=(rows, columns)) / np.sqrt(columns)
    bias = lambda rows: 0.3 * rng.normal(size=rows)
    transition = [(draw(8, hidden_dim + inputs), bias(8)), (draw(hidden_dim, 8), bias(hidden_dim))]
    return MLPRNN.from_layers(
        transition,
        [(draw(8, hidden_dim), bias(8)), (draw(outputs, 8), bias(outputs))],
        trained_length=8,
    )


def affine(recurrent, inputs, bias, readout, offset=0.0, direct=True) -> MLPRNN:
    """h' = recurrent h + inputs x + bias, y = readout h' + offset."""
    recurrent = np.array(recurrent, float)
    inputs, readout = (
        np.reshape(np.array(inputs, float), (len(recurrent), -1)),
        np.reshape(np.array(readout, float), (-1, len(recurrent))),
    )
    output = [(readout, np.broadcast_to(np.asarray(offset, float), len(readout)))]
    return MLPRNN.from_layers(
        [(np.concatenate([recurrent, inputs], axis=1), np.array(bias, float))],
        output,
        trained_length=10,
    )


def in_other_basis(network: MLPRNN, seed: int) -> MLPRNN:
    """The same function with hidden state M h, M a random invertible matrix."""
    rng = np.random.default_rng(seed)
    size = network.hidden_dim
    rotation = np.linalg.qr(rng.normal(size=(size, size)))[0]
    change = (
        rotation
        * np.exp(rng.uniform(-0.7, 0.7, size))
        @ np.linalg.qr(rng.normal(size=(size, size)))[0]
    )
    inverse = np.linalg.inv(change)
    transition, output = (
        [list(layer) for layer in network.transition],
        [list(layer) for layer in network.output],
    )
    transition[0][0] = np.concatenate(
        [transition[0][0][:, :size] @ inverse, transition[0][0][:, size:]], axis=1
    )
    transition[-1] = [change @ transition[-1][0], change @ transition[-1][1]]
    output[0][0] = output[0][0] @ inverse
    return MLPRNN(
        as_layers(transition), as_layers(output), change @ network.initial, network.trained_length
    )


def parity() -> MLPRNN:
    """h' = |h - x|, y = h."""
    transition = [
        (np.array([[1.0, -1], [-1, 1]]), np.zeros(2)),
        (np.array([[1.0, 1]]), np.zeros(1)),
    ]
    return MLPRNN.from_layers(transition, [(np.array([[1.0]]), np.zeros(1))], trained_length=10)


def binary_addition() -> MLPRNN:
    """Hidden state (carry, digit) of a + b + carry."""
    total = np.array([1.0, 0, 1, 1])
    first = (
        np.stack([total, total, total]),
        np.array([0.0, -1, -2]),
    )  # s, relu(s - 1), relu(s - 2)
    last = (np.array([[0.0, 1, -1], [1, -2, 2]]), np.zeros(2))
    return MLPRNN.from_layers(
        [first, last], [(np.array([[0.0, 1]]), np.zeros(1))], trained_length=10
    )


def largest_seen() -> MLPRNN:
    """h' = h + relu(x - h): the maximum, for inputs that are not negative."""
    transition = [(np.array([[1.0, 0], [-1, 1]]), np.zeros(2)), (np.array([[1.0, 1]]), np.zeros(1))]
    return MLPRNN.from_layers(transition, [(np.array([[1.0]]), np.zeros(1))], trained_length=10)
