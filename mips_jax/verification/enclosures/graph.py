"""Graphs for proofs: hidden states that runs of a network reach, merged where a refinement allows.

Axes: N nodes, A letters, T time, I inputs, H hidden units, P points.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.verification.enclosures.certificate import Enclosure


@dataclasses.dataclass(frozen=True)
class Refinement:
    """Which hidden states share a node: those of one machine state that also agree in this.

    Attributes:
        distance: from the one that stands for the node, at most.
        outputs: whether the last output is the same.
        history: how many of the last letters are the same.
        layered: whether as many letters have been read.
        stride: letters from one node to the next.
    """

    distance: float
    outputs: bool = True
    history: int = 0
    layered: bool = False
    stride: int = 1


class _Alike:
    """Nodes that may share one: their numbers, and the hidden states that stand for them."""

    def __init__(self, width: int):
        self.nodes: list[int] = []
        self.rows = np.zeros((8, width))

    def nearest(self, image: np.ndarray) -> tuple[int, float]:
        """The node nearest to an image, and how far apart they are."""
        apart = np.abs(self.rows[: len(self.nodes)] - image).max(axis=1)
        place = int(apart.argmin())
        return self.nodes[place], float(apart[place])

    def add(self, node: int, image: np.ndarray) -> None:
        if len(self.nodes) == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        self.rows[len(self.nodes)] = image
        self.nodes.append(node)


class Graph:
    """Hidden states reached breadth first.

    A merged state is represented by the one met first, so that every image is reached by a word
    from the start.

    Attributes:
        hidden: of the state that stands for each node.
        state: the machine's state at each node.
        word: letters that lead to each node.
        choices: [C, K] the words of K letters that lead from one node to the next.
        successor: next node for each expanded node and choice.
        images: what is reached at each node.
    """

    def __init__(
        self,
        network: Network,
        machine: Mealy,
        refinement: Refinement,
        steps: int | None = None,
    ):
        self.network, self.machine, self.refinement = network, machine, refinement
        self.steps = steps  # most steps of the words; None: any number
        self.choices = words_of(len(machine.letters), refinement.stride)
        self.hidden, self.state = [network.initial], [0]
        self.word: list[tuple[int, ...]] = [()]
        self.successor: list[list[int]] = []
        self.images: list[list[np.ndarray]] = [[]]
        self._alike: dict[tuple, _Alike] = {}  # nodes by what must be the same

    def __len__(self) -> int:
        return len(self.hidden)

    @property
    def complete(self) -> bool:
        """Whether every node that can be left has its successors; nodes are met breadth first."""
        done = len(self.successor)
        return done == len(self) or len(self.word[done]) == self.steps

    def expand(self) -> np.ndarray | None:
        """Adds the successors of the first node that has none.

        Returns:
            A word [T, I] on which network and machine differ, if that is met.
        """
        node, machine = len(self.successor), self.machine
        reached = np.repeat(self.hidden[node][None], len(self.choices), axis=0)
        state = np.full(len(self.choices), self.state[node])
        for k, read in enumerate(self.choices.T):
            reached = self.network.step(reached, machine.letters[read])
            written = machine.output[state, read]
            wrong = (self.network.outputs(reached) != written).any(axis=1)
            if wrong.any():
                word = np.array((*self.word[node], *self.choices[int(wrong.argmax()), : k + 1]))
                if self._differ(word):
                    return machine.letters[word]
            state = machine.transition[state, read]
        words = [(*self.word[node], *choice) for choice in self.choices.tolist()]
        arrived = zip(words, reached, state.tolist(), written)
        self.successor.append([self._target(*one) for one in arrived])
        return None

    def _differ(self, word: np.ndarray) -> bool:
        """Whether network and machine write different outputs at the end of a word [T]."""
        said = self.network.run(self.machine.letters[word][None])[1][0, -1]
        return bool((said != self.machine.run(word[None])[0, -1]).any())

    def _target(
        self, word: tuple[int, ...], image: np.ndarray, after: int, written: np.ndarray
    ) -> int:
        """The node that an image belongs to, a new one if need be.

        Args:
            word: letters that lead to it.
            image: [H].
            after: the machine's state.
            written: [O] the last output.
        """
        rule = self.refinement
        recent = word[-rule.history :] if rule.history else ()
        layer = len(word) if rule.layered else 0
        same = self._alike.setdefault(
            (after, written.tobytes() if rule.outputs else b"", recent, layer),
            _Alike(len(image)),
        )
        if same.nodes:
            node, apart = same.nearest(image)
            if apart <= rule.distance:
                self.images[node].append(image)
                return node
        same.add(len(self), image)
        self.hidden.append(image)
        self.state.append(after)
        self.word.append(word)
        self.images.append([image])
        return len(self) - 1

    def boxes(self) -> Enclosure:
        """The graph with boxes around the images at its nodes."""
        origin = np.stack(self.hidden)
        size = self.network.hidden_dim
        frame = np.stack([_directions(np.array(p)) if p else np.eye(size) for p in self.images])
        low, high = np.zeros_like(origin), np.zeros_like(origin)
        for node, points in enumerate(self.images):
            if points:
                z = (np.array(points) - origin[node]) @ frame[node]
                low[node], high[node] = z.min(axis=0), z.max(axis=0)
        successor = np.array(self.successor).reshape(-1, len(self.choices))
        return Enclosure(np.array(self.state), self.choices, successor, origin, frame, low, high)


def words_of(letters: int, length: int) -> np.ndarray:
    """All words [letters^length, length] in order."""
    return np.array(list(itertools.product(range(letters), repeat=length)), int)


def _directions(points: np.ndarray) -> np.ndarray:
    """Principal directions of points [P, H] as columns [H, H]."""
    if len(points) < 2 or points.shape[1] == 1 or not np.ptp(points, axis=0).max() > 1e-9:
        return np.eye(points.shape[1])
    return np.linalg.svd(points - points.mean(axis=0), full_matrices=True)[2].T
