"""Devices and the compilation cache: one virtual CPU device a core keeps all cores busy."""

from __future__ import annotations

import os
from pathlib import Path

import jax

from mips_jax.training.settings import DeviceSettings

# members, not single products, are spread over the cores
CPU_FLAGS = "--xla_cpu_multi_thread_eigen=false"


def configure_devices(settings: DeviceSettings) -> None:
    """Sets up jax for populations; a no-op for what has been decided already (a backend in use, a
    cache folder set).
    """
    if settings.compilation_cache and not jax.config.jax_compilation_cache_dir:
        folder = Path(settings.compilation_cache_dir or default_cache_dir())
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    if jax.config.jax_default_matmul_precision is None:
        jax.config.update(
            "jax_default_matmul_precision", "float32"
        )  # TF32 would blur outputs near 1,000
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # jax's LAPACK: threads for 64 x 64 factorisations cost tenfold
    if backend_in_use():
        return
    if settings.distributed:
        jax.distributed.initialize()
    if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {CPU_FLAGS}".strip()
    if (
        "host_platform_device_count" not in os.environ["XLA_FLAGS"]
        and jax.config.jax_num_cpu_devices < 1
    ):
        jax.config.update("jax_num_cpu_devices", usable_cores())


def usable_cores() -> int:
    """Cores that this process may run on; where the system does not say (macOS, Windows), all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def physical_memory() -> float:
    """Bytes of memory; where the system does not say (Windows), a guess of 8 GiB."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return 8.0 * 2**30


def use_bfloat16_gradients(gradients: str) -> bool:
    """ "auto" -> whether this hardware multiplies bfloat16 matrices faster than float32: GPUs,
    TPUs, CPUs with AMX.
    """
    if gradients != "auto" or jax.default_backend() != "cpu":
        return gradients != "float32"
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "amx_bf16" in flags.read_text()


def backend_in_use() -> bool:
    """Whether jax has opened its devices already, after which their number cannot change."""
    from jax._src import xla_bridge  # there is no public way to ask

    return xla_bridge.backends_are_initialized()


def default_cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mips_jax" / "compiled"
