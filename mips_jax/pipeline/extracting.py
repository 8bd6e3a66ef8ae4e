"""The stage from a network to candidates; it hands on the network and its inputs, and no more."""

from __future__ import annotations

import dataclasses

from mips_jax.extraction import extract
from mips_jax.pipeline.distillation import Distillation
from mips_jax.pipeline.progress import Watch
from mips_jax.pipeline.settings import PipelineSettings


def extracted(found: Distillation, settings: PipelineSettings, watch: Watch) -> Distillation:
    """Network -> candidates."""
    network, inputs = found.network, found.inputs
    if network is None:
        return found
    watch.begin("extract", "extracting")
    extraction = extract(network, inputs, settings.extraction)
    return dataclasses.replace(found, extraction=extraction, candidate=extraction.best)
