"""How far a program can be trusted; knows nothing of the learner that it judges."""

from mips_jax.verification.case import Case, Truth
from mips_jax.verification.claims import Claim, Disagreement, How, error_bound
from mips_jax.verification.front import Tradeoff, measured_front
from mips_jax.verification.registry import CHECKS
from mips_jax.verification.settings import VerificationSettings, problems
from mips_jax.verification.verdict import Outcome, Verdict
from mips_jax.verification.verify import (
    Verification,
    step_accuracy,
    verify,
    whole_sequence_accuracy,
)

__all__ = [
    "CHECKS",
    "Case",
    "Claim",
    "Disagreement",
    "How",
    "Outcome",
    "Tradeoff",
    "Truth",
    "Verdict",
    "Verification",
    "VerificationSettings",
    "error_bound",
    "measured_front",
    "problems",
    "step_accuracy",
    "verify",
    "whole_sequence_accuracy",
]
