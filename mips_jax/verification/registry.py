"""Every check; a new one is one function and one line."""

from __future__ import annotations

from mips_jax.verification.checks import (
    Check,
    after_transient,
    against_machine,
    fidelity,
    in_single_precision,
    known_to_training,
    long_by_truth,
    printed,
    searched,
    unseen_by_truth,
)
from mips_jax.verification.given_words import on_given_words
from mips_jax.verification.proofs import proven_for_all

CHECKS: dict[str, Check] = {
    "unseen": unseen_by_truth,
    "known": known_to_training,
    "long": long_by_truth,
    "fidelity": fidelity,
    "given": on_given_words,
    "settled": after_transient,
    "search": searched,
    "float32": in_single_precision,
    "program=machine": against_machine,
    "proof": proven_for_all,
    "printed": printed,
}
"""Every check by its name, in the order of running."""
