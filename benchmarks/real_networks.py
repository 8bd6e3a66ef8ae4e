"""Published networks, nearly right as they are: is the true machine found, how soon, and does every
listed disagreement hold?

    python -m benchmarks.real_networks FOLDER [--only tomita_1_GRU,coffee_gru4x50]

FOLDER holds the nine networks (six of Tomita's languages and balanced parentheses, coffee machine:
DES-Lab/Extracting-FSM-From-RNNs, MIT licence; flip-flops: mattgolub/fixed-point-finder, Apache
2.0) under PyTorch's names. A program counts as the truth when it is right on all words up to
length 11 (2 letters; 5 for four letters, 4 for 27 and 28) and on 1,000 words of length 100, random
ones and such as the language has. What the network itself does on the same words stands beside it.
Every disagreement that the result lists is put to the network once more. The last line counts; the
exit code is 1 where fewer than eight are found.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mips_jax.networks import Network, load_network
from mips_jax.pipeline import distil_network
from mips_jax.pipeline.distillation import Distillation
from mips_jax.verification.claims import plain_letter

ACCEPTING = {"head": "class", "class_values": (1, 0)}  # the recognisers' class 0 accepts
ALL_WORDS = {2: 11, 4: 5, 27: 3, 28: 3}  # letters -> the length up to which all words are run
LONG, LONG_WORDS = 100, 1_000
ENOUGH = 8  # of nine


@dataclasses.dataclass(frozen=True)
class Published:
    """One network: what its file does not say, and the truth about it.

    Attributes:
        options: of `load_network`.
        input_range: letters.
        truth: words [W, T, I] -> outputs [W, T, O].
        words: further words [W, T, I] on which it counts.
    """

    options: dict
    input_range: tuple[tuple[int, int], ...]
    truth: Callable[[np.ndarray], np.ndarray]
    words: Callable[[np.random.Generator], np.ndarray] | None = None


def stepwise(start, step) -> Callable[[np.ndarray], np.ndarray]:
    """A truth from (state, inputs of a step) -> (state, output)."""

    def run(words: np.ndarray) -> np.ndarray:
        outputs = []
        for word in words.tolist():
            state, row = start, []
            for letters in word:
                state, written = step(state, *letters)
                row.append(written if isinstance(written, tuple) else (written,))
            outputs.append(row)
        return np.array(outputs, np.int64)

    return run


def tomita_3(state, x):
    """0: no odd run of 1s yet; 1: in one; 2: in an odd run of 0s after one; 3: not; 4: too late."""
    state = ((0, 1), (2, 0), (3, 4), (2, 3), (4, 4))[state][x]
    return state, int(state not in (2, 4))


def tomita_7(state, x):
    state = ((0, 1), (2, 1), (2, 3), (4, 3), (4, 4))[state][x]
    return state, int(state < 4)


def coffee(state, x):
    """Clean, pod, water, button; pod and water in any order, then the button makes coffee; whatever
    was wrong once stays wrong. That anything but cleaning is wrong once coffee is made, and writes
    coffee once more, is read off the network's own answers, not off its authors' table.
    """
    if state == "made" and x:
        return "wrong", 2
    if state == "wrong" or (x == 3 and state != "both"):
        return "wrong", 1
    if x == 3:
        return "made", 2
    if x == 0:
        return "clean", 0
    added = "pod" if x == 1 else "water"
    return (added if state in ("clean", added) else "both"), 0


def brackets(depth, x):
    if depth < 0:
        return depth, 0
    depth += (x == 26) - (x == 27)
    return depth, int(depth == 0)


def bracketed(rng: np.random.Generator) -> np.ndarray:
    """Words of brackets mostly, balanced ones among them."""
    words = rng.integers(0, 28, (LONG_WORDS, LONG, 1))
    only = rng.random(words.shape) < rng.choice([0.0, 0.5, 0.9, 1.0], (LONG_WORDS, 1, 1))
    return np.where(only, rng.integers(26, 28, words.shape), words)


def pulsed(rng: np.random.Generator) -> np.ndarray:
    """Words whose first step has a pulse on every channel."""
    words = rng.integers(-1, 2, (LONG_WORDS, LONG, 3)) * (rng.random((LONG_WORDS, LONG, 3)) < 0.5)
    words[:, 0] = rng.choice([-1, 1], (LONG_WORDS, 3))
    return words


def flipflop(state, *x):
    state = tuple(new or old for new, old in zip(x, state))
    return state, state


BIT = ((0, 1),)
NETWORKS = {
    "tomita_1_GRU": Published(ACCEPTING, BIT, stepwise(1, lambda s, x: (s and x, s and x))),
    "tomita_3_GRU": Published(ACCEPTING, BIT, stepwise(0, tomita_3)),
    "tomita_4_GRU": Published(
        ACCEPTING,
        BIT,
        stepwise(0, lambda s, x: ((n := 3 if s == 3 else 0 if x else s + 1), int(n < 3))),
    ),
    "tomita_5_LSTM": Published(
        ACCEPTING,
        BIT,
        stepwise((0, 0), lambda s, x: ((n := (s[0] ^ (x == 0), s[1] ^ x)), int(n == (0, 0)))),
    ),
    "tomita_6_GRU": Published(
        ACCEPTING, BIT, stepwise(0, lambda s, x: ((n := (s + 1 - 2 * x) % 3), int(n == 0)))
    ),
    "tomita_7_LSTM": Published(ACCEPTING, BIT, stepwise(0, tomita_7)),
    "bp_1_GRU": Published(ACCEPTING, ((0, 27),), stepwise(0, brackets), bracketed),
    "coffee_gru4x50": Published(
        {"initial": "zeros", "head": "class", "reset_after": False, "missing_bias": "zeros"},
        ((0, 3),),
        stepwise("clean", coffee),
    ),
    "flipflop_rnn8": Published(
        {"nonlinearity": "tanh", "initial": "zeros", "encoding": "number", "head": "number"},
        ((-1, 1),) * 3,
        stepwise((0, 0, 0), flipflop),
        pulsed,
    ),
}


def all_words(published: Published) -> list[np.ndarray]:
    """All words up to a length, one array a length."""
    letters = list(itertools.product(*(range(a, b + 1) for a, b in published.input_range)))
    longest = ALL_WORDS[len(letters)]
    return [
        np.array(list(itertools.product(letters, repeat=length)), np.int64)
        for length in range(1, longest + 1)
    ]


def right(wrote: np.ndarray, published: Published, words: np.ndarray) -> float:
    """Share of words that are right at every step."""
    return float((wrote == published.truth(words)).all(axis=(1, 2)).mean())


def judged(found: Distillation, network: Network, published: Published) -> tuple[list[float], ...]:
    """Shares that program and network have right: of short words, of long ones."""
    rng = np.random.default_rng(1)
    lows, highs = zip(*published.input_range)
    uniform = rng.integers(lows, np.add(highs, 1), (LONG_WORDS, LONG, len(lows)))
    long = [uniform if published.words is None else published.words(rng)]
    short = all_words(published) if published.words is not pulsed else [long[0][:, :11]]
    shares = []
    for run in (found.program.run, lambda w: network.run(w)[1]):
        shares.append([min(right(run(w), published, w) for w in part) for part in (short, long)])
    return tuple(shares)


def unconfirmed(found: Distillation, network: Network) -> int:
    """Listed disagreements that the network does not show."""
    count = 0
    for claim in found.claims:
        for d in claim.disagreements if claim.arithmetic == "float64" else ():
            word = np.array(d.word, np.int64).reshape(1, -1, network.input_dim)
            said = plain_letter(network.run(word)[1][0, -1])
            count += said != d.expected or plain_letter(found.program.run(word)[0, -1]) != d.wrote
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default=",".join(NETWORKS))
    options = parser.parse_args()
    names = options.only.split(",")
    true = 0
    for name in names:
        published = NETWORKS[name]
        network = load_network(options.folder / f"{name}.npz", **published.options)
        began = time.perf_counter()
        found = distil_network(network, published.input_range, name)
        seconds = time.perf_counter() - began
        if found.program is None:
            print(f"{name:16s} {seconds:6.1f} s  no program: {found.reason}", flush=True)
            continue
        program, itself = judged(found, network, published)
        is_true = program == [1.0, 1.0]
        true += is_true
        print(
            f"{name:16s} {seconds:6.1f} s  {'true' if is_true else 'NOT TRUE':8s} "
            f"program {program[0]:.4f} {program[1]:.4f}, network {itself[0]:.4f} {itself[1]:.4f}, "
            f"{found.verdict.outcome}, {found.method}, {found.program_lines} lines, "
            f"{unconfirmed(found, network)} unconfirmed",
            flush=True,
        )
    print(f"{true} of {len(names)} true")
    return 0 if true >= min(ENOUGH, len(names)) else 1


if __name__ == "__main__":
    sys.exit(main())
