"""Which programs come out of transformers trained in PyTorch, through `mips_jax.from_torch`?

    python -m benchmarks.torch_transformers [--tasks A,B] [--seed 0] [--steps 2000] [--folder F]

Eight small decoders are trained here (two layers, width 64, learned positions), on flip-flops, sums
modulo 3, Tomita 4 and 5, Dyck-1 to depths 3 and 12, majority, and a suffix condition over three
letters; outputs are classes, or sets of allowed next letters with an end entry. The program is
compared with the truth, which extraction never sees, on fresh words of the training length and of
ten times that; so is the network, so that its errors are not the program's. Prints a table; trained
weights are kept in the folder and used again.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import mips_jax

WIDTH, HEADS, LAYERS, BATCH = 64, 4, 2, 128
FRESH = 2000  # words that compare program, network and truth


@dataclasses.dataclass(frozen=True)
class Language:
    """What is learned.

    Attributes:
        name: of it.
        letters: how many.
        step: state, letter -> state, output; the output is a class, or a tuple of yes and no.
        start: state.
        classes: how many, or 0 where outputs are sets.
        length: of the training words.
    """

    name: str
    letters: int
    step: Callable
    start: object
    classes: int
    length: int = 20

    def label(self, words: np.ndarray) -> np.ndarray:
        """Words [N, T] -> outputs [N, T, O]."""
        rows = []
        for word in words.tolist():
            state, row = self.start, []
            for letter in word:
                state, output = self.step(state, letter)
                row.append(output if isinstance(output, tuple) else (output,))
            rows.append(row)
        return np.array(rows, np.int64)


def flip_flop(state, letter):
    """Letters 0..4 store a value, 5 and 6 change nothing; the output is the value stored."""
    state = letter if letter < 5 else state
    return state, state


def sum_mod_3(state, letter):
    return (state + letter) % 3, (state + letter) % 3


def tomita_4(state, letter):
    """No 000: state is the zeros at the end, 3 a sink; allowed next: 0, 1, end."""
    state = 3 if state == 3 or (state == 2 and letter == 0) else 0 if letter else state + 1
    return state, (int(state < 2), int(state < 3), int(state < 3))


def tomita_5(state, letter):
    """Even zeros and even ones; the output says whether the word so far is in the language."""
    state = state ^ (1 << letter)
    return state, int(state == 0)


def dyck(depth: int):
    """Letter 0 opens, 1 closes; after an error nothing is allowed; open, close, end: may it be?"""

    def step(state, letter):
        state = -1 if state < 0 else state + (1 if letter == 0 else -1)
        state = -1 if state > depth else state
        alive = state >= 0
        return state, (int(alive and state < depth), int(alive and state > 0), int(state == 0))

    return step


def majority(state, letter):
    state = state + (1 if letter else -1)
    return state, int(state > 0)


def suffix(state, letter):
    """Whether the word ends in 0 1 1 or in 2 2."""
    past = (*state, letter)[-3:]
    return past, int(past == (0, 1, 1) or past[-2:] == (2, 2))


LANGUAGES = (
    Language("flip_flop", 7, flip_flop, 0, 5),
    Language("sum_mod_3", 3, sum_mod_3, 0, 3, 12),
    Language("tomita_4", 2, tomita_4, 0, 0),
    Language("tomita_5", 2, tomita_5, 0, 2, 12),
    Language("dyck_depth_3", 2, dyck(3), 0, 0),
    Language("dyck_depth_12", 2, dyck(12), 0, 0, 40),
    Language("majority", 2, majority, 0, 2),
    Language("suffix", 3, suffix, (), 2),
)


class Transformer(torch.nn.Module):
    """A decoder: token and position embeddings, causal attention, a head."""

    def __init__(self, letters: int, outputs: int, longest: int):
        super().__init__()
        self.tokens = torch.nn.Embedding(letters + 1, WIDTH)  # one more: the beginning
        self.positions = torch.nn.Embedding(longest + 1, WIDTH)
        layer = torch.nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.head = torch.nn.Linear(WIDTH, outputs)

    def forward(self, tokens):
        steps = tokens.shape[1]
        x = self.tokens(tokens) + self.positions(torch.arange(steps, device=tokens.device))
        mask = torch.nn.Transformer.generate_square_subsequent_mask(steps, device=tokens.device)
        return self.head(self.norm(self.layers(x, mask=mask, is_causal=True)))


def drawn(language: Language, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Words [count, length]: half at random, half with letters that mostly stay allowed where
    outputs are sets, so that long words do not all die young.
    """
    words = rng.integers(0, language.letters, (count, length))
    if language.classes:
        return words
    for word in words[::2]:
        state, allowed = language.start, (1,) * language.letters
        for t in range(length):
            choices = [a for a in range(language.letters) if allowed[a]]
            if choices and rng.random() < 0.99:
                word[t] = rng.choice(choices)
            state, output = language.step(state, int(word[t]))
            allowed = output
    return words


def trained(language: Language, steps: int, seed: int) -> Transformer:
    """Adam with a cosine, until it is right on fresh words for a while or the steps are done."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    outputs = language.classes or language.label(np.zeros((1, 1), int)).shape[2]
    model = Transformer(language.letters, outputs, language.length)
    words = drawn(language, 20_000, language.length, rng)
    labels = language.label(words)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 2e-3, total_steps=steps, pct_start=0.1
    )
    begin = torch.full((BATCH, 1), language.letters)
    right = done = 0
    while done < steps and right < 50:
        done += 1
        rows = rng.integers(0, len(words), BATCH)
        given = torch.cat([begin, torch.as_tensor(words[rows])], dim=1)
        logits, wanted = model(given)[:, 1:], torch.as_tensor(labels[rows])
        if language.classes:
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        else:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted.float())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        right = right + 1 if loss.item() < 1e-3 else 0
    print(f"  {language.name}: {done} steps, loss {loss.item():.1e}", flush=True)
    return model


def given(language: Language, model: Transformer) -> mips_jax.Network:
    """The trained module as a network: what a user would write."""
    return mips_jax.from_torch(
        model,
        input_max=language.letters - 1,
        begin=[language.letters],
        head="class" if language.classes else "yes_no",
        longest=language.length,
        trained_length=language.length,
    )


def agreement(wrote: np.ndarray, wanted: np.ndarray) -> float:
    return float((wrote == wanted).all(axis=(1, 2)).mean())


def judged(language: Language, model: Transformer, seed: int) -> dict:
    """One row of the table."""
    network = given(language, model)
    started, used = time.monotonic(), time.process_time()
    found = mips_jax.distil_network(network, name=language.name)
    seconds, used = time.monotonic() - started, time.process_time() - used
    words = drawn(language, FRESH, language.length, np.random.default_rng(seed + 1000))
    long = drawn(language, FRESH // 10, 10 * language.length, np.random.default_rng(seed + 2000))
    wanted = language.label(words)
    program = found.program
    return {
        "language": language.name,
        "outcome": str(found.verdict.outcome),
        "lines": found.program_lines,
        "program = truth": program and agreement(program.run(words[:, :, None]), wanted),
        "at ten times": program and agreement(program.run(long[:, :, None]), language.label(long)),
        "network = truth": agreement(network.run(words[:, :, None])[1], wanted),
        "seconds": round(seconds, 1),
        "of the processor": round(used, 1),
        "source": found.source,
        "reason": found.reason,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="", help="comma-separated; default: all eight")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=Path("outputs/torch_transformers"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for language in LANGUAGES:
        if options.tasks and language.name not in options.tasks.split(","):
            continue
        path = options.folder / f"{language.name}_{options.seed}.pt"
        if path.exists():
            model = torch.load(path, weights_only=False)
        else:
            model = trained(language, options.steps, options.seed)
            torch.save(model, path)
        rows.append(judged(language, model, options.seed))
        print(rows[-1]["source"], flush=True)
        print(rows[-1]["reason"] or "", flush=True)
    columns = [key for key in rows[0] if key not in ("source", "reason")]
    print("| " + " | ".join(columns) + " |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row[key]) for key in columns) + " |")
    exact = sum(row["program = truth"] == 1.0 and row["at ten times"] == 1.0 for row in rows)
    print(f"{exact} of {len(rows)} programs are the truth, on words of ten times the length, too")


if __name__ == "__main__":
    main()
