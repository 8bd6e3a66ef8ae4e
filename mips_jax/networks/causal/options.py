"""What a causal model does not say of itself: its letters, its limits, what its outputs stand for.

One dataclass for every door: Python functions, PyTorch and flax modules, folders of weights, and
the keys `network.*` of the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mips_jax.errors import RequestError
from mips_jax.figures import shown, whole
from mips_jax.inputs import InputRange, input_range_problems
from mips_jax.networks.encodings import ClassHead, Decoding, LikelyOnes, Rounded, Threshold
from mips_jax.validation import Limits, number_problems

HEADS = ("class", "number", "yes_no", "allowed")
MOST_STEPS = 10_000


@dataclasses.dataclass(frozen=True)
class CausalOptions:
    """What a causal model does not say of itself; None where it need not be said.

    Attributes:
        input_min: smallest letter, or one for each input.
        input_max: largest letter, or one for each input.
        vocabulary: the token that each letter stands for, from `input_min` on (0 unless given);
            None: letters are tokens.
        begin: tokens that stand before every word, such as a beginning-of-sequence token.
        head: what the raw outputs are: "class" (one logit a class, the largest wins), "number"
            (rounded), "yes_no" (a yes where a logit is larger than `threshold`), or "allowed" (one
            logit a class; a yes for each that is at least `threshold` times as likely as the
            likeliest: the set of tokens that may come next).
        entries: which of the raw outputs are looked at, by their numbers, in this order; None: all.
            An end token is an entry like any other.
        class_values: the integer that each class stands for; 0, 1, 2, ... unless given.
        threshold: see `head`; 0 for "yes_no" and 0.1 for "allowed" unless given.
        longest: letters of the longest word that the model can read; None: there is no limit.
        trained_length: letters of the words that it was trained on, where it is known.
        every_step: whether it writes after every letter; otherwise after the last one only, and
            every prefix is read by itself.
        only_allowed: of a language model with sets of allowed letters (`head` is "allowed" or
            "yes_no"; the first entries are the letters, in order): a letter that it does not allow
            ends the word, all outputs are 0 from there on, and words are drawn among the letters
            that it allows.
    """

    input_min: int | Sequence[int] | None = None
    input_max: int | Sequence[int] | None = None
    vocabulary: Sequence[int] | None = None
    begin: Sequence[int] = ()
    head: str = "class"
    entries: Sequence[int] | None = None
    class_values: Sequence[int] | None = None
    threshold: float | None = None
    longest: int | None = None
    trained_length: int | None = None
    every_step: bool = True
    only_allowed: bool = False

    @property
    def input_range(self) -> InputRange:
        """Inclusive (low, high) of each input."""
        lows, highs = _several(self.input_min), _several(self.input_max)
        if self.vocabulary is not None and not highs:
            low = lows[0] if lows else 0
            return ((low, low + len(self.vocabulary) - 1),)
        lows = lows or [0] * len(highs)
        return tuple((int(a), int(b)) for a, b in zip(lows, highs))

    def decoding(self, raw_outputs: int) -> Decoding:
        """Raw outputs, R of them -> integers.

        Raises:
            RequestError: the values of the classes are not as many as the classes.
        """
        match self.head:
            case "number":
                return Rounded()
            case "yes_no":
                return Threshold(self.threshold or 0.0)
            case "allowed":
                return LikelyOnes(0.1 if self.threshold is None else self.threshold)
        values = range(raw_outputs) if self.class_values is None else self.class_values
        if len(values) != raw_outputs:
            raise RequestError(
                f"network.class_values has {len(values)} values, but there are {raw_outputs} "
                "classes; give one for each (network.entries chooses among them)"
            )
        return ClassHead(tuple(map(int, values)))


def _several(value) -> list:
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) else [value]


def checked(options: CausalOptions) -> CausalOptions:
    """The options as they are.

    Raises:
        RequestError: some are out of bounds, or the range of letters is missing (all are named).
    """
    found = [*_range_problems(options), *_token_problems(options), *_head_problems(options)]
    for name in ("longest", "trained_length"):
        value = getattr(options, name)
        if value is not None and not (whole(value) and 1 <= value <= MOST_STEPS):
            found.append(
                f"network.{name} is {shown(value)}; allowed: an integer, 1 to {MOST_STEPS}"
            )
    for name in ("every_step", "only_allowed"):
        value = getattr(options, name)
        if not isinstance(value, bool):
            found.append(f"network.{name} is {shown(value)}; allowed: true or false")
    if found:
        raise RequestError(*found)
    return options


def _range_problems(options: CausalOptions) -> list[str]:
    if options.vocabulary is None and options.input_max is None:
        return [
            "network.input_max is missing: give the largest letter (and network.input_min, the "
            "smallest, unless that is 0), or network.vocabulary, the token of each letter"
        ]
    lows, highs = _several(options.input_min), _several(options.input_max)
    if lows and highs and len(lows) != len(highs):
        return [
            f"network.input_min has {len(lows)} values and network.input_max {len(highs)}; "
            "give one for each input"
        ]
    wrong = [v for v in (*lows, *highs) if not whole(v)]
    if wrong:
        return [f"network.input_min and input_max hold {shown(wrong[0])}; allowed: integers"]
    bounds = options.input_range
    found = input_range_problems(bounds, "network.input_min, network.input_max")
    several = len(bounds) > 1 and (options.vocabulary is not None or bool(options.begin))
    if several:
        found.append("network.vocabulary and network.begin are for models of one letter a step")
    elif not found and options.vocabulary is not None:
        letters = bounds[0][1] - bounds[0][0] + 1
        if letters > len(options.vocabulary):
            found.append(
                f"network.vocabulary has {len(options.vocabulary)} tokens for the {letters} "
                f"letters {bounds[0][0]}..{bounds[0][1]}; give one for each"
            )
    return found


def _token_problems(options: CausalOptions) -> list[str]:
    found = []
    for name in ("vocabulary", "begin", "entries", "class_values"):
        values = getattr(options, name)
        if values is None:
            continue
        listed = isinstance(values, Sequence) and not isinstance(values, str)
        low = -(2**62) if name == "class_values" else 0
        if not listed or not all(whole(v) and v >= low for v in values):
            kind = "integers" if name == "class_values" else "integers >= 0"
            found.append(f"network.{name} is {shown(values)}; allowed: a list of {kind}")
        elif name != "begin" and (not values or len(set(values)) < len(values)):
            found.append(f"network.{name} is {shown(values)}; allowed: one or more, all different")
    return found


def _head_problems(options: CausalOptions) -> list[str]:
    if options.head not in HEADS:
        return [f"network.head is {shown(options.head)}; allowed: {' or '.join(HEADS)}"]
    found = []
    if options.only_allowed is True and (
        options.head not in ("yes_no", "allowed") or not options.every_step
    ):
        found.append(
            f"network.only_allowed is given, but network.head is {options.head}: sets of allowed "
            "letters (yes_no or allowed), written at every step, are needed"
        )
    if options.class_values is not None and options.head != "class":
        found.append(f"network.class_values is given, but network.head is {options.head}")
    if options.threshold is not None:
        if options.head not in ("yes_no", "allowed"):
            found.append(f"network.threshold is given, but network.head is {options.head}")
        limits = Limits(1e-9, 1.0) if options.head == "allowed" else Limits(-1e300, 1e300)
        found += number_problems("network.threshold", options.threshold, limits, integer=False)
    return found
