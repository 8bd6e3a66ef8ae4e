"""Programs as a person would write them: plain terms, guards, and one of a few in each step."""

from mips_jax.extraction.plain.names import names_for
from mips_jax.extraction.plain.of_machine import cells_of, programs_of
from mips_jax.extraction.plain.rewrite import reading_of, rewritten, riddles_of

__all__ = ["cells_of", "names_for", "programs_of", "reading_of", "rewritten", "riddles_of"]
