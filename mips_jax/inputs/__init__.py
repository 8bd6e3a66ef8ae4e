"""The words that are put to a network: which letters there are, which words count, and what
examples show of both.
"""

from mips_jax.inputs.inputs import (
    WIDEST_INPUT,
    InputRange,
    Inputs,
    alphabet,
    input_names,
    input_range_problems,
    narrow_words,
    probe_letters,
    random_words,
)

__all__ = [
    "WIDEST_INPUT",
    "InputRange",
    "Inputs",
    "alphabet",
    "input_names",
    "input_range_problems",
    "narrow_words",
    "probe_letters",
    "random_words",
]
