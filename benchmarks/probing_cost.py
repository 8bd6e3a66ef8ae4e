"""What does probing cost a model that reads whole words?

    python -m benchmarks.probing_cost [--states 10000] [--words 200] [--depth 6]

Reads 200 probe words of length 4 from each of 10,000 states (prefixes of `depth` letters), as the
methods of extraction do, and compares with one forward pass over as many tokens (states x words x
4) in large batches of words of the same whole length. The models: a GPT-2 that is read here, which
branches (a tree of probe words in one pass), and the same through a function, which reads words.
Prints processor seconds of both and their ratio, and what the tree of prefixes costs by itself (a
model that does nothing).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import mips_jax
from benchmarks.random_gpt2 import write_random_gpt2
from mips_jax.networks import Network

LETTERS, STEPS, WIDTH, LAYERS, HEADS = 6, 4, 64, 2, 4
MEASURED_TOKENS = 400_000  # of the forward pass, scaled to all


def probed(network: Network, states: np.ndarray, probes: np.ndarray) -> float:
    """Processor seconds to read every probe word [K, T, 1] from every state, and all outputs."""
    started = time.process_time()
    for start in range(0, len(states), 512):
        some = states[start : start + 512]
        network.prefetch(some, probes)
        after = np.repeat(some, len(probes), axis=0)
        for t in range(probes.shape[1]):
            after = network.step(after, np.tile(probes[:, t], (len(some), 1)))
            network.outputs(after)
    return time.process_time() - started


def forward(read, length: int, tokens: int) -> float:
    """Processor seconds for so many tokens, in words of a length, measured on fewer."""
    words = np.random.default_rng(0).integers(0, LETTERS, (MEASURED_TOKENS // length, length, 1))
    read(words[:100])
    started = time.process_time()
    for start in range(0, len(words), 1024):
        read(words[start : start + 1024])
    return (time.process_time() - started) * tokens / words.size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--depth", type=int, default=6)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    words = rng.integers(0, LETTERS, (options.states, options.depth, 1))
    all_probes = np.stack(np.meshgrid(*[np.arange(LETTERS)] * STEPS), -1).reshape(-1, STEPS, 1)
    probes = all_probes[rng.permutation(len(all_probes))[: options.words]]
    with tempfile.TemporaryDirectory() as folder:
        path = write_random_gpt2(Path(folder), LETTERS, 64, WIDTH, LAYERS, HEADS)
        load = lambda: mips_jax.load_network(path, input_max=LETTERS - 1)
        plain = load().reader
        models = {
            "GPT-2, branching": load(),
            "the same as a function": mips_jax.from_callable(
                lambda tokens: plain.read(tokens[:, :, None]), input_max=LETTERS - 1, longest=64
            ),
            "a model that does nothing": mips_jax.from_callable(
                lambda tokens: np.zeros(tokens.shape), input_max=LETTERS - 1, head="number"
            ),
        }
    print(
        f"{options.states:,} states after {options.depth} letters, {len(probes)} probe words of 4"
    )
    for name, network in models.items():
        states = network.run(words)[0][:, -1]
        tokens = options.states * len(probes) * STEPS
        base = forward(network.reader.read, options.depth + STEPS, tokens)
        seconds = probed(network, states, probes)
        print(
            f"{name}: {seconds:.1f} s; {tokens:,} tokens in one batch {base:.1f} s; "
            f"ratio {seconds / base:.2f}; {len(np.unique(states)):,} different states",
            flush=True,
        )


if __name__ == "__main__":
    main()
