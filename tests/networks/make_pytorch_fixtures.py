"""Makes tests/data/networks with PyTorch: state_dicts of small random networks, and what PyTorch
computes with them.

Run once in an environment with torch, numpy and safetensors (no test imports this file):

    python tests/networks/make_pytorch_fixtures.py

`<case>.npz` holds the state_dict alone; `expected.npz` holds `<case>.features` [B, T, E],
`<case>.hidden` [B, T, H] and `<case>.raw` [B, T, R], all float64.
"""

import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parents[1] / "data" / "networks"
B, T, U = 3, 7, 4


class Network(torch.nn.Module):
    """A recurrent module and a head, as most people write them."""

    def __init__(self, cell, features: int, raw: int, head: str = "linear", **settings):
        super().__init__()
        self.rnn = cell(features, U, batch_first=True, **settings)
        between = {"relu": torch.nn.ReLU(), "tanh": torch.nn.Tanh()}
        self.head = (
            torch.nn.Linear(U, raw)
            if head == "linear"
            else torch.nn.Sequential(
                torch.nn.Linear(U, 6), between[head], torch.nn.Dropout(0.1), torch.nn.Linear(6, raw)
            )
        )

    def trace(self, features):
        """features [B, T, E] -> hidden [B, T, H] ([h ...] or [h ..., c ...]), raw [B, T, R]."""
        state, hidden, raw = None, [], []
        for t in range(features.shape[1]):
            output, state = self.rnn(features[:, t : t + 1], state)
            kinds = state if isinstance(state, tuple) else (state,)
            hidden.append(torch.cat([layer for kind in kinds for layer in kind], dim=1))
            raw.append(self.head(output[:, 0]))
        return torch.stack(hidden, 1), torch.stack(raw, 1)


class CellByHand(torch.nn.Module):
    """nn.GRUCell with a learned first state."""

    def __init__(self):
        super().__init__()
        self.cell, self.fc = torch.nn.GRUCell(1, U), torch.nn.Linear(U, 1)
        self.h0 = torch.nn.Parameter(torch.randn(U))

    def trace(self, features):
        h, hidden, raw = self.h0.expand(len(features), U), [], []
        for x in features.unbind(1):
            h = self.cell(x, h)
            hidden.append(h)
            raw.append(self.fc(h))
        return torch.stack(hidden, 1), torch.stack(raw, 1)


CASES = {
    "rnn_tanh": lambda: Network(torch.nn.RNN, 1, 1),
    "rnn_relu": lambda: Network(torch.nn.RNN, 3, 2, nonlinearity="relu"),
    "gru": lambda: Network(torch.nn.GRU, 5, 5),
    "gru_two_layers": lambda: Network(torch.nn.GRU, 2, 3, head="tanh", num_layers=2),
    "gru_no_bias": lambda: Network(torch.nn.GRU, 1, 1, bias=False),
    "gru_cell": CellByHand,
    "lstm": lambda: Network(torch.nn.LSTM, 1, 1),
    "lstm_two_layers": lambda: Network(torch.nn.LSTM, 3, 2, head="relu", num_layers=2),
}


def main() -> None:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    expected = {}
    for name, build in CASES.items():
        model = build().eval()
        arrays = {key: tensor.numpy() for key, tensor in model.state_dict().items()}
        features = torch.randint(
            0, 3, (B, T, arrays.get("rnn.weight_ih_l0", arrays.get("cell.weight_ih")).shape[1])
        )
        with torch.no_grad():
            hidden, raw = model.trace(features.double())
        expected |= {
            f"{name}.features": features.numpy(),
            f"{name}.hidden": hidden.numpy(),
            f"{name}.raw": raw.numpy(),
        }
        np.savez(FOLDER / f"{name}.npz", **arrays)
    np.savez(FOLDER / "expected.npz", **expected)
    lstm = CASES["lstm"]().eval()
    save_file(
        {key: tensor.bfloat16() for key, tensor in lstm.state_dict().items()},
        FOLDER / "lstm_bfloat16.safetensors",
    )
    rounded = {key: tensor.bfloat16().double().numpy() for key, tensor in lstm.state_dict().items()}
    np.savez(FOLDER / "lstm_bfloat16_as_float64.npz", **rounded)


if __name__ == "__main__":
    main()
