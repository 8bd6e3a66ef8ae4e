"""The method of Michaud et al. (arXiv 2402.05110) as published: the baseline for our own
extraction.
"""

from mips_jax.extraction.baseline.distil import PaperResult, distil_by_paper, shortest
from mips_jax.extraction.baseline.normalizers import NORMALIZERS, Normalized, normalize

__all__ = ["NORMALIZERS", "Normalized", "PaperResult", "distil_by_paper", "normalize", "shortest"]
