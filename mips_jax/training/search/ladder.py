"""The ladder of architectures: which shapes are tried, and which of them train together in one
compiled population.

Hidden size counts first, then depth, then width. A wave is one population: several hidden sizes
(levels) share one padded shape, so a whole task usually needs one or two compiled programs, and
tasks share them.
"""

from __future__ import annotations

import dataclasses

from mips_jax.models import Architecture
from mips_jax.training.analysis import AffineResponse
from mips_jax.training.settings import IDENTIFIED, ModelSettings

LEVELS_TOGETHER = 4  # hidden sizes that train side by side
# affine populations are padded to a multiple of this hidden size: their cost is negligible
AFFINE_PADDING = 8


@dataclasses.dataclass(frozen=True)
class Wave:
    """Architectures that train together.

    Attributes:
        padded: the shape that covers them all (what is compiled).
        levels: the architectures, smallest first.
    """

    padded: Architecture
    levels: tuple[Architecture, ...]

    @property
    def name(self) -> str:
        first, last = self.levels[0], self.levels[-1]
        return str(first) if first == last else f"H={first.hidden_dim}..{str(last)[2:]}"

    @property
    def affine_transition(self) -> bool:
        """Whether f is affine and g is not."""
        return self.padded.transition_depth == 1 and not self.padded.affine

    def below(self, hidden_dim: int | None) -> tuple[Architecture, ...]:
        """The levels of smaller hidden sizes; all for None."""
        kept = (a for a in self.levels if hidden_dim is None or a.hidden_dim < hidden_dim)
        return tuple(kept)


def _architecture(model: ModelSettings, hidden_dim: int, depth: int, width: int) -> Architecture:
    output_width = max(1, round(model.output_width_ratio * width))
    if depth == 1:
        return Architecture(hidden_dim, cell=model.cell)
    if model.cell != "mlp_rnn":
        return Architecture(hidden_dim, 0, 1, output_width, depth, model.cell)
    return Architecture(hidden_dim, width, depth, output_width, depth, model.cell)


def affine_wave(
    model: ModelSettings, response: AffineResponse | None, levels: int = 1
) -> Wave | None:
    """Affine networks of the order that the data call for, if the settings allow them.

    Args:
        levels: hidden sizes that train side by side, from that order on. Networks that start from
            the data need one; from random weights, larger ones learn where the smallest does not.
    """
    if model.cell != "mlp_rnn" or 1 not in model.depths or response is None:
        return None
    allowed = sorted(h for h in model.hidden_dims if h >= response.order)[:levels]
    if not allowed:
        return None
    largest = -(-allowed[-1] // AFFINE_PADDING) * AFFINE_PADDING
    return Wave(Architecture(largest), tuple(Architecture(h) for h in allowed))


def ladder(
    model: ModelSettings, response: AffineResponse | None, start: str = IDENTIFIED
) -> list[Wave]:
    """Waves in the order in which they are tried: affine if the data are, then (where wanted) an
    affine transition with a readout of two layers (where it is perfect, smaller hidden sizes of the
    next shape have their chance, too), then ever larger shapes.

    Each later (depth, width) starts two hidden sizes further up: small sizes get their chance with
    small shapes, and hard tasks reach large shapes soon.
    """
    first = affine_wave(model, response, 1 if start == IDENTIFIED else LEVELS_TOGETHER)
    waves = [] if first is None else [first]
    hidden_dims = sorted(set(model.hidden_dims))
    depths = sorted(set(model.depths))
    if model.cell != "mlp_rnn":
        shapes = [
            (depth, width)
            for depth in depths
            for width in (sorted(set(model.widths)) if depth > 1 else [0])
        ]
        single = [
            _architecture(model, h, depth, width) for h in hidden_dims for depth, width in shapes
        ]
        return [Wave(architecture, (architecture,)) for architecture in single]
    shapes = [
        (depth, width) for depth in depths if depth > 1 for width in sorted(set(model.widths))
    ]
    if not shapes and not waves:
        shapes = [(1, 0)]
    if model.affine_transition and shapes:
        rung = [Architecture(h, 0, 1, min(model.widths), 2) for h in hidden_dims[:LEVELS_TOGETHER]]
        waves.append(Wave(rung[-1], tuple(rung)))
    for index, (depth, width) in enumerate(shapes):
        lowest = max(0, min(2 * index, len(hidden_dims) - LEVELS_TOGETHER))
        levels = [
            _architecture(model, h, depth, width)
            for h in hidden_dims[lowest : lowest + LEVELS_TOGETHER]
        ]
        waves.append(Wave(levels[-1], tuple(levels)))
    return waves
