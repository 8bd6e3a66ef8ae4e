"""What a file of weights does not say: the options, completed from the file's metadata, each
checked by itself.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

import numpy as np

from mips_jax.figures import WIDEST, shown, whole
from mips_jax.networks.files import naming
from mips_jax.networks.heads import NONLINEARITIES
from mips_jax.validation import Limits, number_problems

MOST_STEPS = 10_000  # words of the trained length are put to the network by the thousand
ENCODINGS = ("number", "one_hot", "bits", "bits_msb", "embedding")
HEADS = ("number", "class", "yes_no")
NORM_PLACES = ("output", "between", "each")
WORDS = (
    "nonlinearity",
    "head_nonlinearity",
    "input_nonlinearity",
    "layer_norm",
    "initial",
    "encoding",
    "head",
    "missing_bias",
)


@dataclasses.dataclass(frozen=True)
class NetworkOptions:
    """What a file of weights does not say; None where it need not be said, or was not.

    Attributes:
        nonlinearity: of an nn.RNN, "tanh", "relu", "sigmoid" or "none".
        head_nonlinearity: between the layers of the head, likewise; needed for a head of two or
            more layers.
        input_nonlinearity: after each affine layer that comes before the recurrent ones, likewise.
        layer_norm: where layer normalisation acts: "output" (on what the head reads), "between"
            (after each recurrent layer but the last) or "each" (after every one).
        norm_epsilon: what it adds to the variance; 1e-5 (flax: 1e-6) unless given.
        residual: True where each recurrent layer from the second on adds what it reads to what it
            writes.
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
        names: of weights that a file calls otherwise: {ours: the file's}, or texts "ours=theirs";
            see naming.py.
        state_dict: the one to read where a checkpoint has several.
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
    input_nonlinearity: str | None = None
    layer_norm: str | None = None
    norm_epsilon: float | None = None
    residual: bool | None = None
    names: Mapping[str, str] | Sequence[str] | None = None
    state_dict: str | None = None


ALLOWED = {
    "nonlinearity": tuple(NONLINEARITIES),
    "head_nonlinearity": tuple(NONLINEARITIES),
    "input_nonlinearity": tuple(NONLINEARITIES),
    "layer_norm": NORM_PLACES,
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
    if name in ALLOWED:
        good, allowed = value in ALLOWED[name], " or ".join(ALLOWED[name])
    else:
        check, allowed = _CHECKS[name]
        good = check(value)
    return [] if good else [f"network.{name} is {shown(value)}; allowed: {allowed}"]


def _is_state(value) -> bool:
    values = plain(value)
    return value == "zeros" or (isinstance(values, list) and all(map(_is_number, values)))


def _is_number(value) -> bool:
    return not number_problems("it", value, Limits(-1e300, 1e300), integer=False)


def _is_count(value) -> bool:
    return whole(value) and 1 <= value <= MOST_STEPS


def _are_classes(value) -> bool:
    values = plain(value)
    letters = isinstance(values, list) and all(map(_is_letter, values))
    return letters and len(set(values)) == len(values)


def _is_bound(value) -> bool:
    values = plain(value)
    if isinstance(values, list):
        return bool(values) and all(map(_is_letter, values))
    return _is_letter(value)


def _is_epsilon(value) -> bool:
    return not number_problems("it", value, Limits(0.0, 1.0), integer=False)


_COUNT = (_is_count, f"an integer >= 1, at most {MOST_STEPS}")
_TRUTH = (lambda value: isinstance(value, bool), "true or false")
_BOUND = (_is_bound, f"an integer, or a list of one for each input, within ±{WIDEST}")
_CHECKS = {
    "initial": (_is_state, "zeros, or a list of numbers"),
    "input_dim": _COUNT,
    "trained_length": _COUNT,
    "reset_after": _TRUTH,
    "residual": _TRUTH,
    "norm_epsilon": (_is_epsilon, "a number from 0 to 1"),
    "class_values": (_are_classes, "a list of different integers, one for each class"),
    "input_min": _BOUND,
    "input_max": _BOUND,
    "names": (
        lambda value: naming.pairs(value) is not None,
        "a dict from our names to the file's, or a list of texts ours=theirs",
    ),
    "state_dict": (lambda value: isinstance(value, str), "the name of a state dict in the file"),
}
