"""Tiny tasks and settings shared by the tests of training; as a script, one search that may be
killed on its way.

python -m tests.training.tiny CHECKPOINT_FOLDER RESULT.npz ROUNDS_UNTIL_KILLED(0 = never)
"""

import os
import signal
import sys

import numpy as np

from mips_jax.sequences import Sequences
from mips_jax.training import ModelSettings, TrainingSettings, train

SETTINGS = TrainingSettings(
    model=ModelSettings(hidden_dims=(1, 2), depths=(1, 2), widths=(16,)),
    members=2,
    batch_size=64,
    chunk_steps=50,
    cycle_steps=300,
    max_steps=900,
    polish_steps=50,
    evaluation_sequences=1024,
    checkpoint_seconds=0.0,
)


def running_sum(count: int, seed: int) -> Sequences:
    inputs = np.random.default_rng(seed).integers(-3, 4, (count, 6, 1))
    return Sequences(inputs, np.cumsum(inputs, axis=1))


def running_or(count: int, seed: int) -> Sequences:
    inputs = (np.random.default_rng(seed).random((count, 6, 1)) < 0.3).astype(np.int64)
    return Sequences(inputs, np.maximum.accumulate(inputs, axis=1))


def running_modulo(count: int, seed: int) -> Sequences:
    inputs = np.random.default_rng(seed).integers(0, 3, (count, 6, 1))
    return Sequences(inputs, np.cumsum(inputs, axis=1) % 3)


def main(folder: str, result_path: str, rounds: int) -> None:
    seen = []

    def progress(event) -> None:
        seen.append(event)
        if len(seen) == rounds:
            os.kill(os.getpid(), signal.SIGKILL)

    result = train(
        running_modulo(2048, 0),
        running_modulo(2048, 1),
        SETTINGS,
        progress=progress,
        checkpoint_dir=folder,
    )
    layers = [layer for stack in result.best.weights.values() for layer in stack]
    arrays = {
        f"{index}_{kind}": layer[kind] for index, layer in enumerate(layers) for kind in layer
    }
    np.savez(
        result_path, accuracy=result.curves.sequence_accuracy, steps=result.curves.steps, **arrays
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
