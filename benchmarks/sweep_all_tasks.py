"""All named tasks times many seeds in two populations, each one compiled program: what an
accelerator is for.

    python benchmarks/sweep_all_tasks.py --seeds 64 [--tasks A,B] [--steps 6000]

The affine tasks share one population of affine networks; the others share one padded shape (H <= 6,
128x2/64x2), where a task's members differ in hidden size, learning rate and alignment of kinks.
Tasks lie side by side in one array; every member has its window of it. A task is perfect when one
of its members is right on all its 65,536 fresh sequences. Prints the wall time, compilation
included and apart, and the last line `N of 62 perfect in S s`.
"""

from __future__ import annotations

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from mips_jax.training.soap import layout_of

from mips_jax.models import Architecture, build_model
from mips_jax.sequences import Sequences
from mips_jax.tasks import TASKS, Task, get_task
from mips_jax.training import DeviceSettings
from mips_jax.training.analysis import affine_response
from mips_jax.training.devices import configure_devices
from mips_jax.training.initialization import initial_parameters
from mips_jax.training.member import Hyper, Scaling, evaluate, train_chunk
from mips_jax.training.packing import pack, scaling_of
from mips_jax.training.population import blank_states, map_members, resolve_layout
from mips_jax.training.search import AFFINE_RATE, HALVING_STEPS, MARGIN_WEIGHT, VARIANTS

SEQUENCES, BATCH, CHUNK = 65_536, 128, 250
BLOCK = 4_096  # test sequences looked at after every chunk; winners see all
NONLINEAR = Architecture(6, 128, 2, 64, 2)


def pad_sequences(sequences: Sequences, length: int, inputs: int, outputs: int) -> Sequences:
    """Zero inputs and outputs up to the shared shape, masked steps up to the shared length."""
    count, steps = sequences.inputs.shape[:2]
    grow = lambda array, last: np.pad(
        array, ((0, 0), (0, length - steps), (0, last - array.shape[2]))
    )
    mask = np.zeros((count, length), bool)
    mask[:, :steps] = True
    return Sequences(grow(sequences.inputs, inputs), grow(sequences.outputs, outputs), mask)


def population(
    tasks: list[tuple[Task, Sequences, Sequences]], seeds: int, affine: bool, steps: int
) -> dict[str, tuple[int, int, int]]:
    """Trains `seeds` members for each task until every task has a perfect one; {task: (H, perfect
    members, steps)}.
    """
    began = time.perf_counter()
    length = max(task.length for task, _, _ in tasks)
    inputs = max(len(task.input_range) for task, _, _ in tasks)
    outputs = max(task.output_dim for task, _, _ in tasks)
    responses = [affine_response(training) if affine else None for _, training, _ in tasks]
    padded = Architecture(max(r.order for r in responses)) if affine else NONLINEAR
    template = build_model(padded, inputs, outputs, jax.random.key(0))
    _, unravel = ravel_pytree(template)
    layout, layers = resolve_layout("auto"), layout_of(template)

    count = len(tasks) * seeds
    states, hyper_rows, scalings, sizes = blank_states(count, template), [], [], []
    for index, (task, training, _) in enumerate(tasks):
        scaling = scaling_of(training, keep_zero=affine)
        own_inputs = training.inputs.shape[2]
        samples = (
            training.inputs.reshape(-1, own_inputs)[:4_096] - scaling.input_shift
        ) / scaling.input_scale
        samples = np.pad(samples, ((0, 0), (0, inputs - own_inputs if not affine else 0)))
        jitter = np.pad(0.5 / scaling.input_scale, (0, len(samples[0]) - own_inputs))
        grow = lambda values, size, fill: np.pad(
            values, (0, size - len(values)), constant_values=fill
        )
        scaling_row = Scaling(
            grow(scaling.input_scale, inputs, 1.0),
            grow(scaling.input_shift, inputs, 0.0),
            grow(scaling.output_scale, outputs, 1.0),
            grow(scaling.output_shift, outputs, 0.0),
        )
        for seed in range(seeds):
            row = index * seeds + seed
            if affine:
                architecture, rate, aligned = Architecture(responses[index].order), AFFINE_RATE, 0.0
            else:
                architecture = Architecture(1 + seed % NONLINEAR.hidden_dim, 128, 2, 64, 2)
                rate, aligned = VARIANTS[(seed // NONLINEAR.hidden_dim) % len(VARIANTS)]
            response = responses[index].in_units(scaling) if affine else None
            own_outputs = len(scaling.output_scale)
            parameters, trainable = initial_parameters(
                architecture, template, samples, jitter, own_outputs, row, aligned, response
            )
            states.parameters[row] = states.average[row] = parameters
            states.seed[row] = row
            hyper_rows.append(
                Hyper(
                    learning_rate=np.float32(5e-3 * rate),
                    halving_steps=np.float32(HALVING_STEPS),
                    floor=np.float32(1.0),
                    start=np.int32(0),
                    horizon=np.float32(np.inf),
                    clip_norm=np.float32(1.0),
                    ramp=np.float32(0),
                    margin=np.float32(MARGIN_WEIGHT),
                    l1=np.float32(0),
                    weight_decay=np.float32(0),
                    hidden_noise=np.float32(0),
                    contraction=np.float32(0),
                    quantization=np.float32(0),
                    quantization_step=np.float32(0.125),
                    trainable=trainable.astype(np.float32),
                )
            )
            scalings.append(scaling_row)
            sizes.append(architecture.hidden_dim)
    stack = lambda rows: jax.tree.map(
        lambda *leaves: jnp.asarray(np.stack(leaves), jnp.result_type(leaves[0])), *rows
    )
    hypers, scalings = stack(hyper_rows), stack(scalings)
    scalings = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), scalings)
    side_by_side = lambda part: jnp.asarray(
        np.concatenate(
            [pack(pad_sequences(t[part], length, inputs, outputs), seed=0) for t in tasks], axis=-1
        )
    )
    data, test = side_by_side(1), side_by_side(2)
    task_of = jnp.repeat(jnp.arange(len(tasks), dtype=jnp.int32), seeds)

    fixed = (hypers, scalings, task_of)

    @jax.jit
    def train(states, active, fixed, data):
        def one(state, row):
            hyper, scaling, task = row
            return train_chunk(
                state,
                hyper,
                scaling,
                data,
                jnp.int32(CHUNK),
                unravel=unravel,
                layout=layers,
                batch_size=BATCH,
                micro_batch=BATCH,
                window=(task * SEQUENCES, SEQUENCES),
            )

        return map_members(one, layout)(active, states, fixed)

    @jax.jit
    def wrong(averages, active, fixed, block, test):
        def one(_, row):
            parameters, scaling, task = row
            rows = jax.lax.dynamic_slice_in_dim(
                test, task * SEQUENCES + block * BLOCK, BLOCK, axis=2
            )
            return evaluate(parameters, scaling, rows, unravel=unravel).wrong_sequences

        blank = jnp.zeros(count, jnp.int32)
        return map_members(one, layout)(active, blank, (averages, *fixed[1:]))

    perfect = np.zeros(count, bool)
    reached = np.zeros(len(tasks), int)
    active = np.ones(count, bool)
    states = jax.tree.map(jnp.asarray, states)
    prepared = time.perf_counter()
    for step in range(CHUNK, steps + 1, CHUNK):
        states = train(states, active, fixed, data)
        candidates = active & (np.asarray(wrong(states.average, active, fixed, 0, test)) == 0)
        for block in range(1, SEQUENCES // BLOCK):
            if not candidates.any():
                break
            candidates &= np.asarray(wrong(states.average, candidates, fixed, block, test)) == 0
        if step == CHUNK:
            first = time.perf_counter()
        perfect |= candidates
        by_task = perfect.reshape(len(tasks), seeds).any(axis=1)
        reached[by_task & (reached == 0)] = step
        active = np.repeat(~by_task, seeds) if layout == "map" else active
        print(
            f"  step {step}: {by_task.sum()} of {len(tasks)} tasks, {time.perf_counter() - began:.1f} s",
            flush=True,
        )
        if by_task.all():
            break
    print(
        f"  preparing {prepared - began:.1f} s, first chunk with compilation {first - prepared:.1f} s"
    )
    sizes = np.asarray(sizes).reshape(len(tasks), seeds)
    table = perfect.reshape(len(tasks), seeds)
    return {
        task.name: (
            int(sizes[i][table[i]].min()) if table[i].any() else 0,
            int(table[i].sum()),
            int(reached[i]),
        )
        for i, (task, _, _) in enumerate(tasks)
    }


def sweep(seeds: int, names: list[str] | None = None, steps: int = 6_000) -> None:
    names = list(TASKS) if not names else names
    began = time.perf_counter()
    loaded = []
    for name in names:
        task = get_task(name)
        loaded.append(
            (task, task.training_sequences(SEQUENCES, 0), task.test_sequences(SEQUENCES, 0))
        )
    print(f"sequences drawn in {time.perf_counter() - began:.1f} s")
    groups: dict[bool, list] = {True: [], False: []}
    for entry in loaded:
        groups[affine_response(entry[1]) is not None].append(entry)
    began, outcome = time.perf_counter(), {}
    for affine, tasks in groups.items():
        if tasks:
            print(f"{len(tasks)} {'affine' if affine else 'other'} tasks x {seeds} seeds")
            outcome |= population(tasks, seeds, affine, steps)
    seconds = time.perf_counter() - began
    for name, (hidden_dim, count, step) in outcome.items():
        print(f"{name:24s} H={hidden_dim}  {count:3d} of {seeds} perfect, first after {step} steps")
    perfect = sum(count > 0 for _, count, _ in outcome.values())
    print(f"{perfect} of {len(outcome)} perfect in {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--tasks", default="")
    parser.add_argument("--steps", type=int, default=6_000, help="at most")
    options = parser.parse_args()
    configure_devices(DeviceSettings(compilation_cache=False))
    print(
        f"{len(jax.devices())} x {jax.devices()[0].device_kind}, jax {jax.__version__}, {time.strftime('%Y-%m-%d')}"
    )
    sweep(options.seeds, [name for name in options.tasks.split(",") if name], options.steps)
