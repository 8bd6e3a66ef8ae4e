"""Networks whose weights were written by hand, hidden behind a random change of basis and a little
noise.

Axes: H hidden units, I inputs, O outputs.
"""

import numpy as np

from mips_jax.extraction.baseline.basis_change import BasisChange
from mips_jax.networks import MLPRNN


def affine(recurrent, inputs, bias, readout, offset=0.0) -> MLPRNN:
    """h' = recurrent h + inputs x + bias, y = readout h + offset."""
    hidden_dim = len(recurrent)
    inputs = np.reshape(np.array(inputs, float), (hidden_dim, -1))
    readout = np.reshape(np.array(readout, float), (-1, hidden_dim))
    transition = [
        (np.concatenate([np.array(recurrent, float), inputs], axis=1), np.array(bias, float))
    ]
    return MLPRNN.from_layers(
        transition, [(readout, np.full(readout.shape[0], offset))], trained_length=10
    )


def previous(lag: int) -> MLPRNN:
    """y_t = x_(t - lag)."""
    return affine(np.eye(lag + 1, k=1), np.eye(lag + 1)[-1], np.zeros(lag + 1), np.eye(lag + 1)[0])


def running_sum() -> MLPRNN:
    return affine([[1]], [1], [0], [1])


def gravity() -> MLPRNN:
    """Velocity and position of a body that falls and is pushed."""
    return affine([[1, 1], [0, 1]], [1, 1], [-1, -1], [1, 0])


def spring() -> MLPRNN:
    """A body on a spring: complex eigenvalues of modulus 1."""
    return affine([[0, 1], [-1, 1]], [1, 1], [0, 0], [1, 0])


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


def equals_previous() -> MLPRNN:
    """Hidden state (x_(t-1), x_t), y = 1 where they are equal."""
    transition = [(np.array([[0.0, 1, 0], [0, 0, 1]]), np.zeros(2))]
    output = [
        (np.array([[1.0, -1], [-1, 1]]), np.zeros(2)),
        (np.array([[-1.0, -1]]), np.ones(1)),
        (np.array([[1.0]]), np.zeros(1)),
    ]
    return MLPRNN.from_layers(transition, output, trained_length=10)


def distance_to_previous() -> MLPRNN:
    """Hidden state (x_(t-1), x_t), y = |x_t - x_(t-1)|."""
    transition = [(np.array([[0.0, 1, 0], [0, 0, 1]]), np.zeros(2))]
    output = [(np.array([[1.0, -1], [-1, 1]]), np.zeros(2)), (np.array([[1.0, 1]]), np.zeros(1))]
    return MLPRNN.from_layers(transition, output, trained_length=10)


def more_ones_than_zeros() -> MLPRNN:
    """h' = h + x - 1/2, y = 1 where h > 0."""
    transition = [(np.array([[1.0, 1]]), np.array([-0.5]))]
    output = [(np.array([[2.0], [2.0]]), np.array([0.0, -1])), (np.array([[1.0, -1]]), np.zeros(1))]
    return MLPRNN.from_layers(transition, output, trained_length=10)


def largest_seen() -> MLPRNN:
    """h' = h + relu(x - h): the maximum, for inputs that are not negative."""
    transition = [(np.array([[1.0, 0], [-1, 1]]), np.zeros(2)), (np.array([[1.0, 1]]), np.zeros(1))]
    return MLPRNN.from_layers(transition, [(np.array([[1.0]]), np.zeros(1))], trained_length=10)


def random_network(hidden_dim: int, input_dim: int, seed: int) -> MLPRNN:
    """Random weights that keep the hidden state bounded."""
    generator = np.random.default_rng(seed)
    draw = lambda *shape: 0.4 * generator.normal(size=shape)
    transition = [
        (draw(16, hidden_dim + input_dim), draw(16)),
        (draw(hidden_dim, 16), draw(hidden_dim)),
    ]
    return MLPRNN.from_layers(
        transition, [(draw(8, hidden_dim), draw(8)), (draw(1, 8), draw(1))], trained_length=10
    )


def hidden_behind(network: MLPRNN, seed: int, noise: float = 0.0) -> MLPRNN:
    """The network in a random basis (stretched, rotated and shifted by random amounts), its weights
    a little off.
    """
    generator = np.random.default_rng(seed)
    hidden_dim = network.hidden_dim
    stretch = np.exp(generator.uniform(-0.7, 0.7, hidden_dim))
    rotation = np.linalg.qr(generator.normal(size=(hidden_dim, hidden_dim)))[0]
    change = BasisChange.linear(rotation * stretch)
    changed = change.network(network)
    off = lambda a: a + noise * generator.normal(size=a.shape)
    layers = lambda stack: [(off(w), off(b)) for w, b in stack]
    return MLPRNN.from_layers(
        layers(changed.transition), layers(changed.output), network.trained_length
    )
