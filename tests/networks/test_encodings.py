"""Encodings of inputs and decodings of raw outputs."""

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.networks import (
    MLPRNN,
    Bits,
    ClassHead,
    Embedding,
    InterpretedNetwork,
    Numbers,
    OneHot,
    Rounded,
    Threshold,
    resolve_input_range,
)

ALL = [
    OneHot(lows=(-1, 0), sizes=(3, 2)),
    Bits(lows=(2,), digits=(3,)),
    Bits(lows=(0, -4), digits=(2, 1), most_significant_first=True),
    Embedding(np.arange(8.0).reshape(4, 2), low=5, input_dim=2),
]


@pytest.mark.parametrize("encoding", ALL, ids=str)
def test_every_integer_of_the_range_has_a_vector_of_its_own(encoding):
    ranges = [np.arange(low, high + 1) for low, high in encoding.input_range]
    inputs = np.stack([grid.ravel() for grid in np.meshgrid(*ranges)], axis=1)
    vectors = encoding.encode(inputs)
    assert vectors.shape == (len(inputs), encoding.width) and vectors.dtype == np.float64
    assert len(np.unique(vectors, axis=0)) == len(inputs)


def test_literal_vectors():
    assert OneHot((-1, 0), (3, 2)).encode(np.array([[1, 0]])).tolist() == [[0, 0, 1, 1, 0]]
    assert Bits((2,), (3,)).encode(np.array([[5]])).tolist() == [[1, 1, 0]]
    assert Bits((0,), (3,), most_significant_first=True).encode(np.array([[4]])).tolist() == [
        [1, 0, 0]
    ]


def test_decodings():
    raw = np.array([[0.4, 2.6, -3.0], [np.nan, -1.0, -2.0]])
    assert Rounded().decode(raw).tolist() == [[0, 3, -3], [0, -1, -2]]
    assert ClassHead((7, 8, 9)).decode(raw).tolist() == [[8], [8]]
    assert Threshold().decode(raw).tolist() == [[1, 1, 0], [0, 0, 0]]


def test_an_interpreted_network_runs_on_integers_and_shows_the_cores_state():
    last_letter = MLPRNN.from_layers([(np.eye(3, 6, k=3), np.zeros(3))], [(np.eye(3), np.zeros(3))])
    network = InterpretedNetwork(last_letter, OneHot((0,), (3,)), ClassHead((10, 20, 30)))
    hidden, outputs = network.run(np.array([[[0], [2], [1]]]))
    assert outputs.ravel().tolist() == [10, 30, 20]
    assert hidden[0].tolist() == np.eye(3)[[0, 2, 1]].tolist()
    assert (network.input_dim, network.output_dim, network.hidden_dim) == (1, 1, 3)
    assert "one-hot of 3" in repr(network) and "3 classes" in repr(network)


def test_what_cannot_be_encoded_is_refused_instead_of_wrapping_around():
    core = MLPRNN.from_layers([(np.eye(1, 4), np.zeros(1))], [(np.eye(1), np.zeros(1))])
    network = InterpretedNetwork(core, OneHot((0,), (3,)), Rounded())
    with pytest.raises(
        RequestError,
        match=r"input 1 got -1\.\.-1, but the encoding \(one-hot of 3\) holds 0\.\.2 only",
    ):
        network.run(np.array([[[-1]]]))


def test_the_range_to_distil_on():
    core = MLPRNN.from_layers([(np.eye(1, 4), np.zeros(1))], [(np.eye(1), np.zeros(1))])
    network = InterpretedNetwork(core, OneHot((0,), (3,)), Rounded())
    assert resolve_input_range(network) == ((0, 2),)
    assert resolve_input_range(network, 1, 2) == ((1, 2),)
    assert resolve_input_range(core, [0, -1, 0], 1) == ((0, 1), (-1, 1), (0, 1))
    assert Numbers(2).encode(np.array([[3, 4]])).tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    "bounds, message",
    [
        ((0, 3), r"input 1 is to run over 0\.\.3 .* but the network reads 0\.\.2 only"),
        ((2, 1), r"network\.input_min is 2, above network\.input_max = 1"),
        ((0.5, 1), r"network\.input_min is 0\.5; allowed: an integer"),
        (([0, 0], 1), r"network\.input_min has 2 values; the network reads 1 integers a step"),
        (("a", None), r"network\.input_min is 'a'"),
    ],
)
def test_wrong_ranges(bounds, message):
    core = MLPRNN.from_layers([(np.eye(1, 4), np.zeros(1))], [(np.eye(1), np.zeros(1))])
    with pytest.raises(RequestError, match=message):
        resolve_input_range(InterpretedNetwork(core, OneHot((0,), (3,)), Rounded()), *bounds)


def test_a_range_that_nobody_said_is_asked_for():
    core = MLPRNN.from_layers([(np.eye(1, 2), np.zeros(1))], [(np.eye(1), np.zeros(1))])
    with pytest.raises(RequestError) as caught:
        resolve_input_range(core)
    assert [p.split(" is missing")[0] for p in caught.value.problems] == [
        "network.input_min",
        "network.input_max",
    ]
