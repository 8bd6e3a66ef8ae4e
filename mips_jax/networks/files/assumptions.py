"""What the user is asked for, and what is taken for granted instead and said in one line.

Taken for granted is what nearly every network has: zeros before the first input, tanh in an
Elman layer, one-hot vectors where a step has several features, the largest logit where there are
several raw outputs. Asked for is what cannot be guessed and would be read wrongly.
"""

from __future__ import annotations

import dataclasses

from mips_jax.networks.files.input_ranges import bounds_of
from mips_jax.networks.files.options import NetworkOptions, plain
from mips_jax.networks.files.parts import Parts

NONLINEARITIES = "relu, tanh, sigmoid or none"


@dataclasses.dataclass(frozen=True)
class Settled:
    """Options with what was assumed filled in.

    Attributes:
        answers: to be assembled by.
        assumed: one phrase each, with the option that says otherwise.
        questions: one sentence each.
    """

    answers: NetworkOptions
    assumed: tuple[str, ...]
    questions: tuple[str, ...]


def settled(answers: NetworkOptions, cell: str, parts: Parts | None) -> Settled:
    """Fills in what any user would say, and asks for the rest; the paper's network leaves nothing
    open.

    Where the weights are damaged (`parts` is None), asks what can be asked without them.
    """
    if cell in ("", "mlp_rnn"):
        return Settled(answers, (), ())
    if parts is None:
        return Settled(answers, (), ())
    filled, assumed = _filled(answers, cell, parts)
    questions = (
        f"the file does not say {what}; give network.{name}: {allowed}"
        for name, what, allowed in _open(filled, parts)
    )
    return Settled(filled, tuple(assumed), tuple(questions))


def _filled(answers: NetworkOptions, cell: str, parts: Parts) -> tuple[NetworkOptions, list[str]]:
    filled: dict[str, object] = {}
    assumed = []

    def assume(name: str, value: object, phrase: str) -> None:
        if getattr(answers, name) is None:
            filled[name] = value
            assumed.append(f"{phrase} (network.{name})")

    if cell == "elman":
        assume("nonlinearity", "tanh", "tanh in the recurrent layers")
    if parts.initial is None:
        assume("initial", "zeros", "a state of zeros before the first input")
    if parts.embedding is None and parts.features > 1 and _may_be_one_hot(answers, parts):
        assume("encoding", "one_hot", f"one-hot vectors of {parts.features}")
    if parts.raw_outputs > 1:
        assume("head", "class", f"the largest of {parts.raw_outputs} logits is the output")
    if parts.norms:
        phrase = f"an epsilon of {parts.norm_epsilon:g} in the normalisation"
        assume("norm_epsilon", parts.norm_epsilon, phrase)
    if parts.biasless:
        assume("missing_bias", "zeros", f"no bias in {', '.join(parts.biasless)}")
    return dataclasses.replace(answers, **filled), assumed  # type: ignore[arg-type]


def _may_be_one_hot(answers: NetworkOptions, parts: Parts) -> bool:
    """Whether what was said of the inputs leaves room for one-hot vectors."""
    low, high = answers.input_min, answers.input_max
    dim = answers.input_dim or max(
        len(v) if isinstance(v := plain(b), list) else 1 for b in (low, high)
    )
    if high is None:
        return parts.features % dim == 0 and parts.features > dim
    problems: list[str] = []
    asked = dataclasses.replace(answers, input_min=0 if low is None else low)
    bounds = bounds_of(asked, dim, problems)
    return not problems and sum(last - first + 1 for first, last in bounds) == parts.features


def _open(answers: NetworkOptions, parts: Parts) -> list[tuple[str, str, str]]:
    """(option, what it says, what is allowed) for each question that is left."""
    questions = []
    if len(parts.head) > 1 and answers.head_nonlinearity is None:
        what = "the non-linearity between the layers of the head"
        questions.append(("head_nonlinearity", what, NONLINEARITIES))
    if parts.inputs and answers.input_nonlinearity is None:
        what = "the non-linearity after the layers that come before the recurrent ones"
        questions.append(("input_nonlinearity", what, NONLINEARITIES))
    if parts.norms and answers.layer_norm is None and parts.norm_places is None:
        what = "where the normalisation acts"
        allowed = (
            "output (on what the head reads), between (after each recurrent layer but the last) "
            "or each (after every one); others cannot be read"
        )
        questions.append(("layer_norm", what, allowed))
    if answers.encoding is None and parts.embedding is None and parts.features > 1:
        what = f"how the integers of a step become the {parts.features} values that it reads"
        allowed = "number, one_hot, bits (least significant first) or bits_msb"
        questions.append(("encoding", what, allowed))
    if answers.head is None:
        allowed = "number (rounded) or yes_no (1 where positive)"
        questions.append(("head", "what the raw output stands for", allowed))
    return questions


def missing_range(answers: NetworkOptions, cell: str, parts: Parts | None) -> list[str]:
    """The bounds of the inputs, where neither options, metadata nor encoding tell them."""
    numbers = (
        answers.encoding == "number"
        or cell == "mlp_rnn"
        or (parts is not None and parts.features == 1)
    )
    if (
        answers.encoding not in (None, "number")
        or not numbers
        or (parts is not None and parts.embedding is not None)
    ):
        return []
    return [
        f"network.{name} is missing: the weights do not say in which range the inputs lie; give an "
        "integer, or a list of one for each input"
        for name in ("input_min", "input_max")
        if getattr(answers, name) is None
    ]
