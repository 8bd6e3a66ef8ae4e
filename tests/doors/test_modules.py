"""Modules of PyTorch and flax as networks."""

import numpy as np
import pytest

from mips_jax import RequestError, from_flax, from_torch
from mips_jax.doors import network_from_target

WORDS = np.random.default_rng(0).integers(0, 3, (20, 9, 1))


def test_what_is_no_torch_module_is_refused():
    pytest.importorskip("torch")
    with pytest.raises(RequestError, match=r"from_torch got int; a torch\.nn\.Module is needed"):
        from_torch(3, input_max=2)


def test_a_torch_module():
    torch = pytest.importorskip("torch")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(3, 8)
            self.cell = torch.nn.GRU(8, 6, batch_first=True)
            self.dropout = torch.nn.Dropout(0.5)
            self.head = torch.nn.Linear(6, 4)

        def forward(self, tokens):
            return (self.head(self.dropout(self.cell(self.embedding(tokens))[0])), None)

    torch.manual_seed(0)
    model = Model()
    network = from_torch(model, input_max=2)
    assert model.training  # it is left as it was
    model.eval()
    with torch.no_grad():
        logits = model(torch.as_tensor(WORDS[:, :, 0]))[0].numpy()
        read = model.cell(model.embedding(torch.as_tensor(WORDS[:, :, 0])))[0].numpy()
    hidden, outputs = network.run(WORDS)
    assert (outputs[:, :, 0] == logits.argmax(axis=2)).all()
    # where a prefix lies is what the head reads
    assert np.allclose(network.represent(hidden[:, -1]), read[:, -1], atol=1e-6)


def test_a_torch_module_that_reads_time_first():
    torch = pytest.importorskip("torch")

    class Model(torch.nn.Module):
        def forward(self, tokens):
            return tokens.cumsum(0).float()[:, :, None]

    network = from_torch(Model(), input_max=2, head="number", batch_first=False)
    assert (network.run(WORDS)[1] == WORDS.cumsum(axis=1)).all()


def test_an_nnx_module():
    from flax import nnx

    class Model(nnx.Module):
        def __init__(self, rngs):
            self.embedding = nnx.Embed(3, 4, rngs=rngs)
            self.dropout = nnx.Dropout(0.5, rngs=rngs)
            self.head = nnx.Linear(4, 3, rngs=rngs)

        def __call__(self, tokens):
            return self.head(self.dropout(self.embedding(tokens).cumsum(axis=1)))

    model = Model(nnx.Rngs(0))
    network = from_flax(model, input_max=2)
    model.eval()
    wanted = np.asarray(model(WORDS[:, :, 0])).argmax(axis=2)
    assert (network.run(WORDS)[1][:, :, 0] == wanted).all()
    assert (network_from_target(model, "model", input_max=2).run(WORDS)[1][:, :, 0] == wanted).all()


def test_a_linen_module():
    import jax
    from flax import linen

    class Model(linen.Module):
        @linen.compact
        def __call__(self, tokens):
            return linen.Dense(3)(linen.Embed(3, 4)(tokens).cumsum(axis=1))

    model = Model()
    variables = model.init(jax.random.key(0), WORDS[:, :, 0])
    network = from_flax(model, variables, input_max=2, longest=9)
    wanted = np.asarray(model.apply(variables, WORDS[:, :, 0])).argmax(axis=2)
    assert (network.run(WORDS)[1][:, :, 0] == wanted).all()
    with pytest.raises(RequestError, match=r"a linen module without its variables"):
        from_flax(model, input_max=2)


def test_what_is_no_flax_module_is_refused():
    with pytest.raises(RequestError, match=r"from_flax got int; a flax\.nnx\.Module, or"):
        from_flax(3, input_max=2)


def test_targets():
    function = lambda words: words.cumsum(axis=1)
    assert network_from_target(lambda: function, "f", input_max=2, head="number").input_dim == 1
    network = network_from_target(function, "f", input_max=2, head="number")
    assert network_from_target(network, "f") is network
    with pytest.raises(RequestError, match=r"network\.head is given, but f is a network already"):
        network_from_target(network, "f", head="number")
    with pytest.raises(RequestError, match=r"f \(network\.target\) is a int; a function of words"):
        network_from_target(3, "f")
    with pytest.raises(RequestError, match=r"raised ZeroDivisionError: .* to make the model"):
        network_from_target(lambda: 1 // 0, "f")
