"""Every choice of the training engine, as plain dataclasses; the library never sees a configuration
framework.
"""

from __future__ import annotations

import dataclasses

from mips_jax.errors import RequestError

CELLS = ("mlp_rnn", "elman", "gru", "lstm")


@dataclasses.dataclass
class ModelSettings:
    """The architectures that may be tried, each list smallest first.

    The search prefers a smaller hidden size, then a smaller depth, then a smaller width (of
    transition f and output g).
    """

    cell: str = "mlp_rnn"  # one of CELLS; "mlp_rnn" is the paper's network
    hidden_dims: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16)  # hidden sizes H, each >= 1
    depths: tuple[int, ...] = (
        1,
        2,
        3,
    )  # affine layers in f and in g, each >= 1; 1 = affine (tried if the data are)
    widths: tuple[int, ...] = (
        64,
        128,
    )  # units in each hidden layer of f, each >= 1 (ignored at depth 1)
    output_width_ratio: float = 0.5  # width of g relative to f, > 0


@dataclasses.dataclass
class PressureSettings:
    """Pressure toward discrete, simple networks; every weight is traced, so a sweep over it
    compiles once. 0 = off.
    """

    l1: float = 0.0  # weight of mean |weights|, >= 0
    weight_decay: float = 0.0  # decoupled weight decay relative to the learning rate, >= 0
    # standard deviation of Gaussian noise added to each hidden state, >= 0
    hidden_noise: float = 0.0
    contraction: float = 0.02  # weight of the stretch (mean and 4-norm) of small perturbations of h at visited states, >= 0
    # weight of the distance of weights to multiples of `quantization_step`, >= 0
    quantization: float = 0.0
    quantization_step: float = 0.125  # grid of the quantisation pressure, > 0
    # True: throughout training; False: only while a perfect member is polished
    from_start: bool = False


@dataclasses.dataclass
class DeviceSettings:
    """Where the population runs."""

    layout: str = "auto"  # "auto" | "map" (members one after another: CPU) | "vmap" (members side by side: GPU, TPU)
    gradients: str = "auto"  # operands of wide layers' gradients: "auto" | "float32" | "bfloat16"; sums are float32
    # call jax.distributed.initialize() (Slurm, TPU pods); the population spans all hosts
    distributed: bool = False
    # population rows on the devices at one time; 0 = from the memory limit
    max_members_at_once: int = 0
    memory_limit_gib: float = 0.0  # memory for one population chunk, > 0; 0 = from the device
    compilation_cache: bool = True  # keep compiled programs on disk for later runs
    # folder of the compilation cache; "" = mips_jax in the user's cache folder
    compilation_cache_dir: str = ""


@dataclasses.dataclass
class TrainingSettings:
    """One search for the smallest perfect network of one task."""

    model: ModelSettings = dataclasses.field(default_factory=ModelSettings)
    pressure: PressureSettings = dataclasses.field(default_factory=PressureSettings)
    device: DeviceSettings = dataclasses.field(default_factory=DeviceSettings)
    seed: int = 0  # base seed >= 0: members' initial weights, batches and noise follow from it
    # members (seeds) of each architecture at first, >= 1; half as many more in later waves
    members: int = 4
    batch_size: int = 128  # sequences in one step, >= 1
    learning_rate: float = 5e-3  # initial rate (Adam), > 0; members try 1 to 3 times this
    clip_norm: float = 1.0  # largest global gradient norm, > 0
    max_steps: int = 12_000  # steps after which an imperfect member is given up, >= 1
    chunk_steps: int = 250  # steps in one compiled call, between two evaluations, >= 1
    cycle_steps: int = 1_500  # first cycle, >= 1; at its end the better half of the members goes on, for twice as long
    # work on smaller sizes after the first perfect network, relative to that until then
    smaller_patience: float = 0.7
    # further steps with decaying rate for a member that has become perfect, >= 0
    polish_steps: int = 1_000
    # the search ends with this many perfect networks of the smallest size, >= 1
    perfect_members: int = 1
    time_limit_seconds: float = 0.0  # no new chunk begins after this time; 0 = no limit
    # test sequences for the check after each chunk; candidates see all
    evaluation_sequences: int = 4_096
    # time between checkpoints of a running search; 0 = after every chunk
    checkpoint_seconds: float = 30.0


def validate(settings: TrainingSettings) -> None:
    """Raises RequestError naming every field that is out of range."""
    problems = []
    model, pressure, device = settings.model, settings.pressure, settings.device

    def require(condition: bool, key: str, value, allowed: str) -> None:
        if not condition:
            problems.append(f"{key} is {value!r}, but must be {allowed}; change {key}.")

    require(model.cell in CELLS, "model.cell", model.cell, "one of " + ", ".join(CELLS))
    for name in ("hidden_dims", "depths", "widths"):
        values = tuple(getattr(model, name))
        require(
            min(values, default=0) >= 1, f"model.{name}", list(values), "a list of integers >= 1"
        )
    require(
        model.output_width_ratio > 0, "model.output_width_ratio", model.output_width_ratio, "> 0"
    )
    for field in dataclasses.fields(pressure):
        value = getattr(pressure, field.name)
        if isinstance(value, bool):
            continue
        if field.name == "quantization_step":
            require(value > 0, "training.pressure.quantization_step", value, "> 0")
        else:
            require(value >= 0, f"training.pressure.{field.name}", value, ">= 0")
    require(
        device.layout in ("auto", "map", "vmap"),
        "training.device.layout",
        device.layout,
        "auto, map or vmap",
    )
    allowed = ("auto", "float32", "bfloat16")
    require(
        device.gradients in allowed,
        "training.device.gradients",
        device.gradients,
        "auto, float32 or bfloat16",
    )
    for name in ("max_members_at_once", "memory_limit_gib"):
        require(
            getattr(device, name) >= 0, f"training.device.{name}", getattr(device, name), ">= 0"
        )
    counts = ("members", "batch_size", "max_steps", "chunk_steps", "cycle_steps", "perfect_members")
    for name in (*counts, "evaluation_sequences"):
        require(getattr(settings, name) >= 1, f"training.{name}", getattr(settings, name), ">= 1")
    for name in (
        "seed",
        "polish_steps",
        "smaller_patience",
        "time_limit_seconds",
        "checkpoint_seconds",
    ):
        require(getattr(settings, name) >= 0, f"training.{name}", getattr(settings, name), ">= 0")
    for name in ("learning_rate", "clip_norm"):
        require(getattr(settings, name) > 0, f"training.{name}", getattr(settings, name), "> 0")
    if problems:
        raise RequestError(*problems)
