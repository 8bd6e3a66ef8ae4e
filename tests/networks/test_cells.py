"""Our cells against what PyTorch computed with the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mips_jax.models import CELLS, Architecture, build_model
from mips_jax.networks import CellLayer, ElmanNetwork, GRUNetwork, LSTMNetwork, load_network
from mips_jax.networks.cells import sigmoid
from mips_jax.registry import resolved
from tests.networks.pytorch_cases import FOLDER, OPTIONS, expected


@pytest.mark.parametrize("case", OPTIONS)
def test_states_and_raw_outputs_equal_pytorch(case):
    network = load_network(FOLDER / f"{case}.npz", **OPTIONS[case])
    features, hidden, raw = expected(case)
    our_hidden, outputs = network.run(features)
    np.testing.assert_allclose(our_hidden, hidden, rtol=0, atol=1e-12)
    our_raw = network.readout(our_hidden.reshape(-1, network.hidden_dim))
    np.testing.assert_allclose(our_raw, raw.reshape(our_raw.shape), rtol=0, atol=1e-12)
    assert (outputs == np.rint(raw)).all()


def test_the_kind_of_cell_follows_from_the_shapes():
    kinds = {case: type(load_network(FOLDER / f"{case}.npz", **OPTIONS[case])) for case in OPTIONS}
    assert (
        kinds["rnn_relu"] is ElmanNetwork
        and kinds["gru_cell"] is GRUNetwork
        and kinds["lstm"] is LSTMNetwork
    )


@pytest.mark.parametrize(
    "cell, gates, states", [(ElmanNetwork, 1, 1), (GRUNetwork, 3, 1), (LSTMNetwork, 4, 2)]
)
def test_each_row_of_a_batch_is_computed_alone(cell, gates, states):
    rng = np.random.default_rng(0)
    layers = [
        (
            rng.normal(size=(gates * 3, e)),
            rng.normal(size=(gates * 3, 3)),
            rng.normal(size=gates * 3),
            None,
        )
        for e in (2, 3)
    ]
    network = cell.from_arrays(
        layers, [(rng.normal(size=(1, 3)), np.zeros(1))], initial=rng.normal(size=2 * 3 * states)
    )
    inputs = rng.integers(-2, 3, (4, 5, 2))
    hidden, _ = network.run(inputs)
    assert hidden.shape == (4, 5, network.hidden_dim)
    for row in range(4):
        np.testing.assert_allclose(
            network.run(inputs[row : row + 1])[0][0], hidden[row], atol=1e-14
        )


def test_the_older_gru_resets_before_the_product():
    rng = np.random.default_rng(1)
    weights = [
        (rng.normal(size=(6, 1)), rng.normal(size=(6, 2)), rng.normal(size=6), rng.normal(size=6))
    ]
    head = [(np.eye(2), np.zeros(2))]
    network = GRUNetwork.from_arrays(weights, head, reset_after=False)
    (w_x, w_h, b_x, b_h), h, x = weights[0], np.array([0.3, -0.5]), np.array([2.0])
    reset, update = np.split(sigmoid(w_x[:4] @ x + b_x[:4] + w_h[:4] @ h + b_h[:4]), 2)
    new = np.tanh(w_x[4:] @ x + b_x[4:] + w_h[4:] @ (reset * h) + b_h[4:])
    np.testing.assert_allclose(network.step(h[None], x[None])[0], (1 - update) * new + update * h)
    assert not np.allclose(
        GRUNetwork.from_arrays(weights, head).step(h[None], x[None])[0],
        (1 - update) * new + update * h,
    )


def test_a_layer_from_one_matrix_over_state_and_input():
    weight, bias, h, x = (
        np.arange(10.0).reshape(2, 5),
        np.array([1.0, -1.0]),
        np.array([[3.0, -1.0]]),
        np.array([[1.0, 2.0, 3.0]]),
    )
    layer = CellLayer.from_joint(weight, bias, units=2)
    assert (
        sum(layer.gates(h, x)).tolist()
        == (np.concatenate([h, x], axis=1) @ weight.T + bias).tolist()
    )


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_the_cells_that_are_trained_here(cell):
    architecture = Architecture(hidden_dim=3, output_width=5, output_depth=2, cell=cell)
    model = build_model(architecture, 2, 1, jax.random.key(0))
    joint = [
        getattr(model, name) for name in ("cell", "gates", "candidate") if hasattr(model, name)
    ]
    for affine in (*joint, *model.output.layers):
        affine.bias[...] += 0.1
    stacks = {"cell": joint, "output": model.output.layers}
    layers = {part: [(a.weight[...], a.bias[...]) for a in s] for part, s in stacks.items()}
    network = resolved(CELLS[cell].network)(layers, 6)
    hidden = jnp.zeros(model.state_dim)
    words = np.random.default_rng(0).integers(-2, 3, (6, 2))
    ours, _ = network.run(words[None])
    for t, x in enumerate(words):
        hidden = model.step(hidden, jnp.asarray(x, jnp.float32))
        np.testing.assert_allclose(ours[0, t], hidden, atol=1e-5)
        np.testing.assert_allclose(network.readout(ours[:, t])[0], model.readout(hidden), atol=1e-5)


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise"):
        assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_the_representation_names_the_dimensions():
    network = load_network(FOLDER / "gru_two_layers.npz", **OPTIONS["gru_two_layers"])
    assert repr(network) == "GRUNetwork(H=8, I=2, O=3, 2 layers)"
