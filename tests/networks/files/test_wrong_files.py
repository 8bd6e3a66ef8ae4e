"""Wrong network files: each with its message, all problems of a file at once, and none with any
other exception.
"""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.networks import CallableNetwork, load_network, save_network
from tests.networks.files.test_load import paper_arrays, saved
from tests.networks.pytorch_cases import FOLDER, OPTIONS, arrays_of


def damaged(case, remove=(), **replace):
    """A state_dict without some keys, and with others replaced (`__` for the dot)."""
    arrays = paper_arrays() if case == "paper" else arrays_of(case)
    arrays |= {name.replace("__", "."): value for name, value in replace.items()}
    return {name: array for name, array in arrays.items() if name not in remove}


def with_nan(array):
    return np.where(np.arange(array.size).reshape(array.shape) == 0, np.nan, array)


GRU = OPTIONS["gru"]
FLAX_CELL = {
    f"GRUCell_0/{gate}/{role}": np.ones((3 if gate[0] == "i" else 4, 4) if role == "kernel" else 4)
    for gate in ("ir", "iz", "in", "hr", "hz", "hn")
    for role in ("kernel", "bias")
    if role == "kernel" or gate in ("ir", "iz", "in", "hn")
}
FLAX_CELL |= {"Dense_0/kernel": np.ones((4, 1)), "Dense_0/bias": np.zeros(1)}

WRONG_ARRAYS = {
    "a key of the paper's network is missing": (
        damaged("paper", remove=["hmlp.mlp.0.bias"]),
        {},
        "key hmlp.mlp.0.bias is missing; if the layer was made with bias=False",
    ),
    "the paper's network without its output": (
        damaged("paper", remove=["ymlp.mlp.0.weight", "ymlp.mlp.0.bias"]),
        {},
        "the output (ymlp) is missing",
    ),
    "the paper's network without its transition": (
        {name: a for name, a in paper_arrays().items() if name.startswith("ymlp")},
        {},
        "the transition (hmlp) is missing",
    ),
    "an unknown key": (
        damaged("paper", optimizer_step=np.ones(3)),
        {},
        "unknown key optimizer_step, shape (3,)",
    ),
    "layers that do not fit together": (
        damaged("paper", hmlp__mlp__2__weight=np.ones((3, 6))),
        {},
        "hmlp.mlp.2.weight has shape (3, 6) but hmlp.mlp.0.weight has 5 values; allowed: (3, 5)",
    ),
    "an output that reads another state": (
        damaged("paper", ymlp__mlp__0__weight=np.ones((1, 4))),
        {},
        "ymlp.mlp.0.weight has shape (1, 4) but the hidden state has 3",
    ),
    "no room for an input": (
        damaged("paper", hmlp__mlp__0__weight=np.ones((5, 3))),
        {},
        "reads 3 columns and returns 3; it must read the hidden state",
    ),
    "a bias of the wrong length": (
        damaged("paper", hmlp__mlp__0__bias=np.ones(4)),
        {},
        "hmlp.mlp.0.bias has shape (4,); hmlp.mlp.0.weight of shape (5, 4) asks",
    ),
    "NaN": (
        damaged("paper", hmlp__mlp__0__weight=with_nan(np.ones((5, 4)))),
        {},
        "hmlp.mlp.0.weight holds 1 values of 20 that are NaN",
    ),
    "infinity": (
        damaged("gru", head__bias=np.full(5, np.inf)),
        GRU,
        "head.bias holds 5 values of 5 that are NaN or infinite",
    ),
    "complex weights": (
        damaged("gru", head__bias=np.ones(5, complex)),
        GRU,
        "head.bias holds complex128 values",
    ),
    "texts": (
        damaged("gru", head__bias=np.array(["a"] * 5)),
        GRU,
        "head.bias holds <U1 values; weights are real numbers",
    ),
    "an empty array": (
        damaged("gru", head__bias=np.ones(0)),
        GRU,
        "head.bias is empty, shape (0,)",
    ),
    "no arrays": ({}, {}, "the file holds no arrays"),
    "weights of no known network": (
        {"conv.weight": np.ones((2, 2))},
        {},
        "no recurrent layer found; allowed: PyTorch's weight_ih_l0",
    ),
    "a recurrent layer without its input weights": (
        damaged("gru", remove=["rnn.weight_ih_l0"]),
        GRU,
        "key rnn.weight_ih_l0 is missing",
    ),
    "a recurrent layer of no known kind": (
        damaged("gru", rnn__weight_hh_l0=np.ones((9, 4))),
        GRU,
        "rnn.weight_hh_l0 has shape (9, 4); allowed: (U, U) for nn.RNN",
    ),
    "gates that do not agree": (
        damaged("gru", rnn__bias_ih_l0=np.ones(8)),
        GRU,
        "rnn.bias_ih_l0 has shape (8,); rnn.weight_hh_l0 of shape (12, 4) asks for (12,)",
    ),
    "a second layer that reads another width": (
        damaged("gru_two_layers", rnn__weight_ih_l1=np.ones((12, 5))),
        OPTIONS["gru_two_layers"],
        "asks for (12, 4)",
    ),
    "a bidirectional layer": (
        damaged("gru", rnn__weight_ih_l0_reverse=np.ones((12, 5))),
        GRU,
        "bidirectional layer, which reads the future",
    ),
    "an LSTM with projections": (
        damaged("lstm", rnn__weight_hr_l0=np.ones((2, 4))),
        OPTIONS["lstm"],
        "LSTM with projections",
    ),
    "two recurrent modules": (
        arrays_of("gru")
        | {
            f"decoder.{name[4:]}": a
            for name, a in arrays_of("gru").items()
            if name.startswith("rnn")
        },
        GRU,
        "there are 2 recurrent modules (decoder., rnn.)",
    ),
    "layers of different kinds": (
        damaged(
            "gru",
            rnn__weight_ih_l1=np.ones((4, 4)),
            rnn__weight_hh_l1=np.ones((4, 4)),
            rnn__bias_ih_l1=np.ones(4),
            rnn__bias_hh_l1=np.ones(4),
        ),
        GRU,
        "the layers are of different kinds (elman, gru)",
    ),
    "no head": (damaged("gru", remove=["head.weight", "head.bias"]), GRU, "the head is missing"),
    "a normalisation layer in the head": (
        damaged("gru", head__norm__weight=np.ones(4)),
        GRU,
        "head.norm.weight has shape (4,); the head is made of affine layers",
    ),
    "a first layer that is not there": (
        {name: a for name, a in arrays_of("gru_two_layers").items() if not name.endswith("_l0")},
        OPTIONS["gru_two_layers"],
        "key rnn.weight_ih_l0 is missing",
    ),
    "head layers in no order": (
        damaged(
            "gru",
            a__weight=np.ones((4, 4)),
            a__bias=np.ones(4),
            b__weight=np.ones((4, 4)),
            b__bias=np.ones(4),
        ),
        GRU,
        "neither the names nor the shapes tell the order of the head's layers (a, b, head)",
    ),
    "two embeddings": (
        damaged("gru", emb__weight=np.ones((3, 5)), embed__weight=np.ones((3, 5))),
        GRU,
        "there are 2 embeddings",
    ),
    "an embedding of another width": (
        damaged("gru", emb__weight=np.ones((3, 4))),
        {"initial": "zeros", "head": "number"},
        "the embedding has 4 features",
    ),
    "half of an LSTM's initial state": (
        damaged("lstm", h0=np.ones(4)),
        {"head": "number"},
        "key the initial state c0 is missing",
    ),
    "an initial state of the wrong size": (
        damaged("gru", h0=np.ones(5)),
        {"head": "number", "encoding": "number"},
        "the initial state h0 has shape (5,); 4 numbers",
    ),
    "an initial state said twice": (
        damaged("gru", h0=np.ones(4)),
        GRU,
        "network.initial is given but the file holds an initial",
    ),
    "a flax gate is missing": (
        {name: a for name, a in FLAX_CELL.items() if "hz" not in name},
        GRU,
        "GRUCell_0/hz/kernel is missing",
    ),
    "a flax bias is missing": (
        {name: a for name, a in FLAX_CELL.items() if name != "GRUCell_0/iz/bias"},
        GRU,
        "GRUCell_0/iz/bias is missing",
    ),
    "flax gates of different shapes": (
        FLAX_CELL | {"GRUCell_0/hz/kernel": np.ones((4, 5))},
        GRU,
        "GRUCell_0: the gates' kernels differ in shape",
    ),
    "a flax head that reads another width": (
        FLAX_CELL | {"Dense_0/kernel": np.ones((5, 1))},
        GRU,
        "Dense_0/kernel has shape",
    ),
}


@pytest.mark.parametrize("name", WRONG_ARRAYS)
def test_wrong_arrays(name, tmp_path):
    arrays, options, message = WRONG_ARRAYS[name]
    path = saved(tmp_path, arrays)
    with pytest.raises(RequestError) as caught:
        load_network(path, **options)
    assert message in str(caught.value), str(caught.value)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)


WRONG_OPTIONS = {
    "tanh or relu": (
        "rnn_tanh",
        {"nonlinearity": "softplus"},
        "network.nonlinearity is 'softplus'; allowed: relu or tanh or sigmoid or none",
    ),
    "an encoding nobody knows": (
        "gru",
        {"encoding": "gray"},
        "network.encoding is 'gray'; allowed: number or one_hot or bits",
    ),
    "a head nobody knows": (
        "gru",
        {"head": "softmax"},
        "network.head is 'softmax'; allowed: number or class or yes_no",
    ),
    "an initial state in words": (
        "gru",
        {"initial": "random"},
        "network.initial is 'random'; allowed: zeros, or a list of numbers",
    ),
    "an initial state of wrong size": (
        "gru",
        {"initial": [0.0] * 3},
        "network.initial has 3 numbers; the state has 4",
    ),
    "one-hot of another size": (
        "gru",
        {"encoding": "one_hot", "input_min": 0, "input_max": 9},
        "reads 5 values a step but the range 0..9 (network.input_min, network.input_max) takes 10 "
        "one-hot values",
    ),
    "bits of another size": (
        "gru",
        {"encoding": "bits", "input_min": 0, "input_max": 255},
        "takes 8 bits; they must be equal",
    ),
    "one-hot that cannot be shared": (
        "gru",
        {"encoding": "one_hot", "input_dim": 2},
        "which 2 inputs (network.input_dim) cannot share",
    ),
    "another number of inputs": (
        "gru",
        {"input_dim": 2},
        "network.input_dim is 2 but the network reads 5 numbers a step",
    ),
    "a range for another number of inputs": (
        "gru",
        {"input_min": [0, 0], "input_max": 1},
        "network.input_min has 2 values; the network reads 5 integers a step",
    ),
    "an empty range": (
        "lstm",
        {"input_min": 3, "input_max": 1},
        "network.input_min is 3, above network.input_max = 1",
    ),
    "a fractional range": (
        "lstm",
        {"input_min": 0.5, "input_max": 1},
        "network.input_min is 0.5; allowed: an integer",
    ),
    "too few classes": (
        "gru",
        {"head": "class", "class_values": [0, 1]},
        "network.class_values has 2 values; the network has 5",
    ),
    "equal classes": (
        "gru",
        {"head": "class", "class_values": [0] * 5},
        "a list of different integers",
    ),
    "classes of a number": (
        "gru",
        {"class_values": [0, 1, 2, 3, 4]},
        "network.class_values is given but network.head is 'number'",
    ),
    "one class": (
        "lstm",
        {"head": "class"},
        "network.head is 'class' but the network has one raw output",
    ),
    "a non-linearity for a GRU": (
        "gru",
        {"nonlinearity": "relu"},
        "the file holds a network of kind gru; it belongs to elman only",
    ),
    "an embedding that is not there": (
        "gru",
        {"encoding": "embedding"},
        "but the file holds no embedding",
    ),
    "a length of zero": (
        "gru",
        {"trained_length": 0},
        "network.trained_length is 0; allowed: an integer >= 1",
    ),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_wrong_options(name):
    case, options, message = WRONG_OPTIONS[name]
    with pytest.raises(RequestError) as caught:
        load_network(FOLDER / f"{case}.npz", **OPTIONS[case] | options)
    assert message in str(caught.value), str(caught.value)


def asked(error: RequestError) -> list[str]:
    return [p.partition("give network.")[2].partition(":")[0] for p in error.problems]


def test_what_is_missing_is_asked_for_at_once(tmp_path):
    assert load_network(FOLDER / "rnn_relu.npz").assumed == (
        "tanh in the recurrent layers (network.nonlinearity)",
        "a state of zeros before the first input (network.initial)",
        "one-hot vectors of 3 (network.encoding)",
        "the largest of 2 logits is the output (network.head)",
    )
    with pytest.raises(RequestError, match=r"give network\.head_nonlinearity: relu, tanh, sigmoid"):
        load_network(FOLDER / "gru_two_layers.npz")
    arrays = damaged("lstm", head__weight=np.ones((6, 4)), head__bias=np.ones(6))
    arrays |= {"head.1.weight": np.ones((1, 6)), "head.1.bias": np.ones(1)}
    with pytest.raises(RequestError) as caught:
        load_network(saved(tmp_path, arrays))
    assert asked(caught.value) == ["head_nonlinearity", "head"]


def test_what_was_said_is_not_assumed():
    assert load_network(FOLDER / "rnn_relu.npz", **OPTIONS["rnn_relu"]).assumed == ()
    with pytest.raises(RequestError) as caught:  # 4 letters are no one-hot vectors of 3
        load_network(FOLDER / "rnn_relu.npz", input_min=0, input_max=3)
    assert asked(caught.value) == ["encoding"]


def test_the_range_is_asked_for_together_with_the_rest(tmp_path):
    with pytest.raises(RequestError) as caught:
        load_network(FOLDER / "lstm.npz", ask_range=True, initial="zeros", input_max=3)
    assert [
        p.split(": ")[1].split(" is missing")[0] for p in caught.value.problems if "missing" in p
    ] == ["network.input_min"]
    assert "give network.head" in str(caught.value)
    with pytest.raises(RequestError, match=r"network\.input_max is missing"):
        load_network(saved(tmp_path, paper_arrays()), ask_range=True, input_min=0)
    assert load_network(
        FOLDER / "gru.npz", ask_range=True, **GRU | {"encoding": "one_hot"}
    ).input_range == ((0, 4),)


def test_damage_and_wrong_options_are_reported_together(tmp_path):
    arrays = damaged(
        "gru", remove=["rnn.bias_hh_l0"], head__weight=np.ones((5, 3)), epoch=np.array(7)
    )
    with pytest.raises(RequestError) as caught:
        load_network(saved(tmp_path, arrays), head="classes")
    text = str(caught.value)
    for part in (
        "rnn.bias_hh_l0 is missing",
        "head.weight has shape (5, 3)",
        "unknown key epoch",
        "network.head is 'classes'",
    ):
        assert part in text, text


def test_all_bad_values_are_named(tmp_path):
    arrays = {name: with_nan(array) for name, array in arrays_of("gru").items()}
    with pytest.raises(RequestError) as caught:
        load_network(saved(tmp_path, arrays), **GRU)
    assert len(caught.value.problems) == len(arrays)


def test_options_and_metadata_that_disagree(tmp_path):
    path = saved(tmp_path, arrays_of("rnn_relu"), {"nonlinearity": "relu"})
    with pytest.raises(
        RequestError, match=r"network\.nonlinearity is 'tanh' but the file's metadata says 'relu'"
    ):
        load_network(path, **OPTIONS["rnn_relu"] | {"nonlinearity": "tanh"})


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt", ".pkl"])
def test_a_pickle_is_refused_with_the_conversion(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    with pytest.raises(RequestError, match=r"is a pickle.*never opened") as caught:
        load_network(path)
    assert 'save_file(torch.load("net.pt", weights_only=True), "net.safetensors")' in str(
        caught.value
    )
    assert not (tmp_path / "trace").exists()


def test_a_pickle_inside_an_npz_is_never_loaded(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, bomb=np.array([Bomb(tmp_path / "trace")], dtype=object))
    with pytest.raises(RequestError, match=r"not a readable \.npz file.*holds Python objects"):
        load_network(path)
    assert not (tmp_path / "trace").exists()


def test_files_of_another_kind(tmp_path):
    (tmp_path / "gru_10.npz").write_bytes(b"")
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "text.safetensors").write_text("weights: 1, 2, 3")
    for name, message in {
        "gru_10.npz": "not a readable .npz file",
        "gru_1.npz": "no such file; did you mean gru_10.npz?",
        "nowhere/net.npz": "no such file",
        "folder.npz": "there is no orbax checkpoint in this folder",
        "net.msgpack": "no such file",
        "net.csv": "the ending is .csv",
        "net": "the ending is missing",
        "text.safetensors": "not a readable .safetensors file",
    }.items():
        with pytest.raises(RequestError) as caught:
            load_network(tmp_path / name)
        assert message in str(caught.value), str(caught.value)


def test_metadata_that_is_no_object(tmp_path):
    path = tmp_path / "net.npz"
    for text in ("[1, 2]", "{", "3"):
        np.savez(path, **arrays_of("gru"), metadata=np.array(text))
        with pytest.raises(RequestError, match=r"not a readable \.npz file"):
            load_network(path, **GRU)
    save_with = lambda **metadata: saved(tmp_path, arrays_of("gru"), metadata)
    with pytest.raises(RequestError, match=r"network\.encoding is 7; allowed"):
        load_network(save_with(encoding=7, head="number", initial="zeros"))


def test_an_array_that_claims_to_be_huge(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    )
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as file:
        file.writestr("hmlp.mlp.0.weight.npy", header.getvalue() + b"\0" * 64)
    with pytest.raises(RequestError, match=r"not a readable \.npz file"):
        load_network(tmp_path / "net.npz")


def test_functions_cannot_be_saved_and_nothing_is_left_behind(tmp_path):
    network = CallableNetwork(lambda h, x: h, lambda h: h, [0.0])
    with pytest.raises(RequestError, match="a CallableNetwork cannot be saved"):
        save_network(tmp_path / "net.npz", network)
    with pytest.raises(RequestError, match=r"saved as \.npz or \.safetensors, not as \.pt"):
        save_network(tmp_path / "net.pt", load_network(FOLDER / "gru.npz", **GRU))
    assert not list(tmp_path.iterdir())


def attempt(path, options) -> None:
    """Loads or is refused; any other exception fails the test."""
    try:
        load_network(path, **options)
    except RequestError as error:
        assert error.problems and all(error.problems)


@pytest.mark.parametrize("name", ["gru.npz", "lstm_bfloat16.safetensors"])
def test_fuzzed_bytes(name, tmp_path):
    whole = (FOLDER / name).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / name
    for trial in range(300):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            content[rng.integers(len(content))] = rng.integers(256)
        start, end = sorted(rng.integers(len(content), size=2))
        content = (content, content[:start], content[:start] + content[end:])[trial % 3]
        path.write_bytes(bytes(content))
        attempt(path, OPTIONS[name.split("_")[0].split(".")[0]])


def test_fuzzed_keys_and_shapes(tmp_path):
    rng = np.random.default_rng(0)
    for trial in range(300):
        case = list(OPTIONS)[trial % len(OPTIONS)]
        arrays = arrays_of(case)
        for _ in range(rng.integers(1, 4)):
            if not arrays:
                break
            name = list(arrays)[rng.integers(len(arrays))]
            array = arrays.pop(name)
            change = rng.integers(7)
            if change == 0:
                continue
            array = np.atleast_1d(array)
            new = {
                1: array.ravel(),
                2: array[..., None],
                3: array.T,
                4: array[:1],
                5: array[..., :-1],
                6: np.array(1.0),
            }[change]
            arrays[
                name
                if rng.random() < 0.7
                else rng.choice(
                    [
                        name[1:],
                        name + ".0",
                        "a." + name,
                        name.split(".")[-1],
                        "kernel",
                        "a/ir/kernel",
                        "h0",
                        "embedding",
                        "rnn.dense_h.kernel",
                    ]
                )
            ] = new
        attempt(saved(tmp_path, arrays), OPTIONS[case])


def test_fuzzed_metadata_and_options(tmp_path):
    rng = np.random.default_rng(0)
    values = [
        None,
        0,
        1,
        -1,
        2.5,
        "zeros",
        "tanh",
        "",
        "one_hot",
        "bits",
        "class",
        [],
        [0],
        [0, 1],
        ["a"],
        [None],
        [[1]],
        True,
        {},
        float("nan"),
        10**30,
        [1.0] * 4,
    ]
    fields = (
        "nonlinearity",
        "head_nonlinearity",
        "initial",
        "encoding",
        "head",
        "class_values",
        "input_dim",
        "input_min",
        "input_max",
        "reset_after",
        "trained_length",
        "missing_bias",
    )
    for trial in range(400):
        case = list(OPTIONS)[trial % len(OPTIONS)]
        pick = lambda: {
            str(field): values[rng.integers(len(values))] for field in rng.choice(fields, 2)
        }
        metadata = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in pick().items()
        }
        attempt(saved(tmp_path, arrays_of(case), metadata), OPTIONS[case] | pick())
