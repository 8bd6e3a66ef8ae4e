"""Program beside network on words that the user gave and extraction has not seen.

Axes: N words, T time, I inputs a step.
"""

from __future__ import annotations

import numpy as np

from mips_jax.verification.case import Case
from mips_jax.verification.checks import FLOAT64
from mips_jax.verification.claims import Claim
from mips_jax.verification.running import run_network
from mips_jax.verification.samples import compared, distinct_words


def on_given_words(case: Case, _: tuple[Claim, ...]) -> list[Claim]:
    """Words of many lengths: each counts to its end."""
    if case.given is None:
        return []
    words, ends = case.given
    expected, _distances, numbers = run_network(case.network, words)
    distinct, unseen = distinct_words(words, case.seen)
    claim = compared(
        "fidelity_given",
        "program",
        "network",
        "of those that were given",
        words,
        case.program.run(words),
        expected,
        np.arange(words.shape[1]) < ends[:, None],
        unseen=unseen,
        distinct=distinct,
        arithmetic=FLOAT64,
        numbers=numbers,
    )
    return [claim]
