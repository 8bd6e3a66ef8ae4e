"""How far a program can be trusted; knows nothing of the learner that it judges."""

from mips_jax.verification.verify import (
    Verification,
    VerificationSettings,
    problems,
    step_accuracy,
    verify,
    whole_sequence_accuracy,
)

__all__ = [
    "Verification",
    "VerificationSettings",
    "problems",
    "step_accuracy",
    "verify",
    "whole_sequence_accuracy",
]
