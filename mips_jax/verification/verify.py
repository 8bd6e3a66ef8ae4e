"""How far a program can be trusted: against the network, against the task, against the machine read
off the network.

Two proofs together hold for words of every length: the program equals the machine (their product is
explored to its end), and the machine equals the network (`proofs`).

Ground truth is used here, after extraction, and nowhere in it.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.figures import percent
from mips_jax.inputs import InputRange, Inputs, alphabet, random_words
from mips_jax.machines import Mealy, equals_machine
from mips_jax.networks import Network
from mips_jax.programs import Program, compile_source, program_source
from mips_jax.sequences import Sequences
from mips_jax.verification.enclosures.search import Proof, ProofSettings, prove_equal

_SOURCE_CHECKS = 64  # sequences on which the printed program is run beside the interpreter


@dataclasses.dataclass
class VerificationSettings:
    """How much is tested.

    Attributes:
        sequences: fresh sequences of the training length, >= 1 (the contract of `solved` asks for
            10,000).
        long_sequences: fresh sequences at the long length, >= 1.
        long_factor: the long length is this many times the training length, >= 1.
        fidelity_sequences: random sequences on which program and network are compared, >= 1.
        seed: of all of these, >= 0.
        proof_seconds: time limit of the proof that the network equals the machine read off it, >=
            0; 0: no such proof.
    """

    sequences: int = 10_000
    long_sequences: int = 1_000
    long_factor: int = 10
    fidelity_sequences: int = 4_096
    seed: int = 0
    proof_seconds: float = 5.0


def problems(settings: VerificationSettings) -> list[str]:
    """What is wrong with the settings, one sentence each (empty: nothing)."""
    return [
        f"verification.{field.name} is {value}; allowed: {least} or more"
        for field in dataclasses.fields(settings)
        if not (value := getattr(settings, field.name))
        >= (least := 0 if field.name in ("seed", "proof_seconds") else 1)
    ]


@dataclasses.dataclass(frozen=True)
class Verification:
    """What was measured or proven about a program.

    Attributes:
        test_accuracy: share of fresh sequences of the training length that are right at every step;
            None without a truth.
        test_sequences, test_length: how many and how long.
        long_accuracy: the same at the long length; None without a truth there.
        long_sequences, long_length: how many and how long.
        fidelity: share of random sequences of the training length on which program and network
            agree at every step.
        fidelity_sequences: how many.
        faithful_length: steps up to which program and network agreed on every random sequence,
            tested up to the long length.
        test_step_accuracy: share of single outputs of the test sequences that are right; with wrong
            labels among them it shows how many the program contradicts.
        equals_machine: True when the program was proven to equal the machine read off the network
            at every length, False when a word was found on which they differ, None without a
            (finite) machine or when the proof was too large.
        machine_states: states of that machine.
        network_equals_machine: True when the network itself was proven to write what the machine
            writes, at every length and for all inputs in range; False when a word was found on
            which they differ; None when neither (then only samples speak for it).
        network_differs_after: inputs in the word on which network and machine were found to differ
            in the search for a proof.
        network_margin: in the proof, the largest distance of any of the network's outputs from its
            integer, < 0.5.
    """

    test_accuracy: float | None
    test_sequences: int
    test_length: int
    long_accuracy: float | None
    long_sequences: int
    long_length: int
    fidelity: float
    fidelity_sequences: int
    faithful_length: int
    fidelity_words: str = "random sequences"
    every_input: bool = True
    test_step_accuracy: float | None = None
    equals_machine: bool | None = None
    machine_states: int | None = None
    network_equals_machine: bool | None = None
    network_differs_after: int | None = None
    network_margin: float | None = None

    @property
    def proven_equal_to_network(self) -> bool:
        """Program and network write the same at every length, for every input in range: both halves
        of the proof are there.
        """
        return self.equals_machine is True and self.network_equals_machine is True

    @property
    def solved(self) -> bool:
        """Exact on every fresh sequence of the training length; without a truth, on every sequence
        against the network.
        """
        return self.fidelity == 1.0 if self.test_accuracy is None else self.test_accuracy == 1.0

    @property
    def summary(self) -> str:
        """The evidence in one or two sentences."""
        parts = []
        if self.test_accuracy is not None:
            parts.append(
                f"right on {percent(self.test_accuracy)} of {self.test_sequences:,} unseen sequences of length {self.test_length}"
            )
        if self.long_accuracy is not None:
            parts.append(
                f"on {percent(self.long_accuracy)} of {self.long_sequences:,} of length {self.long_length}"
            )
        parts.append(
            f"agrees with the network on {percent(self.fidelity)} of {self.fidelity_sequences:,} {self.fidelity_words}"
        )
        if self.faithful_length > self.test_length:
            parts.append(f"and, on a sample, up to step {self.faithful_length}")
        if self.proven_equal_to_network:
            inputs = "in range" if self.every_input else "that occurs"
            parts.append(
                f"proven equal to the network itself at every length, for every input {inputs}"
            )
        elif self.equals_machine:
            plural = "s" if self.machine_states != 1 else ""
            parts.append(
                f"proven equal, at every length, to the machine of {self.machine_states} state{plural} read off the network"
            )
        if self.network_differs_after is not None:
            parts.append(
                f"but the network itself writes something else on a word of {self.network_differs_after} inputs"
            )
        text = ", ".join(parts)
        return text[0].upper() + text[1:]


def verify(
    program: Program,
    network: Network,
    inputs: Inputs | InputRange,
    length: int,
    test: Sequences | None,
    long: Sequences | None,
    machine: Mealy | None,
    settings: VerificationSettings,
) -> Verification:
    """Measures a program.

    Args:
        program: what to judge.
        network: what it was distilled from.
        inputs: of the random sequences.
        length: the training length.
        test: unseen sequences with their right outputs, or None where nobody knows the truth.
        long: the same at the long length.
        machine: the machine read off the network, if it is finite.
        settings: how much to test, and how long to try a proof.
    """
    inputs = Inputs.of(inputs)
    restricted = inputs.restricted
    # how inputs that depend on the past go on after the training length is not known
    long_length = length if inputs.ordered else settings.long_factor * length
    rng = np.random.default_rng((settings.seed, 4))
    words = random_words(inputs, settings.fidelity_sequences, length, rng)
    fidelity = float((network.run(words)[1] == program.run(words)).all(axis=(1, 2)).mean())
    faithful_length = _faithful_length(
        program, network, random_words(inputs, 256, long_length, rng)
    )
    _check_printed(program, words[:_SOURCE_CHECKS])
    equal = None if machine is None else equals_machine(program, machine)
    proof = None
    if equal and fidelity == 1.0 and faithful_length == long_length:
        proof = _network_proof(network, machine, inputs, settings.proof_seconds)
    # where program and machine are equal, a word that tells the program from the network tells the
    # machine from it too
    differs = equal and (proof is None or proof.word is not None)
    return Verification(
        test_accuracy=None if test is None else whole_sequence_accuracy(program, test),
        test_sequences=0 if test is None else len(test),
        test_length=length,
        long_accuracy=None if long is None else whole_sequence_accuracy(program, long),
        long_sequences=0 if long is None else len(long),
        long_length=long_length,
        fidelity=fidelity,
        fidelity_sequences=len(words),
        fidelity_words=_description(inputs) if restricted else "random sequences",
        every_input=not restricted,
        faithful_length=faithful_length,
        test_step_accuracy=None if test is None else step_accuracy(program, test),
        equals_machine=equal,
        machine_states=None if machine is None else machine.states,
        network_equals_machine=True if proof and proof.proven else False if differs else None,
        network_differs_after=len(proof.word) if proof and proof.word is not None else None,
        network_margin=proof.margin if proof else None,
    )


def _description(inputs: Inputs) -> str:
    return (
        "held-out sequences of inputs"
        if inputs.ordered
        else "random sequences of the inputs that occur"
    )


def _network_proof(network: Network, machine: Mealy, inputs: Inputs, seconds: float) -> Proof:
    """The proof for all inputs in range; a machine over other letters says nothing about some of
    them.
    """
    letters = alphabet(inputs, len(machine.letters))
    if letters is None or {tuple(row) for row in letters.tolist()} != {
        tuple(row) for row in machine.letters.tolist()
    }:
        return Proof(False, "not attempted: the machine does not read every input in range")
    return prove_equal(network, machine, ProofSettings(seconds=seconds))


def whole_sequence_accuracy(program: Program, sequences: Sequences) -> float:
    """Share of sequences that the program gets right at every (unmasked) step."""
    right = (program.run(sequences.inputs) == sequences.outputs).all(axis=2)
    if sequences.mask is not None:
        right |= ~sequences.mask
    return float(right.all(axis=1).mean())


def step_accuracy(program: Program, sequences: Sequences) -> float:
    """Share of single (unmasked) steps that the program gets right."""
    right = (program.run(sequences.inputs) == sequences.outputs).all(axis=2)
    return float(right.mean() if sequences.mask is None else right[sequences.mask].mean())


def _check_printed(program: Program, words: np.ndarray) -> None:
    """The printed program must do what the interpreter does; anything else is a defect of the
    printer.
    """
    printed = compile_source(program_source(program))
    expected = program.run(words)
    for word, outputs in zip(words, expected):
        inputs = [tuple(map(int, letter)) if len(letter) > 1 else int(letter[0]) for letter in word]
        wanted = [tuple(map(int, y)) if len(y) > 1 else int(y[0]) for y in outputs]
        got = printed(inputs)
        assert got == wanted, (
            f"the printed program differs from the interpreter:\n{program}\non {inputs}: {got} != {wanted}"
        )


def _faithful_length(program: Program, network: Network, words: np.ndarray) -> int:
    """Steps up to which program and network agree on all words [N, T, I]."""
    agree = (network.run(words)[1] == program.run(words)).all(axis=(0, 2))
    return len(agree) if agree.all() else int(np.argmin(agree))
