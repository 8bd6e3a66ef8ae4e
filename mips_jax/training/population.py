"""Many members at once: the one place where the population and device axes are added.

On CPU the members of each device run one after another (`lax.map` with a skip for inactive ones:
small working sets, contiguous batches); on GPU and TPU they run side by side (`vmap`). Either way
the population axis is sharded over the devices of a mesh.
Axes: P members (a multiple of the device count), T time, C channels, N sequences, n parameters.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mips_jax.models import Architecture, RecurrentModel, build_model
from mips_jax.training.devices import physical_memory
from mips_jax.training.member import MemberState, evaluate, initial_state, train_chunk
from mips_jax.training.settings import DeviceSettings
from mips_jax.training.soap import layout_of

AXIS = "population"
CACHE_BYTES = 2**20  # activations of one layer over a micro batch on CPU


def population_mesh(devices: list | None = None) -> Mesh:
    """All devices (or the given ones) in one row."""
    devices = jax.devices() if devices is None else devices
    return jax.make_mesh(
        (len(devices),), (AXIS,), axis_types=(jax.sharding.AxisType.Auto,), devices=devices
    )


def resolve_layout(layout: str) -> str:
    """ "auto" -> "map" on CPU, "vmap" on accelerators."""
    if layout != "auto":
        return layout
    return "map" if jax.default_backend() == "cpu" else "vmap"


def map_members(function, layout: str):
    """function(row) -> row, lifted to rows with a leading member axis; inactive members pass
    through unchanged.

    Args:
        function: takes (changing, fixed) of one member and returns `changing` again (same
            structure).
    """

    def one(active, changing, fixed):
        return lax.cond(active, lambda c: function(c, fixed), lambda c: c, changing)

    if layout == "vmap":
        return jax.vmap(one)
    return lambda active, changing, fixed: lax.map(lambda row: one(*row), (active, changing, fixed))


def micro_batch_size(architecture: Architecture, length: int, batch_size: int) -> int:
    """The largest part of a batch (by repeated halving) whose activations [T, width, part] fit into
    a core's cache.
    """
    width = max(architecture.hidden_dim, architecture.transition_width, architecture.output_width)
    part = batch_size
    while part % 2 == 0 and 4 * length * width * part > CACHE_BYTES:
        part //= 2
    return part


@functools.lru_cache(maxsize=64)
def compiled_programs(
    architecture: Architecture,
    input_dim: int,
    output_dim: int,
    batch_size: int,
    mesh: Mesh,
    layout: str,
    bfloat16_gradients: bool,
):
    """The jitted (train, evaluate) of a population; jax caches them by shape, so tasks of equal
    shape share them.
    """
    template = build_model(
        architecture, input_dim, output_dim, jax.random.key(0), bfloat16_gradients
    )
    flat, unravel = ravel_pytree(template)
    layers = layout_of(template)
    members, shared = PartitionSpec(AXIS), PartitionSpec()

    def sharded(function, in_specs):
        return jax.jit(
            jax.shard_map(
                function, mesh=mesh, in_specs=in_specs, out_specs=members, check_vma=False
            )
        )

    def train(states, hypers, active, scaling, data, steps):
        def chunk(state, hyper):
            micro_batch = (
                micro_batch_size(architecture, data.shape[0], batch_size)
                if layout == "map"
                else batch_size
            )
            return train_chunk(
                state,
                hyper,
                scaling,
                data,
                steps,
                unravel=unravel,
                layout=layers,
                batch_size=batch_size,
                micro_batch=micro_batch,
            )

        return map_members(chunk, layout)(active, states, hypers)

    def evaluate_members(parameters, active, scaling, data):
        empty = jax.eval_shape(lambda p: evaluate(p, scaling, data, unravel=unravel), flat)
        blank = jax.tree.map(
            lambda leaf: jnp.zeros((active.shape[0],) + leaf.shape, leaf.dtype), empty
        )
        return map_members(lambda _, p: evaluate(p, scaling, data, unravel=unravel), layout)(
            active, blank, parameters
        )

    train = sharded(train, (members, members, members, shared, shared, shared))
    return train, sharded(evaluate_members, (members, members, shared, shared)), template


def launches(
    active: np.ndarray, devices: int, layout: str, at_once: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Which rows of a population go onto the devices together, dealt evenly, so that no device
    waits for another.

    Args:
        active: [P] bool.
        devices: how many share the rows; each gets an equal share of the active ones.
        at_once: rows that fit at one time (rounded down to a multiple of the devices).

    Returns:
        For each launch: row indices [size] and whether each is to be trained (the others fill up
            the shape). The size
        is the same for all launches, so that they share one compiled program; side by side, few
        members use a quarter.
    """
    chosen, size = np.flatnonzero(active), len(active)
    if layout == "vmap" and len(chosen) <= size // 4 and size // 4 % devices == 0:
        size //= 4
    size = max(devices, min(size, at_once) // devices * devices)
    result = []
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        rows, used = (
            np.full((devices, size // devices), part[0]),
            np.zeros((devices, size // devices), bool),
        )
        for device in range(devices):
            mine = part[device::devices]
            rows[device, : len(mine)], used[device, : len(mine)] = mine, True
        result.append((rows.ravel(), used.ravel()))
    return result


def rows_that_fit(
    settings: DeviceSettings, architecture: Architecture, length: int, batch: int, row_bytes: int
) -> int:
    """Population rows for which there is memory at one time.

    Args:
        row_bytes: size of one member's training state.
    """
    if settings.max_members_at_once > 0:
        return settings.max_members_at_once
    device = jax.local_devices()[0]
    if settings.memory_limit_gib > 0:
        limit = settings.memory_limit_gib * 2**30
    elif device.platform == "cpu":
        limit = 0.25 * physical_memory()
    else:
        limit = (
            0.6 * (device.memory_stats() or {}).get("bytes_limit", 8 * 2**30) * len(jax.devices())
        )
    depth = architecture.transition_depth + architecture.output_depth
    width = max(architecture.hidden_dim, architecture.transition_width, architecture.output_width)
    activations = (
        4 * 3 * length * batch * width * depth if resolve_layout(settings.layout) == "vmap" else 0
    )
    return max(1, int(limit / (4 * row_bytes + activations)))


def place(tree, mesh: Mesh, spec: PartitionSpec):
    """Host arrays -> device arrays, rows sharded over the mesh or replicated; every host passes the
    whole arrays.
    """
    sharding = NamedSharding(mesh, spec)

    def put(leaf):
        leaf = np.asarray(leaf)
        return jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf[index])

    return jax.tree.map(put, tree)


def fetch(tree, mesh: Mesh):
    """Device arrays -> whole host arrays, on every host alike."""
    if jax.process_count() > 1:
        tree = jax.jit(lambda t: t, out_shardings=NamedSharding(mesh, PartitionSpec()))(tree)
    return jax.tree.map(np.array, jax.device_get(tree))


def blank_states(count: int, template: RecurrentModel) -> MemberState:
    """Initial states of `count` members with all weights 0, as host arrays: places before members
    move in.
    """
    parameters = np.zeros(sum(leaf.size for leaf in jax.tree.leaves(template)), np.float32)
    one = initial_state(jnp.asarray(parameters), jnp.zeros((), jnp.uint32), layout_of(template))
    return jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[None], count, axis=0), one)
