"""The stage from a network to candidates; it hands on the network and its inputs, and no more."""

from __future__ import annotations

import dataclasses

import numpy as np

from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.machines import bisimilar
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.progress import Watch
from mips_jax.pipeline.settings import PipelineSettings
from mips_jax.verification.running import run_network
from mips_jax.verification.samples import words_with_runs

LONGER = (3, 3)  # times that the words grow, one after the other, as long as programs do not hold
LONGER_WORDS = 300
# of longer words: a program that follows the network on so many of them is kept, since the network
# errs now and then; where it counts further, or turns over, far more are wrong
RARELY_WRONG = 0.95
LARGEST_LONGER = 256  # hidden units; longer words of larger networks take minutes


def extracted(found: Distillation, settings: PipelineSettings, watch: Watch) -> Distillation:
    """Network -> candidates."""
    network, inputs = found.network, found.inputs
    if network is None:
        return found
    watch.begin("extract", "extracting")
    extraction = extract(network, inputs, settings.extraction)
    return dataclasses.replace(found, extraction=extraction, candidate=extraction.best)


def extracted_at_length(
    found: Distillation, settings: PipelineSettings, watch: Watch
) -> Distillation:
    """Like `extracted`, for a network of which nobody says how long its words were: where the
    program does not hold on longer words, these are looked at as well.

    The words that decide it are none of those that judge.
    """
    found = extracted(found, settings, watch)
    network, inputs = found.network, found.inputs
    if network is None or network.trained_length is not None:
        return found
    if settings.extraction.length is not None or inputs.ordered:
        return found
    if network.hidden_dim > LARGEST_LONGER:
        return found
    if found.extraction is not None and found.extraction.stand_in is not None:
        return found  # longer words only show more of its errors
    for factor in LONGER:
        longer = network.within(factor * _length(found))
        share = _agreement(found, longer, settings)
        if share >= RARELY_WRONG:
            break
        choices = dataclasses.replace(settings.extraction, length=longer)
        if _no_other_machine(found, choices):
            break
        again = extracted(found, dataclasses.replace(settings, extraction=choices), watch)
        if _agreement(again, longer, settings) > share:
            found = again
    return found


def _no_other_machine(found: Distillation, choices: ExtractionSettings) -> bool:
    """Whether a finite network only errs on longer words: no other machine closes on them."""
    network, extraction = found.network, found.extraction
    if network is None or extraction is None or extraction.machine is None:
        return False
    if choices.method not in ("auto", "automaton"):
        return False
    longer = extract(network, found.inputs, dataclasses.replace(choices, method="automaton"))
    other = longer.machine or longer.stand_in
    return other is None or bisimilar(other, extraction.machine)


def _length(found: Distillation) -> int:
    return 10 if found.extraction is None else found.extraction.length


def _agreement(found: Distillation, length: int, settings: PipelineSettings) -> float:
    """Share of words of some length on which program and network agree; -1 without a program."""
    network, program = found.network, found.program
    if network is None or program is None:
        return -1.0
    rng = np.random.default_rng((settings.verification.seed, 6))
    words = words_with_runs(found.inputs, LONGER_WORDS, length, rng)
    same = run_network(network, words)[0] == program.run(words)
    return float(same.all(axis=(1, 2)).mean())
