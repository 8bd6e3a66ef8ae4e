"""The search for the smallest perfect network: waves of the ladder, successive halving,
replacement, polishing.

`train` reads as the list of its stages. All that changes during a search is in one `SearchState` on
the host, so that a checkpoint of it resumes to the same networks. The rules, for the members of one
wave:
- all levels (hidden sizes) train together; after every chunk of steps each member is evaluated on
test sequences;
- steps are counted in cycles, each twice as long as the last; at a cycle's end the better half goes
on;
- a member that is perfect on the evaluation block is confirmed on the whole test set and polished;
larger levels stop;
- smaller levels go on for as long again (`smaller_patience`), then the search ends;
- a member that becomes NaN is replaced by a fresh seed; a wave whose best member stays poor gives
way to the next.
Axes: P places of a population, n parameters.
"""

from __future__ import annotations

import dataclasses
import time

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import PartitionSpec

from mips_jax.errors import RequestError
from mips_jax.models import Architecture
from mips_jax.sequences import Sequences
from mips_jax.training import result as outcome
from mips_jax.training.analysis import affine_response
from mips_jax.training.checkpoint import SearchCheckpoint
from mips_jax.training.devices import configure_devices, physical_memory, use_bfloat16_gradients
from mips_jax.training.initialization import initial_parameters
from mips_jax.training.ladder import Wave, ladder
from mips_jax.training.member import Evaluation, Hyper, MemberState
from mips_jax.training.packing import blocks, pack, scaling_of
from mips_jax.training.population import (
    AXIS,
    blank_states,
    compiled_programs,
    fetch,
    launches,
    place,
    population_mesh,
    resolve_layout,
    rows_that_fit,
)
from mips_jax.training.result import (
    Curves,
    MemberRecord,
    ProgressCallback,
    TrainedMember,
    TrainingProgress,
    TrainingResult,
)
from mips_jax.training.settings import TrainingSettings, validate
from mips_jax.training.soap import REFRESH_STEPS
from mips_jax.training.weights import raw_weights

# A chunk of more work than this (a minute or so on two cores) is done in pieces.
PIECE_FLOPS = 2e12
SAMPLES = 4_096  # input vectors through which kinks are drawn
EARLY_CULL_STEPS = 500  # the worse half of every level stops here
# learning rate of affine networks, which start near their optimum, relative to the others
AFFINE_RATE = 0.2
ANNEAL_ABOVE = 0.998  # sequence accuracy from which a falling learning rate is tried, once a cycle
ANNEAL_STEPS, ANNEAL_FLOOR = 1_000, 0.02
# a polished network with a larger error than this is polished once more, twice as long
ENOUGH_MARGIN = 0.25
# member-steps that smaller sizes are given at least (times `smaller_patience`)
PATIENCE_FLOOR = 10_000
RAMP_STEPS = 1_500.0  # where three shapes have failed, the counted part of the sequences grows over these steps
RAMP_AFTER = 3
HALVING_STEPS = 1_500.0  # the learning rate falls as 1 / (1 + step / this)
MARGIN_WEIGHT = 0.3  # once most sequences are right
POLISH_FLOOR = 0.002  # where the polishing cycle's learning rate ends, relative to its peak
# Members of one architecture differ in learning rate (relative to the setting) and in the share of
# units whose kinks are aligned with h or x: finite-state tasks want the first, counters and
# absolute values the others.
VARIANTS = ((1.0, 0.0), (3.0, 0.9), (2.0, 0.5), (1.0, 0.9), (2.0, 0.0), (3.0, 0.5))
POLISHED = 2  # perfect members of the smallest size that are polished; the one with the smallest error is chosen
# A wave gives way to the next when its best sequence accuracy is below this at the end of its
# first, second ... cycle.
ABANDON_BELOW = (0.95, 0.995)


@dataclasses.dataclass
class Entry:
    """The running record of one member (JSON-able)."""

    architecture: Architecture
    seed: int
    wave: int
    variant: int = 0  # which of VARIANTS
    status: str = outcome.RUNNING
    steps: int = 0
    sequence_accuracy: float = 0.0
    step_accuracy: float = 0.0
    loss: float = float("nan")
    cycle: int = 0  # index of the current cycle
    cycle_start: int = 0  # steps at its start
    cycle_length: int = 0
    anneal_start: int = (
        -1
    )  # steps at which its learning rate began to fall because it was nearly perfect, or -1
    annealed_cycle: int = -1  # the cycle in which that happened last
    polishing: bool = False
    polished: int = 0  # polishing cycles completed
    largest_error: float = float("inf")

    def record(self) -> MemberRecord:
        names = [field.name for field in dataclasses.fields(MemberRecord)]
        return MemberRecord(**{name: getattr(self, name) for name in names})


@dataclasses.dataclass
class SearchState:
    """Everything that a search has found out so far.

    Attributes:
        entries: every member ever started.
        wave: index of the wave now training.
        places: [P] index of the entry in each place of the population, -1 where empty.
        members: the population's training state, host arrays [P, ...]; None before a wave begins.
        chosen: parameters [n] of perfect (or, per wave, of the best) members by entry index.
        history: one dict {entry index: (steps, sequence accuracy, step accuracy, loss)} for each
            round.
        work, work_at_first_perfect: member-steps so far, and when the first perfect member of this
            wave appeared.
        seconds: spent in earlier, interrupted runs.
    """

    entries: list[Entry] = dataclasses.field(default_factory=list)
    wave: int = 0
    places: np.ndarray | None = None
    members: MemberState | None = None
    chosen: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    history: list[dict[int, tuple[int, float, float, float]]] = dataclasses.field(
        default_factory=list
    )
    work: int = 0
    work_at_first_perfect: int = 0
    seconds: float = 0.0


def train(
    training: Sequences,
    test: Sequences,
    settings: TrainingSettings | None = None,
    *,
    progress: ProgressCallback | None = None,
    checkpoint_dir: str | None = None,
) -> TrainingResult:
    """Searches for the smallest network that is right on every test sequence.

    Args:
        training: sequences to learn from (integers).
        test: fresh sequences on which candidates are confirmed; whole sequences count.
        settings: see `TrainingSettings`.
        progress: called after every round with a `TrainingProgress`.
        checkpoint_dir: folder for checkpoints of the running search; the same call resumes from it.

    Returns:
        The chosen network, a record for every member, and learning curves.

    Raises:
        RequestError: settings out of range, empty data, or a checkpoint that belongs to another
            search.
    """
    settings = TrainingSettings() if settings is None else settings
    validate(settings)
    validate_data(training, test)
    refuse_what_does_not_fit(settings, training)
    configure_devices(settings.device)
    # the same networks whatever the environment has set (JAX_ENABLE_X64, JAX_DEFAULT_PRNG_IMPL)
    with jax.enable_x64(False), jax.default_prng_impl("threefry2x32"):
        return Search(training, test, settings, progress, checkpoint_dir).run()


def validate_data(training: Sequences, test: Sequences) -> None:
    """Raises RequestError for empty or mismatched data."""
    problems = []
    for name, sequences in (("training", training), ("test", test)):
        if len(sequences) == 0 or sequences.length == 0:
            problems.append(
                f"the {name} sequences are empty; at least one sequence of one step is needed (task)."
            )
    shape = lambda s: (s.inputs.shape[2], s.outputs.shape[2])
    if not problems and shape(training) != shape(test):
        problems.append(
            f"training has {shape(training)} inputs and outputs a step, test has {shape(test)} (task)."
        )
    if problems:
        raise RequestError(*problems)


def refuse_what_does_not_fit(settings: TrainingSettings, training: Sequences) -> None:
    """Raises RequestError for networks of which not one fits into memory.

    A member keeps its weights, gradients and moments (eight numbers a weight), and for each layer
    the preconditioners of its two sides with their eigenvectors.
    """
    model, ends = settings.model, training.inputs.shape[2] + training.outputs.shape[2]
    side = max(model.hidden_dims) + max((*model.widths, 1)) + ends
    needed = 4.0 * (8 + 4) * side**2
    limit = settings.device.memory_limit_gib * 2**30 or physical_memory()
    if needed > limit:
        raise RequestError(
            f"model.hidden_dims is {list(model.hidden_dims)} with model.widths "
            f"{list(model.widths)}: one network takes about {needed / 2**30:,.0f} GiB to train, "
            f"above the {limit / 2**30:,.1f} GiB there are; give smaller ones"
        )


class Search:
    """One search: data and settings (fixed), and `state` (changing)."""

    def __init__(self, training, test, settings, progress, checkpoint_dir):
        self.settings, self.progress = settings, progress
        self.started = time.monotonic()
        self.mesh = population_mesh()
        self.layout = resolve_layout(settings.device.layout)
        # XLA on CPU has no bfloat16 product outside of a loop, and one step is no loop
        half = use_bfloat16_gradients(settings.device.gradients)
        self.bfloat16_gradients = half and training.length > 1
        self.response = affine_response(training)
        self.waves = ladder(settings.model, self.response)
        self.training, self.test = training, test
        self.input_dim, self.output_dim = training.inputs.shape[2], training.outputs.shape[2]
        self.batch_size = settings.batch_size
        self.data = place(
            pack(training, settings.seed, at_least=self.batch_size), self.mesh, PartitionSpec()
        )
        self.test_blocks = [
            place(block, self.mesh, PartitionSpec())
            for block in blocks(test, settings.evaluation_sequences)
        ]
        mask = test.inputs[..., 0] == test.inputs[..., 0] if test.mask is None else test.mask
        self.block_sequences = min(settings.evaluation_sequences, len(test))
        self.block_steps = int(mask[: self.block_sequences].sum())
        self.compile_seconds = 0.0
        self.state = SearchState()
        self.checkpoint = (
            None if checkpoint_dir is None else SearchCheckpoint(checkpoint_dir, settings, training)
        )
        if self.checkpoint is not None:
            self.state = (
                self.checkpoint.restore(lambda wave: self._programs(self.waves[wave])[2])
                or self.state
            )

    # -- the stages
    # -----------------------------------------------------------------------------------------------

    def run(self) -> TrainingResult:
        while self.state.wave < len(self.waves):
            self._begin_wave()
            while self._active().any() and not self._out_of_time():
                self._round()
            if self._perfect_entries() or self._out_of_time():
                break
            self._next_wave()
        self._finish()
        if self.checkpoint is not None:
            self.checkpoint.save(self.state, self._seconds())
        return self._result()

    def _begin_wave(self) -> None:
        """Compiles (or finds) the wave's programs and, unless resumed, draws its members."""
        state, wave = self.state, self.waves[self.state.wave]
        began = time.monotonic()
        self.train_members, self.evaluate_members, self.template = self._programs(wave)
        scaling = scaling_of(self.training, keep_zero=wave.padded.affine)
        rows = self.training.inputs.reshape(-1, self.input_dim)[:SAMPLES]
        self.samples = (rows - scaling.input_shift) / scaling.input_scale
        self.jitter = 0.5 / scaling.input_scale
        self.host_scaling, self.scaling = scaling, place(scaling, self.mesh, PartitionSpec())
        row_bytes = sum(leaf.nbytes for leaf in jax.tree.leaves(blank_states(1, self.template)))
        self.rows_at_once = rows_that_fit(
            self.settings.device, wave.padded, self.training.length, self.batch_size, row_bytes
        )
        if state.places is None:
            seeds = self.settings.members
            if (
                state.wave > 0
                and not wave.padded.affine
                and not self.waves[state.wave - 1].padded.affine
            ):
                seeds += seeds // 2  # a task that resisted the first shape is hard: more seeds
            wanted = len(wave.levels) * seeds
            count = -(-wanted // self.mesh.size) * self.mesh.size
            state.places = np.full(count, -1)
            state.members = self._blank_members()
            self.trainable = np.zeros_like(state.members.parameters)
            state.work_at_first_perfect = 0
            for index in range(wanted):
                level, variant = divmod(index, seeds)
                self._start_member(index, wave.levels[level], variant)
        else:
            self.trainable = self._trainable_rows()
        self.compile_seconds += time.monotonic() - began

    def _round(self) -> None:
        """One chunk of training for all active members, one evaluation, and what follows from it."""
        settings, state, active = self.settings, self.state, self._active()
        evaluation = self._train_and_evaluate(active)
        state.work += int(active.sum()) * settings.chunk_steps
        self._record_round(evaluation)
        self._keep_best_so_far()  # before any member gives up its place
        self._replace_nonfinite()
        self._confirm_candidates(evaluation)
        self._anneal()
        self._finish_polishing()
        self._cull()
        self._end_if_smaller_sizes_had_their_chance()
        self._report()
        if self.checkpoint is not None:
            self.checkpoint.save_if_due(self.state, settings.checkpoint_seconds, self._seconds())

    def _train_and_evaluate(self, active: np.ndarray) -> Evaluation:
        """Advances the active members by one chunk, in as many launches as memory asks for; [P]
        counts for each.
        """
        state, hypers, count = self.state, self._hypers(), len(active)
        evaluation = Evaluation(
            np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count)
        )
        for rows, used in launches(active, self.mesh.size, self.layout, self.rows_at_once):
            part = jax.tree.map(lambda leaf: leaf[rows], (state.members, hypers))
            members, hyper, mask = place((*part, used), self.mesh, PartitionSpec(AXIS))
            trained = self._trained(members, hyper, mask)
            judged = self.evaluate_members(trained.average, mask, self.scaling, self.test_blocks[0])
            new = fetch((trained, judged), self.mesh)
            for old, leaf in zip(
                jax.tree.leaves((state.members, evaluation)), jax.tree.leaves(new)
            ):
                old[rows[used]] = leaf[used]
        return evaluation

    def _trained(self, members: MemberState, hyper: Hyper, mask) -> MemberState:
        """One chunk of steps; a long one in pieces, between which the time limit is heeded. The
        weights do not depend on the pieces.
        """
        whole, piece = self.settings.chunk_steps, self._steps_at_once(members)
        done, loss = 0, 0.0
        while done < whole and not (done and self._out_of_time()):
            steps = min(piece, whole - done)
            members = self.train_members(
                members, hyper, mask, self.scaling, self.data, np.int32(steps)
            )
            done += steps
            if piece < whole:
                loss = loss + members.loss * (steps / whole)
                jax.block_until_ready(members.loss)
                self._report()
        if piece >= whole:
            return members
        return dataclasses.replace(members, loss=loss * (whole / done))

    def _steps_at_once(self, members: MemberState) -> int:
        """Steps between two looks at the clock: all of a chunk, unless that is a lot of work."""
        rows, parameters = members.parameters.shape
        flops = 6.0 * rows * parameters * self.batch_size * self.training.length  # of one step
        blocks = int(PIECE_FLOPS / (flops * REFRESH_STEPS))
        return min(self.settings.chunk_steps, max(1, blocks) * REFRESH_STEPS)

    def _next_wave(self) -> None:
        self.state.wave += 1
        self.state.places = self.state.members = None

    def _finish(self) -> None:
        for entry in self.state.entries:
            if entry.polishing and entry.status != outcome.PERFECT:
                entry.status = outcome.PERFECT

    # -- places and members
    # ---------------------------------------------------------------------------------------

    def _programs(self, wave: Wave):
        """(train, evaluate, template model) of a wave's padded shape; compiled once for each shape."""
        shape = (wave.padded, self.input_dim, self.output_dim, self.batch_size)
        return compiled_programs(*shape, self.mesh, self.layout, self.bfloat16_gradients)

    def _blank_members(self) -> MemberState:
        return blank_states(len(self.state.places), self.template)

    def _active(self) -> np.ndarray:
        return np.zeros(1, bool) if self.state.places is None else self.state.places >= 0

    def _running(self) -> list[tuple[int, Entry]]:
        """(place, entry) of members that are training and not yet perfect."""
        pairs = [
            (place, self.state.entries[index])
            for place, index in enumerate(self.state.places)
            if index >= 0
        ]
        return [(place, entry) for place, entry in pairs if not entry.polishing]

    def _initial_row(self, entry: Entry) -> tuple[np.ndarray, np.ndarray]:
        return initial_parameters(
            entry.architecture,
            self.template,
            self.samples,
            self.jitter,
            self.output_dim,
            entry.seed,
            VARIANTS[entry.variant % len(VARIANTS)][1],
            None if self.response is None else self.response.in_units(self.host_scaling),
        )

    def _trainable_rows(self) -> np.ndarray:
        rows = np.zeros_like(self.state.members.parameters)
        for place_, index in enumerate(self.state.places):
            if index >= 0:
                rows[place_] = self._initial_row(self.state.entries[index])[1]
        return rows

    def _start_member(self, place: int, architecture: Architecture, variant: int) -> None:
        """Draws a fresh member: its seed depends on the base seed and on how many came before it."""
        state = self.state
        seed = int(
            np.random.SeedSequence([self.settings.seed, len(state.entries)]).generate_state(1)[0]
            >> 1
        )
        length = min(self.settings.cycle_steps, self.settings.max_steps)
        entry = Entry(architecture, seed, state.wave, variant, cycle_length=length)
        parameters, trainable = self._initial_row(entry)
        for leaf, blank in zip(
            jax.tree.leaves(state.members), jax.tree.leaves(blank_states(1, self.template))
        ):
            leaf[place] = blank[0]
        state.members.parameters[place] = state.members.average[place] = parameters
        state.members.seed[place] = seed
        self.trainable[place] = trainable
        state.places[place] = len(state.entries)
        state.entries.append(entry)

    def _stop(self, place: int, status: str) -> None:
        self.state.entries[self.state.places[place]].status = status
        self.state.places[place] = -1

    def _hypers(self) -> Hyper:
        """The traced choices of every place, from its entry's cycle."""
        settings, pressure = self.settings, self.settings.pressure
        count = len(self.state.places)
        column = lambda value: np.full(count, value, np.float32)
        rate, start, horizon = (
            column(settings.learning_rate),
            np.zeros(count, np.int32),
            column(np.inf),
        )
        floor, margin = column(1.0), column(0.0)
        squeeze = np.zeros(count, np.float32)
        for place_, index in enumerate(self.state.places):
            if index < 0:
                continue
            entry = self.state.entries[index]
            if entry.polishing:
                start[place_], horizon[place_], floor[place_] = (
                    entry.cycle_start,
                    entry.cycle_length,
                    POLISH_FLOOR,
                )
            elif entry.anneal_start >= 0:
                start[place_], horizon[place_], floor[place_] = (
                    entry.anneal_start,
                    ANNEAL_STEPS,
                    ANNEAL_FLOOR,
                )
            rate[place_] *= (
                AFFINE_RATE
                if entry.architecture.affine
                else VARIANTS[entry.variant % len(VARIANTS)][0]
            )
            margin[place_] = MARGIN_WEIGHT if entry.sequence_accuracy > 0.5 else 0.0
            pressed = (entry.polishing or pressure.from_start) and not entry.architecture.affine
            squeeze[place_] = 1.0 if pressed else 0.0
        return Hyper(
            learning_rate=rate,
            halving_steps=column(HALVING_STEPS),
            floor=floor,
            start=start,
            horizon=horizon,
            clip_norm=column(settings.clip_norm),
            ramp=column(RAMP_STEPS if self._failed_shapes() >= RAMP_AFTER else 0.0),
            margin=margin,
            l1=squeeze * pressure.l1,
            weight_decay=squeeze * pressure.weight_decay,
            hidden_noise=squeeze * pressure.hidden_noise,
            contraction=squeeze * pressure.contraction,
            quantization=squeeze * pressure.quantization,
            quantization_step=column(pressure.quantization_step),
            trainable=self.trainable,
        )

    def _failed_shapes(self) -> int:
        """Waves before this one, affine networks aside."""
        return sum(not wave.padded.affine for wave in self.waves[: self.state.wave])

    # -- what follows from an evaluation
    # --------------------------------------------------------------------------

    def _record_round(self, evaluation) -> None:
        row = {}
        for place_, index in enumerate(self.state.places):
            if index < 0:
                continue
            entry = self.state.entries[index]
            entry.steps = int(self.state.members.step[place_])
            entry.sequence_accuracy = (
                1.0 - int(evaluation.wrong_sequences[place_]) / self.block_sequences
            )
            entry.step_accuracy = 1.0 - int(evaluation.wrong_steps[place_]) / self.block_steps
            entry.loss = float(self.state.members.loss[place_])
            row[int(index)] = (
                entry.steps,
                entry.sequence_accuracy,
                entry.step_accuracy,
                entry.loss,
            )
        self.state.history.append(row)

    def _replace_nonfinite(self) -> None:
        for place_, entry in self._running() + self._polishing():
            if np.isfinite(self.state.members.parameters[place_]).all() and np.isfinite(entry.loss):
                continue
            if entry.polishing:
                self._stop(
                    place_, outcome.PERFECT
                )  # its parameters from before the polishing are kept
                continue
            self._stop(place_, outcome.NONFINITE)
            lost = sum(other.status == outcome.NONFINITE for other in self.state.entries)
            if lost <= 4 * len(self.state.places):
                self._start_member(place_, entry.architecture, entry.variant + 1)

    def _polishing(self) -> list[tuple[int, Entry]]:
        pairs = [
            (place, self.state.entries[index])
            for place, index in enumerate(self.state.places)
            if index >= 0
        ]
        return [(place, entry) for place, entry in pairs if entry.polishing]

    def _perfect_entries(self) -> list[int]:
        """Indices of confirmed perfect members, smallest first."""
        entries = self.state.entries
        perfect = [i for i, e in enumerate(entries) if e.polishing or e.status == outcome.PERFECT]
        return sorted(
            perfect, key=lambda i: (entries[i].architecture.size, entries[i].largest_error)
        )

    def _whole_test(self, place_: int) -> tuple[float, float]:
        """(sequence accuracy, largest error) of one member on all test sequences."""
        only = np.arange(len(self.state.places)) == place_
        parameters, only = place((self.state.members.average, only), self.mesh, PartitionSpec(AXIS))
        wrong, largest = 0, 0.0
        for block in self.test_blocks:
            evaluation = fetch(
                self.evaluate_members(parameters, only, self.scaling, block), self.mesh
            )
            wrong += int(evaluation.wrong_sequences[place_])
            largest = max(largest, float(evaluation.largest_error[place_]))
            if wrong:
                break
        return 1.0 - wrong / len(self.test), largest

    def _confirm_candidates(self, evaluation) -> None:
        """Members without an error on the block: are they perfect on the whole test set? Then
        polish them.
        """
        for place_, entry in sorted(self._running(), key=lambda pair: pair[1].architecture.size):
            if evaluation.wrong_sequences[place_] > 0 or self._polished_enough(entry.architecture):
                continue
            accuracy, largest = self._whole_test(place_)
            if accuracy < 1.0:
                continue
            entry.polishing, entry.largest_error = True, largest
            entry.cycle_start, entry.cycle_length = entry.steps, self.settings.polish_steps
            self.state.chosen[int(self.state.places[place_])] = self.state.members.average[
                place_
            ].copy()
            self.state.work_at_first_perfect = self.state.work_at_first_perfect or self.state.work
        self._supersede()

    def _anneal(self) -> None:
        """Lets the learning rate of members fall for a while: the last errors of nearly perfect
        ones are often mere noise.

        Whoever is about to be given up has this chance, too.
        """
        for _, entry in self._running():
            if (
                entry.anneal_start < 0
                and self.settings.max_steps - ANNEAL_STEPS <= entry.steps < self.settings.max_steps
            ):
                entry.anneal_start = entry.steps
            if entry.anneal_start >= 0 and entry.steps - entry.anneal_start >= ANNEAL_STEPS:
                entry.anneal_start = -1
            elif entry.annealed_cycle < entry.cycle and entry.sequence_accuracy >= ANNEAL_ABOVE:
                entry.anneal_start, entry.annealed_cycle = entry.steps, entry.cycle

    def _polished_enough(self, architecture: Architecture) -> bool:
        """Whether a smaller network, or enough of this size, are perfect already."""
        perfect = [self.state.entries[i].architecture.size for i in self._perfect_entries()]
        smaller = any(size < architecture.size for size in perfect)
        return smaller or perfect.count(architecture.size) >= max(
            POLISHED, self.settings.perfect_members
        )

    def _supersede(self) -> None:
        """Stops members that are larger than a perfect one, and rivals of its size once there are
        enough.
        """
        perfect = [self.state.entries[i] for i in self._perfect_entries()]
        if not perfect:
            return
        best = perfect[0].architecture.size
        enough = (
            sum(entry.architecture.size == best for entry in perfect)
            >= self.settings.perfect_members
        )
        for place_, entry in self._running() + self._polishing():
            if entry.architecture.size > best:
                self._stop(place_, outcome.PERFECT if entry.polishing else outcome.SUPERSEDED)
            elif entry.architecture.size == best and enough and not entry.polishing:
                self._stop(place_, outcome.RUNNING)

    def _finish_polishing(self) -> None:
        for place_, entry in self._polishing():
            if entry.steps - entry.cycle_start < entry.cycle_length:
                continue
            index = int(self.state.places[place_])
            accuracy, largest = self._whole_test(place_)
            if accuracy == 1.0:
                self.state.chosen[index] = self.state.members.average[place_].copy()
                entry.largest_error = largest
            entry.sequence_accuracy = entry.step_accuracy = 1.0
            entry.polished += 1
            if entry.largest_error > ENOUGH_MARGIN and entry.polished < 2:
                entry.cycle_start, entry.cycle_length = entry.steps, 2 * entry.cycle_length
            else:
                self._stop(place_, outcome.PERFECT)

    def _cull(self) -> None:
        """Early: the worse half of every level; at the ends of cycles: the worse half of all."""
        running = self._running()
        rank = lambda pair: (-pair[1].sequence_accuracy, -pair[1].step_accuracy, pair[1].loss)
        early = [
            pair for pair in running if pair[1].steps == EARLY_CULL_STEPS and pair[1].cycle == 0
        ]
        for size in {entry.architecture.size for _, entry in early}:
            level = sorted((pair for pair in early if pair[1].architecture.size == size), key=rank)
            for place_, _ in level[(len(level) + 1) // 2 :]:
                self._stop(place_, outcome.STOPPED)
        ended = [
            pair
            for pair in self._running()
            if pair[1].steps - pair[1].cycle_start >= pair[1].cycle_length
        ]
        if not ended:
            return
        ended.sort(key=rank)
        cycle = max(entry.cycle for _, entry in ended)
        best = max(entry.sequence_accuracy for _, entry in ended)
        last_wave = self.state.wave == len(self.waves) - 1
        poor = cycle < len(ABANDON_BELOW) and best < ABANDON_BELOW[cycle] and not last_wave
        if poor and not self._perfect_entries():
            for place_, _ in self._running():
                self._stop(place_, outcome.STOPPED)
            return
        for position, (place_, entry) in enumerate(ended):
            if entry.steps >= self.settings.max_steps:
                self._stop(place_, outcome.NOT_CONVERGED)
            elif position >= (len(ended) + 1) // 2:
                self._stop(place_, outcome.STOPPED)
            else:
                self._begin_cycle(entry)

    def _begin_cycle(self, entry: Entry) -> None:
        entry.cycle, entry.cycle_start = entry.cycle + 1, entry.steps
        entry.cycle_length = min(
            2 * entry.cycle_length, max(1, self.settings.max_steps - entry.steps)
        )

    def _end_if_smaller_sizes_had_their_chance(self) -> None:
        state = self.state
        if not state.work_at_first_perfect or self._polishing():
            return
        extra = state.work - state.work_at_first_perfect
        if extra >= self.settings.smaller_patience * max(
            state.work_at_first_perfect, PATIENCE_FLOOR
        ):
            for place_, _ in self._running():
                self._stop(place_, outcome.STOPPED)

    def _out_of_time(self) -> bool:
        limit = self.settings.time_limit_seconds
        if limit <= 0:
            return False
        late = self._seconds() >= limit
        return bool(multihost_utils.broadcast_one_to_all(late)) if jax.process_count() > 1 else late

    # -- reporting
    # ------------------------------------------------------------------------------------------------

    def _seconds(self) -> float:
        return self.state.seconds + time.monotonic() - self.started

    def _best_entry(self) -> int | None:
        perfect = self._perfect_entries()
        if perfect:
            return perfect[0]
        finite = [
            i
            for i, e in enumerate(self.state.entries)
            if e.status != outcome.NONFINITE and e.steps > 0
        ]
        return max(
            finite, key=lambda i: (self.state.entries[i].sequence_accuracy, -i), default=None
        )

    def _report(self) -> None:
        index = self._best_entry()
        if index is not None:
            self._keep_best(index)
        if self.progress is None:
            return
        entry = Entry(self.waves[self.state.wave].padded, 0, 0)  # nothing was evaluated so far
        entry = entry if index is None else self.state.entries[index]
        wave = self.state.wave
        self.progress(
            TrainingProgress(
                stage=self.waves[wave].name,
                steps=max((e.steps for e in self.state.entries if e.wave == wave), default=0),
                total_steps=self.settings.max_steps,
                members=int(self._active().sum()),
                best_accuracy=1.0 if entry.polishing else entry.sequence_accuracy,
                best=str(entry.architecture),
                seconds=self._seconds(),
            )
        )

    def _keep_best_so_far(self) -> None:
        index = self._best_entry()
        if index is not None:
            self._keep_best(index)

    def _keep_best(self, index: int) -> None:
        """Remembers the parameters of the best member so far, perfect or not."""
        entry = self.state.entries[index]
        where = np.flatnonzero(self.state.places == index)
        if entry.polishing or entry.status == outcome.PERFECT or len(where) == 0:
            return
        average = self.state.members.average[where[0]].copy()
        if not np.isfinite(average).all():
            return
        for other in [i for i in self.state.chosen if not self._is_perfect(i)]:
            del self.state.chosen[other]
        self.state.chosen[index] = average

    def _is_perfect(self, index: int) -> bool:
        entry = self.state.entries[index]
        return entry.polishing or entry.status == outcome.PERFECT

    def _result(self) -> TrainingResult:
        state = self.state
        names = ("steps", "sequence_accuracy", "step_accuracy", "loss")
        table = np.full((4, len(state.history), len(state.entries)), np.nan)
        for row, values in enumerate(state.history):
            for index, value in values.items():
                table[:, row, index] = value
        return TrainingResult(
            best=self._best_member(),
            members=tuple(entry.record() for entry in state.entries),
            curves=Curves(**dict(zip(names, table))),
            seconds=self._seconds(),
            compile_seconds=self.compile_seconds,
            outcome=self._outcome(),
        )

    def _outcome(self) -> outcome.SearchOutcome:
        if self._perfect_entries():
            return outcome.SearchOutcome.FOUND
        if self._best_entry() is not None:
            return outcome.SearchOutcome.NOT_PERFECT
        late = not self.state.history
        return outcome.SearchOutcome.OUT_OF_TIME if late else outcome.SearchOutcome.NONFINITE

    def _best_member(self) -> TrainedMember | None:
        candidates = [i for i in self._perfect_entries() if i in self.state.chosen] or list(
            self.state.chosen
        )
        for index in candidates:
            member = self._trained_member(index)
            if member.perfect:
                return member
        return self._trained_member(candidates[0]) if candidates else None

    def _trained_member(self, index: int) -> TrainedMember:
        """Folds the training units into the weights and measures the plain float64 network on the
        whole test set.
        """
        entry = self.state.entries[index]
        wave = self.waves[entry.wave]
        _, _, template = self._programs(wave)
        scaling = scaling_of(self.training, keep_zero=wave.padded.affine)
        weights = raw_weights(self.state.chosen[index], template, entry.architecture, scaling)
        network = outcome.network_of(entry.architecture, weights, self.test.length)
        accuracy, largest = measure(network, self.test)
        return TrainedMember(
            architecture=entry.architecture,
            seed=entry.seed,
            steps=entry.steps,
            input_dim=self.input_dim,
            output_dim=self.output_dim,
            accuracy=accuracy,
            perfect=accuracy == 1.0,
            largest_error=largest,
            weights=weights,
        )


def measure(network, sequences: Sequences) -> tuple[float, float]:
    """Fraction of whole sequences right after rounding, and the largest |raw output - target|."""
    wrong, largest = 0, 0.0
    for start in range(0, len(sequences), 8_192):
        part = sequences[start : start + 8_192]
        hidden = np.broadcast_to(network.initial, (len(part), network.hidden_dim))
        bad = np.zeros(len(part), bool)
        for t in range(part.length):
            hidden = network.step(hidden, part.inputs[:, t])
            used = np.ones(len(part), bool) if part.mask is None else part.mask[:, t]
            errors = np.abs(network.readout(hidden) - part.outputs[:, t]).max(axis=1)
            bad |= used & ~(errors < 0.5)
            largest = max(largest, float(np.max(errors[used], initial=0.0)))
        wrong += int(bad.sum())
    return 1.0 - wrong / len(sequences), largest
