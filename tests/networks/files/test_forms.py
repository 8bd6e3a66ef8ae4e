"""The files that people have: each is read with one option at most, and computes what its own
framework computed, or is refused in one sentence.

The files are made by tests/networks/make_form_fixtures.py; those of flax and orbax are made here.
"""

import dataclasses
import pathlib
from collections.abc import Callable

import flax.linen as nn
import flax.serialization
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import nnx

from mips_jax.errors import RequestError
from mips_jax.models import Architecture, build_model
from mips_jax.networks import load_network, save_network
from mips_jax.networks.heads import sigmoid
from mips_jax.networks.precision import in_float32
from mips_jax.training import TrainedMember, save_member
from tests.networks.pytorch_cases import FOLDER

FORMS = FOLDER / "forms"
EXPECTED = np.load(FORMS / "expected.npz")
NEEDS = {".keras": "h5py", ".h5": "h5py", ".onnx": "onnx"}

MOST_OPTIONS = 1


def softmax(raw: np.ndarray) -> np.ndarray:
    powers = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@dataclasses.dataclass(frozen=True)
class Read:
    """A file that is read.

    Attributes:
        options: the one that is needed, if any.
        last: what its framework applies to the raw outputs.
        assumed: parts of what the network says that was assumed.
    """

    options: dict = dataclasses.field(default_factory=dict)
    last: Callable = lambda raw: raw
    assumed: tuple[str, ...] = ()


ZEROS, ONE_HOT, CLASS = "zeros before the first", "one-hot vectors of 3", "largest of 3 logits"
BY_HAND = ["rnn.weight_ih=rnn.Wx.T", "rnn.weight_hh=rnn.Wh.T", "rnn.bias_ih=rnn.b"]

READ = {
    # PyTorch: state dicts
    "gru.pt": Read(assumed=(ZEROS, ONE_HOT, CLASS)),
    "lstm.pth": Read(assumed=(ZEROS, ONE_HOT, CLASS)),
    "rnn_tanh.pt": Read(assumed=("tanh in the recurrent layers",)),
    "rnn_relu.pt": Read({"nonlinearity": "relu"}),
    "gru_two_layers.bin": Read(),
    "no_bias.pt": Read(assumed=("no bias in",)),
    "module_prefix.pt": Read(),
    "compiled_prefix.pt": Read(),
    "parameters.pt": Read(),
    "strides.pt": Read(),
    # PyTorch: numbers of other formats
    "bfloat16.pt": Read(),
    "half.pt": Read(),
    "double.pt": Read(),
    "integers.pt": Read(),
    # PyTorch: checkpoints and whole modules
    "checkpoint.pt": Read(assumed=("state dict model_state_dict",)),
    "checkpoint_model.pth": Read(),
    "lightning.ckpt": Read(),
    "two_models.pt": Read({"state_dict": "policy"}),
    "whole_module.pt": Read(),
    "torchscript.pt": Read({"nonlinearity": "relu"}),
    # PyTorch: cells, states, names
    "gru_cell.pt": Read(),
    "rnn_cell.pt": Read(),
    "lstm_cells.pt": Read(),
    "learned_start.pt": Read(),
    "sigmoid.pt": Read({"nonlinearity": "sigmoid"}),
    "by_hand.pt": Read({"names": BY_HAND}),
    "residual.pt": Read({"residual": True}),
    "norm_between.pt": Read({"layer_norm": "between"}),
    "norm_output.pt": Read({"layer_norm": "output"}),
    # PyTorch: heads and inputs
    "mlp_head.pt": Read({"head_nonlinearity": "tanh"}),
    "linear_head.pt": Read({"head_nonlinearity": "none"}),
    "yes_no.pt": Read({"head": "yes_no"}),
    "number.pt": Read({"head": "number"}),
    "projection.pt": Read({"input_nonlinearity": "relu"}),
    "embedding_projection.pt": Read({"input_nonlinearity": "none"}),
    "embedding.pt": Read(),
    "padding.pt": Read(),
    "language_model.pt": Read(),
    # Keras
    "simple_rnn.keras": Read(),
    "simple_rnn_relu.h5": Read(),
    "gru_after.keras": Read(last=softmax),
    "gru_before.keras": Read(last=softmax),
    "gru_after.h5": Read(last=softmax),
    "gru_before.h5": Read(last=softmax),
    "lstm.keras": Read(),
    "lstm_yes_no.h5": Read(last=sigmoid),
    "stacked.keras": Read(last=softmax),
    "stacked.h5": Read(last=softmax),
    "stacked_cells.keras": Read(),
    "no_bias.keras": Read(),
    "layer_norm.keras": Read(),
    "projection.keras": Read(),
    "regression.keras": Read(),
    "functional.keras": Read(last=softmax),
    "functional.h5": Read(last=softmax),
    # ONNX
    "gru.onnx": Read(),
    "lstm.onnx": Read(),
    "rnn.onnx": Read(),
    "gru_floats.onnx": Read(),
    "layer_norm.onnx": Read(last=softmax),
    "gru_dynamo.onnx": Read(),
    "lstm_dynamo.onnx": Read(),
    "reset_before.onnx": Read(),
    "gemm.onnx": Read(),
}

REFUSED = {
    "old.pt": "unless PyTorch 1.6 or later has written it",
    "no_tensors.pt": "there is no state dict in it",
    "bidirectional.pt": "belongs to a bidirectional layer, which reads the future",
    "attention.pt": "belongs to attention, which looks back",
    "convolution.pt": "belongs to a convolution",
    "batch_norm.pt": "belongs to batch normalisation",
    "projected_lstm.pt": "belongs to an LSTM with projections",
    "stack.pt": "belongs to a memory beside the state",
    "encoder_decoder.pt": "there are 2 recurrent modules",
    "custom_gate.pt": "unknown key",
    "no_head.pt": "the head is missing",
    "nan.pt": "head.bias holds 1 values of 3 that are NaN",
    "two_models.pt": "there are 2 state dicts in it; give network.state_dict: policy or critic",
    "bidirectional.keras": "is bidirectional and reads the future",
    "convolution.keras": "is of the kind Conv1D, which is not read",
    "gelu.keras": "has the activation gelu, which is not read",
    "residual.keras": "only chains of layers are read",
    "attention.keras": "is of the kind Attention, which looks back at all inputs",
    "mixed.keras": "its recurrent layers differ in kind (gru, lstm)",
    "backwards.keras": "reads its inputs backwards",
    "only.weights.h5": "it holds weights without the model's configuration",
    "bidirectional.onnx": "is bidirectional and reads the future",
    "residual.onnx": "it joins two paths",
    "rnn_dynamo.onnx": "is of the kind Concat, which is not read",
}


def needed(name: str) -> None:
    """Skips where the extra that reads the file is not installed."""
    suffix = pathlib.Path(name).suffix
    if suffix in NEEDS:
        pytest.importorskip(NEEDS[suffix])


@pytest.mark.parametrize("name", READ)
def test_a_form_is_read(name):
    needed(name)
    row = READ[name]
    assert len(row.options) <= MOST_OPTIONS
    network = load_network(FORMS / name, **row.options)
    _, raw = network.run_raw(EXPECTED[f"{name}.words"])
    theirs = EXPECTED[f"{name}.raw"]
    np.testing.assert_allclose(row.last(raw), theirs, atol=2e-5, rtol=2e-5)
    said = "; ".join(network.assumed)
    assert all(part in said for part in row.assumed), said


@pytest.mark.parametrize(
    "name",
    [
        "projection.pt",
        "embedding_projection.pt",
        "norm_between.pt",
        "norm_output.pt",
        "residual.pt",
        "sigmoid.pt",
        "linear_head.pt",
        "padding.pt",
    ],
)
def test_what_was_read_is_saved_and_read_without_options(name, tmp_path):
    network = load_network(FORMS / name, **READ[name].options)
    save_network(tmp_path / "net.npz", network)
    again = load_network(tmp_path / "net.npz")
    assert repr(again) == repr(network) and again.assumed == ()
    words = EXPECTED[f"{name}.words"]
    np.testing.assert_array_equal(network.run_raw(words)[1], again.run_raw(words)[1])


@pytest.mark.parametrize("name", ["projection.pt", "norm_output.pt", "residual.pt", "gru.onnx"])
def test_forms_in_single_precision(name):
    needed(name)
    network = load_network(FORMS / name, **READ[name].options)
    single = in_float32(network)
    words = EXPECTED[f"{name}.words"]
    assert single is not None and single.initial.dtype == np.float32
    np.testing.assert_allclose(single.run_raw(words)[1], network.run_raw(words)[1], atol=1e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_is_refused(name):
    needed(name)
    with pytest.raises(RequestError) as caught:
        load_network(FORMS / name)
    assert len(caught.value.problems) == 1, str(caught.value)
    assert REFUSED[name] in str(caught.value), str(caught.value)


def test_every_file_has_a_row():
    files = {path.name for path in FORMS.iterdir()} - {"expected.npz"}
    assert files <= set(READ) | set(REFUSED), files - set(READ) - set(REFUSED)


# --- flax and orbax: files made here, outputs by flax ---


class Linen(nn.Module):
    cell: type

    @nn.compact
    def __call__(self, carry, letter):
        x = nn.Embed(3, 2)(letter)
        carry, h = self.cell(4)(carry, x)
        return carry, nn.Dense(2)(h)


class OfNNX(nnx.Module):
    def __init__(self, rngs):
        self.embed = nnx.Embed(3, 2, rngs=rngs)
        self.cell, self.head = nnx.GRUCell(2, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, carry, letter):
        carry, h = self.cell(carry, self.embed(letter))
        return carry, self.head(h)


def shaken(tree):
    leaves, structure = jax.tree.flatten(tree)
    rng = np.random.default_rng(0)
    draw = lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype)
    return jax.tree.unflatten(structure, [draw(leaf) for leaf in leaves])


def linen(cell):
    """A model's step, its first carry, and its parameters."""
    model = Linen(cell)
    carry = (jnp.zeros(4), jnp.zeros(4)) if "LSTM" in cell.__name__ else jnp.zeros(4)
    variables = shaken(model.init(jax.random.key(0), carry, jnp.asarray(0)))
    return lambda c, x: model.apply(variables, c, x), carry, variables


def of_nnx():
    model = OfNNX(nnx.Rngs(0))
    nnx.update(model, shaken(nnx.state(model, nnx.Param)))
    return model, jnp.zeros(4), nnx.to_pure_dict(nnx.state(model))


def bytes_of(tree, path):
    path.write_bytes(flax.serialization.to_bytes(tree))


def saved_by_orbax(tree, path):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path, tree)


def saved_by_orbax_otherwise(**how):
    def save(tree, path):
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler(**how)) as checkpointer:
            checkpointer.save(path, tree)

    return save


def managed_by_orbax(tree, path):
    with ocp.CheckpointManager(path) as manager:
        for step in (9, 10):
            manager.save(step, args=ocp.args.StandardSave(tree))


MADE = {
    "linen GRU, to_bytes": (lambda: linen(nn.GRUCell), bytes_of, "net.msgpack"),
    "linen LSTM, to_bytes": (lambda: linen(nn.OptimizedLSTMCell), bytes_of, "net.flax"),
    "linen Elman, to_bytes": (lambda: linen(nn.SimpleCell), bytes_of, "net.msgpack"),
    "NNX GRU, to_bytes": (of_nnx, bytes_of, "net.msgpack"),
    "linen GRU, orbax": (lambda: linen(nn.GRUCell), saved_by_orbax, "checkpoint"),
    "linen GRU, orbax with zarr3": (
        lambda: linen(nn.GRUCell),
        saved_by_orbax_otherwise(use_zarr3=True),
        "checkpoint",
    ),
    "linen GRU, orbax without ocdbt": (
        lambda: linen(nn.GRUCell),
        saved_by_orbax_otherwise(use_ocdbt=False),
        "checkpoint",
    ),
    "NNX GRU, orbax": (of_nnx, saved_by_orbax, "checkpoint"),
    "linen LSTM, manager": (lambda: linen(nn.LSTMCell), managed_by_orbax, "checkpoints"),
    "a training state, to_bytes": (
        lambda: linen(nn.GRUCell),
        lambda tree, path: bytes_of({"step": 3, "opt_state": {"0": {"mu": tree}}, **tree}, path),
        "net.msgpack",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_a_form_of_flax_is_read(name, tmp_path):
    make, save, file = MADE[name]
    step, carry, tree = make()
    save(tree, tmp_path / file)
    network = load_network(tmp_path / file)
    words = np.random.default_rng(0).integers(0, 3, (1, 7, 1))
    _, raw = network.run_raw(words)
    for t, letter in enumerate(words[0, :, 0]):
        carry, theirs = step(carry, jnp.asarray(letter))
        np.testing.assert_allclose(raw[0, t], theirs, atol=1e-5, rtol=1e-5)


def own_member():
    architecture = Architecture(hidden_dim=3, output_width=5, output_depth=2, cell="gru")
    model = build_model(architecture, 2, 1, jax.random.key(0))
    layers = lambda stack: [
        {"weight": np.asarray(a.weight[...]), "bias": np.asarray(a.bias[...])} for a in stack
    ]
    weights = {
        "cell": layers([model.gates, model.candidate]),
        "output": layers(model.output.layers),
    }
    return TrainedMember(architecture, 0, 1, 2, 1, 1.0, True, 0.1, weights)


@pytest.mark.parametrize("folder", ["checkpoint", "."])
def test_a_run_of_ours_is_read(folder, tmp_path):
    member = own_member()
    save_member(tmp_path / "checkpoint", member, {"task": {"name": "x", "length": 7}})
    (tmp_path / "result.json").write_text("{}")
    network = load_network(tmp_path / folder, input_min=0, input_max=1)
    words = np.random.default_rng(0).integers(0, 2, (2, 5, 2))
    for ours, theirs in zip(network.run(words), member.to_network(7).run(words)):
        np.testing.assert_array_equal(ours, theirs)
    assert network.trained_length == 7 and network.input_range == ((0, 1), (0, 1))
    with pytest.raises(RequestError, match=r"network\.head is given, but a checkpoint of ours"):
        load_network(tmp_path / folder, head="class")


def test_a_run_without_a_checkpoint(tmp_path):
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(RequestError, match="this run has left no checkpoint"):
        load_network(tmp_path)
    (tmp_path / "result.json").unlink()
    with pytest.raises(RequestError, match="there is no orbax checkpoint in this folder"):
        load_network(tmp_path)


def test_rows_of_padding_do_not_block_a_smaller_range():
    network = load_network(FORMS / "padding.pt", input_min=1, input_max=3)
    assert network.input_range == ((1, 3),) and network.encodable_range == ((0, 3),)
    words = EXPECTED["padding.pt.words"]
    np.testing.assert_allclose(network.run_raw(words)[1], EXPECTED["padding.pt.raw"], atol=2e-5)
    with pytest.raises(RequestError, match=r"a smaller range must lie within 0\.\.3"):
        load_network(FORMS / "padding.pt", input_min=3, input_max=5)
