"""The methods of extraction, in the order in which they are tried: cheap ones first.

A new method is one file and one entry here.
"""

from __future__ import annotations

from mips_jax.extraction.methods.automaton import Automaton
from mips_jax.extraction.methods.baseline import Baseline
from mips_jax.extraction.methods.clusters import Clusters
from mips_jax.extraction.methods.erring import Erring
from mips_jax.extraction.methods.joint import Joint
from mips_jax.extraction.methods.linear import Linear
from mips_jax.extraction.methods.longer_words import LongerWords
from mips_jax.extraction.methods.method import Method
from mips_jax.extraction.methods.nearly_finite import NearlyFinite
from mips_jax.extraction.methods.plain import Cells, Plain
from mips_jax.extraction.methods.registers import Registers
from mips_jax.extraction.methods.settled import Settled

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Linear(),
        Automaton(),
        Cells(),
        NearlyFinite(),
        LongerWords(),
        Registers(),
        Joint(),
        Erring(),
        Settled(),
        Clusters(),
        Plain(),
        Baseline(),
    )
}

__all__ = ["METHODS", "Method", "chosen", "names"]


def names() -> tuple[str, ...]:
    """What `extraction.method` may be."""
    return ("auto", *dict.fromkeys(method.family for method in METHODS.values()))


def chosen(name: str) -> list[Method]:
    """The methods of one family, or all automatic ones, with those that they need."""
    if name == "auto":
        wanted = {m.name for m in METHODS.values() if m.automatic}
    else:
        wanted = {m.name for m in METHODS.values() if m.family == name}
    todo = list(wanted)
    while todo:
        needed = set(METHODS[todo.pop()].needs) - wanted
        wanted |= needed
        todo += needed
    return [method for method in METHODS.values() if method.name in wanted]
