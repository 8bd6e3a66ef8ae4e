"""Networks read from files: PyTorch names, flax trees, the paper's layout, our own export."""

import dataclasses
import json
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from flax.traverse_util import flatten_dict

from mips_jax.networks import (
    MLPRNN,
    Bits,
    ClassHead,
    Embedding,
    InterpretedNetwork,
    OneHot,
    Rounded,
    Threshold,
    load_network,
    resolve_input_range,
    save_network,
)
from tests.networks.pytorch_cases import FOLDER, OPTIONS, arrays_of


def paper_arrays(hidden: int = 3, inputs: int = 1, outputs: int = 1) -> dict:
    rng = np.random.default_rng(0)
    shapes = {
        "hmlp.mlp.0": (5, hidden + inputs),
        "hmlp.mlp.2": (hidden, 5),
        "ymlp.mlp.0": (outputs, hidden),
    }
    return {
        f"{stem}.{role}": rng.normal(size=shape if role == "weight" else shape[:1]).astype(
            np.float32
        )
        for stem, shape in shapes.items()
        for role in ("weight", "bias")
    }


def saved(folder, arrays: dict, metadata: dict | None = None):
    path = folder / "net.npz"
    np.savez(
        path, **arrays, **({} if metadata is None else {"metadata": np.array(json.dumps(metadata))})
    )
    return path


def same_behaviour(one, other, words) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.run(words), other.run(words)))


def test_the_papers_network_needs_no_answers(tmp_path):
    arrays = paper_arrays()
    network = load_network(
        saved(tmp_path, {f"model.{name}": array for name, array in arrays.items()})
    )
    assert isinstance(network, MLPRNN) and (
        network.hidden_dim,
        network.input_dim,
        network.output_dim,
    ) == (3, 1, 1)
    h, x = np.array([1.0, -2.0, 0.5]), 3
    hidden = np.maximum(arrays["hmlp.mlp.0.weight"] @ [*h, x] + arrays["hmlp.mlp.0.bias"], 0)
    expected = arrays["hmlp.mlp.2.weight"] @ hidden + arrays["hmlp.mlp.2.bias"]
    np.testing.assert_allclose(network.step(h[None], np.array([[x]]))[0], expected, rtol=1e-6)
    assert network.readout(h[None]).dtype == np.float64


def test_prefixes_and_key_order_do_not_matter(tmp_path):
    arrays = arrays_of("gru_two_layers")
    plain = load_network(FOLDER / "gru_two_layers.npz", **OPTIONS["gru_two_layers"])
    renamed = {
        f"net.{name.replace('rnn.', 'encoder.gru.').replace('head.', 'fc.')}": arrays[name]
        for name in reversed(arrays)
    }
    words = np.random.default_rng(0).integers(0, 3, (4, 6, 2))
    assert same_behaviour(
        plain, load_network(saved(tmp_path, renamed), **OPTIONS["gru_two_layers"]), words
    )


def test_numbered_head_layers_are_ordered_as_numbers(tmp_path):
    arrays = arrays_of("lstm")
    rng = np.random.default_rng(0)
    for index, (rows, columns) in {2: (6, 4), 10: (3, 6), 11: (1, 3)}.items():
        arrays |= {
            f"fc{index}.weight": rng.normal(size=(rows, columns)),
            f"fc{index}.bias": rng.normal(size=rows),
        }
    del arrays["head.weight"], arrays["head.bias"]
    network = load_network(
        saved(tmp_path, arrays), initial="zeros", head="number", head_nonlinearity="relu"
    )
    assert [weight.shape for weight, _ in network.head] == [(6, 4), (3, 6), (1, 3)]


def test_head_layers_without_numbers_are_ordered_by_shape(tmp_path):
    arrays = arrays_of("lstm")
    arrays |= {
        "wide.weight": np.ones((6, 4)),
        "wide.bias": np.ones(6),
        "head.weight": np.ones((1, 6)),
    }
    network = load_network(
        saved(tmp_path, arrays), initial="zeros", head="number", head_nonlinearity="relu"
    )
    assert [weight.shape for weight, _ in network.head] == [(6, 4), (1, 6)]


def test_metadata_answers_the_questions(tmp_path):
    answers = {
        "initial": "zeros",
        "encoding": "one_hot",
        "head": "class",
        "input_min": 1,
        "class_values": [3, 1, 4, 1 + 4, 9],
    }
    network = load_network(saved(tmp_path, arrays_of("gru"), answers))
    assert network.input_range == ((1, 5),) and network.decoding == ClassHead((3, 1, 4, 5, 9))


def test_a_part_of_the_range_that_the_file_tells(tmp_path):
    path = saved(
        tmp_path,
        arrays_of("gru"),
        {
            "initial": "zeros",
            "encoding": "one_hot",
            "head": "class",
            "input_min": 0,
            "input_max": 4,
        },
    )
    network = load_network(path, input_min=1, input_max=3)
    assert network.encoding == OneHot((0,), (5,)) and resolve_input_range(network, 1, 3) == (
        (1, 3),
    )


def test_an_embedding_in_the_file_is_the_encoding(tmp_path):
    arrays = arrays_of("gru") | {"embed.weight": np.random.default_rng(0).normal(size=(4, 5))}
    network = load_network(saved(tmp_path, arrays), initial="zeros", head="number")
    assert network.input_range == ((0, 3),)
    features = arrays["embed.weight"][[2, 0]]
    np.testing.assert_array_equal(network.encoding.encode(np.array([[2], [0]])), features)


def test_encodings_take_their_sizes_from_the_range(tmp_path):
    path = saved(tmp_path, arrays_of("gru"))
    load = lambda **more: load_network(path, initial="zeros", head="class", **more).encoding
    assert load(encoding="one_hot", input_min=[0, 5], input_max=[1, 7]) == OneHot((0, 5), (2, 3))
    assert load(encoding="bits", input_max=31) == Bits((0,), (5,))
    assert load(encoding="bits_msb", input_min=[0, 0], input_max=[7, 3]) == Bits(
        (0, 0), (3, 2), True
    )
    assert load(encoding="one_hot", input_min=-2) == OneHot((-2,), (5,))


def test_a_given_initial_state(tmp_path):
    options = OPTIONS["lstm"] | {"initial": [0.5] * 8}
    assert load_network(FOLDER / "lstm.npz", **options).initial.tolist() == [0.5] * 8
    arrays = arrays_of("lstm") | {"h0": np.ones((1, 1, 4)), "c0": np.zeros((1, 1, 4))}
    assert load_network(saved(tmp_path, arrays), head="number").initial.tolist() == [
        1,
        1,
        1,
        1,
        0,
        0,
        0,
        0,
    ]


def test_bfloat16_safetensors():
    ours = load_network(FOLDER / "lstm_bfloat16.safetensors", **OPTIONS["lstm"])
    theirs = load_network(FOLDER / "lstm_bfloat16_as_float64.npz", **OPTIONS["lstm"])
    assert same_behaviour(ours, theirs, np.arange(6).reshape(1, 6, 1))


def cell(case):
    return load_network(FOLDER / f"{case}.npz", **OPTIONS[case])


ROUND_TRIPS = {
    "paper": lambda: MLPRNN.from_layers(
        [(np.ones((2, 3)), np.zeros(2))], [(np.ones((1, 2)), np.zeros(1))], trained_length=10
    ),
    "elman": lambda: cell("rnn_relu"),
    "gru": lambda: cell("gru_two_layers"),
    "gru with an initial state": lambda: cell("gru_cell"),
    "lstm": lambda: cell("lstm_two_layers"),
    "one-hot, classes": lambda: InterpretedNetwork(
        cell("gru"), OneHot((-1, 0), (2, 3)), ClassHead((4, 3, 2, 1, 0))
    ),
    "bits of a part of what they can hold": lambda: InterpretedNetwork(
        dataclasses.replace(cell("rnn_relu"), input_range=((1, 6),)), Bits((1,), (3,)), Rounded()
    ),
    "bits, numbers": lambda: InterpretedNetwork(
        cell("rnn_relu"), Bits((1,), (3,), True), Rounded()
    ),
    "embedding, yes or no": lambda: InterpretedNetwork(
        cell("gru"), Embedding(np.eye(5)[:4] * 2, 7), Threshold()
    ),
}


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_what_was_saved_is_loaded_without_options(name, suffix, tmp_path):
    network = ROUND_TRIPS[name]()
    save_network(tmp_path / f"net.{suffix}", network)
    loaded = load_network(tmp_path / f"net.{suffix}")
    assert repr(loaded) == repr(network) and loaded.trained_length == network.trained_length
    ranges = network.input_range or ((-3, 3),) * network.input_dim
    assert loaded.input_range == network.input_range
    words = np.stack(
        [np.random.default_rng(0).integers(low, high + 1, (5, 8)) for low, high in ranges], axis=2
    )
    assert same_behaviour(network, loaded, words)
    assert [p.name for p in tmp_path.iterdir()] == [f"net.{suffix}"]


# --- flax: the same weights run by flax itself ---


class LinenNetwork(nn.Module):
    cell: type
    width: int = 0

    @nn.compact
    def __call__(self, carry, x):
        carry, h = self.cell(4)(carry, x)
        if self.width:
            h = nn.relu(nn.Dense(self.width)(h))
        return carry, nn.Dense(2)(h)


def shaken(tree):
    """Every leaf random, so that a swapped gate or a lost bias shows."""
    leaves, structure = jax.tree.flatten(tree)
    rng = np.random.default_rng(0)
    return jax.tree.unflatten(
        structure, [jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype) for leaf in leaves]
    )


def assert_follows(network, step, carry, words):
    """`step`: flax's own (carry, x [E]) -> (carry, raw [R])."""
    hidden, _ = network.run(words[None])
    for t, x in enumerate(words):
        carry, raw = step(carry, jnp.asarray(x, jnp.float32))
        np.testing.assert_allclose(network.readout(hidden[:, t])[0], raw, atol=1e-4, rtol=1e-4)


FLAX_OPTIONS = dict(encoding="number", head="number", initial="zeros")


@pytest.mark.parametrize("width", [0, 6])
@pytest.mark.parametrize("name", ["GRUCell", "LSTMCell", "OptimizedLSTMCell", "SimpleCell"])
def test_linen_cells(name, width, tmp_path):
    model = LinenNetwork(getattr(nn, name), width)
    zeros = jnp.zeros(4)
    carry = (zeros, zeros) if "LSTM" in name else zeros
    variables = shaken(model.init(jax.random.key(0), carry, jnp.zeros(3)))
    path = saved(
        tmp_path, {key: np.asarray(leaf) for key, leaf in flatten_dict(variables, sep="/").items()}
    )
    options = FLAX_OPTIONS | ({"nonlinearity": "tanh"} if name == "SimpleCell" else {})
    options |= {"head_nonlinearity": "relu"} if width else {}
    words = np.random.default_rng(1).integers(-1, 2, (6, 3))
    assert_follows(
        load_network(path, **options), lambda c, x: model.apply(variables, c, x), carry, words
    )


class NNXNetwork(nnx.Module):
    def __init__(self, cell, rngs):
        self.cell = cell(3, 4, rngs=rngs)
        self.head = nnx.Sequential(
            nnx.Linear(4, 6, rngs=rngs), nnx.tanh, nnx.Linear(6, 2, rngs=rngs)
        )

    def __call__(self, carry, x):
        carry, h = self.cell(carry, x)
        return carry, self.head(h)


@pytest.mark.parametrize("name", ["GRUCell", "LSTMCell", "OptimizedLSTMCell", "SimpleCell"])
def test_nnx_cells(name, tmp_path):
    model = NNXNetwork(getattr(nnx, name), nnx.Rngs(0))
    nnx.update(model, shaken(nnx.state(model, nnx.Param)))
    params = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    path = tmp_path / "net.npz"
    np.savez(
        path, **{"/".join(map(str, key)): leaf for key, leaf in flatten_dict(params).items()}
    )  # as the message says
    carry = (jnp.zeros(4), jnp.zeros(4)) if "LSTM" in name else jnp.zeros(4)
    options = (
        FLAX_OPTIONS
        | {"head_nonlinearity": "tanh"}
        | ({"nonlinearity": "tanh"} if name == "SimpleCell" else {})
    )
    assert_follows(
        load_network(path, **options),
        model,
        carry,
        np.random.default_rng(1).integers(-1, 2, (6, 3)),
    )


def test_the_papers_network_as_a_flax_tree(tmp_path):
    arrays = paper_arrays()
    tree = {
        name.replace("hmlp.mlp.", "transition/layers_")
        .replace("ymlp.mlp.", "output/layers_")
        .replace(".weight", "/kernel")
        .replace(".bias", "/bias"): array.T
        for name, array in arrays.items()
    }
    words = np.random.default_rng(0).integers(0, 5, (3, 6, 1))
    flax_network = load_network(
        saved(tmp_path, {f"params/{name}": array for name, array in tree.items()})
    )
    assert same_behaviour(flax_network, load_network(saved(tmp_path, arrays)), words)


def test_networks_need_neither_jax_nor_torch():
    import subprocess

    unwanted = ("jax", "flax", "torch", "hydra")
    code = (
        f"import sys, mips_jax.networks; sys.exit(any(name in sys.modules for name in {unwanted}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
