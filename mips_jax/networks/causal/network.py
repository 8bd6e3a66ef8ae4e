"""Models that read whole words and write at every step (transformers, state-space models, any
function) as networks: the state is the prefix.

Every prefix is read once: outputs are kept by prefix, and a word that is read gives those of all
its prefixes. A probe tree costs one pass for each of its leaves, or, where the model can branch,
one for each state.

Axes: B sequences, T steps, I inputs a step, R raw outputs, D numbers of a representation, K words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.causal.prefix_tree import ROOT, PrefixTree
from mips_jax.networks.encodings import Decoding
from mips_jax.networks.network import InputRange, Network, WordTooLongError

_AT_ONCE = 1 << 22  # numbers of a batch's attention (words times length squared)
_SHORTEST = 64  # steps that a short word counts as in that
_LARGEST_TREE = 1 << 12  # letters of the words that are read as one tree
_NODES_AT_ONCE = 1 << 20  # prefixes that are prepared together
_REPRESENTED_BY = 8  # letters after which outputs represent a prefix, where the model says nothing


class Reader(Protocol):
    """A causal model: what `CausalNetwork` asks of it.

    Attributes:
        step_work: see `Network.step_work`.
        starts: whether it can read the empty word.
        branches: whether it can read a tree of words at once.
        represents: whether it can say where it is.
    """

    @property
    def step_work(self) -> float: ...

    @property
    def starts(self) -> bool: ...

    @property
    def branches(self) -> bool: ...

    @property
    def represents(self) -> bool: ...

    def read(self, words: np.ndarray) -> np.ndarray:
        """Words [B, T, I] of one length -> raw outputs after the last letters [B, <= T, R]; or
        [B, T + 1, R], those before the first letter first, where it can read the empty word.
        """

    def represent(self, words: np.ndarray) -> np.ndarray:
        """Words [B, T, I] -> [B, D]: where the model is after the last letter."""

    def branch(self, words: np.ndarray, letters: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Reads a tree of further letters from each word, at once.

        Args:
            words: [B, T, I].
            letters: [M, I] of the tree's nodes, parents before their children.
            parents: [M] number of each one's parent in the tree, -1 for the word itself.

        Returns:
            Raw outputs [B, M, R] after each.
        """


class CausalNetwork(Network):
    """A causal model between integers.

    States are int64 [B, 1]: the number of the prefix in a tree that only grows.

    Args:
        reader: the model.
        input_range: inclusive (low, high) of each input.
        decoding: raw outputs -> integers.
        longest: letters of the longest word that it can read; None: there is no limit.
        trained_length: letters of the words it was trained on, or None where nobody knows.
        name: what messages call it.
    """

    recurrent = False
    assumed: tuple[str, ...] = ()

    def __init__(
        self,
        reader: Reader,
        input_range: InputRange,
        decoding: Decoding,
        longest: int | None = None,
        trained_length: int | None = None,
        name: str = "the model",
    ):
        self.reader, self.decoding, self.name = reader, decoding, name
        self.input_range: InputRange | None = input_range
        self.longest: int | None = longest
        self.trained_length: int | None = trained_length
        self._tree = PrefixTree(input_range)
        self._bounds = input_range
        first = np.array([[low for low, _ in input_range]], np.int64)
        raw = reader.read(first[:, None])
        self._raw = np.zeros((self._tree.capacity, raw.shape[2]), raw.dtype)
        self._known = np.zeros(self._tree.capacity, bool)
        self._known[ROOT] = True
        if reader.starts:
            self._raw[ROOT] = raw[0, 0]

    @property
    def initial(self) -> np.ndarray:
        return np.array([ROOT], np.int64)

    @property
    def input_dim(self) -> int:
        return len(self._bounds)

    @property
    def output_dim(self) -> int:
        return self.decoding.output_dim(self._raw.shape[1])

    @property
    def encodable_range(self) -> InputRange:
        return self._bounds

    @property
    def step_work(self) -> float:
        return self.reader.step_work

    @property
    def details(self) -> str:
        limit = "any length" if self.longest is None else f"words up to {self.longest}"
        return f"{self.name}, {limit}, outputs: {self.decoding}"

    @property
    def prefixes(self) -> int:
        """Prefixes met so far."""
        return self._tree.count

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """See `Network.step`; nothing is read yet.

        Raises:
            WordTooLongError: a word would be longer than the model can read.
        """
        nodes = hidden[:, 0].astype(np.int64)
        return self._stepped(nodes, self._tree.codes(inputs))[:, None]

    def _stepped(self, nodes: np.ndarray, codes: np.ndarray) -> np.ndarray:
        steps = int(self._tree.depth(nodes).max(initial=-1)) + 1
        if self.longest is not None and steps > self.longest:
            raise WordTooLongError(
                f"a word of {steps} steps was to be read, but {self.name} reads up to "
                f"{self.longest} (network.longest); lower extraction.length"
            )
        return self._tree.step(nodes, codes)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        nodes = hidden[:, 0].astype(np.int64)
        self._read(nodes)
        return self._raw[nodes]

    def decode(self, raw: np.ndarray) -> np.ndarray:
        return self.decoding.decode(raw)

    def distance(self, raw: np.ndarray) -> np.ndarray:
        return self.decoding.distance(raw)

    def run_raw(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs = self.checked_inputs(inputs)
        self.prefetch(self.initial[None], inputs)
        return super().run_raw(inputs)

    def represent(self, states: np.ndarray) -> np.ndarray:
        """What the model says of where it is; else its raw outputs now and after each of a few
        letters. Zeros for the empty word, where the model cannot read it.
        """
        nodes, back = np.unique(states[:, 0].astype(np.int64), return_inverse=True)
        if not self.reader.represents:
            return self._behaviour(nodes)[back.ravel()]
        width = self.reader.represent(self._tree.inputs(np.zeros((1, 1), np.int64))).shape[1]
        found = np.zeros((len(nodes), width))
        for some in self._batches(nodes if self.reader.starts else nodes[nodes != ROOT]):
            found[np.searchsorted(nodes, some)] = self.reader.represent(self._words(some))
        return found[back.ravel()]

    def _behaviour(self, nodes: np.ndarray) -> np.ndarray:
        count = min(self._tree.letters, _REPRESENTED_BY)
        codes = np.unique(np.linspace(0, self._tree.letters - 1, count).round().astype(np.int64))
        room = np.full(len(nodes), True)
        if self.longest is not None:
            room = self._tree.depth(nodes) < self.longest
        after = [np.full(len(nodes), ROOT) for _ in codes]  # where there is no room
        for k, code in enumerate(codes):
            after[k][room] = self._stepped(nodes[room], np.full(int(room.sum()), code))
        self._read(np.concatenate([nodes, *after]))
        return np.concatenate([self._raw[part] for part in (nodes, *after)], axis=1)

    def prefetch(self, states: np.ndarray, words: np.ndarray) -> None:
        """See `Network.prefetch`."""
        count, steps, _ = words.shape
        nodes = np.unique(states[:, 0].astype(np.int64))
        size = max(1, _NODES_AT_ONCE // max(1, count * steps))
        branching = self.reader.branches and count > 1 and count * steps <= _LARGEST_TREE
        codes = self._tree.codes(words.reshape(-1, words.shape[2])).reshape(count, steps)
        for start in range(0, len(nodes), size):
            some = nodes[start : start + size]
            if branching:
                self._branch(some, codes)
                continue
            leaves = np.repeat(some, count)
            for t in range(steps):
                leaves = self._stepped(leaves, np.tile(codes[:, t], len(some)))
            self._read(leaves)

    def _branch(self, nodes: np.ndarray, codes: np.ndarray) -> None:
        """Reads a tree of words [K, T] from each node at once."""
        letters, parents = _as_tree(codes)
        below = self._below(nodes, letters, parents)
        unread = ~self._is_known(below).all(axis=1)
        for some in self._batches(nodes[unread], tree=len(letters)):
            found = self.reader.branch(self._words(some), self._tree.inputs(letters), parents)
            self._keep(self._below(some, letters, parents), found)

    def _below(self, nodes: np.ndarray, letters: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """[N, M] the nodes of a tree below each of the nodes [N]."""
        found = np.empty((len(nodes), len(letters)), np.int64)
        level = np.flatnonzero(parents < 0)
        before = np.repeat(nodes[:, None], len(level), axis=1)
        while len(level):
            codes = np.tile(letters[level], len(nodes))
            found[:, level] = self._stepped(before.ravel(), codes).reshape(len(nodes), -1)
            level = np.flatnonzero(np.isin(parents, level))
            before = found[:, parents[level]]
        return found

    def _read(self, nodes: np.ndarray) -> None:
        """Makes the raw outputs of these prefixes known."""
        nodes = np.unique(nodes)
        nodes = nodes[~self._is_known(nodes)]
        deepest_first = np.argsort(-self._tree.depth(nodes), kind="stable")
        for some in self._batches(nodes[deepest_first]):
            some = some[~self._is_known(some)]  # a longer word may have told it
            if len(some):
                on_the_way, _ = self._tree.paths(some)
                raw = self.reader.read(self._words(some))
                told = min(raw.shape[1], on_the_way.shape[1])
                self._keep(on_the_way[:, -told:], raw[:, -told:])

    def _batches(self, nodes: np.ndarray, tree: int = 0) -> Iterator[np.ndarray]:
        """The nodes, in parts of one depth that are read together, each with a tree of so many
        letters.
        """
        depths = self._tree.depth(nodes)
        for depth in dict.fromkeys(depths.tolist()):
            alike = nodes[depths == depth]
            numbers = max(_SHORTEST, depth) ** 2 + tree * max(_SHORTEST, depth)
            size = max(1, _AT_ONCE // numbers)
            for start in range(0, len(alike), size):
                yield alike[start : start + size]

    def _words(self, nodes: np.ndarray) -> np.ndarray:
        """[N, T, I] the prefixes of nodes of one depth."""
        return self._tree.inputs(self._tree.paths(nodes)[1])

    def _is_known(self, nodes: np.ndarray) -> np.ndarray:
        room = self._tree.capacity - len(self._known)
        if room:
            self._known = np.concatenate([self._known, np.zeros(room, bool)])
            more = np.zeros((room, self._raw.shape[1]), self._raw.dtype)
            self._raw = np.concatenate([self._raw, more])
        return self._known[nodes]

    def _keep(self, nodes: np.ndarray, raw: np.ndarray) -> None:
        """What was first read of a prefix stays: batches differ in their last digits."""
        if raw.shape[2] != self._raw.shape[1]:
            raise RequestError(
                f"{self.name} wrote {raw.shape[2]} numbers a step on {list(raw.shape[:2])} words "
                f"and {self._raw.shape[1]} before; how many there are must not change"
            )
        new = ~self._is_known(nodes)
        self._raw[nodes[new]] = raw[new]
        self._known[nodes[new]] = True


def _as_tree(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Words [K, T] of letters -> the tree of their prefixes: letters [M] and parents [M], each
    parent before its children, -1 for the root.
    """
    letters: list[int] = []
    parents: list[int] = []
    above = np.full(len(words), -1, np.int64)
    for t in range(words.shape[1]):
        pairs, back = np.unique(np.stack([above, words[:, t]], axis=1), axis=0, return_inverse=True)
        above = len(letters) + back.ravel()
        parents += pairs[:, 0].tolist()
        letters += pairs[:, 1].tolist()
    return np.array(letters, np.int64), np.array(parents, np.int64)
