"""Given example sequences as a task: checked, ranges read from them, divided into training,
selection and judging.

Nothing is ever labelled here: training gets what is there, and the truth beyond the examples stays
unknown.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import logging

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import WIDEST, shown
from mips_jax.sequences import Sample, Sequences, first_occurrences
from mips_jax.symbols import Symbols
from mips_jax.tasks.contradictions import Contradictions, PrefixOrder, find_contradictions
from mips_jax.tasks.division import Division, divide
from mips_jax.tasks.task import SELECTION, TRAINING, InputRange, Task
from mips_jax.validation import Problems

FEWEST = 10
"""Fewer sequences than this cannot be divided into training and judging."""

LONGEST = 10_000
"""Steps of a sequence: training and extraction take time and memory in proportion."""

_log = logging.getLogger(__name__)


class ExampleTask(Task):
    """A task of which only examples are known; made by `example_task` or `load_file_task`.

    No input sequence occurs in two of the three parts.

    Attributes:
        given: all sequences, in their order.
        division: which of them are in which part.
        training: three quarters, to train on.
        selection: a tenth, to select networks by.
        judging: the rest, to judge by.
        contradictions: labels that cannot all be right.
    """

    def __init__(
        self,
        name: str,
        given: Sequences,
        division: Division,
        contradictions: Contradictions,
        symbols: Symbols | None = None,
        assumed: tuple[str, ...] = (),
    ):
        self.name = name
        self.description = described(given)
        self.symbols = symbols
        self.assumed = assumed
        self.given = given
        self.division = division
        self.training = given[division.training]
        self.selection = given[division.selection]
        self.judging = given[division.judging]
        self.input_range = _range_of(given)
        self.output_dim = given.outputs.shape[2]
        self.length = given.length
        self.contradictions = contradictions

    def training_sequences(self, count: int, seed: int) -> Sequences:
        """The training part; a subset of `count` of it, depending on `seed`, if there are more."""
        return _at_most(self.training, count, np.random.default_rng((seed, TRAINING)))

    def test_sequences(self, count: int, seed: int) -> Sequences:
        """The selection part; a subset of `count` of it, depending on `seed`, if there are more."""
        return _at_most(self.selection, count, np.random.default_rng((seed, SELECTION)))

    def judging_sample(self, count: int, seed: int, seen: object = ()) -> Sample:
        """The judging part, each input sequence once, whatever `count`: there is no more."""
        part = self.judging[first_occurrences(self.judging.inputs, self.judging.mask)]
        return Sample(part, np.ones(len(part), bool), False, "given, set apart for judging")

    def long_sequences(self, count: int, length: int, seed: int) -> None:
        """None: what is right beyond the examples is not known."""
        return None


def example_task(
    inputs: np.ndarray,
    outputs: np.ndarray,
    mask: np.ndarray | None = None,
    name: str = "examples",
    on_contradiction: str = "warn",
    labelled: np.ndarray | None = None,
    symbols: Symbols | None = None,
    assumed: tuple[str, ...] = (),
) -> ExampleTask:
    """Checks example sequences and divides them.

    A step without a label is read and no more: it is not trained on, selects and judges nothing.
    What comes after the last label of a sequence is left out, and so is a sequence without any.

    Args:
        inputs: [N, T, I] or [N, T] whole numbers of any dtype, one step's inputs.
        outputs: [N, T, O] or [N, T] likewise, what should come out after that step.
        mask: [N, T] bool, False beyond the end of shorter sequences; what stands there does not
            matter.
        name: what the task is called in messages and reports.
        on_contradiction: "warn" of labels that contradict each other (most often noise), or stop:
            "error".
        labelled: [N, T] bool, True at the steps whose outputs are known; None: all.
        symbols: what the integers stand for; None: themselves.
        assumed: what was taken for granted when the arrays were made, one phrase each.

    Returns:
        The task. The arrays are kept in as few bits as their values need.

    Raises:
        RequestError: names everything that is wrong with the arrays.
    """
    problems = Problems(name)
    if on_contradiction not in ("warn", "error"):
        problems.add(
            f"task.on_contradiction must be warn or error, but is {shown(on_contradiction)}"
        )
    sequences = _checked_sequences(inputs, outputs, mask, labelled, problems)
    if sequences.labelled is not None:
        sequences, unlabelled = up_to_last_label(sequences)
        _check_count(len(sequences), problems, " with a label")
        problems.raise_if_any()
        assumed += (f"{unlabelled:,} sequences without any label are left out",) * bool(unlabelled)
    prefixes = PrefixOrder.of(sequences)
    contradictions = find_contradictions(sequences, prefixes)
    if contradictions.contradictory_labels and on_contradiction == "error":
        problems.add(
            f"{contradictions}; correct them, or set task.on_contradiction=warn to train regardless"
        )
    division = divide(sequences, prefixes)
    if not all(map(len, (division.training, division.selection, division.judging))):
        problems.add(
            "there are fewer than three different input sequences, so none can be set apart for "
            "selection and for judging; give more different ones"
        )
    problems.raise_if_any()
    if contradictions.contradictory_labels:
        _log.warning("%s: %s", name, contradictions)
    return ExampleTask(name, sequences, division, contradictions, symbols, assumed)


def described(given: Sequences) -> str:
    """One sentence on what is given."""
    count = f"{len(given):,} example"
    if given.labelled is None:
        return f"{count} sequences."
    last = given.labelled[np.arange(len(given)), given.steps - 1]
    if given.labels == len(given) and last.all():
        return f"{count} words with one label each, the output after the last step."
    return f"{count} sequences with {given.labels:,} of {int(given.steps.sum()):,} steps labelled."


def up_to_last_label(sequences: Sequences) -> tuple[Sequences, int]:
    """Sequences with labels at some steps, cut after the last of them: what follows decides no
    label, and would make equal examples look different.

    Returns:
        Those that have a label, and how many have none.
    """
    assert sequences.labelled is not None
    kept = sequences.labelled.any(axis=1)
    some = sequences[kept]
    labelled = some.labelled
    assert labelled is not None
    steps = labelled.shape[1] - np.argmax(labelled[:, ::-1], axis=1)
    longest = int(steps.max(initial=0))
    mask = np.arange(longest) < steps[:, None]
    inputs = np.where(mask[:, :, None], some.inputs[:, :longest], np.zeros((), some.inputs.dtype))
    everywhere = np.array_equal(labelled[:, :longest], mask)
    cut = Sequences(
        inputs,
        some.outputs[:, :longest],
        None if mask.all() else mask,
        None if everywhere else labelled[:, :longest],
    )
    return cut, int((~kept).sum())


def _checked_sequences(inputs, outputs, mask, labelled, problems: Problems) -> Sequences:
    """The arrays as sequences.

    Raises:
        RequestError: with the problems that were there already, and all that the arrays have.
    """
    mask = _checked_mask(mask, inputs, problems)
    labelled = _checked_labelled(labelled, mask, inputs, problems)
    judged = mask if labelled is None else labelled
    x = _whole_numbers(inputs, "x", mask, problems)
    y = _whole_numbers(outputs, "y", judged, problems)
    if x is not None and y is not None:
        _check_shapes(x, y, problems)
    if y is not None and y.size and not problems:
        _check_varied(y, judged, problems)
    if x is None or y is None or problems:
        raise RequestError(*problems.sentences)
    return Sequences(x, y, None if mask is None or mask.all() else mask, labelled)


def _checked_labelled(labelled, mask, inputs, problems: Problems) -> np.ndarray | None:
    if labelled is None:
        return None
    labelled = np.asarray(labelled)
    if labelled.dtype != bool or labelled.shape != np.shape(inputs)[:2]:
        problems.add(
            f"labelled must be {np.shape(inputs)[:2]} truth values, but is {labelled.shape} "
            f"{labelled.dtype}"
        )
        return None
    labelled = labelled if mask is None or mask.shape != labelled.shape else labelled & mask
    if not labelled.any():
        problems.add("no step has a label, so there is nothing to learn")
    return None if labelled.all() else labelled


def _checked_mask(mask, inputs, problems: Problems) -> np.ndarray | None:
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != np.shape(inputs)[:2]:
        problems.add(
            f"mask must be {np.shape(inputs)[:2]} truth values, but is {mask.shape} {mask.dtype}"
        )
        return None
    if (mask[:, 1:] > mask[:, :-1]).any():
        problems.add("mask must be True up to the end of each sequence and False from there on")
    elif not mask.any(axis=1).all():
        problems.add(f"{int((~mask.any(axis=1)).sum())} sequences have no steps at all")
    return mask


def _whole_numbers(
    array, label: str, mask: np.ndarray | None, problems: Problems
) -> np.ndarray | None:
    """The array as [N, T, K] integers of the fewest bits, padding zero; None if it cannot be read
    as such.
    """
    try:
        array = np.asarray(array)
    except ValueError:
        problems.add(f"{label} must be one array, but is {shown(array)}, of unequal parts")
        return None
    if array.dtype.kind not in "biuf":
        problems.add(f"{label} must hold integers, but its dtype is {array.dtype}")
        return None
    if array.ndim not in (2, 3):
        problems.add(
            f"{label} must have the axes (sequence, step) or (sequence, step, {label}), but its "
            f"shape is {array.shape}"
        )
        return None
    array = array[:, :, None] if array.ndim == 2 else array
    if mask is not None and mask.shape == array.shape[:2]:
        array = np.where(mask[:, :, None], array, np.zeros((), array.dtype))
    if array.dtype.kind == "f":
        if not _report_entries(~np.isfinite(array), "not finite", array, label, problems):
            _report_entries(array != np.trunc(array), "not whole numbers", array, label, problems)
    if array.size and not np.isnan(array).any():
        too_large = (array > WIDEST) | (array < -WIDEST)
        _report_entries(too_large & np.isfinite(array), f"beyond ±{WIDEST}", array, label, problems)
    return _in_fewest_bits(array) if not problems else np.zeros(array.shape, np.int8)


def _report_entries(
    wrong: np.ndarray, what: str, array: np.ndarray, label: str, problems: Problems
) -> bool:
    """Adds a problem if any entry is wrong; says how many are, and the first of them."""
    count = int(np.count_nonzero(wrong))
    if count:
        place = tuple(int(index) for index in np.unravel_index(np.argmax(wrong), wrong.shape))
        noun = "entry that is" if count == 1 else "entries that are"
        problems.add(
            f"{label} has {count} {noun} {what} (first: {label}{list(place)} = "
            f"{array[place].item()})"
        )
    return bool(count)


def _in_fewest_bits(array: np.ndarray) -> np.ndarray:
    largest = max(int(array.max(initial=0)), -int(array.min(initial=0)) - 1)
    dtype = next(dtype for dtype in (np.int8, np.int16, np.int32) if largest <= np.iinfo(dtype).max)
    return array.astype(dtype)


def _check_shapes(inputs: np.ndarray, outputs: np.ndarray, problems: Problems) -> None:
    for axis, what in enumerate(("sequences", "steps")):
        if inputs.shape[axis] != outputs.shape[axis]:
            problems.add(
                f"x has {inputs.shape[axis]} {what} but y has {outputs.shape[axis]} (shapes "
                f"{inputs.shape} and {outputs.shape}); every step needs its inputs and its outputs"
            )
    for label, array in (("x", inputs), ("y", outputs)):
        if array.shape[1] == 0 or array.shape[2] == 0:
            problems.add(f"{label} has shape {array.shape}: there is nothing in it")
    if inputs.shape[1] > LONGEST:
        problems.add(
            f"a sequence has {inputs.shape[1]} steps; allowed: up to {LONGEST}; cut long sequences "
            "into pieces"
        )
    _check_count(min(len(inputs), len(outputs)), problems)


def _check_count(count: int, problems: Problems, which: str = "") -> None:
    if count < FEWEST:
        problems.add(
            f"there are only {count} sequences{which}; at least {FEWEST} are needed, as some are "
            "set apart for selection and for judging"
        )


def _check_varied(outputs: np.ndarray, judged: np.ndarray | None, problems: Problems) -> None:
    real = outputs[... if judged is None else judged].reshape(-1, outputs.shape[2])
    if len(real) and (real == real[0]).all():
        constant = real[0].item() if outputs.shape[2] == 1 else real[0].tolist()
        problems.add(
            f"y is {constant} at every step of every sequence, so there is nothing to learn"
        )


def _range_of(sequences: Sequences) -> InputRange:
    """Smallest and largest value of each input, padding left out."""
    real = sequences.inputs[... if sequences.mask is None else sequences.mask]
    steps = real.reshape(-1, sequences.inputs.shape[2])
    return tuple(zip(steps.min(axis=0).tolist(), steps.max(axis=0).tolist()))


def _at_most(sequences: Sequences, count: int, rng: np.random.Generator) -> Sequences:
    if count >= len(sequences):
        return sequences
    return sequences[np.sort(rng.choice(len(sequences), size=count, replace=False))]
