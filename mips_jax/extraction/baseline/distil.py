"""distil_by_paper(network, input range): the method of Michaud et al. (arXiv 2402.05110, section 3)
from end to end.

Normalizers; then, for an affine network whose weights became integers, the network itself; then
hidden states as bits (inputs and outputs all 0 or 1) with Boolean regression; then hidden states as
integers on a lattice with linear and brute-force regression. Every stage that fails says so in a
status; nothing outside the paper is tried. Where the paper leaves a detail open (how clusters are
separated, which bits stand for a state, how far brute force goes) the choice is a generous one, so
that the score is no understatement.

Axes: W words, T time, N table rows, D lattice dimensions, S states, O outputs.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.budget import Guard, Share
from mips_jax.extraction.baseline.basis_change import affine_transition
from mips_jax.extraction.baseline.boolean_autoencoder import boolean_machine
from mips_jax.extraction.baseline.clusters import Clusters, find_clusters, is_function
from mips_jax.extraction.baseline.integer_network import integer_program, register_names
from mips_jax.extraction.baseline.lattice import IntegerCode
from mips_jax.extraction.baseline.lattice_finders import lattice_codes
from mips_jax.extraction.baseline.normalizers import Normalized, normalize
from mips_jax.extraction.baseline.rpn_regression import brute_force
from mips_jax.extraction.regression.boolean.minimise import ConflictError
from mips_jax.extraction.regression.regressor import affine_expression, integer_affine
from mips_jax.extraction.settings import ExtractionSettings
from mips_jax.extraction.traces import Traces, record
from mips_jax.inputs import InputRange, Inputs, input_names, random_words
from mips_jax.networks import MLPRNN, Network
from mips_jax.programs import Expression, Program, Register, Var, variables

LATTICE_POINTS = 3_000  # hidden states given to the lattice finders where there are no clusters


@dataclasses.dataclass(frozen=True)
class PaperResult:
    """One branch of the method.

    Attributes:
        method: `linear`, `boolean` or `integer`.
        program: what it found, or None.
        status: `found`, or the stage that failed and why.
        note: normalizers, lattice and regression in words.
    """

    method: str
    program: Program | None
    status: str
    note: str = ""


def distil_by_paper(
    network: Network,
    inputs: Inputs | InputRange,
    settings: ExtractionSettings | None = None,
    share: Share | None = None,
) -> list[PaperResult]:
    """Runs the paper's method on a network.

    Args:
        network: an `MLPRNN` (the paper's architecture); any other is refused with a status.
        inputs: bounds of every input, and which letters occur.
        settings: `words`, `length`, `seconds` and `seed` are used.
        share: values that brute force may compute; None: as many as its limits allow.

    Returns:
        The branches that were tried, in order; a linear program ends the search.
    """
    settings = settings or ExtractionSettings()
    if not isinstance(network, MLPRNN):
        return [
            PaperResult(
                "linear",
                None,
                "refused: the paper's normalizers need MLPs for transition and output",
            )
        ]
    share = share or Share(guard=Guard(settings.seconds))
    length = settings.length or network.trained_length or 10
    words = random_words(inputs, settings.words, length, np.random.default_rng(settings.seed))
    traces = record(network, words)
    normal, steps = normalize(network, traces)
    normal_traces = traces
    for step in steps:
        normal_traces = normal_traces if step.change is None else step.change.traces(normal_traces)
    note = _note(steps)
    results = [_linear_branch(normal, normal_traces, note)]
    if results[-1].program is None:
        clusters = find_clusters(normal_traces)
        results.append(_boolean_branch(normal_traces, clusters, Inputs.of(inputs).bounds, note))
        results += _integer_branch(normal, normal_traces, clusters, note, share)
    return results


def shortest(results: list[PaperResult]) -> PaperResult | None:
    """The result with the shortest program, or None where no branch found one."""
    found = [(r.program.description_length, i) for i, r in enumerate(results) if r.program]
    return results[min(found)[1]] if found else None


def _linear_branch(network: MLPRNN, traces: Traces, note: str) -> PaperResult:
    program, why = integer_program(network, traces)
    return PaperResult("linear", program, "found" if program else f"linear network: {why}", note)


def _boolean_branch(
    traces: Traces, clusters: Clusters | None, input_range: InputRange, note: str
) -> PaperResult:
    if (
        any(low < 0 or high > 1 for low, high in input_range)
        or traces.outputs.min() < 0
        or traces.outputs.max() > 1
    ):
        return PaperResult(
            "boolean", None, "boolean autoencoder: inputs and outputs are not all 0 or 1", note
        )
    if clusters is None:
        return PaperResult(
            "boolean", None, "boolean autoencoder: hidden states form no finite machine", note
        )
    inputs = input_names(len(input_range))
    bits = tuple(n for n in "pqrstuvw" if n not in inputs)[
        : max(int(clusters.count - 1).bit_length(), 0)
    ]
    before, letters, after, outputs = _steps(clusters.labels, traces)
    try:
        machine = boolean_machine(
            *(before, letters, after, outputs),
            names=[Var(b) for b in bits],
            inputs=[Var(i) for i in inputs],
            updated=[Var(b, updated=True) for b in bits],
        )
    except (
        ConflictError
    ) as conflict:  # excluded by find_clusters; kept as a status rather than a crash
        return PaperResult("boolean", None, f"boolean regression: {conflict}", note)
    if machine is None:
        return PaperResult(
            "boolean", None, f"boolean autoencoder: {clusters.count} states are too many", note
        )
    start = machine.patterns[clusters.labels[0, 0]] if len(bits) else ()
    registers = tuple(Register(b, int(s), e) for b, s, e in zip(bits, start, machine.next_bits))
    note = f"{note}; {clusters.count} states as {len(bits)} bits"
    return _checked("boolean", Program(inputs, registers, machine.outputs), note, traces)


def _integer_branch(
    network: MLPRNN, traces: Traces, clusters: Clusters | None, note: str, share: Share
) -> list[PaperResult]:
    later = traces.hidden[:, 1:].reshape(
        -1, network.hidden_dim
    )  # the start may lie apart: it is given, not learned
    points = clusters.centres if clusters is not None else later[:LATTICE_POINTS]
    origins = [np.zeros(network.hidden_dim), network.initial, points[0]]
    codes = lattice_codes(affine_transition(network, traces), points, origins)
    if not codes:
        kind = f"{clusters.count} clusters" if clusters is not None else "hidden states"
        return [
            PaperResult("integer", None, f"integer autoencoder: {kind} lie on no lattice", note)
        ]
    results = []
    for code in codes:
        if clusters is not None:
            integers = code.encode(clusters.centres)[clusters.labels]
        else:
            integers = code.encode(traces.hidden.reshape(-1, network.hidden_dim)).reshape(
                *traces.hidden.shape[:2], -1
            )
        results.append(_regress(integers, traces, _describe(code, note), share))
        if results[-1].program is not None:
            break
    return results


def _describe(code: IntegerCode, note: str) -> str:
    return f"{note}; {code.finder} lattice of dimension {code.dim}, residual {code.residual:.2g}"


def _regress(integers: np.ndarray, traces: Traces, note: str, share: Share) -> PaperResult:
    """Linear regression, then brute force, of next integers and outputs; integers [W, T + 1, D]."""
    before, letters, after, outputs = _steps(integers, traces)
    first = np.tile(np.arange(traces.length) == 0, traces.words.shape[0])
    known = (
        ~first
        if not is_function(np.column_stack([before, letters]), after)
        else np.ones(first.size, bool)
    )
    if not is_function(np.column_stack([before, letters])[known], after[known]):
        return PaperResult(
            "integer",
            None,
            "integer regression: the integers do not determine their successors",
            note,
        )
    if not is_function(after, outputs):
        return PaperResult(
            "integer", None, "integer regression: the integers do not determine the outputs", note
        )
    inputs, names = input_names(letters.shape[1]), register_names(integers.shape[2])
    state, read = [Var(n) for n in names], [Var(n) for n in inputs]
    updated = [Var(n, updated=True) for n in names]
    updates = _formulas(
        [*state, *read], np.column_stack([before, letters])[known].T, after[known].T, share
    )
    if updates is None:
        return PaperResult(
            "integer", None, "integer regression: no short formula for the next integers", note
        )
    written = _formulas(updated, after.T, outputs.T, share)
    if written is None:
        return PaperResult(
            "integer", None, "integer regression: no short formula for the output", note
        )
    for start in (
        np.zeros(len(names)),
        integers[0, 0],
    ):  # the transition often forgets its start at once
        registers = tuple(Register(n, int(s), u) for n, s, u in zip(names, start, updates))
        program = Program(inputs, registers, tuple(written))
        result = _checked("integer", program, note, traces)
        if result.program is not None:
            break
    return result


def _formulas(
    terms: list[Var], columns: np.ndarray, targets: np.ndarray, share: Share
) -> list[Expression] | None:
    """An exact affine formula for each target [M, N], else the shortest one by brute force; None
    where a target has neither.
    """
    found: list[Expression | None] = []
    for target in targets:
        affine = integer_affine(list(columns), target)
        found.append(None if affine is None else affine_expression(terms, *affine))
    missing = [m for m, formula in enumerate(found) if formula is None]
    if missing:
        rows = np.unique(np.concatenate([columns, targets[missing]]), axis=1)
        shortest_ones = brute_force(terms, rows[: len(columns)], rows[len(columns) :], share=share)
        for m, formula in zip(missing, shortest_ones):
            found[m] = formula
    formulas = [formula for formula in found if formula is not None]
    return formulas if len(formulas) == len(found) else None


def _steps(
    states: np.ndarray, traces: Traces
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Table rows: states [W, T + 1(, D)] -> before, letters [N, I], after, outputs [N, O]."""
    flat = lambda a: a.reshape(-1, *a.shape[2:])
    return flat(states[:, :-1]), flat(traces.words), flat(states[:, 1:]), flat(traces.outputs)


def _checked(method: str, program: Program, note: str, traces: Traces) -> PaperResult:
    """The paper's last test: the program must reproduce the network on every word."""
    if np.array_equal(program.run(traces.words), traces.outputs):
        return PaperResult(method, _live(program), "found", note)
    return PaperResult(method, None, f"{method}: the program gives other outputs", note)


def _live(program: Program) -> Program:
    """The program without registers that reach no output."""
    needed = {v.name for output in program.outputs for v in variables(output)}
    while True:
        read = {v.name for r in program.registers if r.name in needed for v in variables(r.update)}
        if read <= needed:
            return dataclasses.replace(
                program, registers=tuple(r for r in program.registers if r.name in needed)
            )
        needed |= read


def _note(steps: tuple[Normalized, ...]) -> str:
    return "; ".join(f"{step.name} {step.status} ({step.note})" for step in steps)
