"""A first look at a network that somebody brings: does it write integers at all, and more than one?

Axes: N words, T time, I inputs a step.
"""

from __future__ import annotations

import numpy as np

from mips_jax.inputs import Inputs
from mips_jax.networks import Network
from mips_jax.verification.checks import integers_claim
from mips_jax.verification.claims import Claim
from mips_jax.verification.running import run_network
from mips_jax.verification.samples import words_with_runs
from mips_jax.verification.settings import VerificationSettings
from mips_jax.verification.verdict import Outcome, Verdict, verdict_on_integers

WORDS = 500  # of each kind
DEFAULT_LENGTH = 10  # of words for networks of which nobody says how long theirs were


def surveyed(
    network: Network, inputs: Inputs, settings: VerificationSettings
) -> tuple[tuple[Claim, ...], Verdict | None]:
    """What was seen of a network, and the verdict if there is nothing to extract.

    Args:
        network: any network.
        inputs: that it reads.
        settings: the seed of the words, which are no others' words.
    """
    rng = np.random.default_rng((settings.seed, 5))
    length = network.within(network.trained_length or DEFAULT_LENGTH)
    found = run_network(network, inputs.words(WORDS, length, rng))[1]
    if not inputs.ordered:
        found = found + run_network(network, words_with_runs(inputs, WORDS, length, rng))[1]
    claim = integers_claim(found, length)
    verdict = verdict_on_integers([claim])
    if verdict is None and len(found.values) == 1:
        values = next(iter(found.values))
        written = values[0] if len(values) == 1 else list(values)
        verdict = Verdict(
            Outcome.CONSTANT,
            f"the network wrote {written} after each of {found.steps:,} inputs: there is nothing "
            "to explain (is it trained? are network.input_min, encoding and head right?)",
        )
    return (claim,), verdict
