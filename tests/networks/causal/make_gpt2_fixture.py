"""Writes tests/data/networks/gpt2: a small GPT-2 folder, and what `transformers` computes.

    python tests/networks/causal/make_gpt2_fixture.py

It needs `pip install 'mips_jax[transformers]'`; the tests do not.
"""

import pathlib

import numpy as np
import torch
import transformers

FOLDER = pathlib.Path(__file__).parents[2] / "data" / "networks" / "gpt2"


def main():
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=9, n_positions=12, n_embd=12, n_layer=2, n_head=3, n_inner=20
    )
    model = transformers.GPT2LMHeadModel(config).eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    model.save_pretrained(FOLDER)
    tokens = np.random.default_rng(0).integers(0, 9, (6, 12))
    with torch.no_grad():
        logits = model(torch.as_tensor(tokens)).logits.numpy()
    np.savez(FOLDER / "expected.npz", tokens=tokens, logits=logits)
    (FOLDER / "generation_config.json").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
