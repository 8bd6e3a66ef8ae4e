"""Folders of GPT-2, read without PyTorch, beside what the `transformers` library computes."""

import json
import pathlib
import shutil

import numpy as np
import pytest

from mips_jax import RequestError, distil_network, load_network
from mips_jax.command_line.main import WRONG_REQUEST, main
from mips_jax.networks.causal.gpt2 import load_gpt2

FOLDER = pathlib.Path(__file__).parents[2] / "data" / "networks" / "gpt2"
EXPECTED = np.load(FOLDER / "expected.npz")
TOKENS, LOGITS = EXPECTED["tokens"], EXPECTED["logits"]


def test_logits_are_those_of_the_library():
    network = load_gpt2(FOLDER, input_max=8)
    assert network.longest == 12
    assert np.abs(network.run_raw(TOKENS[:, :, None])[1] - LOGITS).max() < 1e-4
    some = load_network(FOLDER, input_max=8, entries=[5, 2])
    assert np.abs(some.run_raw(TOKENS[:, :, None])[1] - LOGITS[:, :, [5, 2]]).max() < 1e-4


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"activation_function": "gelu", "tie_word_embeddings": False},
        {"activation_function": "relu", "scale_attn_by_inverse_layer_idx": True},
        {"scale_attn_weights": False, "n_layer": 1, "layer_norm_epsilon": 1e-3},
    ],
)
def test_logits_of_a_folder_made_by_the_library(tmp_path, config):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"vocab_size": 30, "n_positions": 20, "n_embd": 32, "n_layer": 3, "n_head": 4}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**{**sizes, **config})).eval()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path)
    tokens = np.random.default_rng(0).integers(0, 30, (10, 20))
    with torch.no_grad():
        wanted = model(torch.as_tensor(tokens)).logits.numpy()
    network = load_network(tmp_path, input_max=29)
    assert np.abs(network.run_raw(tokens[:, :, None])[1] - wanted).max() < 1e-4


@pytest.mark.parametrize("begin", [(), (8, 3)])
def test_a_tree_of_words_is_read_as_the_words_are(begin):
    branching, plain = (load_gpt2(FOLDER, input_max=8, begin=begin) for _ in range(2))
    plain.reader.branches = False
    probes = np.random.default_rng(1).integers(0, 9, (15, 4, 1))
    outputs = []
    for network in (branching, plain):
        states = np.concatenate([network.initial[None], network.run(TOKENS[:, :5, None])[0][:, -1]])
        network.prefetch(states, probes)
        after, steps = np.repeat(states, len(probes), axis=0), []
        for t in range(4):
            after = network.step(after, np.tile(probes[:, t], (len(states), 1)))
            steps.append(network.readout(after))
        outputs.append(np.stack(steps))
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-4


def test_a_tree_is_read_within_the_language():
    options = {"input_max": 4, "begin": (8,), "head": "allowed", "threshold": 0.3}
    branching, plain = (load_gpt2(FOLDER, **options, only_allowed=True) for _ in range(2))
    plain.reader.branches = False
    probes = np.random.default_rng(1).integers(0, 5, (40, 4, 1))
    words = branching.own_words(20, 5, np.random.default_rng(2))
    written = []
    for network in (branching, plain):
        states = np.concatenate([network.initial[None], network.run(words)[0][:, -1]])
        network.prefetch(states, probes)
        after, steps = np.repeat(states, len(probes), axis=0), []
        for t in range(4):
            after = network.step(after, np.tile(probes[:, t], (len(states), 1)))
            steps.append(network.outputs(after))
        written.append(np.stack(steps))
    assert (written[0] == written[1]).all()
    assert written[0].any() and not written[0].all()


def hand_made(path):
    """GPT-2 with a layer that adds nothing: the likeliest next token is the last one."""
    from safetensors.numpy import save_file

    width, positions = 4, 16
    tokens = np.array([[0, 1, 0, 0], [0, 0, 1, 0]], np.float32)
    places = np.zeros((positions, width), np.float32)
    weights = {
        "transformer.wte.weight": tokens,
        "transformer.wpe.weight": places,
        "transformer.ln_f.weight": np.ones(width, np.float32),
        "transformer.ln_f.bias": np.zeros(width, np.float32),
    }
    shapes = {
        "ln_1": (width,),
        "ln_2": (width,),
        "attn.c_attn": (width, 3 * width),
        "attn.c_proj": (width, width),
        "mlp.c_fc": (width, 4 * width),
        "mlp.c_proj": (4 * width, width),
    }
    for part, shape in shapes.items():
        weights[f"transformer.h.0.{part}.weight"] = np.zeros(shape, np.float32)
        weights[f"transformer.h.0.{part}.bias"] = np.zeros(shape[-1:], np.float32)
    save_file(weights, path / "model.safetensors")
    sizes = {"vocab_size": 2, "n_positions": positions, "n_embd": width, "n_layer": 1, "n_head": 2}
    (path / "config.json").write_text(json.dumps({"model_type": "gpt2", **sizes}))


def test_a_hand_made_folder_is_distilled_from_the_command_line(tmp_path, monkeypatch, capsys):
    """Its next token is its last one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt").mkdir()
    hand_made(tmp_path / "gpt")
    code = main(["network=file", "network.path=gpt", "network.input_max=1", "hydra.run.dir=out"])
    assert code == 0, capsys.readouterr().err
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["solved"]
    assert "a model of whole words, up to 16 letters" in (tmp_path / "out/program.py").read_text()
    found = distil_network(load_network("gpt", input_max=1))
    words = np.random.default_rng(0).integers(0, 2, (10, 8, 1))
    assert (found.program.run(words) == words).all()


def broken(tmp_path, change):
    shutil.copytree(FOLDER, tmp_path / "gpt2")
    config = json.loads((tmp_path / "gpt2" / "config.json").read_text())
    config.update(change)
    (tmp_path / "gpt2" / "config.json").write_text(json.dumps(config))
    return tmp_path / "gpt2"


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"model_type": "llama"}, {}, "the model is of the type 'llama'; gpt2 is read without"),
        ({"n_head": 0}, {}, "n_head is 0 in config.json; allowed: an integer >= 1"),
        ({"n_embd": 18}, {}, "wte.weight is of shape [9, 12]; [9, 18] is needed"),
        ({"activation_function": "mish"}, {}, "activation_function is 'mish' in config.json"),
        ({}, {"input_max": 9}, "the letters stand for tokens up to 9, one a step, but the model"),
        ({}, {"entries": [9]}, "network.entries names token 9, but gpt2 has 0..8"),
        ({}, {"longest": 13}, "network.longest is 13, but"),
        ({}, {"nonlinearity": "tanh"}, "there is no option nonlinearity of a model"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, change, options, said):
    with pytest.raises(RequestError) as caught:
        load_network(broken(tmp_path, change), **{"input_max": 8, **options})
    assert said in "\n".join(caught.value.problems)


def test_damaged_folders(tmp_path):
    folder = broken(tmp_path, {})
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(RequestError, match=r"not a readable \.safetensors file"):
        load_network(folder, input_max=8)
    (folder / "model.safetensors").unlink()
    with pytest.raises(RequestError, match="no such file; save the model with safe_serialization"):
        load_network(folder, input_max=8)
    (folder / "config.json").write_text("{")
    with pytest.raises(RequestError, match=r"config\.json: not readable"):
        load_network(folder, input_max=8)


def test_python_models_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "causal_models_here.py").write_text(
        "import numpy as np\n"
        "def sums(words): return np.cumsum(words, axis=1) % 3\n"
        "def raising(words): raise KeyError('boom')\n"
        "def nan(words): return np.full(words.shape, np.nan)\n"
        "def shape(words): return np.zeros(7)\n"
    )
    here = "network.target=causal_models_here"
    ask = lambda name, *more: main(
        ["network=python", f"{here}:{name}", "network.input_max=2", *more]
    )
    more = ("network.head=number", "network.longest=12", "hydra.run.dir=out")
    assert ask("sums", *more) == 0, capsys.readouterr().err
    assert "(x + value) % 3" in (tmp_path / "out" / "program.py").read_text()
    capsys.readouterr()
    for name, said in (
        ("raising", "raising raised KeyError: 'boom'"),
        ("nan", "nan returned NaN or infinite numbers"),
        ("shape", "shape returned the shape [7]"),
        ("nothing", "no 'nothing' (network.target=causal_models_here:nothing)"),
    ):
        assert ask(name, "network.head=number") == WRONG_REQUEST
        lines = [line for line in capsys.readouterr().err.splitlines() if "mips-jax:" in line]
        assert len(lines) == 1
        assert said in lines[0]
