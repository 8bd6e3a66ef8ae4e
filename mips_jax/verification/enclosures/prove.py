"""From a network and a program to a certificate that the independent check accepts, or to why there
is none.

Axes: T time, I inputs a step, A letters.
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from mips_jax.check import check
from mips_jax.inputs import InputRange
from mips_jax.machines import Mealy, minimised
from mips_jax.networks import MLPRNN, Network
from mips_jax.programs import Program, program_source
from mips_jax.verification.enclosures.adversary import failing_word
from mips_jax.verification.enclosures.instructions import Instructions, instructions_of
from mips_jax.verification.enclosures.search import Proof, ProofSettings, obstacle, prove_equal
from mips_jax.verification.enclosures.sums import (
    Recurrences,
    box_for_every_length,
    breaking_words,
    recurrences,
    steps_that_round_right,
)
from mips_jax.verification.enclosures.unfolded import unfolded
from mips_jax.verification.enclosures.written import (
    FLOAT32_BITS,
    FLOAT64_BITS,
    certificate_of,
    graph_record,
    sums_record,
)

ARITHMETICS = {  # by bits of the significand; what holds in the first holds in the second
    FLOAT32_BITS: "float32 and float64, in any order of summation",
    FLOAT64_BITS: "float64, in any order of summation",
}
MOST_STEPS = 1000  # of words whose number is bounded, where all are followed at once
MOST_BOXED = 100  # the same where they are followed box by box
_SHARE_OF_TIME = 0.3  # of the limit, for words of bounded length
_SHARE_OF_WORK = 0.3  # the same of the work that is left
_PERIODS = (1, 2, 4, 8, 16, 32)  # steps after which a linear network has forgotten
_STATES = 3000  # of a program that is unfolded
_BREAKING = 4_000  # steps of the longest breaking word that is looked for
_HASTY, _THOROUGH = 30_000, 800_000  # steps of the network in the search for a failing word
_MANY = 2000  # hidden states side by side where a shorter failing word is looked for
_SMALL = 6000  # weights of a network of which a step is one of work
_REFUSED = "the independent check would take too long, or refuses"
_COST_OF_AN_EDGE = 600  # of the independent check, in microseconds
_COST_OF_A_CURVE = 150  # the same
_COST_OF_A_CHECK = 22_000_000  # some 20 seconds of Python
_WORK_OF_SUMS = 120_000  # generators times coordinates of one stepped set: some 250 steps


@dataclasses.dataclass(frozen=True)
class Proven:
    """What is known of a network and a program.

    Attributes:
        certificate: accepted by `mips_jax.check`; None where nothing is proven.
        bits: of its arithmetic.
        steps: most steps of the words that it is about; None: any number.
        margin: largest distance of any output from its integer, where it was measured.
        word: [T, I] on which the two differ at the last step; None where none is known.
        reason: why not every length is proven; None where it is.
    """

    certificate: dict | None = None
    bits: int = FLOAT64_BITS
    steps: int | None = None
    margin: float | None = None
    word: np.ndarray | None = None
    reason: str | None = None

    @property
    def every_length(self) -> bool:
        return self.certificate is not None and self.steps is None


def prove(
    network: Network,
    program: Program,
    bounds: InputRange,
    letters: np.ndarray | None,
    machine: Mealy | None,
    settings: ProofSettings,
) -> Proven:
    """Tries every length first, then as long words as can be had.

    Args:
        network: anything; what has `instructions` is tried.
        program: what was distilled from it.
        bounds: of the inputs.
        letters: [A, I] all that occur; None where they are too many.
        machine: proven equal to the program, over the letters; or None.
        settings: limits.
    """
    hindrance = obstacle(network, letters, settings)
    if hindrance:
        return Proven(reason=f"not attempted: {hindrance}")
    source = program_source(program, lists=False)
    both = recurrences(network, source, bounds) if isinstance(network, MLPRNN) else None
    if both is not None and isinstance(network, MLPRNN) and _is_whole(bounds, letters):
        return _sums(network, program, source, bounds, both)
    if letters is None:
        return Proven(reason="not attempted: too many different inputs")
    asked = _Asked(
        network,
        program,
        source,
        letters,
        settings.work,
        settings.seconds,
        time.monotonic() + settings.seconds,
        settings.nodes,
    )
    return _by_boxes(asked, machine)


def _is_whole(bounds: InputRange, letters: np.ndarray | None) -> bool:
    """Whether every letter within the bounds occurs."""
    return letters is None or len(letters) == np.prod([high - low + 1.0 for low, high in bounds])


def _accepted(certificate: dict, source: str) -> str | None:
    """Why the independent check refuses a certificate, or None."""
    try:
        check(certificate, source.encode())
    except Exception as error:  # whatever it stumbles over is no proof
        return str(error) or type(error).__name__
    return None


def _sums(
    network: MLPRNN, program: Program, source: str, bounds: InputRange, both: Recurrences
) -> Proven:
    """Network and program are linear recurrences."""
    ends = [[int(low), int(high)] for low, high in bounds]
    found: dict[int, int] = {}
    for bits in ARITHMETICS:
        for period in _PERIODS:
            box = box_for_every_length(network, both, bits, period)
            if box is None:
                break
            certificate = certificate_of(
                network, sums_record(ends, period, box), bits, None, source
            )
            if _accepted(certificate, source) is None:
                return Proven(certificate, bits)
        found[bits], broken = steps_that_round_right(
            network, source, bounds, bits, MOST_STEPS, _WORK_OF_SUMS
        )
        if not broken:  # finer arithmetic would be followed no further
            break
    bits = max(found, key=lambda b: (found[b], -b))
    steps, word = found[bits], _breaking_word(network, program, both, found[bits])
    reason = "its sums have no end, and their weights are not exact"
    if not steps:
        return Proven(word=word, reason=reason)
    certificate = certificate_of(network, sums_record(ends, steps), bits, steps, source)
    refused = _accepted(certificate, source)
    if refused:
        return Proven(word=word, reason=refused)
    return Proven(certificate, bits, steps, None, word, reason)


def _breaking_word(
    network: MLPRNN, program: Program, both: Recurrences, steps: int
) -> np.ndarray | None:
    """A word beyond `steps` that is found by pulling one way, run to be sure: by doubling, and then
    the shortest of its kind by halving.
    """
    wrong, right, length = None, steps, steps + 1
    while length <= _BREAKING and wrong is None:
        wrong = _pulled_apart(network, program, both, length)
        right, length = (right, length) if wrong is not None else (length, 2 * length)
    while wrong is not None and right + 1 < len(wrong):
        shorter = _pulled_apart(network, program, both, (right + len(wrong)) // 2)
        right, wrong = (
            (right, shorter) if shorter is not None else ((right + len(wrong)) // 2, wrong)
        )
    return wrong


def _pulled_apart(
    network: MLPRNN, program: Program, both: Recurrences, length: int
) -> np.ndarray | None:
    """A word of at most `length` steps on which the two differ, pulled one way; or None."""
    found = []
    for word in breaking_words(both, length):
        with np.errstate(over="ignore", invalid="ignore"):
            said = network.run(word[None])[1][0]
        wrong = (said != program.run(word[None])[0]).any(axis=1)
        if wrong.any():
            found.append(word[: int(wrong.argmax()) + 1])
    return min(found, key=len, default=None)


@dataclasses.dataclass
class _Asked:
    """One network and program, and what is left of the limits."""

    network: Network
    program: Program
    source: str
    letters: np.ndarray
    left: float
    seconds: float
    deadline: float
    nodes: int

    def proof(self, machine: Mealy, bits: int, steps: int | None, share: float = 1.0) -> Proof:
        """One search, with a share of the work that is left."""
        seconds = self.deadline - time.monotonic()
        limits = ProofSettings(max(self.left * share, 0.0), max(seconds, 0.0), self.nodes)
        found = prove_equal(self.network, machine, limits, bits, steps)
        self.left -= found.spent
        return found

    def failing_word(self, steps: int) -> np.ndarray | None:
        """A word on which the two differ, looked for in so many steps of a small network."""
        rules = instructions_of(self.network)
        assert isinstance(rules, Instructions), rules
        spent = int(min(steps, self.left) / max(1.0, rules.weights / _SMALL))
        asked = (self.network, self.program, self.letters)
        word = shorter = failing_word(*asked, spent)
        while shorter is not None and len(shorter) > 1:
            word = shorter
            shorter = failing_word(*asked, spent, len(word) - 1, _MANY)
        return word if shorter is None else shorter

    def certified(
        self, machine: Mealy, bits: int, steps: int | None, proof: Proof
    ) -> Proven | None:
        """What the independent check makes of a proof; None where it refuses."""
        if not proof.proven or proof.enclosure is None:
            return None
        rules = instructions_of(self.network)
        assert isinstance(rules, Instructions), rules
        curves = sum(len(one[3]) for one in rules.step if one[0] in ("tanh", "sigmoid"))
        columns = 2 + len(rules.initial)
        edge = _COST_OF_AN_EDGE + rules.weights * columns / 8 + _COST_OF_A_CURVE * curves
        edges = sum(len(self.letters) ** k for k in range(1, 1 + proof.enclosure.choices.shape[1]))
        edges *= len(proof.enclosure.successor)
        if edges * edge > _COST_OF_A_CHECK / (1 if steps is None else 6):
            return None
        method = graph_record(machine, proof.enclosure)
        certificate = certificate_of(self.network, method, bits, steps, self.source)
        if _accepted(certificate, self.source) is not None:
            return None
        return Proven(certificate, bits, steps, proof.margin)


def _by_boxes(asked: _Asked, machine: Mealy | None) -> Proven:
    """A finite machine if there is one, else what words of some length reach of the program; but a
    word that fails at once spares the search for a proof.
    """
    if machine is None:
        found = unfolded(asked.program, asked.letters, _STATES, _STATES)
        machine = minimised(found[0]) if found and found[1] else None
    hidden = len(asked.network.initial)  # with many units a proof is dearer than a longer look
    word = asked.failing_word(_HASTY * max(1, hidden // 4))
    best = Proven(word=word, reason="the program has no finite number of states")
    if word is not None:
        best = Proven(word=word, reason=f"they differ on a word of {len(word)} inputs")
    for bits in ARITHMETICS if machine is not None and best.word is None else ():
        assert machine is not None
        proof = asked.proof(machine, bits, None, share=0.4)
        proven = asked.certified(machine, bits, None, proof)
        if proven is not None:
            return proven
        best = Proven(word=proof.word, reason=proof.reason or _REFUSED)
        if proof.word is not None:
            break
    if best.word is None:
        best = dataclasses.replace(best, word=asked.failing_word(_THOROUGH))
    return _up_to(asked, machine, best)


def _up_to(asked: _Asked, machine: Mealy | None, best: Proven) -> Proven:
    """As long words as can be had, by doubling and then halving; a word on which the two differ is
    a limit of its own.

    Args:
        asked: network and program.
        machine: the whole program; None where it has no end.
        best: what is known.
    """
    asked.deadline = time.monotonic() + _SHARE_OF_TIME * asked.seconds
    asked.left *= _SHARE_OF_WORK
    reached, beyond = 0, MOST_BOXED + 1 if best.word is None else len(best.word)
    while reached + 1 < beyond and asked.left > 0 and time.monotonic() < asked.deadline:
        steps = min(max(1, 2 * reached), beyond - 1)
        if (reached and best.word is not None) or beyond <= 2 * reached:
            steps = (reached + beyond) // 2
        proven, word = _bounded(asked, machine, steps)
        if word is not None and len(word) < beyond:
            beyond, best = len(word), dataclasses.replace(best, word=word)
        elif proven is None:
            beyond = steps
        else:
            reached = steps
            best = dataclasses.replace(proven, word=best.word, reason=best.reason)
    return best


def _bounded(asked: _Asked, machine: Mealy | None, steps: int):
    """A proof for words of at most `steps` steps; or a word on which the two differ."""
    if machine is None:
        found = unfolded(asked.program, asked.letters, steps, _STATES)
        if found is None:
            return None, None
        machine = found[0]
    for bits in ARITHMETICS:
        proof = asked.proof(machine, bits, steps, share=0.1)
        if proof.word is not None:
            return None, proof.word
        proven = asked.certified(machine, bits, steps, proof)
        if proven is not None:
            return proven, None
    return None, None
