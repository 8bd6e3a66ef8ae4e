"""Training small cells on a pool of labelled words; nothing of the package's own training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.damaged.languages import Language
from mips_jax.networks import (
    ElmanNetwork,
    GRUNetwork,
    InterpretedNetwork,
    LSTMNetwork,
    Network,
)

GATES = {"elman": 1, "gru": 3, "lstm": 4}
NETWORKS = {"elman": ElmanNetwork, "gru": GRUNetwork, "lstm": LSTMNetwork}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How long and how fast.

    Attributes:
        rate: of Adam.
        batch: words a step.
        steps: in all, at most.
        every: steps between two looks at the network.
    """

    rate: float = 5e-3
    batch: int = 128
    steps: int = 6_000
    every: int = 100


def begun(language: Language, seed: int) -> dict[str, jax.Array]:
    """Weights [G*U, ...] in PyTorch's layout, drawn as PyTorch draws them."""
    units, width = language.units, language.encoding.width
    rows, outputs = GATES[language.cell] * units, 1 if language.numbers else len(language.values)
    shapes = {
        "weight_ih": (rows, width),
        "weight_hh": (rows, units),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
        "head": (outputs, units),
        "head_bias": (outputs,),
    }
    keys = jax.random.split(jax.random.key(seed), len(shapes))
    bound = units**-0.5
    return {
        name: jax.random.uniform(key, shape, minval=-bound, maxval=bound)
        for key, (name, shape) in zip(keys, shapes.items())
    }


def step(cell: str, weights, state, x):
    """One word's states ([U] each, h first) and features [E] -> the next states."""
    h = state[0]
    from_input = weights["weight_ih"] @ x + weights["bias_ih"]
    from_state = weights["weight_hh"] @ h + weights["bias_hh"]
    if cell == "elman":
        return (jnp.tanh(from_input + from_state),)
    if cell == "gru":
        r, z, n = zip(jnp.split(from_input, 3), jnp.split(from_state, 3))
        new = jnp.tanh(n[0] + jax.nn.sigmoid(sum(r)) * n[1])
        update = jax.nn.sigmoid(sum(z))
        return ((1.0 - update) * new + update * h,)
    admit, forget, candidate, expose = jnp.split(from_input + from_state, 4)
    memory = jax.nn.sigmoid(forget) * state[1] + jax.nn.sigmoid(admit) * jnp.tanh(candidate)
    return jax.nn.sigmoid(expose) * jnp.tanh(memory), memory


def loss(language: Language, weights, features, targets):
    """Of one word, features [T, E], targets [T]: class indices, or numbers."""
    zeros = jnp.zeros(language.units)
    state = (zeros, zeros) if language.cell == "lstm" else (zeros,)

    def read(state, x):
        state = step(language.cell, weights, state, x)
        return state, weights["head"] @ state[0] + weights["head_bias"]

    raw = jax.lax.scan(read, state, features)[1]
    if language.numbers:
        return jnp.mean((raw[:, 0] - targets) ** 2)
    return optax.softmax_cross_entropy_with_integer_labels(raw, targets).mean()


def trained(
    language: Language, words: np.ndarray, written: np.ndarray, seed: int, recipe: Recipe
) -> Iterator[Network]:
    """The network as it is after every `recipe.every` steps.

    Args:
        language: which network.
        words: [N, T] letter indices, of which each step draws some.
        written: [N, T] the outputs that are taught.
        seed: of weights and order.
        recipe: how long.
    """
    table = jnp.asarray(language.encoding.encode(language.machine.letters), jnp.float32)
    targets = written.astype(np.float32)
    if not language.numbers:
        targets = np.searchsorted(language.values, written).astype(np.int32)
    pool = (jnp.asarray(words), jnp.asarray(targets))
    schedule = optax.cosine_decay_schedule(recipe.rate, recipe.steps, 0.05)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))

    def average(weights, features, targets):
        return jax.vmap(lambda f, t: loss(language, weights, f, t))(features, targets).mean()

    def advance(carry, key):
        weights, memory = carry
        rows = jax.random.randint(key, (recipe.batch,), 0, len(words))
        gradient = jax.grad(average)(weights, table[pool[0][rows]], pool[1][rows])
        change, memory = adam.update(gradient, memory)
        return (optax.apply_updates(weights, change), memory), None

    many = jax.jit(
        lambda carry, key: jax.lax.scan(advance, carry, jax.random.split(key, recipe.every))[0]
    )
    weights = begun(language, seed)
    carry = (weights, adam.init(weights))
    for number in range(recipe.steps // recipe.every):
        carry = many(carry, jax.random.fold_in(jax.random.key(seed + 1), number))
        yield as_network(language, carry[0])


def as_network(language: Language, weights) -> Network:
    """Weights as a plain network that reads letters and writes outputs."""
    w = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    layer = (w["weight_ih"], w["weight_hh"], w["bias_ih"], w["bias_hh"])
    core = NETWORKS[language.cell].from_arrays(
        [layer],
        [(w["head"], w["head_bias"])],
        trained_length=language.length,
        input_range=language.input_range if language.numbers else None,
    )
    return InterpretedNetwork(core, language.encoding, language.decoding)
