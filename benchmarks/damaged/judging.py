"""What a result is worth, judged by the true machine and by the damaged network itself."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from benchmarks.damaged.damages import AT_ONCE, outputs
from benchmarks.damaged.languages import Language
from mips_jax.machines import Mealy, minimised
from mips_jax.networks import Network
from mips_jax.networks.precision import in_float32
from mips_jax.pipeline import Distillation
from mips_jax.programs import Program, Var
from mips_jax.verification.claims import Claim

SHORT_WORDS = 20_000  # all words up to a length, at most so many
LONG_WORDS, LONG = 2_000, 5  # words of so many times the training length
MOST_STATES, LARGEST = 2_000, 2**40  # states and registers, before states are left uncounted


@dataclasses.dataclass(frozen=True)
class Judged:
    """What came out for one network.

    Attributes:
        recovered: whether the program writes what the true machine does.
        states: of the program's minimal machine; None where it was not found out.
        bound: the least share of words that agree with the network, as is said; None: nothing is.
        measured: the share of fresh words that do; None without a program.
        unconfirmed: listed disagreements that the network does not show.
    """

    recovered: bool = False
    states: int | None = None
    bound: float | None = None
    measured: float | None = None
    unconfirmed: int = 0

    @property
    def bound_holds(self) -> bool:
        return None not in (self.bound, self.measured) and self.measured >= self.bound


def judged(
    found: Distillation, network: Network, language: Language, fresh: int, seed: int
) -> Judged:
    """Puts words of its own to program, true machine and network.

    Args:
        found: the result.
        network: the damaged one.
        language: the true machine.
        fresh: uniform words of the training length on which the agreement is measured.
        seed: of all words.
    """
    program = found.program
    if program is None:
        return Judged()
    rng = np.random.default_rng([seed, 1])
    claim = bounding(found, language.length)
    recovered = is_truth(program, language, rng)
    return Judged(
        recovered,
        language.machine.states if recovered else states(program, language.machine),
        None if claim is None else 1.0 - claim.error_bound,
        agreement(program, network, language, fresh, rng),
        sum(unconfirmed(claim, program, network) for claim in found.claims),
    )


def bounding(found: Distillation, length: int) -> Claim | None:
    """The claim that bounds how often program and network differ at the training length."""
    for claim in found.claims:
        if (claim.check, claim.length) == ("fidelity", length) and claim.error_bound is not None:
            return claim
    return None


def is_truth(program: Program, language: Language, rng: np.random.Generator) -> bool:
    """Whether program and machine agree on all short words and on long random ones."""
    machine = language.machine
    letters = len(machine.letters)
    longest = int(np.log(SHORT_WORDS) / np.log(letters) + 1e-9)
    short = np.array(list(itertools.product(range(letters), repeat=longest)))  # and what they begin
    long = language.drawn(rng, LONG_WORDS, LONG * language.length)
    return all(
        np.array_equal(program.run(machine.letters[words]), machine.run(words))
        for words in (short, long)
    )


def agreement(
    program: Program, network: Network, language: Language, fresh: int, rng: np.random.Generator
) -> float:
    """Share of fresh words on which both write the same at every step."""
    same = 0
    for start in range(0, fresh, AT_ONCE):
        words = language.drawn(rng, min(AT_ONCE, fresh - start), language.length)
        wrote = program.run(language.machine.letters[words])
        same += int((outputs(network, language, words) == wrote).all(axis=(1, 2)).sum())
    return same / fresh


def unconfirmed(claim: Claim, program: Program, network: Network) -> int:
    """Listed disagreements with the network that are none when both are run once more."""
    if claim.equals != "network" or claim.subject != "program":
        return 0
    if claim.arithmetic == "float32":
        network = in_float32(network) or network
    count = 0
    for d in claim.disagreements:
        word = np.array(d.word, np.int64).reshape(1, -1, network.input_dim)
        said = np.atleast_1d(d.expected).tolist()
        wrote = np.atleast_1d(d.wrote).tolist()
        again = (network.run(word)[1][0, -1].tolist(), program.run(word)[0, -1].tolist())
        count += again != (said, wrote) or said == wrote
    return count


def states(program: Program, machine: Mealy) -> int | None:
    """States of a program's minimal machine, by exploring its registers; None beyond a limit."""
    names = [register.name for register in program.registers]
    start = tuple(int(register.initial) for register in program.registers)
    order, number, rows = [start], {start: 0}, []
    for values in order:
        if len(order) > MOST_STATES or max(map(abs, values), default=0) > LARGEST:
            return None
        inputs = {Var(n): machine.letters[:, i] for i, n in enumerate(program.inputs)}
        held = {n: np.full(len(machine.letters), v, np.int64) for n, v in zip(names, values)}
        after, written = program.step(inputs, held)
        columns = [np.broadcast_to(after[n], len(machine.letters)).tolist() for n in names]
        reached = list(zip(*columns)) if names else [()] * len(machine.letters)
        for following in reached:
            if following not in number:
                number[following] = len(order)
                order.append(following)
        rows.append(([number[following] for following in reached], np.array(written).tolist()))
    transition, output = zip(*rows)
    return minimised(Mealy.of(machine.letters, transition, output)).states
