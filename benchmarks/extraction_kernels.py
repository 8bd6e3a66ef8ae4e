"""How fast are the kernels of extraction? The enumerator on a table of 700 rows, automata by size.

    python benchmarks/extraction_kernels.py [--seconds 10]

Enumerator: (s, x) -> s' of a counter modulo 7 times 100 letters, 700 rows; expressions tried a
    second while the bank is built on
all rows, and the size of the largest expressions that were reached within the given seconds.
Automata: random Mealy machines behind the interface of a network (one hidden unit names the state),
    so that only the extraction is
timed; the machine found must have as many states as the machine hidden.

Axes: S states, A letters.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from mips_jax.budget import Guard, Share
from mips_jax.extraction.automaton import AutomatonSettings, learn_automaton
from mips_jax.extraction.regression.enumeration import ExpressionBank
from mips_jax.extraction.tuning import EnumerationSettings
from mips_jax.machines import Mealy, first_difference, minimised
from mips_jax.networks import Network
from mips_jax.programs import Var, expression_text

SIZES = ((10, 2), (100, 2), (100, 10), (500, 10), (1000, 50), (2000, 100))


class MachineNetwork(Network):
    """A Mealy machine as a network: hidden unit 0 is the state, unit 1 the last output."""

    def __init__(self, machine: Mealy, length: int):
        self.machine, self.initial = machine, np.zeros(2)
        self.input_dim = self.output_dim = 1
        self.trained_length = length

    def step(self, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        state, letter = hidden[:, 0].astype(np.int64), inputs[:, 0]
        return np.stack(
            [self.machine.transition[state, letter], self.machine.output[state, letter, 0]], axis=1
        ).astype(np.float64)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        return hidden[:, 1:]


def random_machine(states: int, letters: int, rng: np.random.Generator) -> Mealy:
    """Uniform transitions, outputs 0 or 1; minimal with overwhelming probability."""
    transition = rng.integers(0, states, (states, letters))
    return Mealy(np.arange(letters)[:, None], transition, rng.integers(0, 2, (states, letters, 1)))


def time_enumerator(seconds: float, console: Console) -> None:
    states, letters = np.meshgrid(np.arange(7), np.arange(100), indexing="ij")
    columns = {Var("s"): states.ravel(), Var("x"): letters.ravel()}
    table = Table(
        "largest size",
        "kept",
        "tried",
        "seconds",
        "tried a second",
        "one of the largest",
        title="Enumerator, 700 rows",
    )
    for size in (5, 7, 9, 11):
        started = time.perf_counter()
        limits = EnumerationSettings(largest_size=size, bank=1_000_000)
        share = Share(guard=Guard(seconds))
        bank = ExpressionBank(columns, (7, 99, 100), limits, share=share)
        taken = time.perf_counter() - started
        largest = expression_text(bank.expression(len(bank) - 1))
        finished = " (time limit)" if share.guard.struck else ""
        tried = share.spent / bank.rows
        table.add_row(
            f"{size}{finished}",
            f"{len(bank):,}",
            f"{tried:,.0f}",
            f"{taken:.2f}",
            f"{tried / taken:,.0f}",
            largest,
        )
        if taken >= seconds:
            break
    console.print(table)
    started = time.perf_counter()
    target = (columns[Var("s")] * 2 + columns[Var("x")]) % 7
    bank = ExpressionBank(columns, (7, 99, 100), EnumerationSettings())
    found = next(bank.solve(target))
    seconds = time.perf_counter() - started
    console.print(f"first solution of (2 s + x) mod 7: {expression_text(found)} in {seconds:.2f} s")


def time_automata(console: Console) -> None:
    table = Table(
        "states",
        "letters",
        "found",
        "equal",
        "probe words",
        "seconds",
        title="Automata by behaviour",
    )
    rng = np.random.default_rng(0)
    for states, letters in SIZES:
        hidden = minimised(random_machine(states, letters, rng))
        length = 40
        network = MachineNetwork(hidden, length)
        started = time.perf_counter()
        limits = AutomatonSettings(letters=letters, states=4 * states)
        learnt = learn_automaton(network, ((0, letters - 1),), length, limits)
        taken = time.perf_counter() - started
        equal = learnt.machine is not None and first_difference(learnt.machine, hidden) is None
        found = learnt.status if learnt.machine is None else str(learnt.machine.states)
        table.add_row(
            f"{hidden.states:,}",
            str(letters),
            found,
            str(equal),
            str(learnt.probes),
            f"{taken:.2f}",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit of the enumerator")
    arguments = parser.parse_args()
    console = Console(width=150)
    time_enumerator(arguments.seconds, console)
    time_automata(console)


if __name__ == "__main__":
    main()
