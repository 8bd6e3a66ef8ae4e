"""Question: do recurrent cells trained outside, in PyTorch, distil to the minimal automata of what
they were taught?

`train` (needs torch, numpy and safetensors, not mips_jax) trains an `nn.GRU` and an `nn.LSTM` on
three Tomita grammars and on addition modulo 5 and writes one .safetensors file for each, described
by its own metadata. `compare` (needs mips_jax and aalpy 2.0, not torch) extracts an automaton from
each file, checks it by bisimulation against the hand-written minimal one and against what AALpy's
L* learns from the same network, and prints a table with both times.

    python benchmarks/foreign_cells.py train --folder foreign_networks      # in an environment with
    torch python benchmarks/foreign_cells.py compare --folder foreign_networks    # in an
    environment with mips_jax and aalpy

Baseline: AALpy 2.0.0, L* for Mealy machines with its state-prefix equivalence oracle (random walks
    from every state).
Axes: B words, T time, S states, A alphabet, H hidden units.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import time

import numpy as np


@dataclasses.dataclass(frozen=True)
class MooreTable:
    """A hand-written minimal machine; state 0 is where it starts, before any letter.

    Attributes:
        successors: [S, A] the state after each letter 0..A-1.
        outputs: [S] the output on entering each state.
    """

    successors: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]

    @property
    def letters(self) -> int:
        return len(self.successors[0])

    def run(self, words: np.ndarray) -> np.ndarray:
        """words [B, T] -> outputs [B, T], the one at t after letter t was read."""
        successors, outputs = np.array(self.successors), np.array(self.outputs)
        states, written = np.zeros(len(words), int), []
        for letters in words.T:
            states = successors[states, letters]
            written.append(outputs[states])
        return np.stack(written, axis=1)


LANGUAGES = {
    # Tomita 1: ones only.
    "tomita_1": MooreTable(((1, 0), (1, 1)), (1, 0)),
    # Tomita 2: (10)*.
    "tomita_2": MooreTable(((2, 1), (0, 2), (2, 2)), (1, 0, 0)),
    # Tomita 3: no odd block of zeros right after an odd block of ones.  1 = odd ones, 2 and 3 =
    # then odd, even zeros.
    "tomita_3": MooreTable(((0, 1), (2, 0), (3, 4), (2, 1), (4, 4)), (1, 1, 0, 1, 0)),
    # Tomita 4: no three zeros in a row.  State = zeros just read; 3 = dead.
    "tomita_4": MooreTable(((1, 0), (2, 0), (3, 0), (3, 3)), (1, 1, 1, 0)),
    # Tomita 5: an even number of zeros and an even number of ones.  State = parity of zeros + 2 *
    # parity of ones.
    "tomita_5": MooreTable(((1, 2), (0, 3), (3, 0), (2, 1)), (1, 0, 0, 0)),
    # Tomita 6: as many zeros as ones, modulo 3.
    "tomita_6": MooreTable(((1, 2), (2, 0), (0, 1)), (1, 0, 0)),
    # Tomita 7: 0*1*0*1*.  State = how many of the four blocks lie behind; 4 = dead.
    "tomita_7": MooreTable(((0, 1), (2, 1), (2, 3), (4, 3), (4, 4)), (1, 1, 1, 1, 0)),
    # The running sum modulo 5.
    "add_mod_5": MooreTable(
        tuple(tuple((s + x) % 5 for x in range(5)) for s in range(5)), (0, 1, 2, 3, 4)
    ),
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes:
        language: key of LANGUAGES.
        cell: "gru", "lstm", "rnn_tanh" or "rnn_relu".
        one_hot: inputs as one-hot vectors (else as the number itself).
        class_head: argmax over one logit a class (else one number, rounded).
        head_width: units of the head's hidden layer; 0 for a linear head.
    """

    language: str
    cell: str
    one_hot: bool
    class_head: bool
    head_width: int = 0
    hidden_dim: int = 16

    @property
    def name(self) -> str:
        return f"{self.cell}_{self.language}"


RECIPES = (
    Recipe("tomita_4", "gru", one_hot=True, class_head=True),
    Recipe("tomita_5", "gru", one_hot=True, class_head=True),
    Recipe("tomita_7", "gru", one_hot=True, class_head=True),
    Recipe("add_mod_5", "gru", one_hot=True, class_head=True, hidden_dim=32),
    Recipe("tomita_4", "lstm", one_hot=False, class_head=False),
    Recipe("tomita_5", "lstm", one_hot=False, class_head=False, head_width=16),
    Recipe("tomita_7", "lstm", one_hot=False, class_head=False),
    Recipe("add_mod_5", "lstm", one_hot=True, class_head=True, head_width=16, hidden_dim=32),
)

MORE_RECIPES = tuple(
    Recipe(language, cell, one_hot, class_head, head_width, hidden_dim)
    for cell, one_hot, class_head, head_width, hidden_dim in (
        ("rnn_tanh", True, True, 0, 24),
        ("rnn_relu", False, False, 16, 24),
        ("gru", False, False, 0, 12),
        ("lstm", True, True, 8, 12),
    )
    for language in ("tomita_1", "tomita_2", "tomita_3", "tomita_6")
)


def draw_words(rng: np.random.Generator, count: int, length: int, letters: int) -> np.ndarray:
    """[count, length] words, each with its own letter frequencies and inclination to repeat or to
    change letters.
    """
    frequencies = rng.dirichlet(np.ones(letters), size=count)
    inclination = rng.uniform(
        -1.0, 1.0, size=count
    )  # share of letters that repeat the one before (or, < 0, follow it)
    fresh = (rng.random((count, length, 1)) > frequencies.cumsum(axis=1)[:, None, :-1]).sum(axis=2)
    words = fresh.copy()
    for t in range(1, length):
        next_letter = (words[:, t - 1] + (inclination < 0)) % letters
        words[:, t] = np.where(rng.random(count) < np.abs(inclination), next_letter, fresh[:, t])
    return words


def train(recipe: Recipe, path: pathlib.Path, seed: int, max_steps: int = 6000) -> bool:
    """Trains one PyTorch network until it is exact on words of length 100, and writes it; whether
    it became exact.
    """
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    machine = LANGUAGES[recipe.language]
    features = machine.letters if recipe.one_hot else 1
    raw_outputs = len(set(machine.outputs)) if recipe.class_head else 1

    class Recognizer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            kind, _, nonlinearity = recipe.cell.partition("_")
            cell = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind]
            settings = {"nonlinearity": nonlinearity} if nonlinearity else {}
            self.rnn = cell(features, recipe.hidden_dim, batch_first=True, **settings)
            width = recipe.head_width
            self.head = (
                torch.nn.Linear(recipe.hidden_dim, raw_outputs)
                if not width
                else torch.nn.Sequential(
                    torch.nn.Linear(recipe.hidden_dim, width),
                    torch.nn.ReLU(),
                    torch.nn.Linear(width, raw_outputs),
                )
            )

        def forward(self, words: torch.Tensor) -> torch.Tensor:
            encoded = (
                torch.nn.functional.one_hot(words, features).float()
                if recipe.one_hot
                else words[..., None].float()
            )
            return self.head(self.rnn(encoded)[0])

    def decode(raw: torch.Tensor) -> torch.Tensor:
        return raw.argmax(-1) if recipe.class_head else raw[..., 0].round().long()

    def loss_of(raw: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if recipe.class_head:
            return torch.nn.functional.cross_entropy(raw.flatten(0, 1), labels.flatten())
        return torch.nn.functional.mse_loss(raw[..., 0], labels.float())

    model = Recognizer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max_steps, eta_min=5e-5)
    started, best, kept, perfect_checks = time.perf_counter(), 0.0, {}, 0
    for step in range(1, max_steps + 1):
        long = step % 10 == 0  # for what drifts slowly
        count, length = (16, 200) if long else (128, int(rng.integers(5, 26)))
        words = draw_words(rng, count, length, machine.letters)
        loss = loss_of(model(torch.from_numpy(words)), torch.from_numpy(machine.run(words)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            words = draw_words(rng, 2000, 100, machine.letters)
            with torch.no_grad():
                right = (
                    (decode(model(torch.from_numpy(words))).numpy() == machine.run(words))
                    .all(axis=1)
                    .mean()
                )
            if right >= best:
                best, kept = (
                    right,
                    {key: tensor.clone() for key, tensor in model.state_dict().items()},
                )
            perfect_checks = perfect_checks + 1 if right == 1.0 else 0
            if perfect_checks == 3:
                break
    print(
        f"{recipe.name}, seed {seed}: {step} steps, {time.perf_counter() - started:.0f} s, "
        f"loss {loss.item():.1e}, whole words of length 100 right: {best:.4f}",
        flush=True,
    )
    metadata = {
        "initial": "zeros",
        "encoding": "one_hot" if recipe.one_hot else "number",
        "head": "class" if recipe.class_head else "number",
        "input_min": "0",
        "input_max": str(machine.letters - 1),
        "trained_length": "25",
    }
    if recipe.cell.startswith("rnn"):
        metadata["nonlinearity"] = recipe.cell.removeprefix("rnn_")
    if recipe.head_width:
        metadata["head_nonlinearity"] = "relu"
    save_file(kept, path, metadata=metadata)
    return best == 1.0


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One row of the table: what was extracted from a network, what L* learns from it, and the
    truth.

    Attributes:
        name: of the network.
        hidden_dim: H.
        true_states: of the hand-written machine, minimised in Mealy form (outputs on transitions).
        states: of the machine that extraction found; 0 for none.
        minimal: whether that machine and the hand-written one are bisimilar and equally large.
        seconds: of the extraction, median.
        program: what `extract` with all methods says: method and lines of the program.
        program_right: share of fresh words of length 300 that the program answers as the language
            does.
        lstar_states: of the machine that L* learns.
        lstar_agrees: whether it is bisimilar to the extracted one.
        lstar_seconds: of L*, median.
        lstar_steps: network steps that L* asked for.
    """

    name: str
    hidden_dim: int
    true_states: int
    states: int
    minimal: bool
    seconds: float
    program: str
    program_right: float
    lstar_states: int
    lstar_agrees: bool
    lstar_seconds: float
    lstar_steps: int


def compare(path: pathlib.Path, machine: MooreTable, repeats: int, seed: int) -> Comparison:
    """Distils one network both ways, `repeats` times each, in turns."""
    from aalpy.utils import bisimilar

    from mips_jax.extraction import ExtractionSettings, extract
    from mips_jax.machines import Mealy, minimised
    from mips_jax.networks import load_network, resolve_input_range

    network = load_network(path)
    input_range = resolve_input_range(network)
    successors = np.array(machine.successors)
    letters = np.arange(machine.letters)[:, None]
    truth = minimised(Mealy(letters, successors, np.array(machine.outputs)[successors][..., None]))
    ours, theirs = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        extraction = extract(
            network, input_range, ExtractionSettings(method="automaton", seed=seed)
        )
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        learned, statistics = learn_by_lstar(network, machine.letters, seed)
        theirs.append(time.perf_counter() - started)
    found = extraction.machine
    full = extract(network, input_range, ExtractionSettings(seed=seed))
    words = draw_words(np.random.default_rng(seed + 1), 500, 300, machine.letters)
    right = (
        (full.program.run(words[..., None])[..., 0] == machine.run(words)).all(axis=1).mean()
        if full.program
        else 0.0
    )
    return Comparison(
        name=path.stem,
        hidden_dim=network.hidden_dim,
        true_states=truth.states,
        states=found.states if found else 0,
        minimal=bool(
            found and found.states == truth.states and bisimilar(as_aalpy(found), as_aalpy(truth))
        ),
        seconds=float(np.median(ours)),
        program=f"{full.best.method}, {len(full.program.source.splitlines())} lines"
        if full.program
        else "none",
        program_right=float(right),
        lstar_states=learned.size,
        lstar_agrees=bool(found and bisimilar(as_aalpy(found), learned)),
        lstar_seconds=float(np.median(theirs)),
        lstar_steps=statistics["steps_learning"] + statistics["steps_eq_oracle"],
    )


def learn_by_lstar(network, letters: int, seed: int):
    """AALpy's L* for Mealy machines with its state-prefix oracle: (machine, statistics)."""
    import random

    from aalpy.base import SUL
    from aalpy.learning_algs import run_Lstar
    from aalpy.oracles import StatePrefixEqOracle

    class Behaviour(SUL):
        """The network, one letter at a time."""

        def pre(self):
            self.hidden = network.initial[None]

        def post(self):
            pass

        def step(self, letter):
            self.hidden = network.step(self.hidden, np.array([[letter]]))
            return int(network.outputs(self.hidden)[0, 0])

    random.seed(seed)
    alphabet, behaviour = list(range(letters)), Behaviour()
    oracle = StatePrefixEqOracle(alphabet, behaviour, walks_per_state=50, walk_len=30)
    return run_Lstar(
        alphabet, behaviour, oracle, automaton_type="mealy", return_data=True, print_level=0
    )


def as_aalpy(machine):
    """A mips_jax Mealy machine as AALpy's."""
    from aalpy.automata import MealyMachine, MealyState

    states = [MealyState(f"s{i}") for i in range(machine.states)]
    for state, successors, outputs in zip(states, machine.transition, machine.output):
        state.transitions = {a: states[s] for a, s in enumerate(successors)}
        state.output_fun = {a: int(o[0]) for a, o in enumerate(outputs)}
    return MealyMachine(states[0], states)


def print_table(rows: list[Comparison]) -> None:
    names = [field.name for field in dataclasses.fields(Comparison)]
    as_text = lambda value: f"{value:.3f}" if isinstance(value, float) else str(value)
    table = [names] + [[as_text(getattr(row, name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table)]
    for line in table:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=("train", "compare"))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("foreign_networks"))
    parser.add_argument(
        "--only", help="comma-separated names, for example gru_tomita_4,lstm_add_mod_5"
    )
    parser.add_argument(
        "--more", action="store_true", help="four more Tomita grammars, nn.RNN as well"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    recipes = RECIPES + MORE_RECIPES if arguments.more else RECIPES
    chosen = [r for r in recipes if not arguments.only or r.name in arguments.only.split(",")]
    if arguments.stage == "train":
        for recipe in chosen:
            path = arguments.folder / f"{recipe.name}.safetensors"
            any(train(recipe, path, seed) for seed in range(arguments.seed, arguments.seed + 4))
    else:
        print_table(
            [
                compare(
                    arguments.folder / f"{r.name}.safetensors",
                    LANGUAGES[r.language],
                    arguments.repeats,
                    arguments.seed,
                )
                for r in chosen
            ]
        )


if __name__ == "__main__":
    main()
