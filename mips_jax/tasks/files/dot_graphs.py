"""Graphs in the DOT language, as far as machines need it: nodes, arrows, their attributes.

A small lexer and one pass over the statements; subgraphs are read as if their content stood
outside, ports and HTML labels are refused.
"""

from __future__ import annotations

import dataclasses
import itertools
import re

from mips_jax.errors import RequestError

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|^\#[^\n]*
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<arrow>->|--)
    |(?P<mark>[{}\[\];,=:])
    |(?P<word>[^\s{}\[\];,=:"<>\-]+(?:-[^\s{}\[\];,=:"<>\-]+)*|-?[0-9.]+)
    |(?P<html><)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ESCAPES = {"n": "\n", "l": "\n", "r": "\n", '"': '"', "\\": "\\"}


@dataclasses.dataclass
class Graph:
    """A directed graph.

    Attributes:
        nodes: name -> attributes, in order of appearance.
        arrows: (from, to, attributes).
    """

    nodes: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    arrows: list[tuple[str, str, dict[str, str]]] = dataclasses.field(default_factory=list)


class _Tokens:
    """The tokens of a text, one after the other: (kind, text)."""

    def __init__(self, text: str, name: str):
        self.name, self.text, self.place = name, text, 0
        self.found: list[tuple[str, str, int]] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup == "html":
                self.place = len(self.found)
                self.found.append(("", text[position : position + 12], position))
                raise self.wrong("this cannot be read as DOT")
            if match.lastgroup:
                self.found.append((match.lastgroup, match[0], position))
            position = match.end()

    def wrong(self, what: str) -> RequestError:
        position = self.found[self.place][2] if self.place < len(self.found) else len(self.text)
        line = self.text.count("\n", 0, position) + 1
        there = self.text[position : position + 20].split("\n")[0] or "the end of the file"
        return RequestError(
            f"{self.name}: {what} (line {line}, at {there!r}); write the graph again, for example "
            "with AALpy's save_automaton_to_file or graphviz"
        )

    def peek(self) -> tuple[str, str]:
        return self.found[self.place][:2] if self.place < len(self.found) else ("end", "")

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self.place += 1
        return token

    def skip(self, text: str) -> bool:
        """Whether a mark or arrow follows; it is passed."""
        if self.peek() in (("mark", text), ("arrow", text)):
            self.place += 1
            return True
        return False

    def name_(self) -> str:
        """A name, quoted or not."""
        kind, text = self.peek()
        if kind not in ("word", "quoted"):
            raise self.wrong("a name is missing")
        self.place += 1
        return text if kind == "word" else _unquoted(text)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), text[1:-1], flags=re.DOTALL)


def parsed(text: str, name: str) -> Graph:
    """The graph of a text.

    Raises:
        RequestError: it is not in the DOT language, with the line where reading stopped.
    """
    tokens, graph = _Tokens(text, name), Graph()
    _head(tokens)
    depth = 1
    shared: dict[str, dict[str, str]] = {"node": {}, "edge": {}, "graph": {}}
    while depth:
        kind, word = tokens.peek()
        if kind == "end":
            raise tokens.wrong("the graph's } is missing")
        if tokens.skip("}"):
            depth -= 1
        elif tokens.skip("{"):
            depth += 1
        elif tokens.skip(";") or tokens.skip(","):
            continue
        elif kind == "word" and word.lower() == "subgraph":
            tokens.next()
            if tokens.peek()[0] in ("word", "quoted"):
                tokens.next()
        elif kind == "word" and word.lower() in shared:
            tokens.next()
            shared[word.lower()].update(_attributes(tokens))
        else:
            _statement(tokens, graph, shared)
    return graph


def _head(tokens: _Tokens) -> None:
    """`strict digraph name {`."""
    for word in ("strict", "digraph", "graph"):
        if tokens.peek()[1].lower() == word:
            tokens.next()
    if tokens.peek()[0] in ("word", "quoted"):
        tokens.next()
    if not tokens.skip("{"):
        raise tokens.wrong("the graph's { is missing")


def _statement(tokens: _Tokens, graph: Graph, shared: dict[str, dict[str, str]]) -> None:
    """A node, a chain of arrows, or name=value."""
    chain = [tokens.name_()]
    if tokens.skip("="):
        tokens.name_()
        return
    if tokens.skip(":"):
        raise tokens.wrong("ports are not read")
    while tokens.skip("->") or tokens.skip("--"):
        chain.append(tokens.name_())
        if tokens.skip(":"):
            raise tokens.wrong("ports are not read")
    attributes = _attributes(tokens)
    for node in chain:
        graph.nodes.setdefault(node, dict(shared["node"]))
    if len(chain) == 1:
        graph.nodes[chain[0]].update(attributes)
    for start, end in itertools.pairwise(chain):
        graph.arrows.append((start, end, shared["edge"] | attributes))


def _attributes(tokens: _Tokens) -> dict[str, str]:
    """`[label="a/1", shape=box]`, any number of brackets."""
    found: dict[str, str] = {}
    while tokens.skip("["):
        while not tokens.skip("]"):
            key = tokens.name_()
            found[key.lower()] = tokens.name_() if tokens.skip("=") else "true"
            if not tokens.skip(","):
                tokens.skip(";")
    return found
