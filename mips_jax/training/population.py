"""Many members at once: the one place where the population and device axes are added.

On CPU the members of each device run one after another (`lax.map` with a skip for inactive ones:
small working sets, contiguous batches); on GPU and TPU they run side by side (`vmap`). Either way
the population axis is sharded over the devices of a mesh.
Axes: P members (a multiple of the device count), T time, C channels, N sequences, n parameters.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mips_jax.models import Architecture, RecurrentModel, build_model
from mips_jax.training.member import MemberState, Recipe, evaluate, initial_state, train_chunk
from mips_jax.training.memory import device_limit
from mips_jax.training.optimizers import OPTIMIZERS
from mips_jax.training.optimizers.layout import layout_of
from mips_jax.training.settings import DeviceSettings

AXIS = "population"
CACHE_BYTES = 2**20  # activations of one layer over a micro batch on CPU
# sequences; smaller products cost more than they save, so long sequences leave the cache instead
SMALLEST_MICRO_BATCH = 32


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
    a core's cache, but at least `SMALLEST_MICRO_BATCH`.
    """
    width = max(architecture.hidden_dim, architecture.transition_width, architecture.output_width)
    part, smallest = batch_size, 2 * SMALLEST_MICRO_BATCH
    while part % 2 == 0 and part >= smallest and 4 * length * width * part > CACHE_BYTES:
        part //= 2
    return part


@dataclasses.dataclass(frozen=True)
class Shape:
    """What decides a population's compiled programs, beside the shapes of the data.

    Attributes:
        architecture: the padded one.
        input_dim, output_dim, batch_size: I, O, B.
        layout: "map" or "vmap".
        bfloat16_gradients: see `build_model`.
        optimizer: a name in `OPTIMIZERS`.
    """

    architecture: Architecture
    input_dim: int
    output_dim: int
    batch_size: int
    layout: str
    bfloat16_gradients: bool
    optimizer: str = "soap"

    def model(self, bfloat16_gradients: bool = False) -> RecurrentModel:
        """A network of this shape, whatever its weights."""
        key = jax.random.key(0, impl="threefry2x32")
        return build_model(
            self.architecture, self.input_dim, self.output_dim, key, bfloat16_gradients
        )


@dataclasses.dataclass(frozen=True)
class Programs:
    """The jitted functions of a population.

    Attributes:
        train: (states, hypers, active, scaling, data, stretch) -> states.
        evaluate: (parameters, active, scaling, data) -> evaluations.
        template: a model of the shape.
        blank: a member with all weights 0, before its first step, as host arrays.
    """

    train: Callable
    evaluate: Callable
    template: RecurrentModel
    blank: MemberState

    def blank_states(self, count: int) -> MemberState:
        """`count` of them, before members move in."""
        return jax.tree.map(lambda leaf: np.repeat(leaf[None], count, axis=0), self.blank)


@functools.lru_cache(maxsize=64)
def compiled_programs(shape: Shape, mesh: Mesh) -> Programs:
    """The programs of a population; jax caches them by shape: tasks of equal shape share them."""
    template = shape.model(shape.bfloat16_gradients)
    flat, unravel = ravel_pytree(template)
    exact = ravel_pytree(shape.model())[1]
    optimizer = OPTIMIZERS[shape.optimizer](layout_of(template))
    members, shared = PartitionSpec(AXIS), PartitionSpec()

    def sharded(function, in_specs):
        return jax.jit(
            jax.shard_map(
                function, mesh=mesh, in_specs=in_specs, out_specs=members, check_vma=False
            )
        )

    def train(states, hypers, active, scaling, data, stretch):
        length, batch = data.shape[0], shape.batch_size
        in_turn = shape.layout == "map"
        micro_batch = micro_batch_size(shape.architecture, length, batch) if in_turn else batch
        # Of a single step the state before is the constant 0, and XLA simplifies the layer's
        # products to products with vectors, which it refuses in bfloat16.
        recipe = Recipe(unravel if length > 1 else exact, optimizer, batch, micro_batch)
        chunk = lambda state, hyper: train_chunk(state, hyper, scaling, data, stretch, recipe)
        return map_members(chunk, shape.layout)(active, states, hypers)

    def evaluate_members(parameters, active, scaling, data):
        one = lambda p: evaluate(p, scaling, data, unravel=unravel)
        empty = jax.eval_shape(one, flat)
        blank = jax.tree.map(
            lambda leaf: jnp.zeros((active.shape[0], *leaf.shape), leaf.dtype), empty
        )
        return map_members(lambda _, p: one(p), shape.layout)(active, blank, parameters)

    train = sharded(train, (members, members, members, shared, shared, shared))
    evaluate_members = sharded(evaluate_members, (members, members, shared, shared))
    zeros, seed = jnp.zeros_like(flat), jnp.zeros((), jnp.uint32)
    blank = jax.tree.map(np.asarray, initial_state(zeros, seed, optimizer))
    return Programs(train, evaluate_members, template, blank)


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
        the shape). The size is the same for all launches, so that they share one compiled program;
        side by side, few members use a quarter.
    """
    chosen, size = np.flatnonzero(active), -(-len(active) // devices) * devices
    if layout == "vmap" and len(chosen) <= size // 4 and size // 4 % devices == 0:
        size //= 4
    size = max(devices, min(size, at_once) // devices * devices)
    result = []
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        rows = np.full((devices, size // devices), part[0])
        used = np.zeros((devices, size // devices), bool)
        for device in range(devices):
            mine = part[device::devices]
            rows[device, : len(mine)], used[device, : len(mine)] = mine, True
        result.append((rows.ravel(), used.ravel()))
    return result


def rows_that_fit(settings: DeviceSettings, shape: Shape, length: int, row_bytes: int) -> int:
    """Population rows for which there is memory at one time.

    Args:
        length: T.
        row_bytes: size of one member's training state.
    """
    if settings.max_members_at_once > 0:
        return settings.max_members_at_once
    a = shape.architecture
    depth = a.transition_depth + a.output_depth
    width = max(a.hidden_dim, a.transition_width, a.output_width)
    side_by_side = shape.layout == "vmap"
    activations = 4 * 3 * length * shape.batch_size * width * depth if side_by_side else 0
    return max(1, int(device_limit(settings) / (4 * row_bytes + activations)))


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
