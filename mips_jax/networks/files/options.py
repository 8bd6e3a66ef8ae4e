"""What a file of weights does not say: the options, completed from the file's metadata, each
checked by itself.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np

from mips_jax.figures import WIDEST, shown, whole
from mips_jax.networks.heads import NONLINEARITIES
from mips_jax.validation import Limits, number_problems

MOST_STEPS = 10_000  # words of the trained length are put to the network by the thousand
ENCODINGS = ("number", "one_hot", "bits", "bits_msb", "embedding")
HEADS = ("number", "class", "yes_no")
WORDS = ("nonlinearity", "head_nonlinearity", "initial", "encoding", "head", "missing_bias")


@dataclasses.dataclass(frozen=True)
class NetworkOptions:
    """What a file of weights does not say; None where it need not be said, or was not.

    Attributes:
        nonlinearity: of an nn.RNN, "tanh" or "relu".
        head_nonlinearity: between the layers of the head, "tanh" or "relu"; needed for a head of
            two or more layers.
        initial: state before the first input: "zeros", or all its numbers ([h] or [h, c], layer by
            layer).
        encoding: how the integers of a step become the input vector: "number", "one_hot", "bits"
            (least significant first) or "bits_msb" (most significant first). An embedding lies in
            the file and needs no answer.
        head: what the raw outputs are: "number" (rounded), "class" (one logit a class, the largest
            wins) or "yes_no" (one logit an output, 1 where it is positive).
        class_values: the integer that each class stands for; 0, 1, 2, ... unless given.
        input_dim: integers read a step; for "number" the width of the input vector, else 1 unless
            given.
        input_min: smallest input, an integer or one for each of the inputs; what index 0 of a
            one-hot vector stands for.
        input_max: largest input, likewise.
        reset_after: False for a GRU in the older form, whose reset gate acts before the product
            with the weights.
        trained_length: length of the sequences in training, where it is known.
        missing_bias: "zeros" where the network has layers without a bias.
    """

    nonlinearity: str | None = None
    head_nonlinearity: str | None = None
    initial: str | Sequence[float] | None = None
    encoding: str | None = None
    head: str | None = None
    class_values: Sequence[int] | None = None
    input_dim: int | None = None
    input_min: int | Sequence[int] | None = None
    input_max: int | Sequence[int] | None = None
    reset_after: bool | None = None
    trained_length: int | None = None
    missing_bias: str | None = None


ALLOWED = {
    "nonlinearity": tuple(NONLINEARITIES),
    "head_nonlinearity": tuple(NONLINEARITIES),
    "encoding": ENCODINGS,
    "head": HEADS,
    "missing_bias": ("zeros",),
}


def completed(
    options: NetworkOptions, metadata: dict[str, str]
) -> tuple[NetworkOptions, list[str]]:
    """Options completed from the metadata, and what is wrong with either.

    The range in the metadata stands even where the options name another: a network may be distilled
    on a part of the range that it was made for, and the part is not what its encoding goes by.
    """
    problems, answers = [], {}
    for field in dataclasses.fields(NetworkOptions):
        name, said, written = (
            field.name,
            plain(getattr(options, field.name)),
            _parsed(metadata.get(field.name)),
        )
        if isinstance(said, str) and name in WORDS:
            said = said.strip().lower()
        if name in ("input_min", "input_max") and written is not None:
            said = written
        if said is not None and written is not None and said != written:
            problems.append(
                f"network.{name} is {said!r} but the file's metadata says {written!r}; drop the "
                "option, or correct the file"
            )
        answers[name] = written if said is None else said
        problems += value_problems(name, answers[name])
    return NetworkOptions(**answers), problems


def _parsed(text: str | None):
    """A metadata text as JSON where it is a number, a list or a truth value, else as the text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def plain(value):
    """Any sequence or array as a list, anything else as it is."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _is_letter(value) -> bool:
    return whole(value) and abs(int(value)) <= WIDEST


def value_problems(name: str, value) -> list[str]:
    """What is wrong with one answer by itself."""
    if value is None:
        return []
    wrong = lambda allowed: [f"network.{name} is {shown(value)}; allowed: {allowed}"]
    if name in ALLOWED:
        return [] if value in ALLOWED[name] else wrong(" or ".join(ALLOWED[name]))
    values = plain(value)
    if name == "initial":
        numbers = isinstance(values, list) and not any(
            number_problems(name, v, Limits(-1e300, 1e300), integer=False) for v in values
        )
        return [] if numbers or value == "zeros" else wrong("zeros, or a list of numbers")
    if name in ("input_dim", "trained_length"):
        if whole(value) and 1 <= value <= MOST_STEPS:
            return []
        return wrong(f"an integer >= 1, at most {MOST_STEPS}")
    if name == "reset_after":
        return [] if isinstance(value, bool) else wrong("true or false")
    if name == "class_values":
        good = (
            isinstance(values, list)
            and all(map(_is_letter, values))
            and len(set(values)) == len(values)
        )
        return [] if good else wrong("a list of different integers, one for each class")
    integers = (
        all(map(_is_letter, values)) if isinstance(values, list) and values else _is_letter(value)
    )
    return (
        [] if integers else wrong(f"an integer, or a list of one for each input, within ±{WIDEST}")
    )
