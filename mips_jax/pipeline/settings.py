"""Everything that can be chosen for one job."""

from __future__ import annotations

import dataclasses

from mips_jax.errors import RequestError
from mips_jax.extraction import ExtractionSettings
from mips_jax.extraction.request import problems as extraction_problems
from mips_jax.training.settings import TrainingSettings
from mips_jax.validation import bounds, checked
from mips_jax.verification import VerificationSettings
from mips_jax.verification.settings import MOST_SEQUENCES


@dataclasses.dataclass
class PipelineSettings:
    """Everything that can be chosen for one job.

    Attributes:
        training: the search for a network; None for the defaults.
        extraction: from network to program.
        verification: how much is tested.
        training_sequences: sequences drawn for training (a file gives what it has), >= 1.
        test_sequences: fresh sequences that a network must get right to count as perfect, >= 1.
        attempts: networks that are distilled at most, each from its own search, when the first
            program is not exact on what training and selection have seen, >= 1.
    """

    training: TrainingSettings | None = None
    extraction: ExtractionSettings = dataclasses.field(default_factory=ExtractionSettings)
    verification: VerificationSettings = dataclasses.field(default_factory=VerificationSettings)
    training_sequences: int = dataclasses.field(default=65_536, metadata=bounds(1, MOST_SEQUENCES))
    test_sequences: int = dataclasses.field(default=65_536, metadata=bounds(1, MOST_SEQUENCES))
    attempts: int = dataclasses.field(default=2, metadata=bounds(1, 1_000))


def requested(settings: PipelineSettings | None) -> PipelineSettings:
    """The settings, or the defaults for None.

    Raises:
        RequestError: naming every field that is wrong, before any work.
    """
    settings = checked(settings, "", PipelineSettings)
    wrong = extraction_problems(settings.extraction)
    if wrong:
        raise RequestError(*wrong)
    return settings
