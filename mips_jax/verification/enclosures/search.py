"""The search for a proof, for words of every length, that a ReLU network writes what a finite
machine writes.

Graphs come from runs of the network, boxes around their nodes from iteration with widening (Cousot
and Cousot 1977). Neither is
trusted: the finished boxes are checked from the beginning by `enclosures.checked_margin`. Where a
    run that makes a graph meets a
word on which the two differ, that is the answer.

Axes: T time, I inputs, O outputs, H hidden units, P points.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.networks import MLPRNN, Network
from mips_jax.verification.enclosures.certificate import Enclosure, checked_margin, images_of
from mips_jax.verification.enclosures.zonotopes import LARGEST_SUM

_ITERATIONS = 60
_WIDENING = 0.1  # of a box that has grown, added where it grew
_LARGEST_INTEGER = 2**31  # letters and outputs; exact in float64 with a margin
_EDGES = 100_000
_MERGED_WITHIN = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # of the spread of hidden states
_HISTORIES = (1, 2, 3, 4, 5, 6)  # letters


@dataclasses.dataclass(frozen=True)
class ProofSettings:
    """Limits of the search for a proof.

    Attributes:
        seconds: time limit; 0: no proof is tried.
        nodes: most nodes of a graph.
    """

    seconds: float = 5.0
    nodes: int = 3000


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
        seconds: time taken.
    """

    proven: bool
    reason: str | None = None
    margin: float | None = None
    enclosure: Enclosure | None = None
    word: np.ndarray | None = None
    seconds: float = 0.0

    @property
    def nodes(self) -> int | None:
        """Nodes of the graph; None without a proof."""
        return None if self.enclosure is None else self.enclosure.nodes


def prove_equal(network: Network, machine: Mealy, settings: ProofSettings | None = None) -> Proof:
    """Tries to prove that a network writes what a machine writes on every word over the machine's
    letters.

    Args:
        network: anything; only an `MLPRNN` (rounded to the nearest integer) is tried.
        machine: over the same inputs and outputs.
        settings: limits.
    """
    settings = settings or ProofSettings()
    started = time.monotonic()
    obstacle = _obstacle(network, machine, settings)
    if obstacle:
        return Proof(False, f"not attempted: {obstacle}")
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what overflows is not finite, and is refused as such
        proof = _searched(network, machine, settings, started + settings.seconds)
    return dataclasses.replace(proof, seconds=time.monotonic() - started)


def _obstacle(network: Network, machine: Mealy, settings: ProofSettings) -> str | None:
    """Why a proof cannot be tried, or None."""
    if not settings.seconds > 0:
        return "switched off"
    if type(network) is not MLPRNN:  # a subclass may step, read out or decode in its own way
        return f"boxes are carried through ReLU networks only, not through {type(network).__name__}"
    if (network.input_dim, network.output_dim) != (
        machine.letters.shape[1],
        machine.output.shape[2],
    ):
        return "network and machine have different inputs or outputs"
    if not all(
        np.isfinite(array).all()
        for layer in (*network.transition, *network.output)
        for array in layer
    ):
        return "a weight is not finite"
    if not np.isfinite(network.initial).all():
        return "the initial hidden state is not finite"
    if max(np.abs(machine.letters).max(), np.abs(machine.output).max()) >= _LARGEST_INTEGER:
        return f"an input or output of {_LARGEST_INTEGER} or more"
    widths = sum(
        weight.shape[0] + weight.shape[1] for weight, _ in (*network.transition, *network.output)
    )
    if widths > LARGEST_SUM:  # no sum over units or generators is longer
        return "the network is too wide for the bound on rounding"
    return None


def _searched(network: MLPRNN, machine: Mealy, settings: ProofSettings, deadline: float) -> Proof:
    """Graph after graph until one can be boxed."""
    reason = "out of time"
    for refinement in _refinements(network, machine):
        nodes = min(settings.nodes, _EDGES // len(machine.letters))
        graph = _graph(network, machine, refinement, nodes, deadline)
        if isinstance(graph, np.ndarray):
            return Proof(False, f"they differ on a word of {len(graph)} inputs", word=graph)
        if graph is None:
            reason = "too many hidden states"
            continue
        enclosure, reason = _boxed(network, machine, graph, deadline)
        if enclosure is not None:
            margin = checked_margin(network, machine, enclosure)
            if margin is not None:
                return Proof(True, None, margin, enclosure)
            reason = "the finished boxes did not pass the last check"
        if time.monotonic() > deadline:
            break
    return Proof(False, "out of time" if time.monotonic() > deadline else reason)


@dataclasses.dataclass(frozen=True)
class _Refinement:
    """Which hidden states share a node: those of one machine state that also agree in this.

    Attributes:
        distance: from the one that stands for the node, at most.
        outputs: whether the last output is the same.
        history: how many of the last letters are the same.
    """

    distance: float
    outputs: bool = True
    history: int = 0


def _refinements(network: MLPRNN, machine: Mealy) -> Iterator[_Refinement]:
    """In the order of trying."""
    words = np.random.default_rng(0).integers(0, len(machine.letters), (300, 60))
    spread = float(network.run(machine.letters[words])[0].std(axis=(0, 1)).max())
    yield from (_Refinement(part * spread) for part in _MERGED_WITHIN)
    yield _Refinement(np.inf, outputs=False)
    yield from (_Refinement(np.inf, history=letters) for letters in _HISTORIES)


def _graph(network: MLPRNN, machine: Mealy, refinement: _Refinement, limit: int, deadline: float):
    """Hidden states reached breadth first, merged as the refinement says.

    A merged state is represented by the one met first, so that every image is reached by a word
    from the start.

    Returns:
        The graph, an Enclosure with boxes around the images of the states that stand for the nodes;
        or a word [T, I] on which network and machine differ; or None if the graph is larger than
        the limit.
    """
    letters = np.arange(len(machine.letters))
    hidden, state, recent = [network.initial], [0], [()]
    successor: list[list[int]] = []
    images: list[list[np.ndarray]] = [[]]
    words: list[tuple[int, ...]] = [()]
    alike: dict[tuple, list[int]] = {}  # nodes by what must be the same
    frontier = [0]
    while frontier:
        following = []
        for node in frontier:
            reached = network.step(
                np.repeat(hidden[node][None], len(letters), axis=0), machine.letters
            )
            wrong = (network.outputs(reached) != machine.output[state[node]]).any(axis=1)
            if wrong.any():
                word = np.array((*words[node], int(wrong.argmax())))
                if (
                    network.run(machine.letters[word][None])[1][0, -1]
                    != machine.run(word[None])[0, -1]
                ).any():
                    return machine.letters[word]
            row = []
            for letter, image in zip(letters, reached):
                after, written = (
                    int(machine.transition[state[node], letter]),
                    machine.output[state[node], letter],
                )
                last = (
                    (*recent[node], int(letter))[-refinement.history :]
                    if refinement.history
                    else ()
                )
                same = alike.setdefault(
                    (after, written.tobytes() if refinement.outputs else b"", last), []
                )
                apart = (
                    np.abs(np.array([hidden[n] for n in same]) - image).max(axis=1)
                    if same
                    else np.array([np.inf])
                )
                if same and apart.min() <= refinement.distance:
                    target = same[int(apart.argmin())]
                else:
                    target = len(hidden)
                    same.append(target)
                    following.append(target)
                    hidden.append(image), state.append(after), recent.append(last)
                    images.append([]), words.append((*words[node], int(letter)))
                images[target].append(image)
                row.append(target)
            successor.append(row)
            if len(hidden) > limit or time.monotonic() > deadline:
                return None
        frontier = following
    origin = np.stack(hidden)
    frame = np.stack(
        [
            _directions(np.array(points)) if points else np.eye(network.hidden_dim)
            for points in images
        ]
    )
    low, high = np.zeros_like(origin), np.zeros_like(origin)
    for node, points in enumerate(images):
        if points:
            z = (np.array(points) - origin[node]) @ frame[node]
            low[node], high[node] = z.min(axis=0), z.max(axis=0)
    return Enclosure(np.array(state), np.array(successor), origin, frame, low, high)


def _directions(points: np.ndarray) -> np.ndarray:
    """Principal directions of points [P, H] as columns [H, H]."""
    if len(points) < 2 or points.shape[1] == 1 or not np.ptp(points, axis=0).max() > 1e-9:
        return np.eye(points.shape[1])
    return np.linalg.svd(points - points.mean(axis=0), full_matrices=True)[2].T


def _boxed(
    network: MLPRNN, machine: Mealy, enclosure: Enclosure, deadline: float
) -> tuple[Enclosure | None, str]:
    """Grows the boxes until each holds the images of its predecessors; only the successors of what
    grew are looked at again.

    Returns:
        The enclosure and "", or None and why not.
    """
    active = np.arange(enclosure.nodes)
    for iteration in range(_ITERATIONS):
        low, high = enclosure.low.copy(), enclosure.high.copy()
        for targets, image_low, image_high, distance in images_of(
            network, machine, enclosure, active
        ):
            if not distance < 0.5:
                return None, "the boxes grew until an output could be another integer"
            np.minimum.at(low, targets, image_low)
            np.maximum.at(high, targets, image_high)
            if time.monotonic() > deadline:
                return None, "out of time"
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            return None, "a hidden state is not finite"
        down, up = low < enclosure.low, high > enclosure.high
        active = np.flatnonzero((down | up).any(axis=1))
        if not len(active):
            return enclosure, ""
        widening = _WIDENING * (high - low) * (iteration > 0)
        enclosure = dataclasses.replace(
            enclosure,
            low=np.where(down, low - widening, low),
            high=np.where(up, high + widening, high),
        )
    return None, "the boxes did not stop growing"
