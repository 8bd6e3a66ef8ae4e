"""Programs as a person would write them: plain terms, guards, and one of a few in each step."""

from mips_jax.extraction.plain.rewrite import reading_of, rewritten, riddles_of

__all__ = ["reading_of", "rewritten", "riddles_of"]
