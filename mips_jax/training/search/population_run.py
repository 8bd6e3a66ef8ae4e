"""The population of one wave on its way: weights on the host, trained and evaluated on the devices.

Axes: P places of a population, n parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from mips_jax.sequences import Sequences
from mips_jax.training.analysis import AffineResponse
from mips_jax.training.initialization import initial_parameters
from mips_jax.training.member import Evaluation, Hyper, MemberState, Stretch
from mips_jax.training.packing import blocks, pack, scaling_of
from mips_jax.training.population import (
    AXIS,
    Shape,
    compiled_programs,
    fetch,
    launches,
    place,
    rows_that_fit,
)
from mips_jax.training.search.pace import Pace
from mips_jax.training.search.rules import Choices, Observation
from mips_jax.training.search.state import EMPTY, MemberProgress, SearchState


class Data:
    """The sequences of one search on the devices.

    Attributes:
        training, test: as given.
        packed: [T, C, N] the training sequences, shuffled.
        test_blocks: the test sequences, each [T, C, size].
        block_sequences, block_steps: how many there are in the first block, steps without a label
            aside.
    """

    def __init__(self, training: Sequences, test: Sequences, choices: Choices, mesh: Mesh):
        settings, shared = choices.settings, PartitionSpec()
        self.training, self.test = training, test
        packed = pack(training, settings.seed, at_least=settings.batch_size)
        self.packed = place(packed, mesh, shared)
        size = settings.evaluation_sequences
        self.test_blocks = [place(block, mesh, shared) for block in blocks(test, size)]
        self.block_sequences = min(size, len(test))
        self.block_steps = test[: self.block_sequences].labels


class PopulationRun:
    """Members of one padded shape.

    Args:
        shape: what is compiled.
        data: see `Data`.
        choices: see `Choices`.
        mesh: the devices.
        response: of the data, where affine networks start from it.
        count: P.
    """

    def __init__(
        self,
        shape: Shape,
        data: Data,
        choices: Choices,
        mesh: Mesh,
        response: AffineResponse | None,
        count: int,
    ):
        self.shape, self.data, self.choices, self.mesh = shape, data, choices, mesh
        self.programs = compiled_programs(shape, mesh)
        scaling = scaling_of(data.training, keep_zero=shape.architecture.affine)
        rows = data.training.inputs.reshape(-1, shape.input_dim)[: choices.tuning.samples]
        self.samples = (rows - scaling.input_shift) / scaling.input_scale
        self.jitter = 0.5 / np.asarray(scaling.input_scale)
        self.scaling = place(scaling, mesh, PartitionSpec())
        self.response = None if response is None else response.in_units(scaling)
        self.members = self.programs.blank_states(count)
        self.trainable = np.zeros_like(self.members.parameters)
        row_bytes = sum(leaf[0].nbytes for leaf in jax.tree.leaves(self.members))
        device, length = choices.settings.device, data.training.length
        self.rows_at_once = rows_that_fit(device, shape, length, row_bytes)

    @property
    def leaves(self) -> list[np.ndarray]:
        """The training state for a checkpoint."""
        return jax.tree.leaves(self.members)

    def restore(self, leaves: list[np.ndarray], state: SearchState) -> None:
        """Goes on from the `leaves` of an earlier run."""
        self.members = jax.tree.unflatten(jax.tree.structure(self.members), leaves)
        for place_, member in state.occupied():
            self.trainable[place_] = self._initial_row(member)[1]

    def start(self, before: SearchState, state: SearchState) -> None:
        """Draws the weights of all members that are in a place now and were not before."""
        for place_, index in enumerate(state.places or ()):
            known = before.places is not None and before.places[place_] == index
            if index == EMPTY or known:
                continue
            member = state.members[index]
            for leaf, blank in zip(self.leaves, jax.tree.leaves(self.programs.blank)):
                leaf[place_] = blank
            parameters, self.trainable[place_] = self._initial_row(member)
            self.members.parameters[place_] = self.members.average[place_] = parameters
            self.members.seed[place_] = member.seed

    def train(
        self, active: np.ndarray, hypers: Hyper, pace: Pace, looks: Callable[[], bool]
    ) -> tuple[Observation, MemberState]:
        """Advances the active members by one chunk and evaluates them. When time is up before, what
        they were by then is evaluated.

        Args:
            active: [P].
            pace: of the stretches in between.
            looks: called before each stretch; whether time is up.

        Returns:
            What was seen, and the members after it: `self.members` stays where the chunk began.
        """
        count, complete = len(active), True
        members = jax.tree.map(np.copy, self.members)
        counts = Evaluation(np.zeros(count, int), np.zeros(count, int), np.zeros(count))
        evaluated = np.zeros(count, bool)
        for rows, used in launches(active, self.mesh.size, self.shape.layout, self.rows_at_once):
            new, done = self._launch(rows, used, hypers, pace, looks)
            complete = complete and done == self.choices.settings.chunk_steps
            if done == 0:
                break
            for old, leaf in zip(jax.tree.leaves((members, counts)), jax.tree.leaves(new)):
                old[rows[used]] = leaf[used]
            evaluated[rows[used]] = True
        seen = Observation(
            steps=members.step,
            loss=members.loss,
            finite=np.isfinite(members.parameters).all(axis=1),
            averages=members.average,
            evaluated=evaluated,
            wrong_sequences=counts.wrong_sequences,
            wrong_steps=counts.wrong_steps,
            block_sequences=self.data.block_sequences,
            block_steps=self.data.block_steps,
            whole_test=self.whole_test,
            complete=complete,
        )
        return seen, members

    def whole_test(self, place_: int) -> tuple[float, float]:
        """(sequence accuracy, largest error) of one member on all test sequences."""
        only = np.arange(len(self.members.step)) == place_
        rows, only = self._padded((self.members.average, only))
        wrong, largest = 0, 0.0
        for block in self.data.test_blocks:
            found = self.programs.evaluate(rows, only, self.scaling, block)
            evaluation = fetch(found, self.mesh)
            wrong += int(evaluation.wrong_sequences[place_])
            largest = max(largest, float(evaluation.largest_error[place_]))
            if wrong:
                break
        return 1.0 - wrong / len(self.data.test), largest

    def _launch(
        self,
        rows: np.ndarray,
        used: np.ndarray,
        hypers: Hyper,
        pace: Pace,
        looks: Callable[[], bool],
    ) -> tuple[tuple[MemberState, Evaluation] | None, int]:
        """((states, evaluations) of the rows, steps taken): fewer than a chunk when time was up."""
        part = jax.tree.map(lambda leaf: leaf[rows], (self.members, hypers))
        members, hyper, mask = place((*part, used), self.mesh, PartitionSpec(AXIS))
        chunk, done = self.choices.settings.chunk_steps, 0
        for first, steps in pace.stretches(chunk, looks):
            stretch = Stretch(*(np.int32(value) for value in (first, steps, chunk)))
            members = self.programs.train(
                members, hyper, mask, self.scaling, self.data.packed, stretch
            )
            jax.block_until_ready(members.step)
            done = first + steps
        if done == 0:
            return None, done
        judged = self.programs.evaluate(
            members.average, mask, self.scaling, self.data.test_blocks[0]
        )
        trained, evaluation = fetch((members, judged), self.mesh)
        if done < chunk:  # the loss is a sum so far
            trained = dataclasses.replace(trained, loss=trained.loss / done)
        return (trained, evaluation), done

    def _padded(self, rows: Iterable[np.ndarray]):
        """Rows [P, ...] on the devices, with empty ones up to a multiple of the devices."""
        pad = lambda leaf: np.pad(
            leaf, [(0, -len(leaf) % self.mesh.size)] + [(0, 0)] * (leaf.ndim - 1)
        )
        return place(tuple(pad(leaf) for leaf in rows), self.mesh, PartitionSpec(AXIS))

    def _initial_row(self, member: MemberProgress) -> tuple[np.ndarray, np.ndarray]:
        return initial_parameters(
            member.architecture,
            self.programs.template,
            self.samples,
            self.jitter,
            self.shape.output_dim,
            member.seed,
            self.choices.tuning.variant(member.variant)[1],
            self.response,
        )
