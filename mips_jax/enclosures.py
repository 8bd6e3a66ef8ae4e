"""A proof, for words of every length, that a ReLU network writes what a finite machine writes.

A finite graph refines the machine: its nodes are sets of hidden states, its edges the letters. Each node has a box. When the start's
hidden state is in the box of node 0, f maps every box into the box of the successor for every letter (checked with zonotopes), and g
is within 1/2 of the machine's integer on every such image, then by induction over the word both write the same at every step: the
boxes are an inductive invariant. Graphs come from runs of the network, boxes from iteration with widening (Cousot and Cousot 1977); neither is
trusted, the finished boxes are checked once more from the beginning, in `checked_margin`. Where a run that makes the graph meets a word
on which the two differ, that is the answer.

All is for float64 evaluation of the network as well as for real arithmetic: rounding is bounded, see `zonotopes`. Nothing is said
about evaluation in lower precision.

Axes: N nodes, A letters, H hidden units, I inputs, O outputs, E edges.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np

from mips_jax.extraction.automaton import Mealy
from mips_jax.networks import MLPRNN, Network
from mips_jax.zonotopes import LARGEST_SUM, ROUNDING, Zonotopes, through_relu_mlp

SLACK = 1e-9  # by which a box is larger than its coordinates say; times its magnitude where that is above 1
_ITERATIONS = 60
_WIDENING = 0.1  # of the growth, and added to it
_LARGEST_INTEGER = 2**31  # letters and outputs; exact in float64 with a margin
_EDGES = 100_000
_MERGED_WITHIN = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # of the spread of hidden states
_HISTORIES = (1, 2, 3, 4, 5, 6)  # letters


@dataclasses.dataclass(frozen=True)
class EnclosureSettings:
    """Limits of the search for a proof.

    Attributes:
        seconds: time limit; 0: no proof is tried.
        nodes: most nodes of a graph.
    """

    seconds: float = 5.0
    nodes: int = 3000


@dataclasses.dataclass(frozen=True)
class Enclosure:
    """A graph that refines a machine, and a box around the hidden states at each node; node 0 is the start.

    The box is {origin + frame z + d : low <= z <= high, |d| <= slack}, the start's only the initial hidden state.

    Attributes:
        state: [N] the machine's state.
        successor: [N, A] next node.
        origin: [N, H].
        frame: [N, H, H] directions as columns, orthogonal.
        low, high: [N, H] bounds of the coordinates.
    """

    state: np.ndarray
    successor: np.ndarray
    origin: np.ndarray
    frame: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def nodes(self) -> int:
        return len(self.state)

    def boxes(self, nodes: np.ndarray) -> Zonotopes:
        """The boxes of some nodes [E]."""
        middle, half = (self.low[nodes] + self.high[nodes]) / 2, (self.high[nodes] - self.low[nodes]) / 2
        center = self.origin[nodes] + np.einsum("nij,nj->ni", self.frame[nodes], middle)
        generators = np.moveaxis(self.frame[nodes] * half[:, None, :], 2, 0)
        reach = np.abs(self.origin[nodes]) + np.einsum("nij,nj->ni", np.abs(self.frame[nodes]), np.abs(middle) + half)
        slack = SLACK * np.maximum(1.0, reach.max(axis=1)) * (nodes > 0)
        return Zonotopes(center, generators, np.broadcast_to(slack[:, None], center.shape))

    def coordinates(self, nodes: np.ndarray, sets: Zonotopes) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest coordinates [E, H] of sets of hidden states in the frames of nodes [E], rounded outward."""
        turned = self.frame[nodes]
        size = np.abs(turned)
        offset = np.einsum("eij,ei->ej", turned, sets.center - self.origin[nodes])
        generators = np.matmul(np.moveaxis(sets.generators, 0, 1), turned)
        known = np.abs(sets.center) + np.abs(self.origin[nodes]) + sets.radius
        reach = np.abs(generators).sum(axis=1) + np.einsum("eij,ei->ej", size, sets.error + 4 * ROUNDING * known)
        reach *= 1 + ROUNDING
        return offset - reach, offset + reach


@dataclasses.dataclass(frozen=True)
class Proof:
    """What became of the search for a proof.

    Attributes:
        proven: whether network and machine write the same on every word, however long.
        reason: why there is no proof, in a few words; None with one. Unless `word` is given it does not mean that they differ.
        margin: largest distance of any output from its integer on any image of a box, < 0.5; None without a proof.
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


def prove_equal(network: Network, machine: Mealy, settings: EnclosureSettings | None = None) -> Proof:
    """Tries to prove that a network writes what a machine writes on every word over the machine's letters.

    Args:
        network: anything; only an `MLPRNN` (rounded to the nearest integer) is tried.
        machine: over the same inputs and outputs.
        settings: limits.
    """
    settings = settings or EnclosureSettings()
    started = time.monotonic()
    obstacle = _obstacle(network, machine, settings)
    if obstacle:
        return Proof(False, f"not attempted: {obstacle}")
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not finite, and is refused as such
        proof = _searched(network, machine, settings, started + settings.seconds)
    return dataclasses.replace(proof, seconds=time.monotonic() - started)


def _obstacle(network: Network, machine: Mealy, settings: EnclosureSettings) -> str | None:
    """Why a proof cannot be tried, or None."""
    if not settings.seconds > 0:
        return "switched off"
    if type(network) is not MLPRNN:  # a subclass may step, read out or decode in its own way
        return f"boxes are carried through ReLU networks only, not through {type(network).__name__}"
    if (network.input_dim, network.output_dim) != (machine.letters.shape[1], machine.output.shape[2]):
        return "network and machine have different inputs or outputs"
    if not all(np.isfinite(array).all() for layer in (*network.transition, *network.output) for array in layer):
        return "a weight is not finite"
    if not np.isfinite(network.initial).all():
        return "the initial hidden state is not finite"
    if max(np.abs(machine.letters).max(), np.abs(machine.output).max()) >= _LARGEST_INTEGER:
        return f"an input or output of {_LARGEST_INTEGER} or more"
    widths = sum(weight.shape[0] + weight.shape[1] for weight, _ in (*network.transition, *network.output))
    if widths > LARGEST_SUM:  # no sum over units or generators is longer
        return "the network is too wide for the bound on rounding"
    return None


def _searched(network: MLPRNN, machine: Mealy, settings: EnclosureSettings, deadline: float) -> Proof:
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

    A merged state is represented by the one met first, so that every image is reached by a word from the start.

    Returns:
        The graph, an Enclosure with boxes around the images of the states that stand for the nodes; or a word [T, I] on which
        network and machine differ; or None if the graph is larger than the limit.
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
            reached = network.step(np.repeat(hidden[node][None], len(letters), axis=0), machine.letters)
            wrong = (network.outputs(reached) != machine.output[state[node]]).any(axis=1)
            if wrong.any():
                word = np.array((*words[node], int(wrong.argmax())))
                if (network.run(machine.letters[word][None])[1][0, -1] != machine.run(word[None])[0, -1]).any():
                    return machine.letters[word]
            row = []
            for letter, image in zip(letters, reached):
                after, written = int(machine.transition[state[node], letter]), machine.output[state[node], letter]
                last = (*recent[node], int(letter))[-refinement.history :] if refinement.history else ()
                same = alike.setdefault((after, written.tobytes() if refinement.outputs else b"", last), [])
                apart = np.abs(np.array([hidden[n] for n in same]) - image).max(axis=1) if same else np.array([np.inf])
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
    frame = np.stack([_directions(np.array(points)) if points else np.eye(network.hidden_dim) for points in images])
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


def _boxed(network: MLPRNN, machine: Mealy, enclosure: Enclosure, deadline: float) -> tuple[Enclosure | None, str]:
    """Grows the boxes until each holds the images of its predecessors; only the successors of what grew are looked at again.

    Returns:
        The enclosure and "", or None and why not.
    """
    active = np.arange(enclosure.nodes)
    for iteration in range(_ITERATIONS):
        low, high = enclosure.low.copy(), enclosure.high.copy()
        for targets, image_low, image_high, distance in _images(network, machine, enclosure, active):
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
            enclosure, low=np.where(down, low - widening, low), high=np.where(up, high + widening, high)
        )
    return None, "the boxes did not stop growing"


def _images(network: MLPRNN, machine: Mealy, enclosure: Enclosure, nodes: np.ndarray):
    """What f and g make of the boxes of nodes, some edges at a time.

    Yields:
        Targets [E], lowest and highest coordinates [E, H] of the images in the targets' frames, and the largest distance of an
        output on the images from the machine's integer.
    """
    width = max(weight.shape[0] for weight, _ in (*network.transition, *network.output)) + network.hidden_dim
    count = int(np.clip(2**22 // width**2, 16, 2000))  # of edges, so that their generators take some tens of megabytes
    source = np.repeat(nodes, len(machine.letters))
    letter = np.tile(np.arange(len(machine.letters)), len(nodes))
    for i in range(0, len(source), count):
        s, a = source[i : i + count], letter[i : i + count]
        sets = enclosure.boxes(s).followed_by(machine.letters[a].astype(np.float64))
        images = through_relu_mlp(network.transition, sets)
        targets = enclosure.successor[s, a]
        outputs = through_relu_mlp(network.output, images)
        away = np.abs(outputs.center - machine.output[enclosure.state[s], a])
        distance = away + outputs.radius + ROUNDING * (np.abs(outputs.center) + away)
        yield targets, *enclosure.coordinates(targets, images), float(distance.max())


def checked_margin(network: MLPRNN, machine: Mealy, enclosure: Enclosure) -> float | None:
    """The proof itself: every condition of the induction, for the enclosure as it is and nothing else.

    Returns:
        The largest distance of an output from its integer, or None when a condition does not hold.
    """
    e, nodes = enclosure, np.arange(enclosure.nodes)
    refines = (
        e.state[0] == 0
        and e.successor.shape == (e.nodes, len(machine.letters))
        and (e.successor > 0).all()  # nothing returns to the start, whose box is a point without slack
        and (e.successor < e.nodes).all()
        and (e.state[e.successor] == machine.transition[e.state]).all()
    )
    starts = (e.origin[0] == network.initial).all() and not e.low[0].any() and not e.high[0].any()
    finite = all(np.isfinite(array).all() for array in (e.origin, e.frame, e.low, e.high)) and (e.low <= e.high).all()
    if not (refines and starts and finite):
        return None
    # taking the transpose of a frame for its inverse costs at most this, in units of a box's magnitude
    size = network.hidden_dim
    defect = np.abs(e.frame @ np.swapaxes(e.frame, 1, 2) - np.eye(size)).max() + size * np.finfo(np.float64).eps
    if defect * size**2 > SLACK / 2:
        return None
    margin = 0.0
    for targets, low, high, distance in _images(network, machine, e, nodes):
        if not ((low >= e.low[targets]).all() and (high <= e.high[targets]).all() and distance < 0.5):
            return None
        margin = max(margin, distance)
    return margin
