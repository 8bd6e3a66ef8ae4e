"""Language models of the GPT-2 family from a Hugging Face folder, evaluated here: no PyTorch is
needed.

The forward pass is plain float32 numpy. A tree of further tokens is read in one pass after its
prefix, whose keys and values are kept: each of its tokens attends to the prefix, to those above
it and to itself.

Axes: B words, S tokens, M tokens of a tree, W width, N heads, R raw outputs.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
from collections.abc import Callable

import numpy as np

from mips_jax.archives import refuse_large
from mips_jax.errors import RequestError, cause
from mips_jax.figures import shown
from mips_jax.networks.causal.functions import FunctionReader, network_of, options_from, work_of
from mips_jax.networks.causal.network import CausalNetwork
from mips_jax.networks.causal.options import CausalOptions, checked

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def _tanh_gelu(x: np.ndarray) -> np.ndarray:
    inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (1 + np.tanh(inner))


def _exact_gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return np.float32(0.5) * x * (1 + erf(x / np.float32(math.sqrt(2))))


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu_new": _tanh_gelu,
    "gelu_pytorch_tanh": _tanh_gelu,
    "gelu": _exact_gelu,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
}
_SIZES = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")


Kept = list[tuple[np.ndarray, np.ndarray]]
"""Keys and values of each layer."""


def is_language_model(path: str | os.PathLike) -> bool:
    """Whether this is a folder as `save_pretrained` of Hugging Face writes it."""
    return (pathlib.Path(path) / CONFIG).is_file()


def load_gpt2(path: str | os.PathLike, memory_gib: float = 1.0, **options) -> CausalNetwork:
    """A network from a folder with `config.json` and `model.safetensors` of the GPT-2 family.

    Args:
        path: the folder.
        memory_gib: weights that take more memory are refused.
        **options: the fields of `CausalOptions`; letters are tokens unless `vocabulary` says
            otherwise. `longest` is what the positions allow unless given.

    Raises:
        RequestError: a file is missing or unreadable, the model is of another family, or an option
            is out of bounds.
    """
    folder = pathlib.Path(path)
    choices = checked(options_from(options))
    model = GPT2(_config(folder), _weights(folder, memory_gib), str(folder))
    begin = len(choices.begin)
    room = model.positions - begin
    if choices.longest is not None and choices.longest > room:
        raise RequestError(
            f"network.longest is {choices.longest}, but {folder} has {model.positions} positions, "
            f"{begin} of them for network.begin; allowed: at most {room}"
        )
    if choices.longest is None:
        choices = dataclasses.replace(choices, longest=room)
    tokens = (*choices.begin, *(choices.vocabulary or [b for p in choices.input_range for b in p]))
    if len(choices.input_range) > 1 or max(tokens) >= model.tokens or min(tokens) < 0:
        raise RequestError(
            f"{folder}: the letters stand for tokens up to {max(tokens)}, one a step, but the "
            f"model has 0..{model.tokens - 1} (network.vocabulary, begin, input_max)"
        )
    return network_of(_GPT2Reader(model, choices, folder.name), choices, folder.name)


def _config(folder: pathlib.Path) -> dict:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(
            f"{folder / CONFIG}: not readable ({cause(error)}) (network.path)"
        ) from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "gpt2":
        raise RequestError(
            f"{folder}: the model is of the type {shown(kind)}; gpt2 is read without its library, "
            "anything else as a Python function: network=python network.target=package.module:"
            "function, or mips_jax.from_torch"
        )
    wrong = [
        f"{folder}: {key} is {shown(config.get(key))} in config.json; allowed: {allowed}"
        for key, allowed, good in (
            ("activation_function", ", ".join(_ACTIVATIONS), lambda v: v in (None, *_ACTIVATIONS)),
            ("add_cross_attention", "false", lambda v: not v),
            *((k, "an integer >= 1", lambda v: type(v) is int and v > 0) for k in _SIZES),
        )
        if not good(config.get(key))
    ]
    if wrong:
        raise RequestError(*wrong)
    return config


def _weights(folder: pathlib.Path, memory_gib: float) -> dict[str, np.ndarray]:
    """By their names, without the prefix that a head adds."""
    path = folder / WEIGHTS
    if not path.is_file():
        raise RequestError(
            f"{path}: no such file; save the model with safe_serialization=True (network.path)"
        )
    refuse_large(path, memory_gib, "network.memory_gib")
    from mips_jax.networks.files.array_files import read_safetensors
    from mips_jax.networks.files.content import Reading, UnreadableError

    try:
        arrays = read_safetensors(path, Reading(memory_gib)).arrays
    except UnreadableError as error:
        raise RequestError(f"{path}: {error} (network.path)") from None
    except Exception as error:  # a damaged file fails in dozens of ways
        raise RequestError(
            f"{path}: not a readable .safetensors file ({cause(error)}) (network.path)"
        ) from error
    return {
        name.removeprefix("transformer."): np.asarray(array, np.float32)
        for name, array in arrays.items()
    }


class GPT2:
    """The model.

    Args:
        config: content of config.json.
        weights: float32 arrays by their names, without the prefix `transformer.`; matrices of
            blocks are [in, out].
        where: what messages call it.

    Raises:
        RequestError: a weight is missing, has another shape, or is not finite (all are named).
    """

    def __init__(self, config: dict, weights: dict[str, np.ndarray], where: str):
        self.tokens, self.positions = config["vocab_size"], config["n_positions"]
        self.heads, self.layers = config["n_head"], config["n_layer"]
        self.epsilon = float(config.get("layer_norm_epsilon", 1e-5))
        self.activation = _ACTIVATIONS[config.get("activation_function") or "gelu_new"]
        width, inner = config["n_embd"], config.get("n_inner") or 4 * config["n_embd"]
        self.scaled = bool(config.get("scale_attn_weights", True))
        self.by_layer = bool(config.get("scale_attn_by_inverse_layer_idx", False))
        expected: dict[str, tuple[int, ...]]
        expected = {"wte.weight": (self.tokens, width), "wpe.weight": (self.positions, width)}
        for prefix, shapes in _shapes(self.layers, width, inner).items():
            expected |= {f"{prefix}.{part}": shape for part, shape in shapes.items()}
        problems = [] if width % self.heads == 0 else [f"{width} units for {self.heads} heads"]
        for name, shape in expected.items():
            found = weights.get(name)
            if found is None or found.shape != shape:
                got = "missing" if found is None else f"of shape {list(found.shape)}"
                problems.append(f"{name} is {got}; {list(shape)} is needed")
            elif not np.isfinite(found).all():
                problems.append(f"{name} holds numbers that are NaN or infinite")
        if problems:
            raise RequestError(*(f"{where}: {problem}" for problem in problems))
        self.weights = weights
        self.head = weights.get("lm_head.weight", weights["wte.weight"])

    @property
    def parameters(self) -> int:
        """Weights that a step multiplies."""
        return sum(a.size for name, a in self.weights.items() if name.startswith("h."))

    def states(self, tokens: np.ndarray, kept: Kept | None = None) -> np.ndarray:
        """What the head reads [B, S, W] after each of the tokens [B, S].

        Args:
            tokens: of words.
            kept: filled with what later tokens attend to: keys and values [B, N, S, W / N] of each
                layer.
        """
        steps = tokens.shape[1]
        unseen = np.where(np.tri(steps, dtype=bool), np.float32(0), np.float32(-np.inf))

        def attend(layer: int, query: np.ndarray, key: np.ndarray, value: np.ndarray):
            if kept is not None:
                kept.append((key, value))
            return _softmax(query @ key.transpose(0, 1, 3, 2) + unseen) @ value

        return self._through(tokens, np.arange(steps), attend)

    def states_of_tree(self, kept: Kept, tokens: np.ndarray, above: np.ndarray) -> np.ndarray:
        """What the head reads [B, M, W] after each token of a tree that goes on from words.

        Args:
            kept: of the words, see `states`.
            tokens: [M] of the tree.
            above: [M, L] numbers of the tokens from the root down to each one, itself last; -1
                before the root.
        """
        count, steps = kept[0][0].shape[0], kept[0][0].shape[2]
        unseen = np.where(above >= 0, np.float32(0), np.float32(-np.inf))
        places = steps - 1 + (above >= 0).sum(axis=1)

        def attend(layer: int, query: np.ndarray, key: np.ndarray, value: np.ndarray):
            past_key, past_value = kept[layer]
            to_past = query @ past_key.transpose(0, 1, 3, 2)
            to_above = np.einsum("bnmh,bnmlh->bnml", query, key[:, :, above]) + unseen
            weight = _softmax(np.concatenate([to_past, to_above], axis=3))
            read = weight[..., :steps] @ past_value
            return read + np.einsum("bnml,bnmlh->bnmh", weight[..., steps:], value[:, :, above])

        repeated = np.broadcast_to(tokens, (count, len(tokens)))
        return self._through(repeated, places, attend)

    def _through(self, tokens: np.ndarray, places: np.ndarray, attend: Callable) -> np.ndarray:
        """All layers; `attend` says what the queries of a layer read."""
        x = self.weights["wte.weight"][tokens] + self.weights["wpe.weight"][places]
        for layer in range(self.layers):
            name = f"h.{layer}"
            queries = self._split(self._norm(x, f"{name}.ln_1"), layer)
            read = attend(layer, *queries).transpose(0, 2, 1, 3).reshape(x.shape)
            x = x + self._affine(read, f"{name}.attn.c_proj")
            inner = self._affine(self._norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")
            x = x + self._affine(self.activation(inner), f"{name}.mlp.c_proj")
        return self._norm(x, "ln_f")

    def logits(self, states: np.ndarray, entries: list[int] | None = None) -> np.ndarray:
        """States [..., W] -> logits [..., R] of all tokens or of some."""
        return states @ (self.head if entries is None else self.head[entries]).T

    def _affine(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        return centred / scale * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _split(self, x: np.ndarray, layer: int) -> np.ndarray:
        """Queries (scaled), keys and values of [B, S, W], each [B, N, S, W / N]."""
        batch, steps, width = x.shape
        joint = self._affine(x, f"h.{layer}.attn.c_attn")
        split = joint.reshape(batch, steps, 3, self.heads, width // self.heads)
        split = split.transpose(2, 0, 3, 1, 4)
        scale = 1.0 / math.sqrt(width // self.heads) if self.scaled else 1.0
        scale = scale / (layer + 1) if self.by_layer else scale
        split[0] *= np.float32(scale)
        return split


def _softmax(scores: np.ndarray) -> np.ndarray:
    """Over the last axis, in place."""
    scores -= scores.max(axis=-1, keepdims=True)
    weight = np.exp(scores, out=scores)
    weight /= weight.sum(axis=-1, keepdims=True)
    return weight


def _shapes(layers: int, width: int, inner: int) -> dict[str, dict[str, tuple[int, ...]]]:
    """Shapes of the norms' and affine layers' weights and biases."""
    norm: dict[str, tuple[int, ...]] = {"weight": (width,), "bias": (width,)}
    affine = lambda a, b: {"weight": (a, b), "bias": (b,)}
    block = {
        "ln_1": norm,
        "attn.c_attn": affine(width, 3 * width),
        "attn.c_proj": affine(width, width),
        "ln_2": norm,
        "mlp.c_fc": affine(width, inner),
        "mlp.c_proj": affine(inner, width),
    }
    found = {f"h.{n}.{part}": shapes for n in range(layers) for part, shapes in block.items()}
    return {**found, "ln_f": norm}


class _GPT2Reader(FunctionReader):
    """The model as a `Reader` that branches."""

    branches = True

    def __init__(self, model: GPT2, options: CausalOptions, name: str):
        self.model = model
        self._entries = None if options.entries is None else list(options.entries)
        bad = max(self._entries or [0])
        if bad >= model.tokens:
            raise RequestError(
                f"network.entries names token {bad}, but {name} has 0..{model.tokens - 1}"
            )
        own = dataclasses.replace(options, entries=None)  # the others are never computed
        logits = lambda tokens: model.logits(model.states(tokens), self._entries)
        last = lambda tokens: model.states(tokens)[:, -1]
        super().__init__(logits, own, name, work_of(model.parameters), last)

    def branch(self, words: np.ndarray, letters: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """See `Reader.branch`."""
        before = self.tokens(words)
        begun = len(self.begin)
        tree = self.tokens(letters[None])[0, begun:]
        depth = np.zeros(len(tree), np.int64)
        for m, parent in enumerate(parents):
            depth[m] = depth[parent] + 1 if parent >= 0 else 0
        above = np.full((len(tree), int(depth.max()) + 1), -1, np.int64)
        above[:, -1] = np.arange(len(tree))
        for column in range(above.shape[1] - 1, 0, -1):
            rows = above[:, column] >= 0
            above[rows, column - 1] = parents[above[rows, column]]
        if not before.shape[1]:  # nothing stands before the tree
            return self._read_paths(tree, above, depth)
        kept: Kept = []
        self.model.states(before, kept)
        states = self.model.states_of_tree(kept, tree, above)
        return self.model.logits(states, self._entries)

    def _read_paths(self, tree: np.ndarray, above: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """[1, M, R] after each token of a tree that begins the word."""
        raw = []
        for m in range(len(tree)):
            path = tree[above[m, above.shape[1] - 1 - depth[m] :]]
            raw.append(self.model.logits(self.model.states(path[None])[0, -1], self._entries))
        return np.stack(raw)[None]
