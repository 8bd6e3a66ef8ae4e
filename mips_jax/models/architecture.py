"""The shape of a trainable network, and which of two shapes is the smaller.

H hidden units, depth = affine layers of a ReLU MLP (1 = affine map), width = units of its hidden
layers.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Shape of h_t = f(h_(t-1), x_t), y_t = g(h_t).

    Attributes:
        hidden_dim: H >= 1.
        transition_width: hidden units of f (0 when `transition_depth` is 1, or the cell has no
            MLP).
        transition_depth: affine layers of f.
        output_width: hidden units of g (0 when `output_depth` is 1).
        output_depth: affine layers of g.
        cell: "mlp_rnn" (the paper's), "elman", "gru" or "lstm"; the last three read out with g as
            well.
    """

    hidden_dim: int
    transition_width: int = 0
    transition_depth: int = 1
    output_width: int = 0
    output_depth: int = 1
    cell: str = "mlp_rnn"

    @property
    def size(self) -> tuple[int, int, int]:
        """Sort key: hidden size first, then depth, then width, as in the paper's search."""
        depth = self.transition_depth + self.output_depth
        return (self.hidden_dim, depth, self.transition_width + self.output_width)

    @property
    def affine(self) -> bool:
        return self.cell == "mlp_rnn" and self.transition_depth == 1 and self.output_depth == 1

    def __str__(self) -> str:
        shape = lambda width, depth: "affine" if depth == 1 else f"{width}x{depth}"
        transition = (
            self.cell
            if self.cell != "mlp_rnn"
            else shape(self.transition_width, self.transition_depth)
        )
        return f"H={self.hidden_dim} f={transition} g={shape(self.output_width, self.output_depth)}"

    def covers(self, other: "Architecture") -> bool:
        """Whether `other` fits into this shape with some units switched off (equal cell and
        depths).
        """
        fixed = lambda a: (a.cell, a.transition_depth, a.output_depth)
        return (
            fixed(self) == fixed(other)
            and self.hidden_dim >= other.hidden_dim
            and self.transition_width >= other.transition_width
            and self.output_width >= other.output_width
        )
