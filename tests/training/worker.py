"""One short search on given devices, for the tests of devices.

python -m tests.training.worker RESULT.npz DEVICES [LAYOUT [PORT PROCESS]]
"""

import dataclasses
import sys

import jax
import numpy as np

from mips_jax.training import DeviceSettings, train
from tests.training.tiny import SETTINGS, running_modulo


def main(path: str, devices: str, layout: str = "map", port: str = "", process: str = "") -> None:
    jax.config.update("jax_num_cpu_devices", int(devices))
    if port:
        jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=2, process_id=int(process))
    settings = dataclasses.replace(
        SETTINGS, members=3, max_steps=20, chunk_steps=10, device=DeviceSettings(layout=layout)
    )
    result = train(running_modulo(1024, 0), running_modulo(1024, 1), settings)
    layers = [layer for stack in result.best.weights.values() for layer in stack]
    arrays = {
        f"{index}_{kind}": layer[kind] for index, layer in enumerate(layers) for kind in layer
    }
    members = [(m.architecture.hidden_dim, m.steps) for m in result.members]
    np.savez(
        path,
        members=members,
        loss=result.curves.loss,
        accuracy=result.curves.sequence_accuracy,
        **arrays,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
