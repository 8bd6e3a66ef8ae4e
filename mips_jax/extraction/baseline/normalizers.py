"""The paper's five normalizers (section 3.2): whitening, Jordan form, Toeplitz, de-biasing, weight
quantization.

The first four are changes of the hidden basis and leave what the network computes unchanged.
Quantization rounds weights that came out close to an integer, and is taken back if any output
changes. A normalizer that cannot be applied safely is refused, and says why; the network then stays
as it is.

Axes: H hidden units, I inputs a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.extraction.baseline.basis_change import BasisChange, affine_transition
from mips_jax.extraction.baseline.jordan_form import JordanBlock, jordan_form
from mips_jax.extraction.traces import Traces, record
from mips_jax.networks import MLPRNN
from mips_jax.networks.heads import as_layers

LARGEST_CONDITION = 1e6
# Standard deviation, of the largest, below which whitening does not stretch a direction.
FLAT = 1e-6
FIXED = 1e-2  # singular values of 1 - W below it count as 0
QUANTUM = 0.01  # weights this close to an integer are rounded (the paper's epsilon)


@dataclasses.dataclass(frozen=True, eq=False)
class Normalized:
    """What one normalizer did.

    Attributes:
        name: of the normalizer.
        network: in the new basis, or the given one where the normalizer was refused.
        change: of basis; None for quantization and where refused.
        status: `applied` or `refused`.
        note: what was found, or why it was refused.
    """

    name: str
    network: MLPRNN
    change: BasisChange | None
    status: str
    note: str


def whiten(network: MLPRNN, traces: Traces) -> Normalized:
    """Rotates and scales so that hidden states along the words have mean 0 and covariance 1."""
    hidden = traces.hidden.reshape(-1, network.hidden_dim)
    mean = hidden.mean(0)
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(hidden.T)))
    deviations = np.sqrt(np.maximum(variances, 0.0))
    if not np.isfinite(deviations).all() or deviations.max() == 0.0:
        return _refused("whitening", network, "the hidden state never moves")
    flat = deviations < FLAT * deviations.max()
    scales = 1.0 / np.where(flat, deviations.max(), deviations)
    matrix = scales[:, None] * axes.T
    note = f"standard deviations {deviations.min():.2g} to {deviations.max():.2g}"
    note += f", {flat.sum()} flat" * bool(flat.any())
    return _applied("whitening", network, BasisChange(matrix, -matrix @ mean), note)


def to_jordan(network: MLPRNN, traces: Traces) -> Normalized:
    """Brings the linear part of the transition to real Jordan form."""
    matrix = affine_transition(network, traces).recurrent
    found = jordan_form(matrix)
    if found is None:
        eigenvalues = _short(np.linalg.eigvals(matrix))
        return _refused(
            "jordan", network, f"no well-conditioned Jordan form; eigenvalues {eigenvalues}"
        )
    blocks = ", ".join(f"{_short(b.eigenvalue)} x {b.size}" for b in found.blocks)
    return _applied(
        "jordan", network, BasisChange.linear(np.linalg.inv(found.basis)), f"blocks {blocks}"
    )


def toeplitz(network: MLPRNN, traces: Traces) -> Normalized:
    """Uses the freedom that Jordan form leaves: in each block the input enters the last component
    only, with weight 1.

    Upper triangular Toeplitz matrices commute with a Jordan block (and rotations with rotations),
    so the form is kept.
    """
    affine = affine_transition(network, traces)
    blocks = blocks_of(affine.recurrent)
    if blocks is None:
        return _refused("toeplitz", network, "the transition's linear part is not in Jordan form")
    matrix = np.eye(network.hidden_dim)
    unreached = 0
    for block in blocks:
        commuting = _input_to_last(affine.inputs[block.rows], block)
        if commuting is None:
            unreached += 1
        else:
            matrix[block.rows, block.rows] = commuting
    if unreached == len(blocks):
        return _refused("toeplitz", network, "no block is reached by an input")
    note = f"{len(blocks) - unreached} of {len(blocks)} blocks"
    return _applied("toeplitz", network, BasisChange.linear(matrix), note)


def debias(network: MLPRNN, traces: Traces) -> Normalized:
    """Moves the origin so that as much of the transition's bias as possible vanishes.

    The shift solves (1 - W) shift = -bias in the least-squares sense; what is left of the bias lies
    outside the range of 1 - W. A transition of several layers has no single bias; there the initial
    state becomes the origin.
    """
    affine = affine_transition(network, traces)
    if not affine.exact:
        return _applied(
            "debias",
            network,
            BasisChange.translation(-network.initial),
            "initial state to the origin",
        )
    residual = np.eye(network.hidden_dim) - affine.recurrent
    shift = np.linalg.lstsq(residual, -affine.bias, rcond=FIXED)[0]
    # Shifts that W leaves in place change no bias: they move the initial state as close to the
    # origin as they can.
    _, singular, right = np.linalg.svd(residual)
    fixed = right[singular <= FIXED * max(1.0, singular.max(initial=0.0))]
    shift = shift - fixed.T @ (fixed @ (network.initial + shift))
    if np.abs(shift).max(initial=0.0) > 1e6:
        return _refused("debias", network, "1 - W is nearly singular: the shift would be huge")
    left = affine.bias + residual @ shift
    return _applied(
        "debias",
        network,
        BasisChange.translation(shift),
        f"bias {_short(affine.bias)} -> {_short(left)}",
    )


def quantize(network: MLPRNN, traces: Traces) -> Normalized:
    """Rounds each weight, bias and initial value within `QUANTUM` of an integer, unless an output
    changes.

    Transition and output are taken together, else one of them, whichever leaves all outputs as they
    were.
    """

    def snap(a: np.ndarray) -> np.ndarray:
        return np.where(np.abs(a - np.rint(a)) <= QUANTUM, np.rint(a), a)

    layers = lambda stack: as_layers([(snap(w), snap(b)) for w, b in stack])
    candidates = {
        "transition": dataclasses.replace(
            network, transition=layers(network.transition), initial=snap(network.initial)
        ),
        "output": dataclasses.replace(network, output=layers(network.output)),
    }
    wrong = {part: _share_wrong(candidate, traces) for part, candidate in candidates.items()}
    both = dataclasses.replace(candidates["transition"], output=candidates["output"].output)
    kept, note = both, "all rounded"
    if _share_wrong(both, traces) > 0:
        part = min(wrong, key=lambda name: wrong[name])
        kept, note = candidates[part], f"only the {part} rounded: with the rest, outputs change"
    if _share_wrong(kept, traces) > 0:
        shares = ", ".join(f"{part}: {share:.1%}" for part, share in wrong.items())
        return _refused(
            "quantization", network, f"outputs change on a share of the words ({shares})"
        )
    weights = [*(a for layer in kept.transition + kept.output for a in layer), kept.initial]
    whole = sum(int((a == np.rint(a)).sum()) for a in weights)
    note += f"; {whole} of {sum(a.size for a in weights)} weights are integers"
    return Normalized("quantization", kept, None, "applied", note)


def _share_wrong(network: MLPRNN, traces: Traces) -> float:
    """Share of the words on which outputs differ."""
    return float((record(network, traces.words).outputs != traces.outputs).any(axis=(1, 2)).mean())


NORMALIZERS: dict[str, Callable[[MLPRNN, Traces], Normalized]] = {
    "whitening": whiten,
    "jordan": to_jordan,
    "toeplitz": toeplitz,
    "debias": debias,
    "quantization": quantize,
}


def normalize(network: MLPRNN, traces: Traces) -> tuple[MLPRNN, tuple[Normalized, ...]]:
    """All five, in the paper's order, each on the result of the one before."""
    steps = []
    for normalizer in NORMALIZERS.values():
        step = normalizer(network, traces)
        network = step.network
        traces = traces if step.change is None else step.change.traces(traces)
        steps.append(step)
    return network, tuple(steps)


def blocks_of(matrix: np.ndarray, tolerance: float = 0.03) -> tuple[JordanBlock, ...] | None:
    """Reads the blocks off a matrix in real Jordan form; None where it is not in that form, within
    the tolerance.
    """
    size, blocks, start = matrix.shape[0], [], 0
    expected = np.zeros_like(matrix)
    while start < size:
        end = start + 1
        value = complex(matrix[start, start])
        above, below = (matrix[start, end], matrix[end, start]) if end < size else (0.0, 0.0)
        if abs(above) > tolerance and abs(above + below) < tolerance:
            value, end = complex(matrix[start, start], matrix[start, end]), end + 1
            expected[start:end, start:end] = [[value.real, value.imag], [-value.imag, value.real]]
        else:
            near = lambda a, b: abs(a - b) <= tolerance
            while end < size and near(matrix[end - 1, end], 1) and near(matrix[end, end], value):
                end += 1
            expected[start:end, start:end] = value.real * np.eye(end - start) + np.eye(
                end - start, k=1
            )
        blocks.append(JordanBlock(start, end - start, value))
        start = end
    return tuple(blocks) if np.abs(matrix - expected).max() <= tolerance else None


def _input_to_last(inputs: np.ndarray, block: JordanBlock) -> np.ndarray | None:
    """The matrix that commutes with the block and sends its strongest input to (0, ..., 0, 1); None
    if none reaches it.

    Args:
        inputs: [K, I] the block's rows of the input weights.
        block: the block.
    """
    strength = np.hypot(*inputs) if block.is_rotation else np.abs(inputs[-1])
    column = inputs[:, int(np.argmax(strength))]
    if strength.max(initial=0.0) < 1e-3 * max(1.0, np.abs(inputs).max(initial=0.0)):
        return None
    if block.is_rotation:
        p, q = column / (column @ column)
        return np.array([[q, -p], [p, q]])
    # Coefficients t of 1, N, N^2, ... with sum_j t_j v_(i+j) = 0 for i < K - 1 and t_0 v_(K-1) = 1.
    size = block.size
    coefficients = np.zeros(size)
    coefficients[0] = 1.0 / column[-1]
    for j in range(1, size):
        row = size - 1 - j
        coefficients[j] = -(coefficients[:j] @ column[row : row + j]) / column[-1]
    matrix = np.sum([c * np.eye(size, k=j) for j, c in enumerate(coefficients)], axis=0)
    return matrix if np.linalg.cond(matrix) < LARGEST_CONDITION else None


def _applied(name: str, network: MLPRNN, change: BasisChange, note: str) -> Normalized:
    if not np.isfinite(change.condition) or change.condition > LARGEST_CONDITION:
        return _refused(
            name, network, f"the change of basis is ill conditioned ({change.condition:.1e})"
        )
    return Normalized(name, change.network(network), change, "applied", note)


def _refused(name: str, network: MLPRNN, why: str) -> Normalized:
    return Normalized(name, network, None, "refused", why)


def _short(values) -> str:
    flat = np.atleast_1d(values)
    texts = [
        f"{v.real:.3g}{v.imag:+.3g}i" if abs(v.imag) > 1e-6 else f"{v.real:.3g}"
        for v in flat.astype(complex)
    ]
    return texts[0] if np.ndim(values) == 0 else "(" + ", ".join(texts) + ")"
