"""Every prefix that a model was asked about, once: a tree whose nodes are numbered.

A node's number is the state of a causal model. Children are found without a loop over rows, so that
millions of prefixes are no trouble.

Axes: N nodes asked about, T steps, I inputs a step, A letters.
"""

from __future__ import annotations

import math

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.inputs import InputRange

ROOT = 0
MOST_PREFIXES = 1 << 25  # a tree of so many takes about a gigabyte
_MOST_LETTERS = 1 << 37  # so that a node and a letter are one number of 63 bits
_TABLE_LETTERS = 512  # more letters than these: children lie in a dictionary


class PrefixTree:
    """The tree of prefixes; node 0 is the empty one.

    Args:
        bounds: inclusive (low, high) of each input.

    Raises:
        RequestError: there are too many letters to number them.
    """

    def __init__(self, bounds: InputRange):
        self._lows = np.array([low for low, _ in bounds], np.int64)
        self._sizes = np.array([high - low + 1 for low, high in bounds], np.int64)
        self.letters = math.prod(self._sizes.tolist())
        if self.letters > _MOST_LETTERS:
            raise RequestError(
                f"the range of the inputs has {self.letters:,} letters; allowed: "
                f"{_MOST_LETTERS:,} (network.input_min, network.input_max)"
            )
        self.count = 1
        self._parent = np.zeros(1024, np.int32)
        self._letter = np.zeros(1024, np.int64)
        self._depth = np.zeros(1024, np.int32)
        small = self.letters <= _TABLE_LETTERS
        self._children = _Table(self.letters) if small else _Dictionary(self.letters)

    @property
    def capacity(self) -> int:
        """Nodes for which there is room."""
        return len(self._parent)

    def depth(self, nodes: np.ndarray) -> np.ndarray:
        """Steps of each node's prefix [N]."""
        return self._depth[nodes]

    def codes(self, inputs: np.ndarray) -> np.ndarray:
        """Letters [N, I] -> [N] numbers of them.

        Raises:
            RequestError: a letter is out of bounds.
        """
        offsets = inputs - self._lows
        if offsets.size and ((offsets < 0) | (offsets >= self._sizes)).any():
            bad = inputs[((offsets < 0) | (offsets >= self._sizes)).any(axis=1)][0].tolist()
            ranges = ", ".join(
                f"{low}..{low + size - 1}" for low, size in zip(self._lows, self._sizes)
            )
            raise RequestError(
                f"the model got the letter {bad[0] if len(bad) == 1 else bad}, but it reads "
                f"{ranges} only (network.input_min, network.input_max)"
            )
        codes = offsets[:, 0]
        for i in range(1, len(self._sizes)):
            codes = codes * self._sizes[i] + offsets[:, i]
        return codes

    def inputs(self, codes: np.ndarray) -> np.ndarray:
        """Numbers of letters, of any shape [...] -> letters [..., I]."""
        columns = []
        for low, size in zip(self._lows[::-1], self._sizes[::-1]):
            columns.append(codes % size + low)
            codes = codes // size
        return np.stack(columns[::-1], axis=-1)

    def step(self, nodes: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """[N] the nodes that are reached with the letters [N]; new ones are added.

        Raises:
            RequestError: the tree is full.
        """
        found = self._children.get(nodes, codes)
        missing = np.flatnonzero(found < 0)
        if len(missing):
            keys, back = np.unique(
                nodes[missing] * np.int64(self.letters) + codes[missing], return_inverse=True
            )
            found[missing] = self._added(keys // self.letters, keys % self.letters)[back.ravel()]
        return found

    def _added(self, parents: np.ndarray, codes: np.ndarray) -> np.ndarray:
        new = np.arange(self.count, self.count + len(parents), dtype=np.int64)
        self.count += len(parents)
        if self.count > MOST_PREFIXES:
            raise RequestError(
                f"the model was asked about more than {MOST_PREFIXES:,} different prefixes; lower "
                "extraction.effort, extraction.words or extraction.length"
            )
        while self.count > self.capacity:
            self._parent, self._letter, self._depth = (
                np.concatenate([a, np.zeros_like(a)])
                for a in (self._parent, self._letter, self._depth)
            )
        self._parent[new] = parents
        self._letter[new] = codes
        self._depth[new] = self._depth[parents] + 1
        self._children.put(parents, codes, new)
        return new

    def paths(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nodes [N], all of one depth T -> the nodes on the way there [N, T], themselves last, and
        the numbers of the letters [N, T].
        """
        steps = int(self._depth[nodes[0]]) if len(nodes) else 0
        on_the_way = np.empty((len(nodes), steps), np.int64)
        codes = np.empty((len(nodes), steps), np.int64)
        for t in reversed(range(steps)):
            on_the_way[:, t], codes[:, t] = nodes, self._letter[nodes]
            nodes = self._parent[nodes]
        return on_the_way, codes


class _Table:
    """Children in rows: one for each node that has any."""

    def __init__(self, letters: int):
        self._row_of = np.full(1024, -1, np.int32)
        self._rows = np.full((256, letters), -1, np.int32)
        self._used = 0

    def get(self, nodes: np.ndarray, codes: np.ndarray) -> np.ndarray:
        self._reach(int(nodes.max(initial=0)))
        rows = self._row_of[nodes]
        return np.where(rows < 0, -1, self._rows[rows, codes]).astype(np.int64)

    def put(self, nodes: np.ndarray, codes: np.ndarray, children: np.ndarray) -> None:
        self._reach(int(nodes.max(initial=0)))
        new = np.unique(nodes[self._row_of[nodes] < 0])
        self._row_of[new] = np.arange(self._used, self._used + len(new))
        self._used += len(new)
        while self._used > len(self._rows):
            self._rows = np.concatenate([self._rows, np.full_like(self._rows, -1)])
        self._rows[self._row_of[nodes], codes] = children

    def _reach(self, node: int) -> None:
        while node >= len(self._row_of):
            self._row_of = np.concatenate([self._row_of, np.full_like(self._row_of, -1)])


class _Dictionary:
    """Children by (node, letter), where there are too many letters for rows."""

    def __init__(self, letters: int):
        self._letters = letters
        self._known: dict[int, int] = {}

    def get(self, nodes: np.ndarray, codes: np.ndarray) -> np.ndarray:
        known = self._known
        keys = (int(n) * self._letters + int(c) for n, c in zip(nodes.tolist(), codes.tolist()))
        return np.fromiter((known.get(key, -1) for key in keys), np.int64, len(nodes))

    def put(self, nodes: np.ndarray, codes: np.ndarray, children: np.ndarray) -> None:
        for node, code, child in zip(nodes.tolist(), codes.tolist(), children.tolist()):
            self._known[node * self._letters + code] = child
