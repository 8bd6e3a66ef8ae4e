"""The search for a proof, for words of every length, that a network writes what a finite machine
writes.

Graphs come from runs of the network, boxes around their nodes from iteration with widening (Cousot
and Cousot 1977). Neither is
trusted: the finished boxes are checked from the beginning by `enclosures.checked_margin`. Where a
run that makes a graph meets a word on which the two differ, that is the answer.

Axes: T time, I inputs, O outputs, H hidden units, P points.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.verification.enclosures.certificate import Enclosure, checked_margin, images_of
from mips_jax.verification.enclosures.graph import Graph, Refinement
from mips_jax.verification.enclosures.instructions import Instructions, instructions_of
from mips_jax.verification.enclosures.zonotopes import LARGEST_SUM

WORK_OF_AN_IMAGE = 1.5  # one step of the network, and the search for a node that is near it
_ITERATIONS = 60
_WIDENING = 0.1  # of a box that has grown, added where it grew
_ROOM = 1e-10  # the same where no box meets itself again: for the order of additions
_LARGEST_INTEGER = 2**31  # letters and outputs; exact in float64 with a margin
_EDGES = 100_000
_MERGED_WITHIN = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # of the spread of hidden states
_LAYERS_WITHIN = (np.inf, 0.1, 0.01, 0.0)  # the same, where a box is of words of one length
_STRIDES, _CHOICES = (3, 2), 130  # letters from box to box, and most words of them
_STRIDES_WITHIN = (0.1, 0.03, 0.01)
_HISTORIES = (1, 2, 3, 4, 5, 6)  # letters


@dataclasses.dataclass(frozen=True)
class ProofSettings:
    """Limits of the search for a proof.

    Attributes:
        work: edges whose image is enclosed, in units of a network with one layer of 64 by 64; 0: no
            proof is tried.
        seconds: the search ends after this time even if work is left, and says so.
        nodes: most nodes of a graph.
    """

    work: float = 400_000
    seconds: float = 60.0
    nodes: int = 3000


class _Work:
    """What is left of the limits; counted in work, so that a busy machine finds the same."""

    def __init__(self, rules: Instructions, settings: ProofSettings):
        generators = max(1.0, len(rules.initial) / 2)
        self.per_edge = max(0.05, generators * rules.weights / 64**2)
        self.left = settings.work
        self.deadline = time.monotonic() + settings.seconds
        self.struck = False

    def spend(self, edges: float) -> None:
        self.left -= edges * self.per_edge

    @property
    def over(self) -> bool:
        """Whether work, or time on a slow machine, is at its end."""
        if self.left > 0 and time.monotonic() > self.deadline:
            self.struck = True
        return self.left <= 0 or self.struck

    @property
    def reason(self) -> str:
        if self.struck:
            return "the time limit struck (verification.proof_seconds)"
        return "the limit of work was reached (raise verification.proof_work)"


@dataclasses.dataclass(frozen=True)
class Proof:
    """What became of the search for a proof.

    Attributes:
        proven: whether network and machine write the same on every word, however long.
        reason: why there is no proof, in a few words; None with one. Unless `word` is given it does
            not mean that they differ.
        margin: largest distance of any output from its integer on any image of a box, < 0.5; None
            without a proof.
        enclosure: the boxes; None without a proof.
        word: [T, I] inputs on which they differ at the last step; None when none was met.
        struck: whether the clock ended the search, so that a faster machine may find more.
        spent: of the work that was allowed.
    """

    proven: bool
    reason: str | None = None
    margin: float | None = None
    enclosure: Enclosure | None = None
    word: np.ndarray | None = None
    struck: bool = False
    spent: float = 0.0

    @property
    def nodes(self) -> int | None:
        """Nodes of the graph; None without a proof."""
        return None if self.enclosure is None else self.enclosure.nodes


def prove_equal(
    network: Network,
    machine: Mealy,
    settings: ProofSettings | None = None,
    bits: int = 53,
    steps: int | None = None,
) -> Proof:
    """Tries to prove that a network writes what a machine writes on every word over the machine's
    letters.

    Args:
        network: anything; what has `instructions` is tried.
        machine: over the same inputs and outputs.
        settings: limits.
        bits: of the arithmetic; 53 is float64, 24 float32.
        steps: most steps of the words; None: any number. The machine need not be whole beyond.
    """
    settings = settings or ProofSettings()
    hindrance = obstacle(network, machine.letters, settings) or _mismatch(network, machine)
    rules = instructions_of(network)
    if hindrance or isinstance(rules, str):
        return Proof(False, f"not attempted: {hindrance}")
    work = _Work(rules, settings)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused as not finite
        proof = _searched(network, machine, settings, work, (bits, steps))
    return dataclasses.replace(proof, struck=work.struck, spent=settings.work - work.left)


def obstacle(network: Network, letters: np.ndarray | None, settings: ProofSettings) -> str | None:
    """Why nothing can be tried, or None.

    Args:
        network: anything.
        letters: [A, I] that are read; None where they are too many.
        settings: limits.
    """
    if not (settings.work > 0 and settings.seconds > 0):
        return "switched off"
    rules = instructions_of(network)
    if isinstance(rules, str):
        return rules
    if not all(np.isfinite(array).all() for layer in rules.maps for array in layer):
        return "a weight is not finite"
    if not np.isfinite(network.initial).all():
        return "the initial hidden state is not finite"
    if letters is not None and np.abs(letters).max() >= _LARGEST_INTEGER:
        return f"an input or output of {_LARGEST_INTEGER} or more"
    bent = sum(len(one[3]) for one in rules.step + rules.readout if one[0] == "relu")
    stride = max(_STRIDES)  # in as many steps each error and each ReLU may add a generator
    if max(rules.width, stride * (len(rules.initial) + bent)) > LARGEST_SUM:
        return "the network is too wide for the bound on rounding"
    return None


def _mismatch(network: Network, machine: Mealy) -> str | None:
    """Why a network cannot be held against a machine, or None."""
    if (network.input_dim, network.output_dim) != (
        machine.letters.shape[1],
        machine.output.shape[2],
    ):
        return "network and machine have different inputs or outputs"
    if np.abs(machine.output).max() >= _LARGEST_INTEGER:
        return f"an input or output of {_LARGEST_INTEGER} or more"
    return None


def _searched(
    network: Network, machine: Mealy, settings: ProofSettings, work: _Work, asked: tuple
) -> Proof:
    """Graph after graph until one can be boxed; asked: bits, and most steps or None."""
    reason, (bits, steps) = "", asked
    for refinement in _refinements(network, machine, steps):
        nodes = min(settings.nodes, _EDGES // len(machine.letters) ** refinement.stride)
        graph = Graph(network, machine, refinement, steps)
        grown = _grown(graph, nodes, work)
        if isinstance(grown, np.ndarray):
            return Proof(False, f"they differ on a word of {len(grown)} inputs", word=grown)
        if not grown:
            reason = work.reason if work.over else "too many hidden states"
            if work.over:
                break
            continue
        enclosure, reason = _boxed(network, machine, graph.boxes(), work, bits)
        if enclosure is not None:
            margin = checked_margin(network, machine, enclosure, bits)
            if margin is not None:
                return Proof(True, None, margin, enclosure)
            reason = "the finished boxes did not pass the last check"
        if work.over:
            break
    return Proof(False, work.reason if work.over else reason)


def _refinements(network: Network, machine: Mealy, steps: int | None) -> Iterator[Refinement]:
    """In the order of trying; where the steps are counted, so are those of the boxes."""
    words = np.random.default_rng(0).integers(0, len(machine.letters), (300, min(60, steps or 60)))
    spread = float(network.run(machine.letters[words])[0].std(axis=(0, 1)).max())
    if steps is not None:
        yield from (Refinement(part * spread, False, layered=True) for part in _LAYERS_WITHIN)
        return
    yield Refinement(np.inf, outputs=False)
    yield from (Refinement(part * spread, outputs=False) for part in _MERGED_WITHIN[:2])
    strides = [n for n in _STRIDES if len(machine.letters) ** n <= _CHOICES]
    for stride in strides[:1]:
        yield from (Refinement(part * spread, False, stride=stride) for part in _STRIDES_WITHIN)
    yield from (Refinement(part * spread, outputs=False) for part in _MERGED_WITHIN[2:])
    yield from (Refinement(np.inf, history=letters) for letters in _HISTORIES)
    for stride in strides[1:]:
        yield from (Refinement(part * spread, False, stride=stride) for part in _STRIDES_WITHIN)


def _grown(graph: Graph, limit: int, work: _Work) -> np.ndarray | bool:
    """Expands a graph to its end.

    Returns:
        Whether it came to its end within the limits; or a word [T, I] on which network and machine
        differ.
    """
    while not graph.complete:
        word = graph.expand()
        if word is not None:
            return word
        work.left -= WORK_OF_AN_IMAGE * graph.choices.size
        if len(graph) > limit or work.over:
            return False
    return True


def _boxed(
    network: Network, machine: Mealy, enclosure: Enclosure, work: _Work, bits: int
) -> tuple[Enclosure | None, str]:
    """Grows the boxes until each holds the images of its predecessors; only the successors of what
    grew are looked at again.

    Returns:
        The enclosure and "", or None and why not.
    """
    left = len(enclosure.successor)
    active = np.arange(left)
    layered = (enclosure.successor > np.arange(left)[:, None]).all()  # no box meets itself again
    for iteration in range(enclosure.nodes + 1 if layered else _ITERATIONS):
        low, high = enclosure.low.copy(), enclosure.high.copy()
        for targets, image_low, image_high, distance in images_of(
            network, machine, enclosure, active, bits
        ):
            if not distance < 0.5:
                return None, "the boxes grew until an output could be another integer"
            np.minimum.at(low, targets, image_low)
            np.maximum.at(high, targets, image_high)
            work.spend(len(targets) * enclosure.choices.shape[1])
            if work.over:
                return None, work.reason
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            return None, "a hidden state is not finite"
        down, up = low < enclosure.low, high > enclosure.high
        active = np.flatnonzero((down | up)[:left].any(axis=1))
        if not len(active):  # what has grown is not left
            low, high = np.where(down, low - _ROOM, low), np.where(up, high + _ROOM, high)
            return dataclasses.replace(enclosure, low=low, high=high), ""
        share = _ROOM if layered else _WIDENING * (iteration > 0)
        widening = share * (high - low) + _ROOM * layered
        enclosure = dataclasses.replace(
            enclosure,
            low=np.where(down, low - widening, low),
            high=np.where(up, high + widening, high),
        )
    return None, "the boxes did not stop growing"
