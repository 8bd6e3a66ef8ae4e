"""Question: what becomes of networks as large as people train them, on many symbols?

`train` (needs torch and numpy, not mips_jax) writes two state_dicts as .npz: a GRU of 512 units
over 18 symbols, start and end among them, taught a regular language of 6 states until it is exact
on well-formed words (a few minutes); and an LSTM of 64 units over 27 symbols, taught for a while a
language that no finite machine accepts. `distil` (needs mips_jax, not torch) distils both: seconds,
outcome, and what share of words program and network have right.

    python -m benchmarks.large_networks train --cache FOLDER    # in an environment with torch
    python -m benchmarks.large_networks distil --cache FOLDER [--only gates_gru512] [--seconds 300]

`gates`: of the 16 symbols between start (0) and end (17) four open a gate, four close it, four tick
and four do nothing; a word is accepted while the gate is closed and the ticks are a multiple of 3.
It is judged on well-formed words only: nobody taught the network others. `surplus`: 13 symbols are
for, 13 against, and 26 begins anew; accepted where more were for than against.

The exit code of `distil` is 1 where the program for `gates` is not right on all words, where that
for `surplus` is called solved, or where its front has no machine of at most 500 states that writes
at most 1.5% of the steps of uniform words wrong.

Axes: N words, T time.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # training needs torch, not this package
    from mips_jax.verification.front import Tradeoff

WORDS = 2_000  # of each length that are judged
EXACT = 3  # looks in a row without a wrong word, until training ends
CHECKED = 2_000  # words of each look
MOST_STATES, MOST_ERRORS = 500, 0.015  # of the machine for what is no regular language; of steps


def gates_words(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Well-formed words [count, length]: start, symbols, end."""
    words = rng.integers(1, 17, (count, length))
    words[:, 0], words[:, -1] = 0, 17
    return words


def gates_taught(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Well-formed words, in half of which some kinds of symbols are rare: what is kept must be kept
    for long.
    """
    words = gates_words(rng, count, length)
    rows = np.arange(0, count, 2)
    shares = rng.dirichlet(np.full(4, 0.7), len(rows)).cumsum(axis=1)
    kinds = (rng.random((len(rows), length - 2, 1)) > shares[:, None, :3]).sum(axis=2)
    words[rows, 1:-1] = 1 + 4 * kinds + rng.integers(0, 4, kinds.shape)
    return words


def gates_labels(words: np.ndarray) -> np.ndarray:
    """[N, T] -> [N, T], 1 where what was read so far is accepted."""
    is_open, ticks, rows = np.zeros(len(words), bool), np.zeros(len(words), int), []
    for x in words.T:
        kind = np.where((x >= 1) & (x <= 16), (x - 1) // 4, 3)
        is_open = (is_open | (kind == 0)) & (kind != 1)
        ticks = (ticks + (kind == 2)) % 3
        rows.append(~is_open & (ticks == 0))
    return np.stack(rows, axis=1).astype(np.int64)


def surplus_words(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Uniform words [count, length]."""
    return rng.integers(0, 27, (count, length))


def surplus_labels(words: np.ndarray) -> np.ndarray:
    """[N, T] -> [N, T], 1 where more symbols were for than against."""
    level, rows = np.zeros(len(words), int), []
    for x in words.T:
        level = np.where(x == 26, 0, level + np.where(x < 13, 1, -1))
        rows.append(level > 0)
    return np.stack(rows, axis=1).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A network and what it is taught.

    Attributes:
        cell: `GRU` or `LSTM`.
        units: of the cell.
        symbols: 0 to symbols - 1.
        length: T of the longest words in training.
        words: (random generator, count, length) -> words [N, T].
        taught: the same, of training.
        labels: words [N, T] -> [N, T], 0 or 1.
        steps: of training, at most.
        rate: of Adam.
        regular: whether a finite machine writes the labels.
    """

    cell: str
    units: int
    symbols: int
    length: int
    words: Callable[[np.random.Generator, int, int], np.ndarray]
    taught: Callable[[np.random.Generator, int, int], np.ndarray]
    labels: Callable[[np.ndarray], np.ndarray]
    steps: int
    rate: float
    regular: bool


SUBJECTS = {
    "gates_gru512": Subject(
        "GRU", 512, 18, 12, gates_words, gates_taught, gates_labels, 2_400, 1e-3, True
    ),
    "surplus_lstm64": Subject(
        "LSTM", 64, 27, 20, surplus_words, surplus_words, surplus_labels, 200, 3e-3, False
    ),
}


def train(subject: Subject, path: Path, seed: int) -> None:
    """Trains one network and writes its state_dict, .npz."""
    try:
        import torch
    except ImportError:
        sys.exit("`train` needs PyTorch: pip install torch, in an environment of its own")
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # steps are small: more threads wait for each other
    rng = np.random.default_rng(seed)
    parts = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(subject.symbols, 24),
            "rnn": getattr(torch.nn, subject.cell)(24, subject.units, batch_first=True),
            "fc": torch.nn.Linear(subject.units, 2),
        }
    )
    run = lambda words: parts["fc"](parts["rnn"](parts["embedding"](torch.from_numpy(words)))[0])
    adam = torch.optim.Adam(parts.parameters(), lr=subject.rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, subject.steps, 0.03 * subject.rate)
    lengths = (subject.length // 2, subject.length)
    began, row, share = time.perf_counter(), 0, 0.0
    for step in range(1, subject.steps + 1):
        long = subject.regular and step % 10 == 0
        words = subject.taught(rng, 64, 3 * subject.length if long else lengths[step % 2])
        labels = torch.from_numpy(subject.labels(words)).flatten()
        loss = torch.nn.functional.cross_entropy(run(words).flatten(0, 1), labels)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        adam.step()
        falling.step()
        if step % 100 == 0:
            words = subject.taught(rng, CHECKED, subject.length)
            with torch.no_grad():
                said = run(words).argmax(-1).numpy()
            share = (said == subject.labels(words)).all(axis=1).mean()
            row = row + 1 if share == 1.0 else 0
            print(f"{path.stem} step {step}: {share:.2%} of the words right", flush=True)
            if row == EXACT:
                break
    np.savez(path, **{name: tensor.numpy() for name, tensor in parts.state_dict().items()})
    print(f"{path.stem}: {share:.2%} after {time.perf_counter() - began:.0f} s")


def right(subject: Subject, words: np.ndarray, outputs: np.ndarray) -> float:
    """Share of words [N, T] whose outputs [N, T, 1] are all right."""
    return float((outputs[:, :, 0] == subject.labels(words)).all(axis=1).mean())


def distil(name: str, cache: Path, seconds: float) -> bool:
    """Distils one network and prints what came out; whether it is as it should be."""
    from mips_jax import ExtractionSettings, Inputs, words_between
    from mips_jax.networks import load_network
    from mips_jax.pipeline import PipelineSettings, distil_network

    subject = SUBJECTS[name]
    network = load_network(
        cache / f"{name}.npz", initial="zeros", head="class", trained_length=subject.length
    )
    settings = PipelineSettings(extraction=ExtractionSettings(seconds=seconds))
    began = time.perf_counter()
    bounds = ((0, subject.symbols - 1),)
    inputs = Inputs(bounds)
    if subject.words is gates_words:  # a user says so: network.start=0 network.end=17
        inputs = words_between(bounds, 0, subject.symbols - 1)
    found = distil_network(network, inputs, name, settings)
    took = time.perf_counter() - began
    rng = np.random.default_rng(1)
    shares = []
    for length in (subject.length, 5 * subject.length):
        words = subject.words(rng, WORDS, length)
        said = None
        if found.program is not None:
            said = right(subject, words, found.program.run(words[:, :, None]))
        shares.append((said, right(subject, words, network.run(words[:, :, None])[1])))
    shown = "; ".join(
        f"{'no program' if said is None else f'program {said:.2%}'}, network {itself:.2%}"
        for said, itself in shares
    )
    print(
        f"{name:15s} {took:6.1f} s  right: {shown} (long)  {found.verdict.outcome}, {found.method}"
    )
    print(f"    {(found.reason or '')[:200]}", flush=True)
    for one in found.front:
        print(
            "      ",
            one.note,
            round(one.bits),
            [f"{c.length}: words {c.agreement} steps {c.step_agreement}" for c in one.claims][:3],
            flush=True,
        )
    if not subject.regular:
        return not found.solved and any(_small_and_faithful(one) for one in found.front)
    return all(said == 1.0 for said, _ in shares)


def _small_and_faithful(one: Tradeoff) -> bool:
    """Whether a machine has few states and is right on nearly all steps of uniform words."""
    from mips_jax.programs import Lookup, walk

    updates = [register.update for register in one.program.registers]
    tables = [node for update in updates for node in walk(update) if isinstance(node, Lookup)]
    states = max((len(node.table) for node in tables), default=0)
    agreement = one.claims[0].step_agreement or 0.0
    return 0 < states <= MOST_STATES and 1.0 - agreement <= MOST_ERRORS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("train", "distil"))
    parser.add_argument("--cache", type=Path, required=True, help="folder of the networks")
    parser.add_argument("--only", default=",".join(SUBJECTS))
    parser.add_argument("--seconds", type=float, default=300.0, help="extraction.seconds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    names = [name for name in SUBJECTS if name in options.only.split(",")]
    as_it_should = True
    for name in names:
        path = options.cache / f"{name}.npz"
        if options.what == "distil":
            as_it_should &= distil(name, options.cache, options.seconds)
        elif not path.exists():
            train(SUBJECTS[name], path, options.seed)
    return 0 if as_it_should else 1


if __name__ == "__main__":
    sys.exit(main())
