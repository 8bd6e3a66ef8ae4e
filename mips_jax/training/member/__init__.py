"""ONE member of a population: state, objective with its penalties, schedule, steps, evaluation."""

from mips_jax.training.member.evaluation import Evaluation, evaluate
from mips_jax.training.member.penalties import PENALTIES
from mips_jax.training.member.state import Hyper, MemberState, Scaling, initial_state
from mips_jax.training.member.step import Recipe, Stretch, train_chunk

__all__ = [
    "PENALTIES",
    "Evaluation",
    "Hyper",
    "MemberState",
    "Recipe",
    "Scaling",
    "Stretch",
    "evaluate",
    "initial_state",
    "train_chunk",
]
