"""How fast do populations train? Against the plain PyTorch loop on CPU; on a GPU, throughput by
population size.

    python benchmarks/training_speed.py [--seconds 4]            # CPU: three shapes, both sides in
    one run python benchmarks/training_speed.py --sizes 1,8,64,512,4096  # any device: throughput
    curve python benchmarks/training_speed.py --sweep 64               # all named tasks x 64 seeds
    in one population

Baseline: one network at a time, an ordinary PyTorch training loop (Adam, log loss, gradient
    clipping), batch 4,096,
T = 10, int sequences on the fly from a prepared tensor. Ours: the training chunk of the package as
it is used (SOAP, moving average, penalties, bfloat16 gradients of wide layers where the hardware
has them), members sharded over the CPU cores. Compile time is reported apart. Member-steps per
second: optimizer steps times members by wall time, the median of repeated windows. Peak: the
machine's large float32 product.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time

import jax
import numpy as np
from jax.sharding import PartitionSpec

from mips_jax.models import Architecture
from mips_jax.training.devices import configure_devices, use_bfloat16_gradients
from mips_jax.training.member import PENALTIES, Hyper, Scaling, Stretch
from mips_jax.training.population import (
    AXIS,
    Shape,
    compiled_programs,
    place,
    population_mesh,
    resolve_layout,
)
from mips_jax.training.settings import DeviceSettings

LENGTH, BATCH, SEQUENCES = 10, 4_096, 65_536
SHAPES = {
    "H=2 linear": Architecture(2),
    "H=4 32x2/32x2": Architecture(4, 32, 2, 32, 2),
    "H=8 64x3/64x2": Architecture(8, 64, 3, 64, 2),
}


def layer_sizes(
    a: Architecture, input_dim: int = 1, output_dim: int = 1
) -> tuple[list[int], list[int]]:
    transition = (
        [a.hidden_dim + input_dim]
        + [a.transition_width] * (a.transition_depth - 1)
        + [a.hidden_dim]
    )
    output = [a.hidden_dim] + [a.output_width] * (a.output_depth - 1) + [output_dim]
    return transition, output


def flops_per_member_step(a: Architecture, batch: int) -> float:
    """Multiply-adds of forward and backward, times two."""
    products = sum(m * n for sizes in layer_sizes(a) for m, n in itertools.pairwise(sizes))
    return 2.0 * 3.0 * products * batch * LENGTH


def random_data(channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 2, (LENGTH, channels, SEQUENCES)).astype(np.float32)
    data[:, 1] = np.cumsum(data[:, 0], axis=0) % 2
    data[:, -1] = 1.0
    return data


def plain_hyper(count: int, parameters: int) -> Hyper:
    column = lambda value: np.full(count, value, np.float32)
    return Hyper(
        learning_rate=column(1e-3),
        halving_steps=column(1e3),
        floor=column(1.0),
        start=np.zeros(count, np.int32),
        horizon=column(np.inf),
        clip_norm=column(1.0),
        ramp=column(0.0),
        margin=column(0.0),
        weight_decay=column(0.0),
        hidden_noise=column(0.0),
        quantization_step=column(0.125),
        penalties={name: column(0.0) for name in PENALTIES},
        trainable=np.ones((count, parameters), np.float32),
    )


def ours(a: Architecture, members: int, batch: int, seconds: float) -> tuple[float, float]:
    """(member-steps per second, compile seconds)."""
    mesh = population_mesh()
    members = -(-members // mesh.size) * mesh.size
    shape = Shape(a, 1, 1, batch, resolve_layout("auto"), use_bfloat16_gradients("auto"))
    programs = compiled_programs(shape, mesh)
    states = programs.blank_states(members)
    states.parameters[...] = 0.3 * np.random.default_rng(0).standard_normal(states.parameters.shape)
    rows = PartitionSpec(AXIS)
    states, hyper, active = place(
        (states, plain_hyper(members, states.parameters.shape[1]), np.ones(members, bool)),
        mesh,
        rows,
    )
    ones = np.ones(1, np.float32)
    scaling, data = place(
        (Scaling(ones, 0 * ones, ones, 0 * ones), random_data()), mesh, PartitionSpec()
    )
    stretch = lambda n: Stretch(np.int32(0), np.int32(n), np.int32(n))
    run = lambda s, n: jax.block_until_ready(
        programs.train(s, hyper, active, scaling, data, stretch(n))
    )
    began = time.perf_counter()
    run(states, 1)
    compile_seconds = time.perf_counter() - began
    began = time.perf_counter()
    run(states, 10)
    steps = max(10, int(10 * seconds / 4 / (time.perf_counter() - began)))
    rates = []
    for _ in range(5):
        began = time.perf_counter()
        states = run(states, steps)
        rates.append(members * steps / (time.perf_counter() - began))
    return statistics.median(rates), compile_seconds


def pytorch(a: Architecture, batch: int, seconds: float) -> float:
    """Steps per second of the plain loop, one network at a time."""
    import torch

    def mlp(sizes: list[int]) -> torch.nn.Sequential:
        layers: list[torch.nn.Module] = []
        for m, n in itertools.pairwise(sizes):
            layers += [torch.nn.Linear(m, n), torch.nn.ReLU()]
        return torch.nn.Sequential(*layers[:-1])

    transition_sizes, output_sizes = layer_sizes(a)
    f, g = mlp(transition_sizes), mlp(output_sizes)
    parameters = list(f.parameters()) + list(g.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    data = random_data()
    x, y = (
        torch.tensor(data[:, :1].transpose(2, 0, 1).copy()),
        torch.tensor(data[:, 1:2].transpose(2, 0, 1).copy()),
    )

    def step() -> None:
        rows = torch.randint(0, SEQUENCES, (batch,))
        inputs, targets = x[rows], y[rows]
        hidden, outputs = torch.zeros(batch, a.hidden_dim), []
        for t in range(LENGTH):
            hidden = f(torch.cat([hidden, inputs[:, t]], dim=1))
            outputs.append(g(hidden))
        loss = (0.5 * torch.log1p((torch.stack(outputs, 1) - targets) ** 2)).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    for _ in range(3):
        step()
    rates = []
    for _ in range(5):
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds / 5:
            step()
            count += 1
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates)


def matmul_peak() -> float:
    """GFLOP/s of a large float32 product on all cores (numpy's BLAS on CPU, the device's own
    otherwise).
    """
    size = 4_096 if jax.default_backend() == "cpu" else 8_192
    if jax.default_backend() == "cpu":
        left = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
        multiply = lambda: left @ left
    else:
        matrix = jax.random.normal(jax.random.key(0), (size, size))
        product = jax.jit(lambda m: m @ m)
        multiply = lambda: jax.block_until_ready(product(matrix))
    multiply()
    rates = []
    for _ in range(5):
        began = time.perf_counter()
        multiply()
        rates.append(2 * size**3 / (time.perf_counter() - began) / 1e9)
    return max(rates)


def compare_with_pytorch(seconds: float) -> None:
    peak = matmul_peak()
    print(f"matmul peak {peak:.0f} GFLOP/s; batch {BATCH}, T={LENGTH}")
    print(f"{'shape':16s}  pytorch steps/s  ours member-steps/s  ratio  share of peak  compile s")
    for name, architecture in SHAPES.items():
        try:
            baseline = pytorch(architecture, BATCH, seconds)
        except ImportError:
            baseline = float("nan")
        rate, compile_seconds = ours(architecture, len(jax.devices()), BATCH, seconds)
        share = rate * flops_per_member_step(architecture, BATCH) / 1e9 / peak
        print(
            f"{name:16s}  {baseline:15.0f}  {rate:19.0f}  {rate / baseline:5.2f}  {share:13.1%}  "
            f"{compile_seconds:9.1f}",
            flush=True,
        )


def throughput_curve(sizes: list[int], batch: int, seconds: float) -> None:
    architecture = Architecture(4, 64, 2, 32, 2)
    print(f"{architecture}, batch {batch}, T={LENGTH}")
    print("members  member-steps/s  TFLOP/s  compile s")
    for members in sizes:
        rate, compile_seconds = ours(architecture, members, batch, seconds)
        flops = rate * flops_per_member_step(architecture, batch) / 1e12
        print(f"{members:7d}  {rate:14.0f}  {flops:7.2f}  {compile_seconds:9.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="measuring time for each entry")
    parser.add_argument("--sizes", default="", help="population sizes for the throughput curve")
    parser.add_argument("--batch", type=int, default=128, help="batch of the throughput curve")
    parser.add_argument(
        "--sweep", type=int, default=0, help="seeds of the sweep over all named tasks"
    )
    options = parser.parse_args()
    configure_devices(DeviceSettings(compilation_cache=False))
    device = jax.devices()[0]
    today = time.strftime("%Y-%m-%d")
    print(f"{len(jax.devices())} x {device.device_kind}, jax {jax.__version__}, {today}")
    if options.sizes:
        throughput_curve(
            [int(size) for size in options.sizes.split(",")], options.batch, options.seconds
        )
    if options.sweep:
        from sweep_all_tasks import sweep

        sweep(options.sweep)
    if not options.sizes and not options.sweep:
        compare_with_pytorch(options.seconds)


if __name__ == "__main__":
    main()
