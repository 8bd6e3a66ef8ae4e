"""The checks: each looks at one case and returns claims. A new check is one function here.

They run in the order of `registry.CHECKS`; a later one is given the claims of those before it.

Axes: N words, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from mips_jax.inputs import random_words
from mips_jax.machines import compare
from mips_jax.networks.precision import in_float32
from mips_jax.programs import compile_source, program_source
from mips_jax.sequences import Sequences
from mips_jax.verification.case import Case
from mips_jax.verification.claims import (
    Claim,
    How,
    error_bound,
    plain_letter,
    plain_word,
)
from mips_jax.verification.counterexamples import find_disagreement
from mips_jax.verification.patterns import pattern_of
from mips_jax.verification.proofs import refuted
from mips_jax.verification.running import FLOAT32, FLOAT64, Distances, run_network
from mips_jax.verification.samples import (
    WITH_RUNS,
    compared,
    distinct_words,
    drawn_otherwise,
    how_drawn,
    judged_at,
    words_with_runs,
)

SOURCE_CHECKS = 64  # words of each kind on which the printed program is run beside the interpreter
LONG_WORDS = 256  # words of each kind on which program and network are compared at other lengths
RUN_WORDS = 500  # words with long runs that the truth judges

Check = Callable[[Case, tuple[Claim, ...]], list[Claim]]


def unseen_by_truth(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """The truth on words that nothing has seen, or on all that there are."""
    if case.truth is None:
        return []
    sample = case.truth.judging
    shown = "all there are" if sample.complete else sample.words
    return [
        _of_program(case, "unseen", "truth", shown, sample.sequences)(
            complete=sample.complete,
            unseen=sample.count_unseen,
            distinct=len(sample.sequences),
        )
    ]


def known_to_training(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """What training and selection have seen, or every given example: none may be contradicted."""
    if case.truth is None:
        return []
    known = case.truth.known
    claim = _of_program(case, "known", "examples", case.truth.known_are, known)
    return [claim(rows=np.arange(len(known)), distinct=len(known))]


def long_by_truth(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """The truth at the long length, on words drawn alike and on words with long runs."""
    truth = case.truth
    if truth is None:
        return []
    if truth.long is None:
        reason = "what is right beyond the given examples is not known"
        length = case.settings.long_factor * case.length
        return [Claim("long", "program", "truth", "", length, How.NOT_TRIED, reason=reason)]
    count = len(truth.long)
    claims = [_of_program(case, "long", "truth", truth.judging.words, truth.long)(unseen=count)]
    words = words_with_runs(case.inputs, min(RUN_WORDS, count), case.long_length, case.rng(1))
    labelled = None if truth.label is None else truth.label(words)
    if labelled is not None:
        distinct = distinct_words(words)[0]
        claim = _of_program(case, "runs", "truth", WITH_RUNS, labelled)
        claims.append(claim(unseen=distinct, distinct=distinct))
    return claims


def _of_program(case: Case, check: str, equals: str, words: str, sequences: Sequences):
    """The claim that the program is right on labelled sequences; the rest is said by keyword."""
    wrote = case.program.run(sequences.inputs)

    def claim(**evidence) -> Claim:
        inputs, expected, judged = sequences.inputs, sequences.outputs, sequences.judged
        found = compared(
            check, "program", equals, words, inputs, wrote, expected, judged, **evidence
        )
        return judged_at(found, sequences)

    return claim


def fidelity(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """Program beside network, at the training length, twice that and the long one."""
    shown = how_drawn(case.inputs)
    lengths = dict.fromkeys((case.length, case.network.within(2 * case.length), case.long_length))
    claims, near, far = [], Distances(), Distances()
    for number, length in enumerate(lengths):
        if case.inputs.ordered and length != case.length:
            continue
        count = case.settings.fidelity_sequences if not number else LONG_WORDS
        words = random_words(case.inputs.uniform, count, length, case.rng(2 + number))
        found, distances = _beside_network(case, "fidelity", shown, words)
        claims.append(found)
        near, far = (distances, far) if not number else (near, far + distances)
    for words, check, shown in _further_words(case):
        found, distances = _beside_network(case, check, shown, words)
        claims.append(found)
        far = far + distances
    claims.append(integers_claim(near, case.length))
    return [*claims, integers_claim(far, case.long_length)] if far.steps else claims


def _further_words(case: Case) -> Iterator[tuple[np.ndarray, str, str]]:
    """Words on which rare things happen: (words [N, T, I], check, how they are drawn)."""
    if case.inputs.ordered:
        return
    if (likely := drawn_otherwise(case.inputs)) is not None:
        for number, length in enumerate((case.length, case.long_length)):
            words = random_words(case.inputs, LONG_WORDS, length, case.rng(14 + number))
            yield words, "fidelity_kinds", likely
    words = words_with_runs(case.inputs, LONG_WORDS, case.long_length, case.rng(7))
    yield words, "fidelity_runs", WITH_RUNS


def _beside_network(case: Case, check: str, shown: str, words: np.ndarray):
    """The claim that both agree on words [N, T, I], and the distances of the raw outputs."""
    expected, distances, numbers = run_network(case.network, words)
    distinct, unseen = distinct_words(words, case.seen)
    wrote = case.program.run(words)
    claim = compared(
        check,
        "program",
        "network",
        shown,
        words,
        wrote,
        expected,
        distinct=distinct,
        unseen=unseen,
        arithmetic=FLOAT64,
        numbers=numbers,
    )
    if claim.wrong:
        found = pattern_of(words, (wrote == expected).all(axis=2) & numbers)
        claim = dataclasses.replace(claim, pattern=None if found is None else str(found))
    return _with_repeated(claim, case), distances


def _with_repeated(claim: Claim, case: Case) -> Claim:
    """The claim with those disagreements only that the network shows again on the word alone."""
    kept = []
    for found in claim.disagreements:
        word = np.array(found.word, np.int64).reshape(1, len(found.word), -1)
        outputs, _, numbers = run_network(case.network, word)
        said = plain_letter(outputs[0, -1]) if numbers[0, -1] else None
        if said != found.wrote:
            truth = _truth_at_the_end(case, word)
            kept.append(dataclasses.replace(found, expected=said, truth=truth))
    return dataclasses.replace(claim, disagreements=tuple(kept))


def _truth_at_the_end(case: Case, word: np.ndarray) -> int | tuple[int, ...] | None:
    """What is right after a word [1, T, I], where somebody can be asked."""
    label = None if case.truth is None else case.truth.label
    labelled = None if label is None else label(word)
    if labelled is None or (labelled.judged is not None and not labelled.judged[0, -1]):
        return None
    return plain_letter(labelled.outputs[0, -1])


def integers_claim(distances: Distances, length: int) -> Claim:
    """That the network's raw outputs are integers, as far as `distances` tell."""
    wrong = distances.nonfinite + distances.beyond
    reason = None
    if distances.nonfinite:
        reason = f"{distances.nonfinite:,} of {distances.steps:,} outputs are NaN or infinite"
    return Claim(
        "integers",
        "network",
        "integers",
        "all words run",
        length,
        How.REFUTED if distances.nonfinite else How.MEASURED,
        count=distances.steps,
        agreement=1.0 - wrong / max(1, distances.steps),
        step_agreement=distances.mean,
        margin=distances.largest,
        wrong=wrong,
        arithmetic=FLOAT64,
        reason=reason,
    )


def after_transient(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """Program beside network once it has settled, where first steps are left unexplained."""
    if not case.transient or case.truth is not None:
        return []
    claims = []
    counts = {case.length: case.settings.fidelity_sequences, case.long_length: LONG_WORDS}
    for length, count in counts.items():
        words = random_words(case.inputs.uniform, count, length, case.rng(13))
        distinct, unseen = distinct_words(words, case.seen)
        expected, _distances, numbers = run_network(case.network, words)
        mask = np.broadcast_to(np.arange(length) >= case.transient, words.shape[:2])
        claim = compared(
            "settled",
            "program",
            "network",
            f"{how_drawn(case.inputs)}, after {case.transient} steps",
            words,
            case.program.run(words),
            expected,
            mask,
            distinct=distinct,
            unseen=unseen,
            arithmetic=FLOAT64,
            numbers=numbers,
        )
        claims.append(claim)
    return claims


def searched(case: Case, claims: tuple[Claim, ...]) -> list[Claim]:
    """Words that only a search meets; not where the truth judges: there they decide nothing."""
    work = case.settings.search_steps
    if (
        case.truth is not None
        or case.inputs.ordered
        or not work
        or any(c.how is How.REFUTED for c in claims)
    ):
        return []
    word, steps = find_disagreement(
        case.program, case.network, case.inputs, case.long_length, work, case.rng(8)
    )
    shown = "sought where the network's state is new"
    base = Claim(
        "search",
        "program",
        "network",
        shown,
        case.long_length,
        How.MEASURED,
        steps,
        unseen=steps,
        arithmetic=FLOAT64,
    )
    return [base if word is None else refuted(base, case, word)]


def against_machine(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """Program beside the machine read off the network: a note on the method, no claim about the
    network.
    """
    if case.machine is None:
        return []
    found = compare(case.program, case.machine)
    how = {True: How.PROVEN, False: How.REFUTED, None: How.NOT_TRIED}[found.equal]
    words = f"over the letters of the machine of {case.machine.states} states"
    claim = Claim(
        "program=machine", "program", "machine", words, None, how, reason=found.reason or None
    )
    if found.word is None:
        return [claim]
    return [claim, *_where_machine_and_program_differ(case, np.array(found.word))]


def _where_machine_and_program_differ(case: Case, word: np.ndarray) -> list[Claim]:
    """The network decides who is right on a word [T, I]: if the machine, the program is refuted."""
    wrote, _, _ = run_network(case.network, word[None])
    if np.array_equal(wrote[0, -1], case.program.run(word[None])[0, -1]):
        return []
    shown = "on which program and machine differ"
    base = Claim(
        "search", "program", "network", shown, len(word), How.MEASURED, 1, 1, arithmetic=FLOAT64
    )
    return [refuted(base, case, word)]


def in_single_precision(case: Case, claims: tuple[Claim, ...]) -> list[Claim]:
    """Program beside the network as most networks are deployed; not where the truth judges."""
    if case.truth is not None:
        return []
    network = in_float32(case.network)
    if network is None:
        reason = "the network is none of single precision"
        return [Claim("float32", "program", "network", "", None, How.NOT_TRIED, reason=reason)]
    found = []
    for number, length in enumerate(dict.fromkeys((case.length, case.long_length))):
        words = random_words(case.inputs.uniform, LONG_WORDS, length, case.rng(11 + number))
        expected, _, numbers = run_network(network, words)
        distinct, unseen = distinct_words(words, case.seen)
        found.append(
            compared(
                "float32",
                "program",
                "network",
                how_drawn(case.inputs),
                words,
                case.program.run(words),
                expected,
                distinct=distinct,
                unseen=unseen,
                arithmetic=FLOAT32,
                numbers=numbers,
            )
        )
    return found


def printed(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """The printed program beside the interpreter; a difference is a defect of the printer."""
    symbols = case.symbols
    run = compile_source(program_source(case.program, symbols=symbols))
    words = [
        random_words(case.inputs, SOURCE_CHECKS, case.length, case.rng(9)),
        words_with_runs(case.inputs, SOURCE_CHECKS // 4, case.long_length, case.rng(10)),
    ]
    count = 0
    for part in words:
        for word, outputs in zip(part, case.program.run(part)):
            letters, wanted = plain_word(word), list(plain_word(outputs))
            if symbols is not None:
                letters, wanted = symbols.read(letters), list(map(symbols.written, wanted))
            said = list(run(list(letters)))
            count += 1
            if said != wanted:
                raise RuntimeError(
                    "the printed program differs from what was verified, which is a defect of "
                    f"mips_jax; please report it:\n{case.program}\non {letters}: {said}, {wanted}"
                )
    return [
        Claim(
            "printed",
            "program",
            "program",
            "as printed, on random words",
            case.long_length,
            How.MEASURED,
            count,
            error_bound=error_bound(0, count),
        )
    ]
