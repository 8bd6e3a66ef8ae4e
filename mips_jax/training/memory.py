"""How much memory populations need, and how much there is; known before anything is trained or jax
is loaded.
"""

from __future__ import annotations

import os

from mips_jax.errors import RequestError
from mips_jax.models.architecture import Architecture
from mips_jax.training.search.ladder import Wave
from mips_jax.training.settings import DeviceSettings, TrainingSettings

UNKNOWN_MEMORY = 8 * 2**30  # bytes assumed where the platform does not say
HOST_SHARE = 0.5  # of the machine's memory for all members of a wave
VECTORS = 5  # parameters, average, momentum, squares, trainable
COPIES = 3  # on the host, on the devices, and the results on their way back
FLOAT = 4  # bytes


def physical_memory() -> int:
    """Bytes of the machine's memory; a guess where the platform does not say (Windows)."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN_MEMORY


def layer_shapes(a: Architecture, input_dim: int, output_dim: int) -> list[tuple[int, int]]:
    """(out, in) of every affine layer; for a cell with gates an upper bound."""
    chain = lambda sizes: list(zip(sizes[1:], sizes[:-1], strict=True))
    read = a.hidden_dim + input_dim
    if a.transition_depth == 1:
        gates = 1 if a.cell == "mlp_rnn" else 4
        transition = [(gates * a.hidden_dim, read)]
    else:
        inner = [a.transition_width] * (a.transition_depth - 1)
        transition = chain([read, *inner, a.hidden_dim])
    return transition + chain([a.hidden_dim, *[a.output_width] * (a.output_depth - 1), output_dim])


def member_bytes(a: Architecture, input_dim: int, output_dim: int) -> int:
    """Training state of one member: its vectors, and two preconditioners and bases a layer."""
    numbers = 0
    for rows, columns in layer_shapes(a, input_dim, output_dim):
        numbers += VECTORS * rows * (columns + 1) + 2 * rows**2 + 2 * (columns + 1) ** 2
    return FLOAT * numbers


def check_memory(
    settings: TrainingSettings, waves: list[Wave], input_dim: int, output_dim: int
) -> None:
    """Refuses a search one of whose waves does not fit into the machine's memory.

    Raises:
        RequestError: with what the largest wave needs, and the keys that make it smaller.
    """
    limit = HOST_SHARE * physical_memory()
    for wave in waves:
        members = len(wave.levels) * settings.members
        needed = COPIES * members * member_bytes(wave.padded, input_dim, output_dim)
        if needed > limit:
            raise RequestError(
                f"model.hidden_dims is {list(settings.model.hidden_dims)}, model.widths "
                f"{list(settings.model.widths)}: {members} members of {wave.padded} need "
                f"{needed / 2**30:.1f} GiB; allowed: {limit / 2**30:.1f} GiB, half of this "
                "machine's memory; change model.hidden_dims, model.widths or training.members."
            )


def device_limit(settings: DeviceSettings) -> float:
    """Bytes for the population rows that are on the devices at one time."""
    import jax

    if settings.memory_limit_gib > 0:
        return settings.memory_limit_gib * 2**30
    device = jax.local_devices()[0]
    if device.platform == "cpu":
        return 0.25 * physical_memory()
    total = (device.memory_stats() or {}).get("bytes_limit", UNKNOWN_MEMORY)
    return 0.6 * total * len(jax.devices())
