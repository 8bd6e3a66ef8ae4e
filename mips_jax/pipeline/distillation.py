"""What comes out: a program with its evidence, or the reason why there is none."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mips_jax.errors import RequestError
from mips_jax.extraction import Candidate, Extraction
from mips_jax.figures import percent
from mips_jax.inputs import Inputs
from mips_jax.machines import Mealy
from mips_jax.networks import Network
from mips_jax.programs import Program, SymbolProgram, body_lines, program_source
from mips_jax.symbols import Symbols
from mips_jax.verification import Claim, How, Outcome, Tradeoff, Verdict, Verification

if TYPE_CHECKING:  # jax is imported only when something is trained, matplotlib when it is drawn
    from mips_jax.reporting.hidden_states import HiddenStates
    from mips_jax.reporting.page import Report
    from mips_jax.reporting.plots import Picture
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
        symbols: what the task's integers stand for: the printed program reads and writes these.
        assumed: what was taken for granted when the task was read, one phrase each.
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
    symbols: Symbols | None = None
    assumed: tuple[str, ...] = ()

    @property
    def program(self) -> Program | None:
        """The chosen program; it reads and writes symbols where the task does."""
        if self.candidate is None:
            return None
        program = self.candidate.program
        return program if self.symbols is None else SymbolProgram.of(program, self.symbols)

    @property
    def method(self) -> str | None:
        """How the chosen program was found."""
        return self.candidate.method if self.candidate else None

    @property
    def machine(self) -> Mealy | None:
        """The finite machine that the network is, or nearly is; None where none was found."""
        if self.extraction is None:
            return None
        return self.extraction.machine or self.extraction.stand_in

    @property
    def evidence(self) -> str:
        """What is proven, measured, refuted and not tried, a line each."""
        from mips_jax.reporting.evidence import tiers

        claims = [dataclasses.asdict(claim) for claim in self.claims]
        return "\n".join(f"{how}: {what}" for how, what in tiers(claims))

    def hidden_states(
        self, sequences: int = 80, length: int | None = None, seed: int = 0
    ) -> HiddenStates:
        """Runs random words through the network, the program and the machine.

        Args:
            sequences: how many words.
            length: of each; the length that extraction looked at by default.
            seed: of the words.

        Raises:
            RequestError: there is no network, or a number is below 1.
        """
        from mips_jax.reporting.hidden_states import hidden_states

        if self.network is None:
            raise RequestError(f"{self.name} has no network: {self.reason}")
        steps = length or (10 if self.extraction is None else self.extraction.length)
        if sequences < 1 or steps < 1:
            raise RequestError(f"sequences={sequences}, length={length}; both must be 1 at least")
        return hidden_states(
            self.network,
            self.inputs,
            self.program,
            self.machine,
            steps,
            sequences,
            seed,
            self.symbols,
        )

    def plot(self, what: str | None = None) -> Picture:
        """A picture that shows itself in a notebook, with `.save(path)`: of the `machine`, the
        `hidden_states` or the `training`; by default the first of these that there is.

        Raises:
            RequestError: there is none.
        """
        from mips_jax.reporting.shown import Shown

        return Shown.of(self).picture(what)

    def report(self) -> Report:
        """The page report.html of a run folder: shows itself in a notebook, `.save(path)`.

        Raises:
            RequestError: a library that it needs is not installed; names the pip command.
        """
        from mips_jax.reporting.shown import Shown

        return Shown.of(self).report()

    def save(self, folder: str | os.PathLike, overwrite: bool = False) -> Path:
        """Writes what a run on the command line leaves into a folder, and the network as
        `network.npz` in place of its checkpoint.

        Args:
            folder: made where it does not exist.
            overwrite: whether another result in it may be replaced.

        Returns:
            The folder.

        Raises:
            RequestError: it holds another result, or files of the user's.
            EnvironmentFailure: it cannot be written to.
        """
        from mips_jax.reporting.saving import save_result

        return save_result(self, Path(folder), overwrite)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Everything that is known; all sentences and figures are derived from it."""
        return self.verification.claims if self.verification else self.survey

    @property
    def source(self) -> str | None:
        """The program as Python, its evidence in the docstring."""
        if self.program is None or self.verification is None:
            return None
        return program_source(self.program, docstring(self), self.symbols)

    @property
    def program_lines(self) -> int | None:
        """Lines of the program's body."""
        source = None if self.program is None else program_source(self.program, None, self.symbols)
        return None if source is None else body_lines(source)

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
