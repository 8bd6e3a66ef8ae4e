"""A folder of GPT-2 with random weights, as its library would write it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_random_gpt2(
    folder: Path, tokens: int, positions: int, width: int, layers: int, heads: int, seed: int = 0
) -> Path:
    """Writes `config.json` and `model.safetensors` into a folder; returns it."""
    rng = np.random.default_rng(seed)
    drawn = lambda *shape: (0.3 * rng.standard_normal(shape)).astype(np.float32)
    weights = {"wte.weight": drawn(tokens, width), "wpe.weight": drawn(positions, width)}
    norms = ["ln_f", *(f"h.{n}.ln_{k}" for n in range(layers) for k in (1, 2))]
    for name in norms:
        weights |= {f"{name}.weight": 1 + drawn(width), f"{name}.bias": drawn(width)}
    for n in range(layers):
        for part, shape in (
            ("attn.c_attn", (width, 3 * width)),
            ("attn.c_proj", (width, width)),
            ("mlp.c_fc", (width, 4 * width)),
            ("mlp.c_proj", (4 * width, width)),
        ):
            weights[f"h.{n}.{part}.weight"] = drawn(*shape)
            weights[f"h.{n}.{part}.bias"] = drawn(shape[1])
    save_file(
        {f"transformer.{name}": a for name, a in weights.items()}, folder / "model.safetensors"
    )
    sizes = {"vocab_size": tokens, "n_positions": positions, "n_embd": width}
    sizes |= {"n_layer": layers, "n_head": heads}
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", **sizes}))
    return folder
