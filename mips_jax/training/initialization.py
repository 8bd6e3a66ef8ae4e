"""Starting weights: kinks of ReLU units through the data, near-identity recurrence for affine
networks.

Both are measured to be decisive on hard tasks. Weights are drawn at a member's exact shape and then
embedded in the (larger) shape that its population shares; the rest stays zero and untrained.
Axes: H hidden, I inputs, K sample points; layers are (weight [out, in], bias [out]).
"""

from __future__ import annotations

import itertools

import jax
import numpy as np

from mips_jax.models import Architecture, RecurrentModel, build_model
from mips_jax.training.analysis import AffineResponse, realization

IDENTIFICATION_NOISE = 0.01  # disturbance of identified weights, in training units

Layers = list[tuple[np.ndarray, np.ndarray]]


def relu_layers(
    rng: np.random.Generator,
    in_dim: int,
    out_dim: int,
    width: int,
    depth: int,
    points: np.ndarray,
    groups: tuple[int, ...] = (),
    aligned: float = 0.0,
) -> Layers:
    """An MLP whose first layer's kinks pass through random rows of `points` [K, in] (He-like
    scale).

    A share `aligned` of its first units reads only one of the `groups` into which the inputs fall.
    """
    sizes = [in_dim] + [width] * (depth - 1) + [out_dim]
    layers = []
    for index, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        last = index == depth - 1
        weight = rng.normal(0.0, np.sqrt((1.0 if last else 2.0) / fan_in), (fan_out, fan_in))
        bias = np.zeros(fan_out)
        if index == 0 and not last:
            if aligned > 0:
                weight *= aligned_units(rng, fan_out, groups, aligned)
            through = points[rng.integers(0, len(points), fan_out)]
            bias = -np.sum(weight * through, axis=1)
        layers.append((weight, bias))
    return layers


def aligned_units(
    rng: np.random.Generator, units: int, groups: tuple[int, ...], share: float
) -> np.ndarray:
    """[units, in] factors that let a share of units read one group of inputs only (h alone, or x
    alone), rescaled.

    A kink in x alone, or h passed on unchanged, is what counters and absolute values need.
    """
    edges = np.cumsum([0, *groups])
    factors = np.ones((units, edges[-1]))
    for unit in np.flatnonzero(rng.random(units) < share):
        group = unit % len(groups)
        factors[unit] = 0.0
        factors[unit, edges[group] : edges[group + 1]] = np.sqrt(edges[-1] / groups[group])
    return factors


def affine_layers(
    architecture: Architecture,
    response: AffineResponse,
    samples: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Layers, Layers]:
    """A recurrence identified from the data by least squares, in a random basis and blurred, to be
    trained further.

    The hidden state is given unit scale along the samples; weights are then disturbed by
    `IDENTIFICATION_NOISE`.
    """
    transition, read_in, drift, read_out, offset = realization(response, architecture.hidden_dim)
    hidden = np.zeros(architecture.hidden_dim)
    visited: list[np.ndarray] = []
    for inputs in samples[:256]:
        fresh = len(visited) % response.markov.shape[0] == 0
        hidden = transition @ (0.0 * hidden if fresh else hidden) + read_in @ inputs + drift
        visited.append(hidden)
    scale = np.sqrt(np.mean(np.square(visited), axis=0)) + 1e-3
    rotation = np.linalg.qr(rng.standard_normal((len(scale), len(scale))))[0]
    into, back = rotation / scale, (rotation * scale).T  # z = into @ h, h = back @ z
    arrays = [into @ transition @ back, into @ read_in, into @ drift, read_out @ back, offset]
    blur = lambda array: array + IDENTIFICATION_NOISE * rng.standard_normal(array.shape)
    transition, read_in, drift, read_out, offset = (blur(array) for array in arrays)
    return [(np.concatenate([transition, read_in], axis=1), drift)], [(read_out, offset)]


def mlp_rnn_layers(
    architecture: Architecture,
    output_dim: int,
    samples: np.ndarray,
    jitter: np.ndarray,
    aligned: float,
    rng: np.random.Generator,
) -> tuple[Layers, Layers]:
    """Transition and output layers of one member.

    Args:
        samples: [K, I] inputs seen in the data, in training units.
        jitter: [I] half a raw unit in training units: kinks fall between integers as well.
    """
    a, (count, input_dim) = architecture, samples.shape
    hidden = rng.standard_normal((count, a.hidden_dim))
    inputs = samples + rng.uniform(-1.0, 1.0, samples.shape) * jitter
    points = np.concatenate([hidden, inputs], axis=1)
    transition = relu_layers(
        rng,
        a.hidden_dim + input_dim,
        a.hidden_dim,
        a.transition_width,
        a.transition_depth,
        points,
        (a.hidden_dim, input_dim),
        aligned,
    )
    output = relu_layers(rng, a.hidden_dim, output_dim, a.output_width, a.output_depth, hidden)
    if a.transition_depth == 1:
        weight, _ = transition[0]
        weight[:, : a.hidden_dim] = np.eye(a.hidden_dim) + rng.normal(
            0.0, 0.1, (a.hidden_dim, a.hidden_dim)
        )
    return transition, output


def _padded(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.pad(values, [(0, full - size) for size, full in zip(values.shape, shape)]).astype(
        np.float32
    )


def _with_hidden_columns(weight: np.ndarray, hidden_dim: int, padded_hidden_dim: int) -> np.ndarray:
    """[out, H + I] -> [out, padded H + I]: zero columns behind the hidden ones."""
    gap = np.zeros((weight.shape[0], padded_hidden_dim - hidden_dim), weight.dtype)
    return np.concatenate([weight[:, :hidden_dim], gap, weight[:, hidden_dim:]], axis=1)


def embed(
    transition: Layers, output: Layers, hidden_dim: int, template: RecurrentModel
) -> np.ndarray:
    """The weights of an MLPRNN placed in the larger `template`, as its flat parameter vector [n]
    (the rest is 0).
    """
    first_weight, first_bias = transition[0]
    transition = [
        (_with_hidden_columns(first_weight, hidden_dim, template.state_dim), first_bias),
        *transition[1:],
    ]
    leaves: dict[tuple, np.ndarray] = {}
    for name, layers in (("transition", transition), ("output", output)):
        for index, (weight, bias) in enumerate(layers):
            leaves[name, index, "weight"], leaves[name, index, "bias"] = weight, bias
    flat = []
    for path, leaf in jax.tree_util.tree_flatten_with_path(template)[0]:
        keys = [
            getattr(key, "key", getattr(key, "name", getattr(key, "idx", None))) for key in path
        ]
        stack, _, position, kind = keys[:4]  # such as transition.layers[0].weight
        flat.append(_padded(leaves[stack, position, kind], leaf.shape).ravel())
    return np.concatenate(flat)


def initial_parameters(
    architecture: Architecture,
    template: RecurrentModel,
    samples: np.ndarray,
    jitter: np.ndarray,
    output_dim: int,
    seed: int,
    aligned: float,
    response: AffineResponse | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Flat starting weights [n] in the shape of `template`, and which of them belong to the member
    [n] (1 or 0).
    """
    if not template.embeds_smaller:
        key = jax.random.key(seed, impl="threefry2x32")
        model = build_model(architecture, samples.shape[1], output_dim, key)
        flat = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(model)])
        return flat, np.ones_like(flat)
    rng = np.random.default_rng([seed, 1])
    if architecture.affine and response is not None:
        layers = affine_layers(architecture, response, samples, rng)
    else:
        layers = mlp_rnn_layers(architecture, output_dim, samples, jitter, aligned, rng)
    transition, output = layers
    ones = lambda part: [(np.ones_like(weight), np.ones_like(bias)) for weight, bias in part]
    placed = lambda f, g: embed(f, g, architecture.hidden_dim, template)
    return placed(transition, output), placed(ones(transition), ones(output))
