"""Makes tests/data/networks/forms: small random networks in the files that people have, and what
their frameworks compute with them.

Run once in an environment with torch, keras, h5py, onnx, onnxruntime and numpy (no test imports
this file), KERAS_BACKEND=torch:

    python tests/networks/make_form_fixtures.py

`expected.npz` holds `<file>.words` [B, T, 1] integers and `<file>.raw` [B, T, R], what the last
layer writes.
"""

import collections
import pathlib
import zipfile

import numpy as np
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parents[1] / "data" / "networks" / "forms"
B, T, U, K = 3, 6, 4, 3  # sequences, steps, units, letters
EXPECTED: dict[str, np.ndarray] = {}


class Net(nn.Module):
    """Input, recurrent layers and head, each a module or a function of x [B, T, *]."""

    def __init__(self, rnn, head, before=None, between=None, **more):
        super().__init__()
        self.rnn, self.head = rnn, head
        self.before = before
        self.between = between or (lambda x: x)
        for name, module in more.items():
            setattr(self, name, module)

    def forward(self, x):
        x = x if self.before is None else self.before(x)
        out = self.rnn(x)
        return self.head(self.between(out[0] if isinstance(out, tuple) else out))


class Steps(nn.Module):
    """Cells (nn.GRUCell and the like) applied step by step."""

    def __init__(self, *cells, single=False, start=None):
        super().__init__()
        if single:
            self.cell = cells[0]
        else:
            self.cells = nn.ModuleList(cells)
        if start is not None:
            self.h0 = nn.Parameter(start)

    def forward(self, x):
        cells = [self.cell] if hasattr(self, "cell") else list(self.cells)
        states, written = [None] * len(cells), []
        if hasattr(self, "h0"):
            states[0] = self.h0.expand(len(x), -1)
        for y in x.unbind(1):
            for i, cell in enumerate(cells):
                states[i] = cell(y) if states[i] is None else cell(y, states[i])
                y = states[i][0] if isinstance(states[i], tuple) else states[i]
            written.append(y)
        return torch.stack(written, 1)


class ByHand(nn.Module):
    """h' = a(Wx x + Wh h + b), the layer that people write themselves."""

    def __init__(self, activation, features=K):
        super().__init__()
        self.Wx = nn.Parameter(torch.randn(features, U))
        self.Wh = nn.Parameter(torch.randn(U, U))
        self.b, self.activation = nn.Parameter(torch.randn(U)), activation

    def forward(self, x):
        h, written = torch.zeros(len(x), U), []
        for y in x.unbind(1):
            h = self.activation(y @ self.Wx + h @ self.Wh + self.b)
            written.append(h)
        return torch.stack(written, 1)


class SigmoidRNN(nn.Module):
    """nn.RNNCell's weights with a sigmoid."""

    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(K, U)

    def forward(self, x):
        h, c, written = torch.zeros(len(x), U), self.cell, []
        for y in x.unbind(1):
            h = torch.sigmoid(y @ c.weight_ih.T + c.bias_ih + h @ c.weight_hh.T + c.bias_hh)
            written.append(h)
        return torch.stack(written, 1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.GRU(K, U, batch_first=True), nn.GRU(U, U, batch_first=True)]
        )

    def forward(self, x):
        first, _ = self.layers[0](x)
        return self.layers[1](first)[0] + first


class NormBetween(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn1, self.norm = nn.LSTM(K, U, batch_first=True), nn.LayerNorm(U)
        self.rnn2 = nn.LSTM(U, U, batch_first=True)

    def forward(self, x):
        return self.rnn2(self.norm(self.rnn1(x)[0]))


class Plain(nn.Module):
    """What torch.save(model) and TorchScript are tried with."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(K, U, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(U, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def gru(features=K, **more):
    return nn.GRU(features, U, batch_first=True, **more)


def lstm(features=K, **more):
    return nn.LSTM(features, U, batch_first=True, **more)


def rnn(features=K, **more):
    return nn.RNN(features, U, batch_first=True, **more)


def shaken(model):
    """Every weight random, gains and biases too."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return model.eval()


def words(low=0, high=K - 1) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high + 1, (B, T, 1))


def one_hot(x: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.as_tensor(x[:, :, 0]), K).float()


ENCODINGS = {
    "one_hot": one_hot,
    "number": lambda x: torch.as_tensor(x).float(),
    "token": lambda x: torch.as_tensor(x[:, :, 0]),
}


def note(name: str, x: np.ndarray, raw) -> None:
    EXPECTED[f"{name}.words"] = x
    EXPECTED[f"{name}.raw"] = np.asarray(raw, np.float64)


def write(name: str, model, encoding="one_hot", wrap=None, x=None) -> None:
    """Saves a PyTorch model's state dict, or what `wrap` makes of it, and what the model says."""
    x = words() if x is None else x
    with torch.no_grad():
        note(name, x, model(ENCODINGS[encoding](x)))
    state = model.state_dict()
    torch.save(state if wrap is None else wrap(state), FOLDER / name)


def prefixed(prefix: str):
    return lambda state: collections.OrderedDict((prefix + k, v) for k, v in state.items())


def trained(model) -> torch.optim.Optimizer:
    """An optimizer with a state of its own."""
    optimizer = torch.optim.Adam(model.parameters())
    model(one_hot(words())).sum().backward()
    optimizer.step()
    return optimizer


def torch_forms() -> None:
    simple = lambda cell: shaken(Net(cell, nn.Linear(U, 3)))
    write("gru.pt", simple(gru()))
    write("lstm.pth", simple(lstm()))
    write("rnn_tanh.pt", simple(rnn()))
    write("rnn_relu.pt", simple(rnn(nonlinearity="relu")))
    write("gru_two_layers.bin", simple(gru(num_layers=2)))
    write("no_bias.pt", shaken(Net(lstm(bias=False), nn.Linear(U, 3, bias=False))))
    write("module_prefix.pt", simple(gru()), wrap=prefixed("module."))
    write("compiled_prefix.pt", simple(lstm()), wrap=prefixed("_orig_mod.module."))
    model = simple(gru())
    optimizer = trained(model)
    write(
        "checkpoint.pt",
        model,
        wrap=lambda s: {
            "epoch": 3,
            "model_state_dict": s,
            "optimizer_state_dict": optimizer.state_dict(),
            "loss": torch.tensor(0.5),
        },
    )
    write(
        "checkpoint_model.pth",
        model,
        wrap=lambda s: {"model": s, "optimizer": optimizer.state_dict(), "args": {"lr": 0.1}},
    )
    write(
        "lightning.ckpt",
        model,
        wrap=lambda s: {
            "epoch": 1,
            "global_step": 10,
            "pytorch-lightning_version": "2.4.0",
            "state_dict": prefixed("model.")(s),
            "loops": {"fit_loop": {"state_dict": {}}},
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.1)}},
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": {"hidden": U},
        },
    )
    write(
        "two_models.pt",
        model,
        wrap=lambda s: {"policy": s, "critic": nn.Linear(2, 2).state_dict()},
    )
    numbers()
    cells()
    heads_and_inputs()
    whole_modules()


def numbers() -> None:
    """Other formats of numbers; the model computes with what they hold, as float32."""
    for name, dtype in (
        ("bfloat16.pt", torch.bfloat16),
        ("half.pt", torch.float16),
        ("double.pt", torch.float64),
    ):
        model = shaken(Net(gru(), nn.Linear(U, 3))).to(dtype).float()
        write(name, model, wrap=lambda s, d=dtype: {k: v.to(d) for k, v in s.items()})
    model = shaken(Net(rnn(), nn.Linear(U, 3)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.round())
    write("integers.pt", model, wrap=lambda s: {k: v.to(torch.int8) for k, v in s.items()})
    views = lambda s: {k: v.t().contiguous().t() if v.ndim == 2 else v for k, v in s.items()}
    write("strides.pt", shaken(Net(gru(), nn.Linear(U, 3))), wrap=views)
    wrap = lambda s: {k: nn.Parameter(v) for k, v in s.items()}
    write("parameters.pt", shaken(Net(gru(), nn.Linear(U, 3))), wrap=wrap)


def cells() -> None:
    head = lambda: nn.Linear(U, 3)
    write("gru_cell.pt", shaken(Net(Steps(nn.GRUCell(K, U), single=True), head())))
    write("rnn_cell.pt", shaken(Net(Steps(nn.RNNCell(K, U), single=True), head())))
    stack = Steps(nn.LSTMCell(K, U), nn.LSTMCell(U, U))
    write("lstm_cells.pt", shaken(Net(stack, head())))
    start = Steps(nn.GRUCell(K, U), single=True, start=torch.ones(U))
    write("learned_start.pt", shaken(Net(start, head())))
    write("sigmoid.pt", shaken(Net(SigmoidRNN(), head())))
    by_hand = shaken(Net(ByHand(torch.tanh), head()))
    write("by_hand.pt", by_hand)
    write("residual.pt", shaken(Net(Residual(), head())))
    write("norm_between.pt", shaken(Net(NormBetween(), head())))
    write("norm_output.pt", shaken(Net(gru(), head(), between=nn.LayerNorm(U))))


def heads_and_inputs() -> None:
    head = nn.Sequential(nn.Linear(U, 5), nn.Tanh(), nn.Dropout(0.1), nn.Linear(5, 3))
    write("mlp_head.pt", shaken(Net(gru(), head)))
    head = nn.Sequential(nn.Linear(U, 5), nn.Linear(5, 3))
    write("linear_head.pt", shaken(Net(gru(), head)))
    write("yes_no.pt", shaken(Net(gru(), nn.Linear(U, 1))))
    write("number.pt", shaken(Net(lstm(1), nn.Linear(U, 1))), "number")
    before = nn.Sequential(nn.Linear(K, 5), nn.ReLU())
    write("projection.pt", shaken(Net(gru(5), nn.Linear(U, 3), before=before)))
    before = nn.Sequential(nn.Embedding(K, 2), nn.Linear(2, 5))
    model = shaken(Net(lstm(5), nn.Linear(U, 3)))
    names = {"embed": before[0], "in_proj": before[1]}
    shaken(before)
    for name, module in names.items():
        setattr(model, name, module)
    model.before_ = None
    forward = model.forward
    model.forward = lambda x: forward(model.in_proj(model.embed(x)))
    write("embedding_projection.pt", model, "token")
    table = nn.Embedding(K, 5)
    model = shaken(Net(gru(5), nn.Linear(U, 3), embedding=table))
    forward = model.forward
    model.forward = lambda x, f=forward, t=table: f(t(x))
    write("embedding.pt", model, "token")
    padded = nn.Embedding(K + 1, 5, padding_idx=0)
    model = shaken(Net(gru(5), nn.Linear(U, 3), embedding=padded))
    forward = model.forward
    model.forward = lambda x, f=forward, t=padded: f(t(x))
    write("padding.pt", model, "token", x=words(1, K))
    rename = lambda s: {
        k.replace("embedding.", "encoder.").replace("head.", "decoder."): v for k, v in s.items()
    }
    write("language_model.pt", model, "token", wrap=rename, x=words(0, K))


def whole_modules() -> None:
    model = shaken(Plain())
    with torch.no_grad():
        for name in ("whole_module.pt", "torchscript.pt"):
            note(name, words(), model(one_hot(words())))
    torch.save(model, FOLDER / "whole_module.pt")
    torch.jit.script(model).save(str(FOLDER / "torchscript.pt"))
    without_sources(FOLDER / "torchscript.pt")
    # what cannot be read
    torch.save(model.state_dict(), FOLDER / "old.pt", _use_new_zipfile_serialization=False)
    save = lambda name, module: torch.save(module.state_dict(), FOLDER / name)
    save("bidirectional.pt", Net(gru(bidirectional=True), nn.Linear(2 * U, 3)))
    attention = nn.MultiheadAttention(U, 2)
    save("attention.pt", Net(gru(), nn.Linear(U, 3), attn=attention))
    save("convolution.pt", Net(gru(), nn.Linear(U, 3), conv=nn.Conv1d(K, K, 3)))
    save("batch_norm.pt", Net(gru(), nn.Linear(U, 3), norm=nn.BatchNorm1d(U)))
    save("projected_lstm.pt", Net(lstm(proj_size=2), nn.Linear(2, 3)))
    save("stack.pt", Net(gru(), nn.Linear(U, 3), push=nn.Linear(U, 2), action=nn.Linear(U, 3)))
    save("encoder_decoder.pt", Net(gru(), nn.Linear(U, 3), decoder=gru(U)))
    save("custom_gate.pt", Net(gru(), nn.Linear(U, 3), scale=ByHand(torch.tanh)))
    save("no_head.pt", gru())
    torch.save({"epoch": 3, "loss": 0.5}, FOLDER / "no_tensors.pt")
    nan = shaken(Net(gru(), nn.Linear(U, 3)))
    with torch.no_grad():
        nan.head.bias[0] = float("nan")
    save("nan.pt", nan)


def without_sources(path: pathlib.Path) -> None:
    """TorchScript keeps the names of the source files; they are nobody's business."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist() if not n.endswith(".debug_pkl")}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def keras_forms() -> None:
    import keras
    from keras import layers as L

    keras.utils.set_random_seed(0)

    def made(name, *stack, token=True, model=None, loss=None):
        model = model or keras.Sequential(
            [keras.Input((None,) if token else (None, K), dtype="int32" if token else "float32")]
            + list(stack)
        )
        rng = np.random.default_rng(0)
        model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
        if loss:
            model.compile(loss=loss)
        x = words()
        given = x[:, :, 0] if token else one_hot(x).numpy()
        note(name, x, keras.ops.convert_to_numpy(model(given)))
        model.save(FOLDER / name)
        return model

    embedding = lambda: L.Embedding(K, 2)
    every = dict(return_sequences=True)
    made("simple_rnn.keras", embedding(), L.SimpleRNN(U, **every), L.Dense(3))
    made("simple_rnn_relu.h5", L.SimpleRNN(U, "relu", **every), L.Dense(3), token=False)
    made("gru_after.keras", embedding(), L.GRU(U, **every), L.Dense(3, "softmax"))
    before = dict(reset_after=False, **every)
    made("gru_before.keras", embedding(), L.GRU(U, **before), L.Dense(3, "softmax"))
    made("gru_after.h5", embedding(), L.GRU(U, **every), L.Dense(3, "softmax"))
    made("gru_before.h5", L.GRU(U, **before), L.Dense(3, "softmax"), token=False)
    made("lstm.keras", L.LSTM(U, **every), L.Dense(3), token=False)
    made("lstm_yes_no.h5", embedding(), L.LSTM(U, **every), L.Dense(1, "sigmoid"))
    head = L.TimeDistributed(L.Dense(5, "tanh")), L.TimeDistributed(L.Dense(3, "softmax"))
    made("stacked.keras", embedding(), L.LSTM(U, **every), L.LSTM(3, **every), *head)
    head = L.TimeDistributed(L.Dense(5, "tanh")), L.TimeDistributed(L.Dense(3, "softmax"))
    made("stacked.h5", embedding(), L.LSTM(U, **every), L.LSTM(3, **every), *head)
    cells = L.RNN([L.GRUCell(U), L.GRUCell(3)], **every)
    made("stacked_cells.keras", embedding(), cells, L.Dense(3))
    no_bias = L.GRU(U, use_bias=False, **every), L.Dense(3, use_bias=False)
    made("no_bias.keras", embedding(), *no_bias)
    norm = L.LayerNormalization()
    made("layer_norm.keras", embedding(), L.GRU(U, **every), norm, L.Dense(3))
    made("projection.keras", L.Dense(5, "relu"), L.GRU(U, **every), L.Dense(3), token=False)
    made("regression.keras", embedding(), L.GRU(U, **every), L.Dense(1), loss="mse")
    x = keras.Input((None,), dtype="int32", name="letters")
    y = L.Dropout(0.1)(L.Embedding(K, 2, name="letters_table")(x))
    y = L.Activation("softmax")(L.Dense(3)(L.GRU(U, name="memory", **every)(y)))
    made("functional.keras", model=keras.Model(x, y))
    made("functional.h5", model=keras.Model(x, y))
    # what cannot be read
    both = L.Bidirectional(L.GRU(U, **every))
    made("bidirectional.keras", embedding(), both, L.Dense(3))
    made("convolution.keras", embedding(), L.Conv1D(3, 2, padding="causal"), L.GRU(U, **every))
    made("gelu.keras", embedding(), L.GRU(U, **every), L.Dense(4, "gelu"), L.Dense(3))
    y = L.GRU(U, **every)(L.Embedding(K, U)(x))
    y = L.Dense(3)(L.Add()([y, L.GRU(U, **every)(y)]))
    made("residual.keras", model=keras.Model(x, y))
    y = L.GRU(U, **every)(L.Embedding(K, U)(x))
    made("attention.keras", model=keras.Model(x, L.Dense(3)(L.Attention()([y, y]))))
    made("mixed.keras", embedding(), L.GRU(U, **every), L.LSTM(U, **every), L.Dense(3))
    model = made("backwards.keras", embedding(), L.GRU(U, go_backwards=True, **every), L.Dense(3))
    model.save_weights(FOLDER / "only.weights.h5")


def onnx_forms() -> None:
    import onnx
    import onnxruntime

    def noted(name, given):
        session = onnxruntime.InferenceSession(FOLDER / name)
        note(name, words(), session.run(None, {session.get_inputs()[0].name: given})[0])

    def exported(name, model, token=True, **more):
        given = ENCODINGS["token" if token else "one_hot"](words())
        torch.onnx.export(
            model, (given,), str(FOLDER / name), input_names=["x"], output_names=["y"], **more
        )
        plain = onnx.load(FOLDER / name)  # without the names of source files
        for part in (plain, plain.graph, *plain.graph.node, *plain.graph.value_info):
            part.ClearField("metadata_props")
            part.ClearField("doc_string")
        onnx.save(plain, FOLDER / name)
        noted(name, given.numpy())

    def with_table(cell, head):
        return shaken(Embedded(cell, head))

    head = lambda: nn.Sequential(nn.Linear(U, 5), nn.ReLU(), nn.Linear(5, 3))
    axes = dict(dynamo=False, dynamic_axes={"x": {0: "b", 1: "t"}})
    exported("gru.onnx", with_table(gru(2, num_layers=2), head()), **axes)
    exported("lstm.onnx", with_table(lstm(2), nn.Linear(U, 3)), **axes)
    exported("rnn.onnx", with_table(rnn(2, nonlinearity="relu"), nn.Linear(U, 3)), **axes)
    exported("gru_floats.onnx", shaken(Net(gru(), nn.Linear(U, 3))), token=False, **axes)
    softmax = nn.Sequential(nn.Linear(U, 3), nn.Softmax(-1))
    norm = shaken(Net(lstm(), softmax, between=nn.LayerNorm(U)))
    exported("layer_norm.onnx", norm, token=False, opset_version=17, **axes)
    new = dict(dynamo=True, external_data=False)
    exported("gru_dynamo.onnx", with_table(gru(2, num_layers=2), head()), **new)
    exported("lstm_dynamo.onnx", with_table(lstm(2), nn.Linear(U, 3)), **new)
    exported("rnn_dynamo.onnx", with_table(rnn(2), nn.Linear(U, 3)), **new)
    both = Net(gru(bidirectional=True), nn.Linear(2 * U, 3))
    exported("bidirectional.onnx", shaken(both), token=False, **axes)
    exported("residual.onnx", shaken(Net(Residual(), nn.Linear(U, 3))), token=False, **axes)
    for name, after in (("reset_before.onnx", 0), ("gemm.onnx", 1)):
        onnx.save(by_nodes(onnx, after), FOLDER / name)
        noted(name, one_hot(words()).numpy())


class Embedded(nn.Module):
    def __init__(self, cell, head):
        super().__init__()
        self.embedding, self.rnn, self.head = nn.Embedding(K, 2), cell, head

    def forward(self, x):
        return self.head(self.rnn(self.embedding(x))[0])


def by_nodes(onnx, after: int):
    """A GRU with a learned first state, node by node, as other exporters write it."""
    h, rng = onnx.helper, np.random.default_rng(0)
    shapes = dict(W=(1, 3 * U, K), R=(1, 3 * U, U), b=(1, 6 * U), h0=(1, 1, U), V=(U, 3), c=(3,))
    weights = {k: rng.normal(size=s).astype(np.float32) for k, s in shapes.items()}
    weights["h0"] = np.broadcast_to(weights["h0"], (1, B, U)).copy()
    weights["two"], weights["one"] = np.array([B * T, U]), np.array([1])
    weights["three"] = np.array([B, T, 3])
    nodes = [
        h.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
        h.make_node(
            "GRU", ["xt", "W", "R", "b", "", "h0"], ["g"], hidden_size=U, linear_before_reset=after
        ),
        h.make_node("Squeeze", ["g", "one"], ["s"]),
        h.make_node("Transpose", ["s"], ["st"], perm=[1, 0, 2]),
        h.make_node("Reshape", ["st", "two"], ["f"]),
        h.make_node("Gemm", ["f", "V", "c"], ["o"]),
        h.make_node("Reshape", ["o", "three"], ["y"]),
    ]
    graph = h.make_graph(
        nodes,
        "gru",
        [h.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [B, T, K])],
        [h.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [B, T, 3])],
        [onnx.numpy_helper.from_array(v, k) for k, v in weights.items()],
    )
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=9)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch_forms()
    keras_forms()
    onnx_forms()
    np.savez_compressed(FOLDER / "expected.npz", **EXPECTED)


if __name__ == "__main__":
    main()
