"""What comes out: a program with its evidence, or the reason why there is none."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mips_jax.extraction import Candidate, Extraction
from mips_jax.figures import percent
from mips_jax.inputs import Inputs
from mips_jax.networks import Network
from mips_jax.programs import Program, body_lines, program_source
from mips_jax.verification import Claim, How, Outcome, Tradeoff, Verdict, Verification

if TYPE_CHECKING:  # jax is imported only when something is trained
    from mips_jax.training import TrainedMember, TrainingResult


@dataclasses.dataclass(frozen=True)
class Seconds:
    """Wall time of the stages; None where a stage has no place.

    Attributes:
        train, extract, verify: of all attempts together.
        total: of everything.
    """

    train: float | None = None
    extract: float = 0.0
    verify: float = 0.0
    total: float = 0.0

    def __getitem__(self, stage: str) -> float | None:
        return getattr(self, stage)


@dataclasses.dataclass(frozen=True, eq=False)
class Distillation:
    """A program with its evidence.

    Attributes:
        name: of the task or the network.
        description: of the task, in a sentence.
        inputs: their bounds, and what is known of those that occur.
        network: what was distilled; None when training produced nothing finite.
        member: the chosen member of the population; None for a network trained elsewhere.
        trainings: one search for each attempt.
        extraction: all candidates and how registers are held; None without a network, or where the
            network writes nothing that a program could.
        candidate: the program chosen; None when none was found.
        verification: what is known of it; None without a program.
        refused: why nothing was extracted although there is a network; None when something was.
        survey: what was seen of the network before extraction.
        front: the trade-off between size and faithfulness, where a given network is not followed
            everywhere.
        seconds: wall time.
    """

    name: str
    description: str
    inputs: Inputs
    network: Network | None = None
    member: TrainedMember | None = None
    trainings: tuple[TrainingResult, ...] = ()
    extraction: Extraction | None = None
    candidate: Candidate | None = None
    verification: Verification | None = None
    refused: Verdict | None = None
    survey: tuple[Claim, ...] = ()
    front: tuple[Tradeoff, ...] = ()
    seconds: Seconds = Seconds()

    @property
    def program(self) -> Program | None:
        """The chosen program."""
        return self.candidate.program if self.candidate else None

    @property
    def method(self) -> str | None:
        """How the chosen program was found."""
        return self.candidate.method if self.candidate else None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Everything that is known; all sentences and figures are derived from it."""
        return self.verification.claims if self.verification else self.survey

    @property
    def source(self) -> str | None:
        """The program as Python, its evidence in the docstring."""
        if self.program is None or self.verification is None:
            return None
        return program_source(self.program, docstring(self))

    @property
    def program_lines(self) -> int | None:
        """Lines of the program's body."""
        return None if self.program is None else body_lines(program_source(self.program))

    @property
    def verdict(self) -> Verdict:
        """How it ended; see `verification.verdict` for what makes a program `solved`."""
        if self.network is None:
            return Verdict(Outcome.NO_NETWORK, _no_network(self.trainings))
        if self.refused is not None:
            return self.refused
        if self.verification is None:
            return Verdict(Outcome.NO_PROGRAM, f"no method found a program ({_outcomes(self)})")
        verdict = self.verification.verdict
        if self.method == "table" and verdict.solved and not _exact_at_long(self.verification):
            reason = "only a lookup table was found, and it is not exact at the long length"
            return Verdict(Outcome.TABLE_NOT_EXACT, reason)
        return verdict

    @property
    def solved(self) -> bool:
        """See `verdict`."""
        return self.verdict.solved

    @property
    def reason(self) -> str | None:
        """Why it is not solved; None when it is."""
        if self.solved:
            return None
        return "; ".join(filter(None, [_imperfect(self.member), self.verdict.reason]))

    def _repr_markdown_(self) -> str:
        if self.source is None or self.verification is None:
            return f"**{self.name}**: {self.reason}"
        return f"**{self.name}**: {self.verification.summary}.\n\n```python\n{self.source}```"

    def __repr__(self) -> str:
        state = str(self.verdict.outcome) + ("" if self.solved else f" ({self.reason})")
        return f"Distillation({self.name}: {state})\n{self.source or ''}"


def docstring(found: Distillation) -> str:
    """The evidence, as the program's docstring."""
    title = f"{found.name}: {found.description}" if found.description else found.name
    evidence = found.verification.summary if found.verification else ""
    lines = [title, "", f"Distilled from {_kind(found.network)}. {evidence}."]
    if not found.solved:
        nearly = found.verdict.outcome is Outcome.NEARLY
        lines += ["", f"{'Nearly the network' if nearly else 'Not solved'}: {found.reason}."]
    return "\n".join(lines)


def _kind(network: Network | None) -> str:
    if network is None or network.recurrent:
        return "a recurrent network"
    longest = network.longest
    return "a model of whole words" + (f", up to {longest} letters" if longest else "")


def _exact_at_long(verification: Verification) -> bool:
    """By the truth where it reaches the long length, else by the network."""
    long = verification.claim("long")
    if long is not None and long.how is not How.NOT_TRIED:
        return not long.wrong
    return not any(c.wrong for c in verification.claims if c.check.startswith("fidelity"))


def _imperfect(member: TrainedMember | None) -> str | None:
    if member is None or member.perfect:
        return None
    return (
        f"the best network gets only {percent(member.accuracy)} of the selection sequences right "
        "(raise training.max_steps, or give model.hidden_dims larger sizes)"
    )


def _no_network(trainings: tuple[TrainingResult, ...]) -> str:
    outcome = getattr(trainings[-1], "outcome", None) if trainings else None
    remedy = getattr(outcome, "remedy", None)
    return remedy or "training produced no finite network; lower training.learning_rate"


def _outcomes(found: Distillation) -> str:
    if found.extraction is None:
        return "nothing was tried"
    return "; ".join(f"{method}: {outcome}" for method, outcome in found.extraction.statuses)
