"""The search for the smallest perfect network: waves of the ladder, in each of them chunks of
training and the rules in between.

All levels (hidden sizes) of a wave train together. All that decides how a search goes on is in one
`SearchState` and the members' training state, so that a checkpoint of them resumes to the same
networks.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import jax
from jax.experimental import multihost_utils

from mips_jax.errors import RequestError
from mips_jax.interrupts import held_back
from mips_jax.sequences import Sequences
from mips_jax.training.analysis import affine_response
from mips_jax.training.checkpoint import SavedSearch, SearchCheckpoint, fingerprint
from mips_jax.training.devices import configure_devices, use_bfloat16_gradients
from mips_jax.training.memory import check_memory
from mips_jax.training.population import Shape, population_mesh, resolve_layout
from mips_jax.training.processes import leads, shared
from mips_jax.training.result import ProgressCallback, TrainingProgress, TrainingResult
from mips_jax.training.search.hypers import failed_shapes, hypers
from mips_jax.training.search.ladder import Wave, ladder
from mips_jax.training.search.outcome import training_result
from mips_jax.training.search.pace import Pace
from mips_jax.training.search.population_run import Data, PopulationRun
from mips_jax.training.search.rules import Choices, after_chunk, fresh_member, out_of_time
from mips_jax.training.search.state import EMPTY, SearchState
from mips_jax.training.search.tuning import SearchTuning
from mips_jax.training.settings import IDENTIFIED, TrainingSettings, validate

SECONDS_BETWEEN_REPORTS = 1.0  # at least, within a chunk


def train(
    training: Sequences,
    test: Sequences,
    settings: TrainingSettings | None = None,
    *,
    tuning: SearchTuning | None = None,
    progress: ProgressCallback | None = None,
    checkpoint_dir: str | Path | None = None,
) -> TrainingResult:
    """Searches for the smallest network that is right on every test sequence.

    Args:
        training: sequences to learn from (integers).
        test: fresh sequences on which candidates are confirmed; whole sequences count.
        settings: see `TrainingSettings`.
        tuning: see `SearchTuning`.
        progress: called with a `TrainingProgress` after every round, and every few seconds within.
        checkpoint_dir: folder for checkpoints of the running search; the same call resumes from it.

    Returns:
        The chosen network, a record for every member, learning curves, and how it ended.

    Raises:
        RequestError: settings out of range or beyond the machine's memory, empty data, or a
            checkpoint that belongs to another search.
    """
    settings = TrainingSettings() if settings is None else settings
    validate(settings)
    validate_data(training, test)
    waves = ladder(settings.model, affine_response(training), settings.start)
    check_memory(settings, waves, training.inputs.shape[2], training.outputs.shape[2])
    configure_devices(settings.device)
    choices = Choices(settings, tuning or SearchTuning())
    with jax.enable_x64(False):  # float32 throughout, whatever JAX_ENABLE_X64 says
        return Search(training, test, choices, progress, checkpoint_dir).run()


def validate_data(training: Sequences, test: Sequences) -> None:
    """Raises RequestError for empty or mismatched data."""
    problems = []
    for name, sequences in (("training", training), ("test", test)):
        if len(sequences) == 0 or sequences.length == 0:
            problems.append(
                f"the {name} sequences are empty; at least one sequence of one step is needed "
                "(task)."
            )
    shape = lambda s: (s.inputs.shape[2], s.outputs.shape[2])
    if not problems and shape(training) != shape(test):
        problems.append(
            f"training has {shape(training)} inputs and outputs a step, test has {shape(test)} "
            "(task)."
        )
    if problems:
        raise RequestError(*problems)


class Search:
    """One search: data and choices (fixed), `state` and `population` (changing)."""

    def __init__(
        self,
        training: Sequences,
        test: Sequences,
        choices: Choices,
        progress: ProgressCallback | None,
        checkpoint_dir: str | Path | None,
    ):
        settings = choices.settings
        self.settings, self.choices, self.progress = settings, choices, progress
        self.started, self.earlier, self.reported = time.monotonic(), 0.0, 0.0
        self.compile_seconds = 0.0
        self.mesh = population_mesh()
        self.response = affine_response(training)
        self.identified = self.response if settings.start == IDENTIFIED else None
        self.waves = ladder(settings.model, self.response, settings.start)
        self.data = Data(training, test, choices, self.mesh)
        self.state = SearchState()
        self.unfinished: SearchState | None = None  # as it was within a chunk, when time was up
        self.population: PopulationRun | None = None
        self.pace = Pace(choices.tuning.stretch_seconds)
        self.checkpoint, self.saved = None, None
        if checkpoint_dir is not None and leads():
            identity = fingerprint(settings, choices.tuning, training)
            self.checkpoint = SearchCheckpoint(checkpoint_dir, identity)
            self.saved = self.checkpoint.restore()
        self.saved = shared(self.saved)
        if self.saved is not None:
            self.state, self.earlier = self.saved.state, self.saved.seconds

    # the stages

    def run(self) -> TrainingResult:
        """Wave after wave, until a network is perfect, no shape is left or time is up. Where it is
        interrupted, what was trained up to the last round is saved.
        """
        try:
            self._train_waves()
        except (KeyboardInterrupt, SystemExit):  # a cluster's launcher leaves by the second
            self._save()
            raise
        self._save()
        return training_result(
            self.unfinished or self.state,
            {index: self._shape(wave) for index, wave in enumerate(self.waves)},
            self.data.training,
            self.data.test,
            self._seconds(),
            self.compile_seconds,
            self._out_of_time(),
            self.identified is not None,
        )

    def _train_waves(self) -> None:
        while self.state.wave < len(self.waves):
            wave = self.waves[self.state.wave]
            population = self._begin(wave)
            while self.state.active.any() and not self._out_of_time():
                self._round(wave, population)
            if self._out_of_time() or (self.state.perfect() and not self._smaller_follow()):
                break
            with held_back():
                self.state = dataclasses.replace(self.state, wave=self.state.wave + 1, places=None)
                self.population = None

    def _begin(self, wave: Wave) -> PopulationRun:
        """Compiles (or finds) the wave's programs and, unless resumed, draws its members."""
        began, before = time.monotonic(), self.state
        state = self._first_members(wave) if before.places is None else before
        count = len(state.places or ())
        population = PopulationRun(
            self._shape(wave), self.data, self._choices(), self.mesh, self.identified, count
        )
        if before.places is None:
            population.start(before, state)
        else:
            assert self.saved is not None and self.saved.leaves is not None
            population.restore(self.saved.leaves, state)
        with held_back():  # the two are saved together
            self.state, self.population = state, population
        self.compile_seconds += time.monotonic() - began
        return population

    def _first_members(self, wave: Wave) -> SearchState:
        """The wave's places with a fresh member in each, level after level; once a network is
        perfect, smaller levels only.
        """
        seeds, before = self.settings.members, self.waves[: self.state.wave]
        levels = wave.below(self.state.smallest_perfect)
        if before and not wave.padded.affine and not before[-1].padded.affine:
            seeds += seeds // 2  # a task that resisted the first shape is hard: more seeds
        places = (EMPTY,) * (len(levels) * seeds)
        first = self.state.work if self.state.perfect() else 0
        state = dataclasses.replace(self.state, places=places, work_at_first_perfect=first)
        for place in range(len(places)):
            level, variant = divmod(place, seeds)
            member = fresh_member(state, levels[level], variant, self.choices)
            state = state.started(place, member)
        return state

    def _round(self, wave: Wave, population: PopulationRun) -> None:
        """One chunk of training for all members, one evaluation, and what follows from it."""
        failed = failed_shapes(self.waves, self.state.wave)
        choices = self._choices()
        hyper = hypers(self.state, choices, population.trainable, failed)
        seen, members = population.train(self.state.active, hyper, self.pace, self._looks)
        with held_back():  # weights and state are saved together, and so they change
            if not seen.complete:
                self.unfinished = out_of_time(self.state, seen, choices)
                return
            before, population.members = self.state, members
            self.state = after_chunk(before, seen, choices)
            population.start(before, self.state)
        self._report()
        if self.checkpoint is not None and self.checkpoint.due(self.settings.checkpoint_seconds):
            self._save()

    # what the stages need

    def _smaller_follow(self) -> bool:
        """Whether a perfect network of the affine transition's wave may be bettered by the next."""
        now, following = self.state.wave, self.state.wave + 1
        if not self.waves[now].affine_transition or following == len(self.waves):
            return False
        return bool(self.waves[following].below(self.state.smallest_perfect))

    def _choices(self) -> Choices:
        last = self.state.wave == len(self.waves) - 1
        return dataclasses.replace(self.choices, last_wave=last)

    def _shape(self, wave: Wave) -> Shape:
        device = self.settings.device
        return Shape(
            wave.padded,
            self.data.training.inputs.shape[2],
            self.data.training.outputs.shape[2],
            self.settings.batch_size,
            resolve_layout(device.layout),
            use_bfloat16_gradients(device.gradients),
            self.settings.optimizer,
        )

    def _save(self) -> None:
        if self.checkpoint is None or (self.population is None and self.state.places is not None):
            return  # what was restored has not been gone on with: it is there
        leaves = None if self.population is None else self.population.leaves
        self.checkpoint.save(SavedSearch(self.state, leaves, self._seconds()))

    def _seconds(self) -> float:
        return self.earlier + time.monotonic() - self.started

    def _out_of_time(self) -> bool:
        limit = self.settings.time_limit_seconds
        if limit <= 0:
            return False
        late = self._seconds() >= limit
        return bool(multihost_utils.broadcast_one_to_all(late)) if jax.process_count() > 1 else late

    def _looks(self) -> bool:
        """Between two stretches: shows what is going on; whether time is up."""
        if time.monotonic() - self.reported >= SECONDS_BETWEEN_REPORTS:
            self._report()
        return self._out_of_time()

    def _report(self) -> None:
        if self.progress is None:
            return
        self.reported = time.monotonic()
        state, index = self.state, self.state.best()
        member = None if index is None else state.members[index]
        accuracy = 0.0 if member is None else member.sequence_accuracy
        wave, last = state.wave, state.history[-1] if state.history else {}
        self.progress(
            TrainingProgress(
                stage=self.waves[wave].name,
                steps=max((m.steps for m in state.members if m.wave == wave), default=0),
                total_steps=self.settings.max_steps,
                members=int(state.active.sum()),
                best_accuracy=1.0 if member and member.condition.perfect else accuracy,
                best="" if member is None else str(member.architecture),
                seconds=self._seconds(),
                loss=min((row[-1] for row in last.values()), default=float("nan")),
                perfect=len(state.perfect()),
                work=state.work,
            )
        )
