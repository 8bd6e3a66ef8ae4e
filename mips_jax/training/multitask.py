"""Many tasks in one population: members of different tasks share one compiled program, each with
its own units, its own window of the data and its own hyperparameters. For sweeps on accelerators.

Axes: K tasks, S seeds of each, P = K S members, T time, C channels, N sequences of each task.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from mips_jax.models import Architecture
from mips_jax.sequences import Sequences
from mips_jax.training.analysis import affine_response
from mips_jax.training.initialization import initial_parameters
from mips_jax.training.member import (
    Hyper,
    MemberState,
    Recipe,
    Scaling,
    Stretch,
    evaluate,
    initial_state,
    train_chunk,
)
from mips_jax.training.optimizers import OPTIMIZERS
from mips_jax.training.optimizers.layout import layout_of
from mips_jax.training.packing import pack, scaling_of
from mips_jax.training.population import Shape, map_members, resolve_layout
from mips_jax.training.search.tuning import SearchTuning
from mips_jax.training.settings import TrainingSettings

NONLINEAR = Architecture(6, 128, 2, 64, 2)  # the padded shape of tasks that are not affine
BLOCK = 4_096  # test sequences looked at after every chunk; winners see all


@dataclasses.dataclass(frozen=True)
class TaskData:
    """Sequences of one task; all tasks have the same number of them."""

    training: Sequences
    test: Sequences


@dataclasses.dataclass(frozen=True, eq=False)
class SweepProgress:
    """After one chunk.

    Attributes:
        steps: taken by every member.
        perfect: [K, S] members that have been right on all test sequences.
        hidden_dims: [K, S].
    """

    steps: int
    perfect: np.ndarray
    hidden_dims: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Members:
    """All members before their first step.

    Attributes:
        states, hypers, scalings: [P, ...].
        hidden_dims: [P].
    """

    states: MemberState
    hypers: Hyper
    scalings: Scaling
    hidden_dims: np.ndarray


def sweep_tasks(
    tasks: list[TaskData], seeds: int, affine: bool, steps: int, settings: TrainingSettings
) -> Iterator[SweepProgress]:
    """Trains `seeds` members for each task until every task has a perfect one.

    Args:
        tasks: K of them.
        seeds: S.
        affine: whether all tasks are (see `affine_response`), or none.
        steps: at most.
        settings: `batch_size`, `chunk_steps`, `learning_rate`, `clip_norm`, `optimizer` are used.
    """
    length = max(task.training.length for task in tasks)
    inputs = max(task.training.inputs.shape[2] for task in tasks)
    outputs = max(task.training.outputs.shape[2] for task in tasks)
    orders = [r.order for r in map(affine_response, (t.training for t in tasks)) if r and affine]
    padded = Architecture(max(orders)) if affine else NONLINEAR
    layout = resolve_layout(settings.device.layout)
    shape = Shape(padded, inputs, outputs, settings.batch_size, layout, False, settings.optimizer)
    members = first_members(tasks, seeds, affine, shape, settings)
    side_by_side = lambda parts: jnp.asarray(
        np.concatenate(
            [pack(padded_to(p, length, inputs, outputs), seed=0) for p in parts], axis=-1
        )
    )
    data, test = (side_by_side([getattr(t, part) for t in tasks]) for part in ("training", "test"))
    windows = len(tasks[0].training), len(tasks[0].test)
    train, wrong = sweep_programs(shape, settings, *windows)
    task_of = jnp.repeat(jnp.arange(len(tasks), dtype=jnp.int32), seeds)
    states, fixed = members.states, (members.hypers, members.scalings, task_of)
    active, perfect = np.ones(len(task_of), bool), np.zeros(len(task_of), bool)
    for step in range(settings.chunk_steps, steps + 1, settings.chunk_steps):
        states = train(states, active, fixed, data)
        candidates = active
        for block in range(windows[1] // BLOCK):
            counts = wrong(states.average, candidates, fixed[1:], block, test)
            candidates = candidates & (np.asarray(counts) == 0)
            if not candidates.any():
                break
        perfect |= candidates
        table = perfect.reshape(len(tasks), seeds)
        done = table.any(axis=1)
        if layout == "map":  # side by side, a member that rests saves nothing
            active = np.repeat(~done, seeds)
        yield SweepProgress(step, table.copy(), members.hidden_dims.reshape(table.shape))
        if done.all():
            return


def sweep_programs(
    shape: Shape, settings: TrainingSettings, trained: int, tested: int
) -> tuple[Callable, Callable]:
    """(train, wrong): one chunk of training; wrong sequences of one block of the test.

    Args:
        trained, tested: sequences of each task.
    """
    template = shape.model()
    unravel = ravel_pytree(template)[1]
    optimizer = OPTIMIZERS[shape.optimizer](layout_of(template))
    recipe = Recipe(unravel, optimizer, shape.batch_size, shape.batch_size)
    chunk = settings.chunk_steps

    @jax.jit
    def train(states, active, fixed, data):
        def one(state, row):
            hyper, scaling, task = row
            stretch = Stretch(jnp.int32(0), jnp.int32(chunk), jnp.int32(chunk))
            window = (task * trained, trained)
            return train_chunk(state, hyper, scaling, data, stretch, recipe, window)

        return map_members(one, shape.layout)(active, states, fixed)

    @jax.jit
    def wrong(averages, active, fixed, block, test):
        def one(_, row):
            parameters, scaling, task = row
            rows = jax.lax.dynamic_slice_in_dim(test, task * tested + block * BLOCK, BLOCK, axis=2)
            return evaluate(parameters, scaling, rows, unravel=unravel).wrong_sequences

        blank = jnp.zeros(active.shape[0], jnp.int32)
        return map_members(one, shape.layout)(active, blank, (averages, *fixed))

    return train, wrong


def first_members(
    tasks: list[TaskData], seeds: int, affine: bool, shape: Shape, settings: TrainingSettings
) -> Members:
    """S members of each task, embedded in the shape that all share."""
    template, tuning = shape.model(), SearchTuning()
    optimizer = OPTIMIZERS[shape.optimizer](layout_of(template))
    states, hypers, scalings, hidden_dims = [], [], [], []
    for index, task in enumerate(tasks):
        scaling = scaling_of(task.training, keep_zero=affine)
        response = affine_response(task.training) if affine else None
        samples, jitter = samples_of(task.training, scaling, tuning.samples, shape, affine)
        for seed in range(seeds):
            if response is not None:
                architecture, rate, aligned = Architecture(response.order), tuning.affine_rate, 0.0
            else:
                hidden_dim = 1 + seed % NONLINEAR.hidden_dim
                architecture = dataclasses.replace(NONLINEAR, hidden_dim=hidden_dim)
                rate, aligned = tuning.variant(seed // NONLINEAR.hidden_dim)
            row = index * seeds + seed
            parameters, trainable = initial_parameters(
                architecture,
                template,
                samples,
                jitter,
                len(scaling.output_scale),
                row,
                aligned,
                None if response is None else response.in_units(scaling),
            )
            states.append(initial_state(jnp.asarray(parameters), jnp.uint32(row), optimizer))
            hypers.append(plain_hyper(rate * settings.learning_rate, trainable, settings, tuning))
            scalings.append(padded_scaling(scaling, shape))
            hidden_dims.append(architecture.hidden_dim)
    stack = lambda rows: jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)
    return Members(stack(states), stack(hypers), stack(scalings), np.array(hidden_dims))


def plain_hyper(
    rate: float, trainable: np.ndarray, settings: TrainingSettings, tuning: SearchTuning
) -> Hyper:
    """Training without pressure."""
    f32 = jnp.float32
    return Hyper(
        learning_rate=f32(rate),
        halving_steps=f32(tuning.halving_steps),
        floor=f32(1.0),
        start=jnp.int32(0),
        horizon=f32(np.inf),
        clip_norm=f32(settings.clip_norm),
        ramp=f32(0.0),
        margin=f32(tuning.margin_weight),
        weight_decay=f32(0.0),
        hidden_noise=f32(0.0),
        quantization_step=f32(settings.pressure.quantization_step),
        penalties={},
        trainable=jnp.asarray(trainable, f32),
    )


def samples_of(
    training: Sequences, scaling: Scaling, count: int, shape: Shape, affine: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [count, I] in training units and half a raw unit [I], padded to the shared inputs."""
    own = training.inputs.shape[2]
    gap = 0 if affine else shape.input_dim - own
    rows = training.inputs.reshape(-1, own)[:count]
    samples = (rows - scaling.input_shift) / scaling.input_scale
    return np.pad(samples, ((0, 0), (0, gap))), np.pad(0.5 / scaling.input_scale, (0, gap))


def padded_scaling(scaling: Scaling, shape: Shape) -> Scaling:
    """Units of inputs and outputs that a task does not have: 1 and 0."""
    grow = lambda values, size, fill: jnp.asarray(
        np.pad(values, (0, size - len(values)), constant_values=fill), jnp.float32
    )
    return Scaling(
        grow(scaling.input_scale, shape.input_dim, 1.0),
        grow(scaling.input_shift, shape.input_dim, 0.0),
        grow(scaling.output_scale, shape.output_dim, 1.0),
        grow(scaling.output_shift, shape.output_dim, 0.0),
    )


def padded_to(sequences: Sequences, length: int, inputs: int, outputs: int) -> Sequences:
    """Zero inputs and outputs up to the shared shape, steps that do not count up to the shared
    length."""
    count, steps = sequences.inputs.shape[:2]
    grow = lambda array, last: np.pad(
        array, ((0, 0), (0, length - steps), (0, last - array.shape[2]))
    )
    judged = np.zeros((count, length), bool)
    judged[:, :steps] = True if sequences.judged is None else sequences.judged
    return Sequences(grow(sequences.inputs, inputs), grow(sequences.outputs, outputs), judged)
