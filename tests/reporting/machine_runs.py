"""Runs whose machine is known: a network made by hand to be it, for 2, 24 and 200 states."""

import itertools

import numpy as np

from mips_jax.extraction import Candidate, Extraction, ExtractionSettings
from mips_jax.machines import Mealy
from mips_jax.networks import MLPRNN
from mips_jax.programs import Program, Register, Var, call
from mips_jax.reporting.shown import Shown

ORDERS = list(itertools.permutations(range(4)))


def machine(states: int) -> Mealy:
    """Parity; two generators of the 24 orders of four things; remainders of a binary number."""
    if states == 24:
        moves = ((1, 0, 2, 3), (1, 2, 3, 0))
        table = [[ORDERS.index(tuple(p[q] for q in move)) for move in moves] for p in ORDERS]
        return Mealy.of([0, 1], table, [[int(t == 0) for t in row] for row in table])
    value = 2 * np.arange(states)[:, None] + [0, 1] if states > 2 else [[0, 1], [1, 2]]
    table = np.asarray(value) % states
    return Mealy.of([0, 1], table, table if states == 2 else np.asarray(value) // states)


def network(of: Mealy) -> MLPRNN:
    """Exactly the machine (letters 0 and 1, one output): h is the state one-hot, then the last
    output.
    """
    states = of.states
    pairs = np.zeros((2 * states, states + 2))
    for state in range(states):
        pairs[2 * state : 2 * state + 2, state] = 1.0
        pairs[2 * state : 2 * state + 2, -1] = (-1.0, 1.0)
    bias = np.tile([0.0, -1.0], states)
    after = np.zeros((states + 1, 2 * states))
    after[of.transition.ravel(), np.arange(2 * states)] = 1.0
    after[-1] = of.output.ravel()
    transition = ((pairs, bias), (after, np.zeros(states + 1)))
    output = ((np.eye(states + 1)[-1:], np.zeros(1)),)
    return MLPRNN(transition, output, np.eye(states + 1)[0], trained_length=10)


def program() -> Program:
    total = call("add", Var("total"), Var("x"))
    return Program(("x",), (Register("total", 0, total),), (Var("total", updated=True),))


def shown(states: int, name: str = "", claims=()) -> Shown:
    """The run of such a network; its program is a stand-in that is only shown."""
    found, one = machine(states), program()
    candidate = Candidate("registers", one, 12.0, 1.0, "by hand")
    extraction = Extraction((candidate,), found, (), (), 10, 0.0, ExtractionSettings())
    result = {
        "task": name or f"A machine of {states} states",
        "solved": True,
        "reason": None,
        "method": "registers",
        "claims": list(claims),
    }
    return Shown(
        result,
        one.source,
        "made by hand",
        None,
        network(found),
        ((0, 1),),
        extraction,
    )
