"""What does the contraction pressure buy, and what does it cost? Ten finite-state tasks, default
against no pressure.

    python benchmarks/contraction.py [--tasks A,B] [--weights 0,0.01,0.1] [--seed 0]

Stretch at a visited state: the largest singular value of the Jacobian of h' = f(h, x) with respect
    to h, exact for ReLU
networks. Reported: the largest and the median over the states and inputs of 200 sequences of ten
times the length, the largest error there, the accuracy on whole sequences of that length, and
training seconds.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from mips_jax.networks import MLPRNN
from mips_jax.tasks import get_task
from mips_jax.training import PressureSettings, TrainingSettings, train

TASKS = (
    "Parity_All,Binary_Addition,Base_3_Addition,Add_Mod_3,Add_Mod_5,Div_3,Div_5,Parity_Last3,Alternating_Last3,"
    "Bit_Dot_Prod_Mod2"
)


def transition_jacobians(network: MLPRNN, hidden: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """hidden [B, H], inputs [B, I] -> d f / d h at each, [B, H, H]."""
    x = np.concatenate([hidden, inputs], axis=1)
    jacobian = np.broadcast_to(
        np.eye(x.shape[1])[:, : network.hidden_dim], (len(x), x.shape[1], network.hidden_dim)
    )
    for index, (weight, bias) in enumerate(network.transition):
        x, jacobian = x @ weight.T + bias, weight @ jacobian
        if index < len(network.transition) - 1:
            jacobian, x = jacobian * (x > 0)[..., None], np.maximum(x, 0.0)
    return jacobian


def stretches(network: MLPRNN, inputs: np.ndarray) -> np.ndarray:
    """Largest singular value at each visited state, [B, T]."""
    hidden, values = np.broadcast_to(network.initial, (len(inputs), network.hidden_dim)), []
    for t in range(inputs.shape[1]):
        values.append(
            np.linalg.svd(transition_jacobians(network, hidden, inputs[:, t]), compute_uv=False)[
                :, 0
            ]
        )
        hidden = network.step(hidden, inputs[:, t])
    return np.stack(values, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=TASKS)
    parser.add_argument("--weights", default="0," + str(PressureSettings().contraction))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        f"{'task':20s}  weight  perfect  largest stretch  median  long accuracy  largest long "
        "error  seconds"
    )
    for name in options.tasks.split(","):
        task = get_task(name)
        training, test = (
            task.training_sequences(65_536, options.seed),
            task.test_sequences(65_536, options.seed),
        )
        long = task.long_sequences(200, 10 * task.length, options.seed)
        for weight in map(float, options.weights.split(",")):
            pressure = PressureSettings(contraction=weight)
            began = time.perf_counter()
            best = train(
                training, test, TrainingSettings(seed=options.seed, pressure=pressure)
            ).best
            seconds = time.perf_counter() - began
            network = best.to_network(task.length)
            values = stretches(network, long.inputs)
            hidden, outputs = network.run(long.inputs)
            accuracy = np.mean(np.all(outputs == long.outputs, axis=(1, 2)))
            raw = network.readout(hidden.reshape(-1, network.hidden_dim)).reshape(
                long.outputs.shape
            )
            error = np.abs(raw - long.outputs).max()
            print(
                f"{name:20s}  {weight:6.3f}  {best.perfect!s:7s}  {values.max():15.3f}  "
                f"{np.median(values):6.3f}  {accuracy:13.3f}  {error:18.3f}  {seconds:7.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
