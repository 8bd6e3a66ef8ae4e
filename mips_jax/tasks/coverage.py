"""What of given examples judging reaches: letters that it never meets, and letters that are rare.

Axes: N sequences, T time, I inputs a step.
"""

from __future__ import annotations

import numpy as np

from mips_jax.sequences import Sequences
from mips_jax.symbols import Symbols

FEW_EXAMPLES = 5  # what a program does with a letter that fewer sequences hold rests on very little
_NAMED = 8  # letters that a sentence names


def coverage_notes(
    given: Sequences, judging: Sequences, symbols: Symbols | None = None
) -> tuple[str, ...]:
    """One sentence for each thing that judging cannot vouch for; empty where there is none.

    Args:
        given: all examples.
        judging: those that judge.
        symbols: what the integers stand for.
    """
    rare, unjudged = [], []
    several = given.inputs.shape[2] > 1
    for i in range(given.inputs.shape[2]):
        held, judged = _sequences_with_letter(given, i), _sequences_with_letter(judging, i)
        for letter, count in held.items():
            letter_text = str(letter if symbols is None else symbols.read_as(i, letter))
            name = f"{letter_text} of input {i + 1}" if several else letter_text
            if letter not in judged:
                unjudged.append(name)
            if count < FEW_EXAMPLES:
                rare.append(f"{name} ({count})")
    notes = []
    if unjudged:
        notes.append(f"inputs that no judging sequence holds: {_listed(unjudged)}")
    if rare:
        notes.append(
            f"inputs that fewer than {FEW_EXAMPLES} of the {len(given):,} given sequences hold, so "
            f"that what the program does with them rests on these alone: {_listed(rare)}"
        )
    if given.labelled is not None:
        steps = int(given.steps.sum())
        notes.append(
            f"{steps - given.labels:,} of the {steps:,} given steps have no label: what the "
            "program writes there is what the network writes, and nothing says that it is right"
        )
    return tuple(notes)


def _sequences_with_letter(sequences: Sequences, i: int) -> dict[int, int]:
    """How many sequences hold each value of input i."""
    real = np.arange(sequences.length) < sequences.steps[:, None]
    rows = np.broadcast_to(np.arange(len(sequences))[:, None], real.shape)[real]
    pairs = np.unique(np.stack([sequences.inputs[:, :, i][real], rows], axis=1), axis=0)
    letters, counts = np.unique(pairs[:, 0], return_counts=True)
    return dict(zip(letters.tolist(), counts.tolist()))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
