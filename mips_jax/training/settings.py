"""Every choice of the training engine, as plain dataclasses; the library never sees a configuration
framework.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field

from mips_jax.models.cells import CELLS
from mips_jax.training.optimizers import OPTIMIZERS
from mips_jax.validation import bounds, checked, choices, group, names_of, seeds

IDENTIFIED, RANDOM = "identified", "random"  # how affine networks start


@dataclasses.dataclass
class ModelSettings:
    """The architectures that may be tried, each list smallest first.

    The search prefers a smaller hidden size, then a smaller depth, then a smaller width (of
    transition f and output g).

    Attributes:
        cell: "mlp_rnn" is the paper's network.
        hidden_dims: hidden sizes H.
        depths: affine layers in f and in g; 1 = affine (tried if the data are).
        widths: units in each hidden layer of f (ignored at depth 1).
        output_width_ratio: width of g relative to f.
        affine_transition: whether networks whose f is affine and whose g is an MLP are tried before
            those with a deeper f (mlp_rnn only): what they remember is linear.
    """

    cell: str = field(default="mlp_rnn", metadata=names_of(CELLS))
    hidden_dims: tuple[int, ...] = field(
        default=(1, 2, 3, 4, 5, 6, 7, 8, 12, 16), metadata=bounds(1, 100_000)
    )
    depths: tuple[int, ...] = field(default=(1, 2, 3), metadata=bounds(1, 100))
    widths: tuple[int, ...] = field(default=(64, 128), metadata=bounds(1, 100_000))
    output_width_ratio: float = field(default=0.5, metadata=bounds(0, 1000, above=True))
    affine_transition: bool = False


@dataclasses.dataclass
class PressureSettings:
    """Pressure toward discrete, simple networks; every weight is traced, so a sweep over it
    compiles once. 0 = off.

    Attributes:
        l1: weight of mean |weights|.
        weight_decay: decoupled weight decay relative to the learning rate.
        hidden_noise: standard deviation of Gaussian noise added to each hidden state.
        contraction: weight of the stretch (mean and 4-norm) of small perturbations of h at visited
            states.
        quantization: weight of the distance of weights to multiples of `quantization_step`.
        quantization_step: grid of the quantisation pressure.
        from_start: True: throughout training; False: only while a perfect member is polished.
        more: weights of further entries of `PENALTIES`, by name.
    """

    l1: float = field(default=0.0, metadata=bounds(0))
    weight_decay: float = field(default=0.0, metadata=bounds(0))
    hidden_noise: float = field(default=0.0, metadata=bounds(0))
    contraction: float = field(default=0.02, metadata=bounds(0))
    quantization: float = field(default=0.0, metadata=bounds(0))
    quantization_step: float = field(default=0.125, metadata=bounds(0, above=True))
    from_start: bool = False
    more: dict[str, float] = field(default_factory=dict, metadata=bounds(0))


@dataclasses.dataclass
class DeviceSettings:
    """Where the population runs.

    Attributes:
        layout: "map" (members one after another: CPU), "vmap" (members side by side: GPU, TPU) or
            "auto".
        gradients: operands of wide layers' gradients; sums are float32.
        distributed: join the other processes of a cluster (jax.distributed); the population spans
            all of them, and the first alone extracts and writes.
        coordinator: address "host:port" of the first process; "" = as the cluster says (Slurm, TPU
            pods, Open MPI).
        processes: how many there are; null = as the cluster says.
        process: which one this is, from 0; null = as the cluster says.
        max_members_at_once: population rows on the devices at one time; 0 = from the memory limit.
        memory_limit_gib: memory for one population chunk; 0 = from the device.
        compilation_cache: keep compiled programs on disk for later runs.
        compilation_cache_dir: its folder; "" = mips_jax in the user's cache folder.
    """

    layout: str = field(default="auto", metadata=choices("auto", "map", "vmap"))
    gradients: str = field(default="auto", metadata=choices("auto", "float32", "bfloat16"))
    distributed: bool = False
    coordinator: str = ""
    processes: int | None = field(default=None, metadata=bounds(1, 100_000))
    process: int | None = field(default=None, metadata=bounds(0, 99_999))
    max_members_at_once: int = field(default=0, metadata=bounds(0))
    memory_limit_gib: float = field(default=0.0, metadata=bounds(0))
    compilation_cache: bool = True
    compilation_cache_dir: str = ""


@dataclasses.dataclass
class TrainingSettings:
    """One search for the smallest perfect network of one task.

    Attributes:
        start: of affine networks: "identified" (a least-squares fit of the training data, blurred,
            is trained further) or "random" (as all other networks start).
        seed: base seed: members' initial weights, batches and noise follow from it.
        members: members (seeds) of each architecture at first; half as many more in later waves.
        batch_size: sequences in one step.
        optimizer: "soap" (Adam in the eigenbasis of each layer's gradients) or plain "adam".
        learning_rate: initial rate; members try 1 to 3 times this.
        clip_norm: largest global gradient norm.
        max_steps: steps after which an imperfect member is given up.
        chunk_steps: steps between two evaluations.
        cycle_steps: first cycle; at its end the better half of the members goes on, for twice as
            long.
        smaller_patience: work on smaller sizes after the first perfect network, relative to that
            until then.
        polish_steps: further steps with decaying rate for a member that has become perfect.
        perfect_members: the search ends with this many perfect networks of the smallest size.
        time_limit_seconds: training ends within a few seconds of this time; 0 = no limit.
        evaluation_sequences: test sequences for the check after each chunk; candidates see all.
        checkpoint_seconds: time between checkpoints of a running search; 0 = after every chunk.
    """

    model: ModelSettings = field(default_factory=ModelSettings, metadata=group("model"))
    pressure: PressureSettings = field(default_factory=PressureSettings)
    device: DeviceSettings = field(default_factory=DeviceSettings)
    start: str = field(default=IDENTIFIED, metadata=choices(IDENTIFIED, RANDOM))
    seed: int = field(default=0, metadata=seeds())
    members: int = field(default=4, metadata=bounds(1, 100_000))
    batch_size: int = field(default=128, metadata=bounds(1, 10_000_000))
    optimizer: str = field(default="soap", metadata=names_of(OPTIMIZERS))
    learning_rate: float = field(default=5e-3, metadata=bounds(0, above=True))
    clip_norm: float = field(default=1.0, metadata=bounds(0, above=True))
    max_steps: int = field(default=12_000, metadata=bounds(1, 1_000_000_000))
    chunk_steps: int = field(default=250, metadata=bounds(1, 1_000_000))
    cycle_steps: int = field(default=1_500, metadata=bounds(1, 1_000_000_000))
    smaller_patience: float = field(default=0.7, metadata=bounds(0))
    polish_steps: int = field(default=1_000, metadata=bounds(0, 1_000_000_000))
    perfect_members: int = field(default=1, metadata=bounds(1))
    time_limit_seconds: float = field(default=0.0, metadata=bounds(0))
    evaluation_sequences: int = field(default=4_096, metadata=bounds(1, 10_000_000))
    checkpoint_seconds: float = field(default=30.0, metadata=bounds(0))


def validate(settings: TrainingSettings) -> None:
    """Raises RequestError naming every field that is out of range."""
    checked(settings, "training", TrainingSettings)
