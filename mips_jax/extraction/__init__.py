"""From a trained network, as plain arrays, to a program: numpy and sympy on the CPU; no labels, no
task, no jax.
"""

from mips_jax.extraction.extract import extract
from mips_jax.extraction.result import Candidate, Encoding, Extraction
from mips_jax.extraction.settings import ExtractionSettings

__all__ = ["Candidate", "Encoding", "Extraction", "ExtractionSettings", "extract"]
