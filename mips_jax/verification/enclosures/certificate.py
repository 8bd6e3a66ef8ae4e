"""A proof, for words of every length, that a ReLU network writes what a finite machine writes: what
is claimed, and its check.

A finite graph refines the machine: its nodes are sets of hidden states, its edges the letters. Each
node has a box. When the start's hidden state is in the box of node 0, f maps every box into the box
of the successor for every letter (checked with zonotopes), and g is within 1/2 of the machine's
integer on every such image, then by induction over the word both write the same at every step: the
boxes are an inductive invariant. Where graph and boxes come from (`proofs`) is of no account: all
is checked here.

All is for float64 evaluation of the network as well as for real arithmetic: rounding is bounded,
see `zonotopes`. Nothing is said about evaluation in lower precision.

Axes: N nodes, A letters, H hidden units, E edges or nodes of a selection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.verification.enclosures.instructions import Instructions, instructions_of
from mips_jax.verification.enclosures.zonotopes import ROUNDING, Zonotopes, followed

# By which a box is larger than its coordinates say; times its magnitude where that is above 1.
SLACK = 1e-9


@dataclasses.dataclass(frozen=True)
class Enclosure:
    """A graph that refines a machine, and a box around the hidden states at each node; node 0 is
    the start.

    The box is {origin + frame z + d : low <= z <= high, |d| <= slack}, the start's only the initial
    hidden state.

    Attributes:
        state: [N] the machine's state.
        choices: [C, K] the words of K letters that lead from one node to the next.
        successor: [N, C] next node; fewer rows where the last nodes are not left.
        origin: [N, H].
        frame: [N, H, H] directions as columns, orthogonal.
        low, high: [N, H] bounds of the coordinates.
    """

    state: np.ndarray
    choices: np.ndarray
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
        middle, half = (
            (self.low[nodes] + self.high[nodes]) / 2,
            (self.high[nodes] - self.low[nodes]) / 2,
        )
        center = self.origin[nodes] + np.einsum("nij,nj->ni", self.frame[nodes], middle)
        generators = np.moveaxis(self.frame[nodes] * half[:, None, :], 2, 0)
        reach = np.abs(self.origin[nodes]) + np.einsum(
            "nij,nj->ni", np.abs(self.frame[nodes]), np.abs(middle) + half
        )
        slack = SLACK * np.maximum(1.0, reach.max(axis=1)) * (nodes > 0)
        return Zonotopes(center, generators, np.broadcast_to(slack[:, None], center.shape))

    def coordinates(self, nodes: np.ndarray, sets: Zonotopes) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest coordinates [E, H] of sets of hidden states in the frames of nodes
        [E], rounded outward.
        """
        turned = self.frame[nodes]
        size = np.abs(turned)
        offset = np.einsum("eij,ei->ej", turned, sets.center - self.origin[nodes])
        generators = np.matmul(np.moveaxis(sets.generators, 0, 1), turned)
        known = np.abs(sets.center) + np.abs(self.origin[nodes]) + sets.radius
        reach = np.abs(generators).sum(axis=1) + np.einsum(
            "eij,ei->ej", size, sets.error + 4 * ROUNDING * known
        )
        reach *= 1 + ROUNDING
        return offset - reach, offset + reach


def images_of(
    network: Network, machine: Mealy, enclosure: Enclosure, nodes: np.ndarray, bits: int = 53
) -> Iterator[tuple]:
    """What f and g make of the boxes of nodes, some edges at a time.

    Yields:
        Targets [E], lowest and highest coordinates [E, H] of the images in the targets' frames, and
        the largest distance of an output on the images from the machine's integer; where classes
        are chosen 0, or infinity where another one could win.
    """
    rules = instructions_of(network)
    assert isinstance(rules, Instructions), rules
    count = edges_at_once(rules, enclosure)
    vectors = rules.vectors(machine.letters)
    source = np.repeat(nodes, len(enclosure.choices))
    choice = np.tile(np.arange(len(enclosure.choices)), len(nodes))
    for i in range(0, len(source), count):
        s, c = source[i : i + count], choice[i : i + count]
        images, state, distance = enclosure.boxes(s), enclosure.state[s], 0.0
        for k, read in enumerate(enclosure.choices[c].T):
            images = images.spread() if k else images
            images = followed(rules.step, [images, Zonotopes.points(vectors[read])], bits)
            outputs = followed(rules.readout, [images], bits)
            away = outputs_apart(rules, outputs, machine.output[state, read])
            distance = max(distance, float(away.max()))
            state = machine.transition[state, read]
            if not distance < 0.5:
                break
        targets = enclosure.successor[s, c]
        yield targets, *enclosure.coordinates(targets, images), distance


def edges_at_once(rules: Instructions, enclosure: Enclosure) -> int:
    """So many that their generators take some tens of megabytes."""
    width = rules.width + enclosure.origin.shape[1]
    return int(np.clip(2**22 // width**2, 16, 2000))


def outputs_apart(rules: Instructions, raw: Zonotopes, wanted: np.ndarray) -> np.ndarray:
    """How far raw outputs of E sets may be from the integers wanted [E, O]: [E]; where classes are
    chosen 0, or infinity where another one could win.
    """
    if rules.classes is None:
        away = np.abs(raw.center - wanted)
        return (away + raw.radius + ROUNDING * (np.abs(raw.center) + away)).max(axis=1)
    right = np.array(rules.classes) == wanted  # [E, classes]
    beaten = np.zeros(len(wanted), bool)
    for winner in range(len(rules.classes)):
        lead = raw.center[:, winner, None] - raw.center
        spread = np.abs(raw.generators[..., winner, None] - raw.generators).sum(axis=0)
        spread += raw.error[:, winner, None] + raw.error
        spread += 8 * ROUNDING * (raw.magnitude + raw.magnitude[:, winner, None])
        beaten |= right[:, winner] & ((lead > spread) | right).all(axis=1)
    return np.where(beaten, 0.0, np.inf)


def checked_margin(
    network: Network, machine: Mealy, enclosure: Enclosure, bits: int = 53
) -> float | None:
    """Every condition of the induction, for the enclosure as it is and nothing else. Of nodes that
    are not left nothing is said but what reaches them.

    Returns:
        The largest distance of an output from its integer, or None when a condition does not hold.
    """
    e, nodes = enclosure, np.arange(len(enclosure.successor))
    reached = np.repeat(e.state[nodes][:, None], len(e.choices), axis=1)
    for read in e.choices.T:
        reached = machine.transition[reached, read]
    refines = (
        e.state[0] == 0
        and e.successor.shape == (len(nodes), len(e.choices))
        and len(e.choices) == len(machine.letters) ** e.choices.shape[1]
        and len(nodes) <= e.nodes
        and (
            e.successor > 0
        ).all()  # nothing returns to the start, whose box is a point without slack
        and (e.successor < e.nodes).all()
        and (e.state[e.successor] == reached).all()
    )
    starts = (e.origin[0] == network.initial).all() and not e.low[0].any() and not e.high[0].any()
    finite = (
        all(np.isfinite(array).all() for array in (e.origin, e.frame, e.low, e.high))
        and (e.low <= e.high).all()
    )
    if not (refines and starts and finite):
        return None
    # taking the transpose of a frame for its inverse costs at most this, in units of a box's
    # magnitude
    size = network.hidden_dim
    defect = (
        np.abs(e.frame @ np.swapaxes(e.frame, 1, 2) - np.eye(size)).max()
        + size * np.finfo(np.float64).eps
    )
    if defect * size**2 > SLACK / 2:
        return None
    margin = 0.0
    for targets, low, high, distance in images_of(network, machine, e, nodes, bits):
        if not (
            (low >= e.low[targets]).all() and (high <= e.high[targets]).all() and distance < 0.5
        ):
            return None
        margin = max(margin, distance)
    return margin
