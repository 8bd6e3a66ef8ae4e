"""Linear recurrences: networks whose output is an affine function of the input history.

Markov parameters (the impulse response) are estimated from the network's own outputs and rounded to
integers; a minimal realization over the rationals gives integer registers (Ho and Kalman 1966;
companion form), and integer changes of basis make it sparse enough to read.

Axes: W words, T time, I inputs, O outputs, K lags, D state dimension.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction.integer_algebra import (
    hermite_basis,
    independent_rows,
    solved_rows,
)
from mips_jax.extraction.regression.regressor import affine_expression
from mips_jax.extraction.traces import Traces
from mips_jax.inputs import input_names
from mips_jax.programs import Expression, Program, Register, Var, expression_bits, variables


@dataclasses.dataclass(frozen=True)
class Recurrence:
    """s_t = A s_(t-1) + B x_t + e, y_t = C s_(t-1) + D x_t + f over the integers.

    Attributes:
        transition: A [D, D].
        inputs: B [D, I].
        drift: e [D].
        readout: C [O, D].
        direct: D [O, I].
        offset: f [O].
        initial: s_0 [D].
    """

    transition: np.ndarray
    inputs: np.ndarray
    drift: np.ndarray
    readout: np.ndarray
    direct: np.ndarray
    offset: np.ndarray
    initial: np.ndarray


def impulse_response(traces: Traces) -> tuple[np.ndarray, np.ndarray] | None:
    """Integer Markov parameters of the network, or None when its outputs are not affine in the
    inputs.

    Returns:
        response [K, O, I] (effect of an input k steps later) and free [T, O] (outputs when every
        input is zero), K = T.
    """
    words, outputs = traces.words.astype(np.float64), traces.outputs.astype(np.float64)
    count, length, width = words.shape
    if count < 2 * length * width:
        return None
    response = np.zeros((length, outputs.shape[2], width))
    free = np.zeros((length, outputs.shape[2]))
    last = None
    for t in range(length):
        design = np.concatenate([words[:, t::-1].reshape(count, -1), np.ones((count, 1))], axis=1)
        last = np.linalg.lstsq(design, outputs[:, t], rcond=None)[0]
        rounded = np.rint(last)
        if not np.array_equal(design @ rounded, outputs[:, t]):
            return None
        coefficients = rounded[:-1].reshape(t + 1, width, -1).transpose(0, 2, 1)
        if t and not np.array_equal(coefficients[:t], response[:t]):
            return None  # not the same response at every step
        response[: t + 1] = coefficients
        free[t] = rounded[-1]
    return response.astype(np.int64), free.astype(np.int64)


def linear_program(traces: Traces) -> Program | None:
    """The integer recurrence that reproduces the traces exactly, or None when there is none of
    small order.
    """
    estimate = impulse_response(traces)
    if estimate is None:
        return None
    response, free = estimate
    best: Program | None = None
    for recurrence in _realizations(response, free):
        candidate = _program(recurrence)
        if np.array_equal(candidate.run(traces.words), traces.outputs):
            if best is None or candidate.description_length < best.description_length:
                best = candidate
    return best


def _realizations(response: np.ndarray, free: np.ndarray):
    """Integer realizations: a shift register for a finite response, else companion forms of the
    minimal order.
    """
    length, outputs, width = response.shape
    tail = np.flatnonzero(response.any(axis=(1, 2)))
    memory = int(tail[-1]) if len(tail) else 0
    constant = bool((free == free[0]).all())
    if constant and memory < length // 2 + 1:
        yield _shift_register(response[: memory + 1], free[0])
        return
    # The drift is one more input that is always 1: its step response is the free output.
    drift = np.diff(np.concatenate([np.zeros((1, outputs), np.int64), free]), axis=0)
    extended = response if not free.any() else np.concatenate([response, drift[:, :, None]], axis=2)
    for first in (1, 0):
        realization = _minimal(extended, first)
        if realization is not None:
            yield _sparse(_with_drift(realization, width))


def _with_drift(realization: tuple[np.ndarray, ...], width: int) -> Recurrence:
    """Splits the constant input, if there is one, off a realization."""
    transition, inputs, readout, direct = realization
    if inputs.shape[1] > width:
        drift, offset = inputs[:, width], direct[:, width]
    else:
        drift, offset = np.zeros(len(transition), np.int64), np.zeros(len(direct), np.int64)
    return Recurrence(
        transition,
        inputs[:, :width],
        drift,
        readout,
        direct[:, :width],
        offset,
        np.zeros(len(transition), np.int64),
    )


def _shift_register(response: np.ndarray, offset: np.ndarray) -> Recurrence:
    """The state holds the last inputs that matter, newest first."""
    memory, outputs, width = response.shape[0] - 1, *response.shape[1:]
    used = [i for i in range(width)]
    dimension = memory * len(used)
    transition, inputs = (
        np.zeros((dimension, dimension), np.int64),
        np.zeros((dimension, width), np.int64),
    )
    readout = np.zeros((outputs, dimension), np.int64)
    for k in range(memory):
        for i in used:
            if k == 0:
                inputs[i, i] = 1
            else:
                transition[k * width + i, (k - 1) * width + i] = 1
            readout[:, k * width + i] = response[k + 1, :, i]
    zero = np.zeros(dimension, np.int64)
    return Recurrence(transition, inputs, zero, readout, response[0], offset, zero)


def _minimal(response: np.ndarray, first: int):
    """Realization with integer matrices from Markov parameters [K, O, I], or None.

    The rows of the Hankel matrix that are independent give the state: the outputs that follow zero
    inputs, in the order of the first independent ones, so that the state is integer by
    construction.

    Args:
        response: Markov parameters.
        first: 1: the state starts with the next output (minimal); 0: with the output just written
            (as physicists write it).
    """
    length, outputs, width = response.shape
    future = length // 2
    past = length - future - 1
    block = lambda shift: np.block(
        [[response[i + j + shift] for j in range(past)] for i in range(future)]
    )
    hankel, shifted = block(first), block(first + 1) if first + future + past - 1 < length else None
    if shifted is None:
        return None
    basis = independent_rows(hankel)
    if not basis or max(basis) + outputs >= hankel.shape[0] or len(basis) >= past * width:
        return None
    transition = solved_rows(hankel[basis], shifted[basis])
    readout = solved_rows(hankel[basis], block(1)[:outputs])
    state = hankel[basis]
    if (
        transition is None or readout is None
    ):  # several outputs: the lattice that all rows generate has an integer transition
        if np.abs(shifted).max() > 2**24:
            return None
        lattice = hermite_basis(np.concatenate([hankel, shifted], axis=1))
        if lattice is None:
            return None
        state, following = np.split(lattice[: len(basis)], 2, axis=1)
        transition, readout = solved_rows(state, following), solved_rows(state, block(1)[:outputs])
        if transition is None or readout is None:
            return None
    return transition, state[:, :width], readout, response[0]


def _sparse(recurrence: Recurrence) -> Recurrence:
    """The integer change of basis that gives the shortest program, by descent from several random
    bases.

    Moves are elementary (row i += or -= row j, a sign); descent follows a crude count of matrix
    entries, and the few best bases are compared by the programs that they print.
    """
    dimension = len(recurrence.transition)
    if dimension < 2 or dimension > 10:
        return recurrence
    rng = np.random.default_rng(0)
    moves = []
    for i, j, s in [
        (i, j, s) for i in range(dimension) for j in range(dimension) if j != i for s in (1, -1)
    ] + [(i, i, -2) for i in range(dimension)]:
        change = np.eye(dimension, dtype=np.int64)
        change[i, j] += s
        moves.append(change)
    ends: dict[bytes, Recurrence] = {}
    for restart in range(24 if dimension <= 5 else 6):
        current = recurrence
        for _ in range(restart % 8):
            current = _changed(current, moves[rng.integers(len(moves))])
        cost = _entries(current)
        while True:
            options = [_changed(current, change) for change in moves]
            costs = [_entries(o) for o in options]
            best = int(np.argmin(costs))
            if costs[best] >= cost:
                break
            current, cost = options[best], costs[best]
        ends[
            current.transition.tobytes() + current.readout.tobytes() + current.inputs.tobytes()
        ] = current
    few = sorted(ends.values(), key=_entries)[:12]
    return min(few, key=lambda r: _program(r).description_length)


def _changed(r: Recurrence, change: np.ndarray) -> Recurrence:
    """New state = change @ old state, for an elementary (unimodular) change."""
    inverse = np.rint(np.linalg.inv(change)).astype(np.int64)
    return Recurrence(
        change @ r.transition @ inverse,
        change @ r.inputs,
        change @ r.drift,
        r.readout @ inverse,
        r.direct,
        r.offset,
        change @ r.initial,
    )


def _entries(r: Recurrence) -> float:
    """Entries to write in all matrices; the identity in the transition is free, and so is an output
    that is an updated register.
    """
    weigh = lambda m: float((m != 0).sum() + 0.5 * np.abs(m).sum())
    rows = np.concatenate([r.transition, r.inputs, r.drift[:, None]], axis=1)
    wanted = np.concatenate([r.readout, r.direct, r.offset[:, None]], axis=1)
    outputs = sum(min([weigh(w), *(0.3 + weigh(w - row) for row in rows)]) for w in wanted)
    plain = rows.copy()
    plain[:, : len(rows)] -= np.eye(len(rows), dtype=np.int64)
    # a row may also be written as another's new value plus a remainder (position += new velocity)
    updates = 0.0
    for d in range(len(rows)):
        others = [0.3 + weigh(plain[d] - rows[e]) for e in range(len(rows)) if e != d]
        updates += min([weigh(plain[d]), weigh(rows[d]), *others])
    return updates + outputs


def _program(r: Recurrence) -> Program:
    names = input_names(r.inputs.shape[1])
    registers = _register_names(r, names)
    old = [Var(n) for n in registers]
    inputs = [Var(n) for n in names]
    updates = {}
    for d, name in enumerate(registers):
        updates[name] = affine_expression(
            [*old, *inputs], [*r.transition[d], *r.inputs[d]], int(r.drift[d])
        )
    rows = np.concatenate([r.transition, r.inputs, r.drift[:, None]], axis=1)
    outputs = []
    for o in range(len(r.readout)):
        outputs.append(
            _shortest(
                np.concatenate([r.readout[o], r.direct[o], [r.offset[o]]]),
                rows,
                registers,
                [*old, *inputs],
            )
        )
    order: list[str] = []
    done: list[str] = []
    for d, name in enumerate(registers):
        others = [e for e in range(len(registers)) if e != d]
        short = _shortest(rows[d], rows[others], [registers[e] for e in others], [*old, *inputs])
        reads = {v.name for v in variables(short) if v.updated}
        if reads <= set(done):
            updates[name] = short
        done.append(name)
        order.append(name)
    # a later register may feed an earlier one: try the reverse order as well
    alternative = _reordered(r, rows, registers, [*old, *inputs])
    chosen = min((updates, alternative), key=lambda u: sum(expression_bits(e) for e in u.values()))
    return Program(
        names,
        tuple(Register(n, int(r.initial[registers.index(n)]), chosen[n]) for n in chosen),
        tuple(outputs),
    )


def _reordered(r: Recurrence, rows, registers, terms) -> dict[str, Expression]:
    updates: dict[str, Expression] = {}
    for d in reversed(range(len(registers))):
        done = [registers.index(n) for n in updates]
        updates[registers[d]] = (
            _shortest(rows[d], rows[done], [registers[e] for e in done], terms)
            if done
            else affine_expression(terms, [int(c) for c in rows[d][:-1]], int(rows[d][-1]))
        )
    return updates


def _shortest(wanted: np.ndarray, rows: np.ndarray, names: list[str], terms: list[Var]):
    """The affine form `wanted` (coefficients of the terms, then the offset), perhaps as an updated
    register plus a remainder.
    """

    def written(coefficients, register=None):
        all_terms = [*terms, *([Var(register, updated=True)] if register else [])]
        values = [int(c) for c in coefficients[:-1]] + ([1] if register else [])
        return affine_expression(all_terms, values, int(coefficients[-1]))

    choices = [written(wanted)] + [written(wanted - row, name) for row, name in zip(rows, names)]
    return min(choices, key=expression_bits)


def _register_names(r: Recurrence, inputs: tuple[str, ...]) -> list[str]:
    """`previous`, `previous2`, ... for shift registers, else `s`, `r`, ... as people name them."""
    dimension, width = r.inputs.shape
    shift = (
        _shift_register(
            np.concatenate(
                [r.direct[None], r.readout.reshape(len(r.readout), -1, width).transpose(1, 0, 2)]
            ),
            r.offset,
        )
        if dimension % width == 0
        else None
    )
    if (
        shift is not None
        and np.array_equal(shift.transition, r.transition)
        and np.array_equal(shift.inputs, r.inputs)
    ):
        lag = lambda k: "previous" + (str(k + 1) if k else "")
        return [
            lag(d // width) + (f"_{inputs[d % width]}" if width > 1 else "")
            for d in range(dimension)
        ]
    if dimension == 1:
        return ["total"]
    return [f"s{d + 1}" for d in range(dimension)]
