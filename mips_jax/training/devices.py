"""Devices, their memory, and the compilation cache: one virtual CPU device a core keeps all cores
busy.
"""

from __future__ import annotations

import os
from pathlib import Path

import jax

from mips_jax.training.settings import DeviceSettings

# members, not single products, are spread over the cores
CPU_FLAGS = "--xla_cpu_multi_thread_eigen=false"

# XLA compiles a program for one device otherwise than the same for several (measured: other bits in
# the weights after 60 steps; among 2, 3 and 8 devices there is no difference). So there are always
# several, and a machine's number of cores does not decide which network is found.
LEAST_CPU_DEVICES = 2


def configure_devices(settings: DeviceSettings) -> None:
    """Sets up jax for populations; a no-op for what has been decided already (a backend in use, a
    cache folder set).
    """
    chosen = lambda name: getattr(jax.config, name)  # unknown to type checkers
    if settings.compilation_cache and not chosen("jax_compilation_cache_dir"):
        folder = Path(settings.compilation_cache_dir or default_cache_dir())
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    if chosen("jax_default_matmul_precision") is None:
        # TF32 would blur outputs near 1,000
        jax.config.update("jax_default_matmul_precision", "float32")
    # jax's LAPACK: threads for 64 x 64 factorisations cost tenfold
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if backend_in_use():
        return
    if settings.distributed:
        jax.distributed.initialize(
            settings.coordinator or None, settings.processes, settings.process
        )
    if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {CPU_FLAGS}".strip()
    by_flag = "host_platform_device_count" in os.environ["XLA_FLAGS"]
    if not by_flag and chosen("jax_num_cpu_devices") < 1:
        jax.config.update("jax_num_cpu_devices", max(LEAST_CPU_DEVICES, usable_cores()))


def usable_cores() -> int:
    """Cores that this process may use, on any platform, at least 1."""
    for name, count in (
        ("process_cpu_count", lambda f: f()),  # Python 3.13 and later
        ("sched_getaffinity", lambda f: len(f(0))),  # Linux
        ("cpu_count", lambda f: f()),
    ):
        function = getattr(os, name, None)
        cores = count(function) if function is not None else None
        if cores:
            return cores
    return 1


def use_bfloat16_gradients(gradients: str) -> bool:
    """ "auto" -> whether this hardware multiplies bfloat16 matrices faster than float32: GPUs,
    TPUs, CPUs with AMX.
    """
    if gradients != "auto" or jax.default_backend() != "cpu":
        return gradients != "float32"
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "amx_bf16" in flags.read_text(errors="replace")


def backend_in_use() -> bool:
    """Whether jax has opened its devices already, after which their number cannot change."""
    from jax._src import xla_bridge  # there is no public way to ask

    return xla_bridge.backends_are_initialized()


def default_cache_dir() -> Path:
    """In the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mips_jax" / "compiled"
